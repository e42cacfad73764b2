import {
  type FieldValue,
  type FieldValues,
  isParseError,
  type Message,
  MessageBuilder,
  parseMessage,
  repetitions,
} from '@causeway/hl7v2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { adt, type Person } from '../testing-messages.ts';

let hub: TestHub;
let made = 0;

const clinicSystem = 'urn:oid:2.999.10';
const labSystem = 'urn:oid:2.999.20';
const ines: Person = {
  id: '100',
  family: 'Marlow',
  given: 'Inès',
  birth: '19710203',
  sex: 'F',
  street: '4 Quay Street',
  city: 'Harwick',
  postalCode: '12345',
  phone: '5551237788',
  ssn: '123-45-6789',
};

beforeAll(async () => {
  hub = await startTestHub();
  const put = (key: string, facility: string, system: string | undefined, queries: string[]) =>
    hub.send('PUT', `/api/participants/${key}`, {
      name: `The ${key}`,
      kind: 'hospital',
      sendingFacility: facility,
      ...(system ? { identifierSystem: system, identifierAuthority: facility } : {}),
      queries,
    });
  const all = ['demographics', 'identifiers', 'immunizations'];
  await put('clinic', 'CLINIC', clinicSystem, all);
  await put('lab', 'LAB', labSystem, all);
  await put('shy', 'SHY', undefined, []);
  for (const [key, name, system] of [
    ['clinic', 'CLINIC', clinicSystem],
    ['lab', 'LAB', labSystem],
  ] as const) {
    const settings = { identifierSystems: { [name]: system } };
    expect((await hub.send('PUT', `/api/participants/${key}/settings`, settings)).status).toBe(200);
  }
  await hub.deliver(
    adt('A04', ines),
    adt('A04', { ...ines, id: 'L-9' }, { facility: 'LAB' }),
    adt('A04', {
      id: '200',
      family: 'Marlowe',
      given: 'Tom',
      birth: '19800909',
      sex: 'M',
      street: '9 Hill Road',
      city: 'Harwick',
    }),
    ...[1, 2, 3, 4, 5].map((n) =>
      adt('A04', { id: `P${n}`, family: 'Paged', given: `Name${'abcde'[n]}`, birth: `198${n}0101`, sex: 'F' }),
    ),
    vxu({ id: '300', family: 'Child', given: 'Robin', birth: '20200512', sex: 'M' }, [
      'ORC|RE||V1^CLINIC',
      'RXA|0|1|20210712||03^MMR^CVX|0.5|mL^^UCUM||00^New Immunization Record^NIP001||||||LOT1|20230101|MSD^Merck^MVX|||CP|A',
      'RXR|SC^Subcutaneous^HL70162',
      'OBX|1|CE|64994-7^Eligibility^LN|1|V02^Medicaid^HL70064||||||F',
      'ORC|RE||V2^CLINIC',
      'RXA|0|1|20200801||10^IPV^CVX|999|||01^Historical^NIP001|||||||||||CP|A',
    ]),
    adt('A04', { id: '301', family: 'Child', given: 'Robert', birth: '20200512', sex: 'M' }),
  );
  await hub.settled();
});
afterAll(() => hub.stop());

function vxu({ id, family, given, birth, sex }: Person, lines: string[]): string {
  const head = `MSH|^~\\&|EHR|CLINIC|||20240301090000||VXU^V04^VXU_V04|V${++made}|P|2.5.1`;
  const pid = `PID|1||${id}^^^CLINIC^MR||${family}^${given}||${birth}|${sex}`;
  return `${[head, pid, ...lines].join('\r')}\r`;
}

interface Ask {
  event?: string;
  facility?: string;
  /** QPD-3 and what follows. */
  fields: FieldValues;
  tag?: string;
  limit?: number;
  pointer?: string;
  name?: string[];
  header?: { [field: number]: string };
}

function qbp({ event = 'Q22', facility = 'CLINIC', fields, tag = `T${++made}`, limit, pointer, ...more }: Ask): string {
  const structure = event === 'Q11' ? 'QBP_Q11' : 'QBP_Q21';
  const builder = new MessageBuilder({
    sendingApplication: 'EHR',
    sendingFacility: facility,
    receivingApplication: 'HUB',
    receivingFacility: 'REGION',
    time: '20240301090000+0000',
    type: ['QBP', event, structure],
    controlId: `Q${++made}`,
    version: '2.5.1',
    fields: more.header ?? {},
  });
  builder.segment('QPD', { 1: more.name ?? ['IHE PDQ Query'], 2: tag, ...fields });
  builder.segment('RCP', { 1: 'I', 2: limit === undefined ? undefined : [limit, 'RD'] });
  if (pointer !== undefined) builder.segment('DSC', { 1: pointer, 2: 'I' });
  return builder.toString();
}

