/** Documents by routes of C-CDA: those that came, as they came, and those that the hub writes of what is no document. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';
import { mllpReceiver, type TestReceiver } from './testing.ts';

let hub: TestHub;
let receiver: TestReceiver;
const folder = mkdtempSync(join(tmpdir(), 'causeway-ccda-'));
const soon = { timeout: 30_000, interval: 30 };

beforeAll(async () => {
  hub = await startTestHub();
  receiver = await mllpReceiver();
  await put('clinic', { name: 'The clinic', kind: 'hospital', sendingFacility: 'CLINIC' });
  await routes({
    name: 'files',
    to: { dialect: 'ccda', folder },
    topics: ['document', 'discharged', 'referral', 'admitted'],
  });
});
afterAll(async () => {
  await receiver.close();
  await hub.stop();
  rmSync(folder, { recursive: true });
});

async function put(key: string, body: object): Promise<void> {
  const { status, text } = await hub.send('PUT', `/api/participants/${key}`, body);
  if (status !== 200) throw new Error(text);
}
const routes = (...all: object[]) => {
  const identifierSystem = 'urn:causeway:authority:ward:WARDMRN';
  return put('ward', { name: 'The ward', kind: 'practice', sendingFacility: 'WARD', identifierSystem, routes: all });
};

let clock = 0;
const message = (facility: string, type: string, given: string, ...segments: string[]) => {
  clock += 1;
  const time = `20261101${String(clock).padStart(6, '0')}`;
  return [
    `MSH|^~\\&|APP|${facility}|HUB|X|${time}||${type}|M${clock}|P|2.5.1`,
    ...(type.startsWith('ADT') ? [`EVN||${time}`] : []),
    `PID|1||${facility}-${given}^^^${facility}MRN^MR||Quillfeather^${given}||19570314|F|||9 Heron Lane^^Sedgewick^^04999||555-0199`,
    ...segments,
  ].join('\r');
};
const stay = (given: string, from: string, to = '') =>
  `PV1|1|I|||||||||||||||||V-${given}${'|'.repeat(25)}${from}|${to}`.replace(/\|$/, '');
const known = (given: string) =>
  hub.take(message('WARD', 'ADT^A04', given, 'PV1|1|O'), message('CLINIC', 'ADT^A04', given, 'PV1|1|O'));
const files = () =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.xml'))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'));
const came = async (count: number) => {
  await vi.waitFor(() => expect(files()).toHaveLength(count), soon);
  return files().at(-1)!;
};

const document = (
  given: string,
) => `<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="2.999.7" extension="D-${given}"/>
<code code="57133-1" codeSystem="2.16.840.1.113883.6.1"/><title>Referral</title><effectiveTime value="20261101101500+0000"/>
<recordTarget><patientRole><id root="2.999.8" extension="CD-${given}"/><addr><streetAddressLine>9 Heron Lane</streetAddressLine><city>Sedgewick</city><postalCode>04999</postalCode></addr>
<telecom value="tel:555-0199"/><patient><name><given>${given}</given><family>Quillfeather</family></name>
<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/><birthTime value="19570314"/></patient></patientRole></recordTarget>
<custodian><assignedCustodian><representedCustodianOrganization><id root="2.999.9"/><name>The clinic</name></representedCustodianOrganization></assignedCustodian></custodian>
<component><nonXMLBody><text mediaType="application/pdf" representation="B64">JVBERi0xLjc=</text></nonXMLBody></component></ClinicalDocument>`;
const sent = async (given: string) => {
  const headers = { 'content-type': 'text/xml', authorization: `Bearer ${await hub.token('system')}` };
  const { status } = await hub.send('POST', '/inbox?source=clinic', document(given), { headers });
  expect(status).toBe(202);
};

it('a C-CDA that came goes on as it came, and in a message what it carries', async () => {
  await known('Ada');
  const own = {
    name: 'files',
    to: { dialect: 'ccda', folder },
    topics: ['document', 'discharged', 'referral', 'admitted'],
  };
  await routes(own, { name: 'v2', to: receiver.endpoint, topics: ['document'] });
  await sent('Ada');
  expect(await came(1)).toBe(document('Ada'));
  await vi.waitFor(() => expect(receiver.messages).toHaveLength(1), soon);
  const [told] = receiver.messages;
  expect(['MSH-9.2', 'TXA-2.1', 'PID-3.1', 'OBX-2'].map((path) => told!.get(path as 'PID-3'))).toEqual([
    'T02',
    '57133-1',
    'WARD-Ada',
    'ED',
  ]);
  expect(told!.all('OBX')[0]!.rawField(5)).toBe('^application^pdf^Base64^JVBERi0xLjc=');
  await routes(own);
});

it('a discharge goes as the Discharge Summary of the stay, a referral as a Referral Note, anything else as the record, written then', async () => {
  await known('Beatrix');
  const since = files().length;
  await hub.take(
    message(
      'CLINIC',
      'ADT^A03',
      'Beatrix',
      stay('Beatrix', '20261030080000', '20261031120000'),
      'DG1|1||S62.1^Broken wrist^I10',
    ),
  );
  const summary = await came(since + 1);
  expect(summary).toContain('<code code="18842-5"');
  expect(summary).toContain('Broken wrist');
  expect(summary).toContain('extension="WARD-Beatrix"');
  await hub.take(
    message(
      'CLINIC',
      'ORM^O01',
      'Beatrix',
      'PV1|1|O',
      'ORC|NW|REF-1^CLINIC|',
      'OBR|1|REF-1^CLINIC||306206005^Referral to service^SCT',
      'NTE|1||Please go on with the cast.',
    ),
  );
  const note = await came(since + 2);
  for (const told of ['<code code="57133-1"', 'Referral to service', 'Broken wrist']) expect(note).toContain(told);
  await hub.take(message('CLINIC', 'ADT^A01', 'Beatrix', stay('Later', '20261102080000')));
  const ccd = await came(since + 3);
  expect(ccd).toContain('<code code="34133-9"');
  expect(ccd).toContain('Broken wrist');
});

it('what the hub wrote and is taken back goes as the next version, which says that and takes its place', async () => {
  await known('Dorothea');
  const since = files().length;
  const visit = stay('Dorothea', '20261102080000');
  await hub.take(message('CLINIC', 'ADT^A01', 'Dorothea', visit, 'DG1|1||S62.2^Broken thumb^I10'));
  const first = await came(since + 1);
  await hub.take(message('CLINIC', 'ADT^A11', 'Dorothea', visit));
  const last = await came(since + 2);
  const one = (xml: string, pattern: RegExp) => pattern.exec(xml)?.[1];
  const id = /<id root="([0-9a-f-]{36})"\/><code code="34133-9"/;
  const set = /<setId root="([0-9a-f-]{36}" extension="ward\.files\.[0-9a-f-]{36})"/;
  expect(one(first, set)).toMatch(/./);
  expect(one(last, set)).toBe(one(first, set));
  expect(one(last, /<relatedDocument typeCode="RPLC"><parentDocument><id root="([0-9a-f-]{36})"/)).toBe(one(first, id));
  expect(first).not.toContain('relatedDocument');
  expect([one(first, /<versionNumber value="(\d)"/), one(last, /<versionNumber value="(\d)"/)]).toEqual(['1', '2']);
  expect(first).toContain('Broken thumb');
  expect(last).not.toContain('Broken thumb');
  expect(last).toContain('does not hold and is withdrawn');
  expect(last).toContain('extension="WARD-Dorothea"');
});

it('where a route demands confirmed links, what tells of all records waits until each of them is confirmed', async () => {
  await put('lab', { name: 'The laboratory', kind: 'lab', sendingFacility: 'LAB' });
  await known('Constance');
  await hub.take(message('LAB', 'ADT^A04', 'Constance', 'PV1|1|O'));
  const to = { dialect: 'ccda', folder };
  await routes({ name: 'sure', to, topics: ['discharged'], grade: 'confirmed' });
  const confirm = (site: string) =>
    hub.test.database.query(
      `INSERT INTO link_decision (id, a, b, same, by_whom, at, reason)
       SELECT gen_random_uuid(), least(w.home, o.home), greatest(w.home, o.home), true, 's', now(), 'The same human.'
       FROM link w JOIN link o USING (person) WHERE w.source = 'ward' AND o.source = $1
         AND w.person = (SELECT person FROM link WHERE source = 'lab')`,
      [site],
    );
  const since = files().length;
  const discharged = (visit: string) =>
    hub.take(message('CLINIC', 'ADT^A03', 'Constance', stay(visit, '20261030080000', '20261031120000')));
  await confirm('clinic');
  await discharged('C1');
  const why = { state: 'cancelled', lastError: expect.stringContaining('all that it would tell') };
  await vi.waitFor(async () => {
    expect((await hub.get('/api/deliveries?destination=ward&route=sure')).json.deliveries).toMatchObject([why]);
  }, soon);
  expect(files()).toHaveLength(since);
  await confirm('lab');
  await discharged('C2');
  expect(await came(since + 1)).toContain('<code code="18842-5"');
});
