/** How many people an answer may name, whom a number may not name, and that nothing is told that cannot be recorded. */
import { isParseError, type Message, parseMessage } from '@causeway/hl7v2';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testAudit } from '../audit/testing.ts';
import { type TestRecord, testRecord } from '../testing-record.ts';
import { AccessLog, NetworkPolicy, Participants } from '../trust/index.ts';
import { QueryResponder, queryKind } from './index.ts';

const system = 'urn:oid:2.999.10';
let setting: TestRecord;
let responder: QueryResponder;

beforeAll(async () => {
  setting = await testRecord();
  const { database } = setting.test;
  const participants = new Participants(database);
  await participants.put({
    key: 'clinic',
    name: 'Clinic',
    kind: 'hospital',
    sendingFacility: 'CLINIC',
    sendingApplication: undefined,
    identifierSystem: system,
    identifierAuthority: 'CLINIC',
    settings: {},
  });
  const log = pino({ level: 'silent' });
  const accessLog = new AccessLog(database, testAudit(database));
  const { record, persons } = setting;
  responder = new QueryResponder({
    record,
    persons,
    database,
    participants,
    policy: new NetworkPolicy(database),
    accessLog,
    log,
  });
});
afterAll(() => setting.test.drop());

/** People of one name and sex whom nothing else makes alike. */
async function putPeople(family: string, from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, i) => from + i);
  await Promise.all(
    numbers.map((n) =>
      setting.put({
        resourceType: 'Patient',
        id: `${family.toLowerCase()}-${n}`,
        identifier: [{ system, value: `${family}${n}` }],
        name: [{ family, given: [`G${n.toString(36)}x${(n * 7919) % 1000}`] }],
        birthDate: `19${10 + (n % 90)}-0${1 + (n % 9)}-1${n % 10}`,
        gender: 'female',
      } as never),
    ),
  );
}

let asked = 0;
async function ask(event: string, lines: string[]): Promise<Message> {
  const head = `MSH|^~\\&|EHR|CLINIC|HUB|REGION|20240301||QBP^${event}^QBP_Q21|Q${++asked}|P|2.5`;
  const message = parseMessage(`${[head, ...lines].join('\r')}\r`);
  if (isParseError(message)) throw new Error(message.message);
  const { bytes } = await responder.answer({ message, kind: queryKind('QBP', event)!, source: 'clinic' });
  const answer = parseMessage(bytes);
  if (isParseError(answer)) throw new Error(answer.message);
  return answer;
}

const byName = (family: string) => `QPD|IHE PDQ Query|T${asked}|@PID.5.1^${family}~@PID.8^F`;
const said = (answer: Message) => [answer.get('MSA-1'), answer.all('PID').length, answer.get('ERR-8')];

it('names a hundred people at most, more in parts, and nobody where more than five hundred may be meant', async () => {
  await putPeople('Many', 0, 101);
  expect(said(await ask('Q22', [byName('Many'), 'RCP|I']))).toEqual([
    'AE',
    0,
    expect.stringContaining('More than 100 people'),
  ]);
  const query = byName('Many');
  const first = await ask('Q22', [query, 'RCP|I|500^RD']);
  expect(said(first)).toEqual(['AA', 100, undefined]);
  const rest = await ask('Q22', [query, 'RCP|I|500^RD', `DSC|${first.get('DSC-1')}|I`]);
  expect([...said(rest), rest.get('DSC-1')]).toEqual(['AA', 1, undefined, undefined]);
  await putPeople('Many', 101, 502);
  expect(said(await ask('Q22', [byName('Many'), 'RCP|I|10^RD']))).toEqual([
    'AE',
    0,
    expect.stringContaining('More than 500 people'),
  ]);
  expect(said(await ask('Q22', [byName('Many'), 'RCP|I|10^CH']))[0]).toBe('AE');
}, 60_000);

it('tells nobody by a number that is one of several people', async () => {
  for (const [id, family, date] of [
    ['twice-1', 'Ash', '1980-01-01'],
    ['twice-2', 'Birch', '1955-05-05'],
  ] as const) {
    const identifier = [
      { system, value: 'TWICE' },
      { system: 'urn:oid:2.999.30', value: id },
    ];
    await setting.put({ resourceType: 'Patient', id, identifier, name: [{ family }], birthDate: date } as never);
  }
  const answer = await ask('Q23', [`QPD|IHE PIX Query|T${asked}|TWICE^^^CLINIC`, 'RCP|I']);
  expect([answer.get('MSA-1'), answer.get('ERR-3'), answer.all('PID').length]).toEqual(['AE', '205', 0]);
});

it('tells nothing that is not recorded', async () => {
  await putPeople('Lone', 0, 1);
  expect(said(await ask('Q22', [byName('Lone'), 'RCP|I']))[0]).toBe('AA');
  const { database } = setting.test;
  await database.query('ALTER TABLE access_log RENAME TO access_log_away');
  const answer = await ask('Q22', [byName('Lone'), 'RCP|I']);
  expect([...said(answer).slice(0, 2), answer.get('ERR-3'), answer.get('QAK-2')]).toEqual(['AE', 0, '207', 'AE']);
  await database.query('ALTER TABLE access_log_away RENAME TO access_log');
  expect(said(await ask('Q22', [byName('Lone'), 'RCP|I']))[0]).toBe('AA');
});