async function ask(question: Ask | string): Promise<Message> {
  const [answer] = await hub.deliver(typeof question === 'string' ? question : qbp(question));
  return read(answer!);
}

function read(text: string | Uint8Array): Message {
  const message = parseMessage(text);
  if (isParseError(message)) throw new Error(message.message);
  return message;
}

const who = (...criteria: [string, string][]) => repetitions(...criteria);
const domain = (name: string, oid = '') => ['', '', '', oid ? [name, oid, 'ISO'] : name];
const outcome = (message: Message) => [message.get('MSA-1'), message.get('QAK-2')];
const families = (message: Message) => message.all('PID').map((pid) => pid.field(5).first.component(1).text);
const identifiersOf = (message: Message, n = 1) =>
  message
    .segment('PID', n)!
    .field(3)
    .repetitions.map((one) => [one.component(1).text, one.component(4).raw]);
const lastAccess = async () => (await accessesOf(hub)).at(-1)!;

describe('find candidates (Q22)', () => {
  it('finds by name and birth date, tells the query again, and records whose data were given out', async () => {
    const fields = { 3: who(['@PID.5.1.1', 'MARLOW'], ['@PID.7.1', '19710203']) };
    const answer = await ask({ fields, tag: 'TAG-1' });
    expect(answer.type).toEqual({ code: 'RSP', event: 'K22', structure: 'RSP_K21' });
    expect(['MSH-3', 'MSH-5', 'MSH-6', 'MSH-12'].map((path) => answer.get(path))).toEqual([
      'HUB',
      'EHR',
      'CLINIC',
      '2.5.1',
    ]);
    expect(['QAK-1', 'QAK-2', 'QAK-3', 'QAK-4'].map((path) => answer.get(path))).toEqual([
      'TAG-1',
      'OK',
      'IHE PDQ Query',
      '1',
    ]);
    expect(answer.segment('QPD')!.raw).toBe('QPD|IHE PDQ Query|TAG-1|@PID.5.1.1^MARLOW~@PID.7.1^19710203');
    expect(['PID-1', 'PID-5.1', 'PID-5.2', 'PID-7', 'PID-8', 'PID-11.3'].map((path) => answer.get(path))).toEqual([
      '1',
      'Marlow',
      'Inès',
      '19710203',
      'F',
      'Harwick',
    ]);
    expect(identifiersOf(answer)).toEqual(
      expect.arrayContaining([
        ['100', 'CLINIC&2.999.10&ISO'],
        ['L-9', 'LAB&2.999.20&ISO'],
      ]),
    );
    expect(await lastAccess()).toMatchObject({
      who: 'site:clinic',
      organization: 'clinic',
      purpose: 'TREAT',
      action: 'query',
      what: expect.stringContaining('QBP^Q22 QPD|IHE PDQ Query|TAG-1'),
      status: 200,
      patients: [expect.any(String)],
    });
  });

  it.each([
    [
      'accents and case aside',
      [
        ['@PID.5.2', 'ines'],
        ['@PID.5.1', 'marlow'],
      ],
      ['Marlow'],
    ],
    [
      'the beginning only where a * says so',
      [
        ['@PID.5.1', 'Marl*'],
        ['@PID.11.3', 'Harwick'],
      ],
      ['Marlow', 'Marlowe'],
    ],
    [
      'all criteria',
      [
        ['@PID.5.1', 'Marl*'],
        ['@PID.8', 'M'],
      ],
      ['Marlowe'],
    ],
    [
      'a record number with its authority',
      [
        ['@PID.3.1', 'L-9'],
        ['@PID.3.4.1', 'LAB'],
      ],
      ['Marlow'],
    ],
    [
      'an authority by its OID',
      [
        ['@PID.3.1', '200'],
        ['@PID.3.4.2', '2.999.10'],
        ['@PID.3.4.3', 'ISO'],
      ],
      ['Marlowe'],
    ],
    ['a social security number', [['@PID.19', '123-45-6789']], ['Marlow']],
    [
      'address and telephone',
      [
        ['@PID.5.1', 'Marlow'],
        ['@PID.11.1.1', '4 quay street'],
        ['@PID.13.1', '(555) 123-7788'],
      ],
      ['Marlow'],
    ],
    [
      'nobody who fits in part',
      [
        ['@PID.5.1', 'Marlow'],
        ['@PID.7', '19710204'],
      ],
      [],
    ],
    [
      'nobody under the number of another authority',
      [
        ['@PID.3.1', 'L-9'],
        ['@PID.3.4', 'CLINIC'],
      ],
      [],
    ],
  ] as [string, [string, string][], string[]][])('finds by %s', async (_, criteria, expected) => {
    const answer = await ask({ fields: { 3: who(...criteria) } });
    expect(outcome(answer)).toEqual(['AA', expected.length > 0 ? 'OK' : 'NF']);
    expect(families(answer).sort()).toEqual(expected);
  });

  it.each([
    ['a name alone', [['@PID.5.1', 'Marlow']], '101', undefined],
    [
      'birth date and sex',
      [
        ['@PID.7', '19710203'],
        ['@PID.8', 'F'],
      ],
      '101',
      undefined,
    ],
    ['a number without authority', [['@PID.3.1', '100']], '101', '1'],
    [
      'a field that is not searched by',
      [
        ['@PID.5.1', 'Marlow'],
        ['@PID.16', 'S'],
      ],
      '103',
      '2',
    ],
    [
      'a date that is none',
      [
        ['@PID.5.1', 'Marlow'],
        ['@PID.7', '19711345'],
      ],
      '102',
      '2',
    ],
    [
      'an unknown sex',
      [
        ['@PID.5.1', 'Marlow'],
        ['@PID.8', 'Q'],
      ],
      '103',
      '2',
    ],
    [
      'hardly a letter',
      [
        ['@PID.5.1', 'M*'],
        ['@PID.8', 'F'],
      ],
      '102',
      undefined,
    ],
    [
      'no value',
      [
        ['@PID.5.1', ''],
        ['@PID.8', 'F'],
      ],
      '101',
      '1',
    ],
  ] as [string, [string, string][], string, string | undefined][])('refuses %s', async (_, criteria, code, place) => {
    const answer = await ask({ fields: { 3: who(...criteria) } });
    expect(outcome(answer)).toEqual(['AE', 'AE']);
    expect([answer.get('ERR-2.1'), answer.get('ERR-2.3'), answer.get('ERR-3')]).toEqual(['QPD', '3', code]);
    if (place) expect(answer.get('ERR-2.4')).toBe(place);
    expect(answer.all('PID')).toEqual([]);
    expect(await lastAccess()).toMatchObject({ action: 'query', status: 400 });
  });

  it('tells identifiers of the domains that are wanted, and refuses unknown ones by their place', async () => {
    const of = who(['@PID.5.1', 'Marl*'], ['@PID.11.3', 'Harwick']);
    const answer = await ask({ fields: { 3: of, 8: domain('LAB') } });
    expect(families(answer)).toEqual(['Marlow']);
    expect(identifiersOf(answer)).toEqual([['L-9', 'LAB&2.999.20&ISO']]);
    const wrong = await ask({
      fields: { 3: of, 8: repetitions(domain('LAB'), domain('MOON'), domain('', '2.999.99')) },
    });
    expect(outcome(wrong)).toEqual(['AE', 'AE']);
    expect(wrong.all('ERR').map((err) => [err.field(2).raw, err.field(3).first.component(1).text])).toEqual([
      ['QPD^1^8^2', '204'],
      ['QPD^1^8^3', '204'],
    ]);
  });

  it('goes on by the pointer, the same part again where asked, until the query is cancelled', async () => {
    const fields = { 3: who(['@PID.5.1', 'Paged'], ['@PID.8', 'F']) };
    const part = { fields, tag: 'PAGES', limit: 2 };
    const seen: string[][] = [];
    let pointer: string | undefined;
    const pointers: string[] = [];
    do {
      const answer = await ask({ ...part, ...(pointer ? { pointer } : {}) });
      expect(outcome(answer)).toEqual(['AA', 'OK']);
      expect(answer.all('PID').map((pid) => pid.field(1).raw)).toEqual(answer.all('PID').map((_, i) => String(i + 1)));
      seen.push(answer.all('PID').map((pid) => pid.field(3).first.component(1).text));
      pointer = answer.get('DSC-1');
      if (pointer) pointers.push(pointer);
    } while (pointer);
    expect(seen.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(seen.flat().sort()).toEqual(['P1', 'P2', 'P3', 'P4', 'P5']);
    expect(new Set(pointers).size).toBe(2);
    const again = await ask({ ...part, pointer: pointers[0] });
    expect(again.all('PID').map((pid) => pid.field(3).first.component(1).text)).toEqual(seen[1]);
    const refused = async (other: Partial<Ask>) => {
      const answer = await ask({ ...part, pointer: pointers[0], ...other });
      expect([answer.get('MSA-1'), answer.get('ERR-2.1'), answer.get('ERR-3')]).toEqual(['AE', 'DSC', '204']);
    };
    await refused({ facility: 'LAB' });
    await refused({ fields: { 3: who(['@PID.5.1', 'Marl*'], ['@PID.8', 'F']) } });
    await refused({ pointer: 'nonsense' });
    const cancel = `MSH|^~\\&|EHR|CLINIC|HUB|REGION|20240301||QCN^J01^QCN_J01|Q${++made}|P|2.5\rQID|PAGES|IHE PDQ Query\r`;
    const cancelled = await ask(cancel);
    expect([cancelled.type.code, cancelled.get('MSA-1')]).toEqual(['ACK', 'AA']);
    await refused({});
  });

  it('keeps the query as an original of which nothing is converted', async () => {
    const text = qbp({ fields: { 3: who(['@PID.5.1', 'Marlow'], ['@PID.8', 'F']) } });
    const answer = await ask(text);
    const { rows } = await hub.test.database.query('SELECT id, state, type FROM message WHERE control_id = $1', [
      read(text).controlId,
    ]);
    expect(rows).toEqual([{ id: expect.any(String), state: 'kept', type: 'QBP^Q22' }]);
    // The same query again is answered again.
    expect(families(await ask(text))).toEqual(families(answer));
  });
});

describe('corresponding identifiers (Q23)', () => {
  const pix = (id: string, authority: string | string[], wanted?: FieldValue, facility = 'CLINIC') =>
    ask({ event: 'Q23', facility, name: ['IHE PIX Query'], fields: { 3: [id, '', '', authority], 4: wanted } });

  it('tells the numbers of both sites of a person, and neither the number asked by nor the name', async () => {
    const answer = await pix('100', 'CLINIC');
    expect(answer.type).toEqual({ code: 'RSP', event: 'K23', structure: 'RSP_K23' });
    expect(outcome(answer)).toEqual(['AA', 'OK']);
    expect(identifiersOf(answer)).toEqual([['L-9', 'LAB&2.999.20&ISO']]);
    expect(answer.segment('PID')!.rawField(5)).toBe('~^^^^^^S');
    const back = await pix('L-9', ['LAB', '2.999.20', 'ISO'], undefined, 'LAB');
    expect(identifiersOf(back)).toEqual([['100', 'CLINIC&2.999.10&ISO']]);
    expect(identifiersOf(await pix('100', ['', '2.999.10', 'ISO'], domain('LAB')))).toEqual([
      ['L-9', 'LAB&2.999.20&ISO'],
    ]);
    expect(identifiersOf(await pix('100', 'CLINIC', domain('USSSA')))).toEqual([
      ['123-45-6789', expect.stringContaining('USSSA')],
    ]);
  });

  it('tells no number that its site has merged into another (A40)', async () => {
    const person = { family: 'Retire', given: 'Ulf', birth: '19550505', sex: 'M', ssn: '321-54-9876' };
    await hub.deliver(
      adt('A04', { ...person, id: 'U1' }, { time: '20240301080000' }),
      adt('A04', { ...person, id: 'U2' }, { time: '20240301080000' }),
      adt('A04', { ...person, id: 'LU' }, { facility: 'LAB' }),
      adt('A40', { ...person, id: 'U1' }, { time: '20240301090000' }, [['MRG', { 1: ['U2', '', '', 'CLINIC', 'MR'] }]]),
    );
    await hub.settled();
    const answer = await pix('LU', 'LAB', undefined, 'LAB');
    expect(identifiersOf(answer)).toEqual([['U1', 'CLINIC&2.999.10&ISO']]);
    // Whoever still has the old number learns the new one.
    const old = await pix('U2', 'CLINIC', domain('CLINIC'));
    expect(identifiersOf(old)).toEqual([['U1', 'CLINIC&2.999.10&ISO']]);
  });

  it('says NF where the person has no other number', async () => {
    const answer = await pix('200', 'CLINIC');
    expect(outcome(answer)).toEqual(['AA', 'NF']);
    expect(answer.all('PID')).toEqual([]);
    expect(outcome(await pix('200', 'CLINIC', domain('LAB')))).toEqual(['AA', 'NF']);
  });

  it.each([
    ['an unknown number', '999', 'CLINIC', undefined, 'QPD^1^3^1^1'],
    ['an unknown domain', '100', 'MOON', undefined, 'QPD^1^3^1^4'],
    ['no domain', '100', '', undefined, 'QPD^1^3^1^4'],
    ['an unknown wanted domain', '100', 'CLINIC', repetitions(domain('LAB'), domain('MOON')), 'QPD^1^4^2'],
  ] as const)('says 204 of %s', async (_, id, authority, wanted, place) => {
    const answer = await pix(id, authority, wanted);
    expect(outcome(answer)).toEqual(['AE', 'AE']);
    expect([answer.segment('ERR')!.field(2).raw, answer.get('ERR-3')]).toEqual([place, '204']);
  });
});

describe('immunizations (Q11)', () => {
  const imm = (profile: string, fields: Ask['fields'], limit?: number) =>
    ask({
      event: 'Q11',
      name: [profile, 'Request', 'CDCPHINVS'],
      fields,
      header: { 21: `${profile}` },
      ...(limit ? { limit } : {}),
    });
  const robin = { 4: ['Child', 'Robin'], 6: '20200512', 7: 'M' };

  it('tells the history of the one who matches, the oldest first (Z32)', async () => {
    const answer = await imm('Z34', robin);
    expect(answer.type).toEqual({ code: 'RSP', event: 'K11', structure: 'RSP_K11' });
    expect(outcome(answer)).toEqual(['AA', 'OK']);
    expect([answer.get('MSH-21.1'), answer.get('MSH-21.2'), answer.get('QAK-3')]).toEqual(['Z32', 'CDCPHINVS', 'Z34']);
    expect(answer.segments.map(({ name }) => name)).toEqual([
      'MSH',
      'MSA',
      'QAK',
      'QPD',
      'PID',
      'ORC',
      'RXA',
      'ORC',
      'RXA',
      'RXR',
      'OBX',
    ]);
    const rxa = answer.all('RXA').map((one) => [3, 5, 15, 20].map((n) => one.field(n).first.component(1).text));
    expect(rxa).toEqual([
      ['20200801', '10', '', 'CP'],
      ['20210712', '03', 'LOT1', 'CP'],
    ]);
    expect(answer.all('ORC').map((orc) => [orc.rawField(1), orc.field(3).first.component(1).text])).toEqual([
      ['RE', 'V2'],
      ['RE', 'V1'],
    ]);
    expect([answer.get('RXR-1'), answer.get('OBX-3'), answer.get('OBX-5')]).toEqual(['SC', '64994-7', 'V02']);
    const byNumber = await imm('Z34', { 3: ['300', '', '', 'CLINIC', 'MR'] });
    expect(byNumber.all('RXA')).toHaveLength(2);
  });

  it('says that it evaluates and forecasts nothing (Z42)', async () => {
    const answer = await imm('Z44', robin);
    expect([answer.get('MSH-21.1'), answer.get('MSA-1'), answer.get('ERR-4'), answer.get('ERR-3')]).toEqual([
      'Z42',
      'AA',
      'I',
      '0',
    ]);
    expect(answer.get('ERR-8')).toContain('forecasts none');
    expect(answer.all('RXA')).toHaveLength(2);
  });

  it('lists those who may be the one (Z31), to Z34 only, and no more than are wanted', async () => {
    const two = { 4: ['Child', 'Rob'], 6: '20200512', 7: 'M' };
    const answer = await imm('Z34', two);
    expect([answer.get('MSH-21.1'), ...outcome(answer), answer.get('QAK-4')]).toEqual(['Z31', 'AA', 'OK', '2']);
    const told = answer.all('PID').map((pid) => [pid.rawField(1), pid.field(5).first.component(2).text]);
    expect(told.map(([place]) => place)).toEqual(['1', '2']);
    expect(told.map(([, given]) => given).sort()).toEqual(['Robert', 'Robin']);
    expect(answer.all('RXA')).toEqual([]);
    for (const [profile, limit] of [
      ['Z44', undefined],
      ['Z34', 1],
    ] as const) {
      const many = await imm(profile, two, limit);
      expect([many.get('MSH-21.1'), ...outcome(many)]).toEqual(['Z33', 'AA', 'TM']);
      expect(many.all('PID')).toEqual([]);
    }
    const mistaken = { 4: ['Marlo', 'Ynes'], 6: '19710302', 7: 'F', 8: ['4 Quay Street', '', 'Harwick', '', '12345'] };
    const alike = await imm('Z34', mistaken);
    expect([alike.get('MSH-21.1'), ...families(alike)]).toEqual(['Z31', 'Marlow']);
    const unsure = { 4: ['Marlow', 'I'], 6: '19710203', 7: 'F' };
    const one = await imm('Z34', unsure);
    expect([one.get('MSH-21.1'), ...families(one)]).toEqual(['Z31', 'Marlow']);
    const evaluated = await imm('Z44', unsure);
    expect([evaluated.get('MSH-21.1'), ...outcome(evaluated), evaluated.all('PID').length]).toEqual([
      'Z33',
      'AA',
      'NF',
      0,
    ]);
  });

  it.each([
    ['nobody of the name', { 4: ['Nobody', 'Here'], 6: '20200512' }],
    ['another day of birth', { 4: ['Child', 'Robin'], 6: '19991130' }],
    ['a number that is somebody else’s', { 3: ['300', '', '', 'CLINIC'], 4: ['Marlow', 'Ines'], 6: '19710203' }],
  ])('says Z33 of %s', async (_, fields) => {
    const answer = await imm('Z34', fields);
    expect(answer.all('RXA')).toEqual([]);
    expect(answer.get('MSA-1')).toBe('AA');
    const names = answer.all('PID').map((pid) => pid.field(3).first.component(1).text);
    expect(names).not.toContain('300');
  });

  it.each([
    ['no name', { 6: '20200512' }, '4'],
    ['no day of birth', { 4: ['Child', 'Robin'] }, '6'],
  ])('refuses %s', async (_, fields, field) => {
    const answer = await imm('Z34', fields);
    expect([...outcome(answer), answer.get('ERR-2.3'), answer.get('ERR-3')]).toEqual(['AE', 'AE', field, '101']);
  });

  it('refuses a query by another name', async () => {
    const answer = await imm('Z99', robin);
    expect([...outcome(answer), answer.get('ERR-2.3')]).toEqual(['AE', 'AE', '1']);
  });
});

describe('who may ask', () => {
  const fields = { 3: who(['@PID.5.1', 'Marlow'], ['@PID.8', 'F']) };

  it('is a participant that was allowed to; others are refused, which is recorded', async () => {
    for (const facility of ['SHY', 'NOBODY']) {
      const text = qbp({ fields, facility });
      const answer = await ask(text);
      expect([answer.type.code, ...outcome(answer)]).toEqual(['RSP', 'AR', 'AR']);
      expect(answer.get('ERR-8')).toContain('may not ask for demographics');
      expect(answer.all('PID')).toEqual([]);
      const { rows } = await hub.test.database.query('SELECT state FROM message WHERE control_id = $1', [
        read(text).controlId,
      ]);
      expect(rows).toEqual([{ state: 'refused' }]);
      expect(await lastAccess()).toMatchObject({ who: `site:${facility.toLowerCase()}`, action: 'query', status: 403 });
    }
    const { status } = await hub.send('PUT', '/api/participants/shy', { queries: ['identifiers'] });
    expect(status).toBe(200);
    expect(outcome(await ask({ fields, facility: 'SHY' }))).toEqual(['AR', 'AR']);
    await hub.send('PUT', '/api/participants/shy', { queries: ['demographics'] });
    expect(outcome(await ask({ fields, facility: 'SHY' }))).toEqual(['AA', 'OK']);
    expect((await hub.get('/api/participants/shy')).json.queries).toEqual(['demographics']);
  });

  it('is decided by administrators', async () => {
    const options = { role: 'integration-engineer' };
    expect((await hub.send('PUT', '/api/participants/shy', { queries: [] }, options)).status).toBe(403);
    expect((await hub.send('PUT', '/api/participants/shy', { queries: ['everything'] })).status).toBe(400);
  });

  it('over HTTP needs a role that reads records', async () => {
    const headers = { 'content-type': 'application/hl7-v2' };
    const post = (role: string) => hub.send('POST', '/hl7', qbp({ fields }), { role, headers });
    const refused = await post('integration-engineer');
    expect([refused.status, read(refused.text).get('MSA-1')]).toEqual([400, 'AR']);
    expect(await lastAccess()).toMatchObject({ who: 'test-integration-engineer', status: 403 });
    const answered = await post('system');
    expect([answered.status, ...outcome(read(answered.text))]).toEqual([200, 'AA', 'OK']);
    expect(await lastAccess()).toMatchObject({ who: 'test-system', status: 200, patients: [expect.any(String)] });
    const inbox = await hub.send('POST', '/inbox', qbp({ fields }));
    expect(inbox.status).toBe(422);
  });
});

it('hides what a consent of the person refuses to the participant', async () => {
  const person = { id: '400', family: 'Private', given: 'Pia', birth: '19900101', sex: 'F' };
  await hub.deliver(vxu(person, ['ORC|RE||V9^CLINIC', 'RXA|0|1|20210712||03^MMR^CVX|0.5|mL^^UCUM|||||||||||||CP|A']));
  await hub.settled();
  const byName = { 3: who(['@PID.5.1', 'Private'], ['@PID.7', '19900101']) };
  const history = { 4: ['Private', 'Pia'], 6: '19900101', 7: 'F' };
  const asLab = async () => [
    families(await ask({ fields: byName, facility: 'LAB' })),
    (await ask({ event: 'Q11', name: ['Z34'], fields: history, facility: 'LAB' })).all('RXA').length,
    outcome(await ask({ event: 'Q23', fields: { 3: ['400', '', '', 'CLINIC'] }, facility: 'LAB' })),
  ];
  expect(await asLab()).toEqual([['Private'], 1, ['AA', 'NF']]);
  const found = await hub.get('/fhir/Patient?family=Private');
  const consent = await hub.send('POST', '/fhir/Consent', {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: `Patient/${found.json.entry[0].resource.id}` },
    policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] },
    provision: { type: 'deny' },
  });
  expect(consent.status).toBe(201);
  expect(await asLab()).toEqual([[], 0, ['AE', 'AE']]);
});

it('refuses queries by what the network hides from the participant, and tells the rest', async () => {
  const decide = async (redactions: object[]) => {
    const { version } = (await hub.get('/api/network-policy')).json;
    const policy = { model: 'opt-out', zone: 'UTC', rules: [], redactions };
    expect((await hub.send('PUT', '/api/network-policy', { version, reason: 'x', policy })).status).toBe(200);
  };
  const byName = { 3: who(['@PID.5.1', 'Marlow'], ['@PID.8', 'F']) };
  const byBirth = (date: string) => ({ 3: who(['@PID.5.1', 'Marlow'], ['@PID.7', date]) });
  await decide([{ elements: ['Patient.birthDate', 'Patient.address'], organizations: ['lab'] }]);
  const told = await ask({ fields: byName, facility: 'LAB' });
  expect([families(told), told.get('PID-7'), told.get('PID-11')]).toEqual([['Marlow'], undefined, undefined]);
  const answers = [
    await ask({ fields: byBirth('19710203'), facility: 'LAB' }),
    await ask({ fields: byBirth('19710204'), facility: 'LAB' }),
    await ask({
      event: 'Q11',
      name: ['Z34'],
      fields: { 4: ['Marlow', 'Inès'], 6: '19710203', 7: 'F' },
      facility: 'LAB',
    }),
  ];
  expect(answers.map(outcome)).toEqual([
    ['AE', 'AE'],
    ['AE', 'AE'],
    ['AE', 'AE'],
  ]);
  expect(families(await ask({ fields: byBirth('19710203') }))).toEqual(['Marlow']);
  await decide([]);
});

describe('enhanced mode', () => {
  const fields = { 3: who(['@PID.5.1', 'Marlow'], ['@PID.8', 'F']) };
  it.each([
    ['AL', 'AL', ['CA', 'AA']],
    ['ER', 'AL', ['AA']],
    ['AL', '', ['CA', 'AA']],
    ['AL', 'NE', ['CA']],
    ['NE', 'ER', []],
  ])('MSH-15 %s and MSH-16 %s: %j', async (accept, application, expected) => {
    const client = await hub.mllp();
    client.send(qbp({ fields, header: { 15: accept, 16: application } }));
    const answers: Message[] = [];
    for (const _ of expected) answers.push(read(await client.answer()));
    expect(answers.map((answer) => answer.get('MSA-1'))).toEqual(expected);
    client.end();
    await client.closed;
    expect(client.pending()).toBe(0);
    const response = answers.find((answer) => answer.type.code === 'RSP');
    if (response)
      expect([response.get('MSH-15'), response.get('MSH-16'), response.get('QAK-2')]).toEqual(['NE', 'NE', 'OK']);
  });

  it('answers over HTTP by the response alone', async () => {
    const text = qbp({ fields, header: { 15: 'AL', 16: 'AL' } });
    const answer = await hub.send('POST', '/hl7', text, { headers: { 'content-type': 'application/hl7-v2' } });
    expect([answer.status, read(answer.text).type.code]).toEqual([200, 'RSP']);
  });
});

describe('patient query (A19)', () => {
  const qry = (subject: string, facility = 'CLINIC') =>
    `MSH|^~\\&|EHR|${facility}|HUB|REGION|20240301||QRY^A19|Q${++made}|P|2.3\rQRD|20240301|R|I|ASK7|||1^RD|${subject}|DEM\r`;

  it('tells the patient of a record number', async () => {
    const answer = await ask(qry('100'));
    expect([answer.type.code, answer.type.event, ...outcome(answer), answer.get('QAK-1')]).toEqual([
      'ADR',
      'A19',
      'AA',
      'OK',
      'ASK7',
    ]);
    expect(answer.segment('QRD')!.rawField(8)).toBe('100');
    expect(families(answer)).toEqual(['Marlow']);
    expect(families(await ask(qry('L-9^^^^^^^^LAB')))).toEqual(['Marlow']);
    expect(outcome(await ask(qry('999')))).toEqual(['AA', 'NF']);
    expect(outcome(await ask(qry('')))).toEqual(['AE', 'AE']);
  });
});

describe('query for a vaccination record (VXQ)', () => {
  const vxq = (subject: string, filter = '') =>
    ask(
      `MSH|^~\\&|EHR|CLINIC|HUB|REGION|20240301||VXQ^V01|Q${++made}|P|2.3.1\r` +
        `QRD|20240301|R|I|ASK8|||10^RD|${subject}|VXI\rQRF|HUB||||${filter}\r`,
    );

  it('tells the record of the one who matches, by name and birth date or by number', async () => {
    for (const answer of [await vxq('^Child^Robin', '~20200512'), await vxq('300')]) {
      expect([answer.type.code, answer.type.event, answer.get('MSA-1')]).toEqual(['VXR', 'V03', 'AA']);
      const names = answer.segments.map(({ name }) => name);
      expect(names.slice(0, 5)).toEqual(['MSH', 'MSA', 'QRD', 'QRF', 'PID']);
      expect(answer.all('RXA')).toHaveLength(2);
    }
    const bySocialSecurity = await vxq('', '123456789');
    expect([bySocialSecurity.type.code, ...families(bySocialSecurity)]).toEqual(['VXR', 'Marlow']);
  });

  it('lists several, and says where there is nobody or too little is said', async () => {
    const several = await vxq('^Child^Rob', '~20200512');
    expect([several.type.code, several.type.event, several.all('PID').length]).toEqual(['VXX', 'V02', 2]);
    expect(several.all('RXA')).toEqual([]);
    const nobody = await vxq('^Nobody^Here', '~20200512');
    expect([nobody.type.code, ...outcome(nobody), nobody.segments.length]).toEqual(['QCK', 'AA', 'NF', 3]);
    const vague = await vxq('^Child^Robin');
    expect([vague.type.code, ...outcome(vague)]).toEqual(['QCK', 'AE', 'AE']);
  });
});

it('answers what is no query of its form with the reason', async () => {
  const head = (code: string) => `MSH|^~\\&|EHR|CLINIC|HUB|REGION|20240301||${code}|Q${++made}|P|2.5\r`;
  const none = await ask(`${head('QBP^Q22^QBP_Q21')}RCP|I\r`);
  expect([...outcome(none), none.get('ERR-3'), none.get('ERR-2')]).toEqual(['AE', 'AE', '100', 'QPD']);
  const untagged = await ask(`${head('QBP^Q23^QBP_Q21')}QPD|IHE PIX Query||100^^^CLINIC\rRCP|I\r`);
  expect([...outcome(untagged), untagged.segment('ERR')!.rawField(2)]).toEqual(['AE', 'AE', 'QPD^1^2']);
  const later = await ask(`${head('QBP^Q23^QBP_Q21')}QPD|IHE PIX Query|X|100^^^CLINIC\rRCP|D\r`);
  expect([...outcome(later), later.segment('ERR')!.rawField(2)]).toEqual(['AE', 'AE', 'RCP^1^1']);
  const other = await ask(`${head('QRY^R02')}QRD|20240301|R|I|X|||1^RD|100|RES\r`);
  expect([other.type.code, other.get('MSA-1'), other.get('ERR-3')]).toEqual(['ACK', 'AR', '200']);
});
