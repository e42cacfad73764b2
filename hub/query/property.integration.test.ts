/** Whatever is asked: who is told fits what was asked for, and everybody who fits is told, in parts as at once. */
import { isParseError, type Message, MessageBuilder, parseMessage, repetitions } from '@causeway/hl7v2';
import fc from 'fast-check';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testAudit } from '../audit/testing.ts';
import { type TestRecord, testRecord } from '../testing-record.ts';
import { AccessLog, NetworkPolicy, Participants } from '../trust/index.ts';
import { QueryResponder, queryKind } from './index.ts';

const system = 'urn:oid:2.999.10';
const families = ['Ash', 'Ashby', 'ÁSH', "O'Ash", 'Birch', 'Birch-Ash'];
const givens = ['Ann', 'Anna', 'Änn', 'Bo'];
const dates = ['1980-01-01', '1980-01-02', '1999-12-31'];
const genders = ['female', 'male', 'other'] as const;
const cities = ['Dorp', 'Dorpstadt', 'Elm'];

interface Source {
  number: string;
  family: string;
  given: string;
  birthDate: string;
  gender: (typeof genders)[number];
  city: string;
}
type Criterion = { path: string; value: string; holds: (source: Source) => boolean };

let setting: TestRecord;
let responder: QueryResponder;
let sources: Source[];

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
    queries: ['demographics'],
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
  const source = fc.record({
    family: fc.constantFrom(...families),
    given: fc.constantFrom(...givens),
    birthDate: fc.constantFrom(...dates),
    gender: fc.constantFrom(...genders),
    city: fc.constantFrom(...cities),
  });
  sources = fc.sample(source, { numRuns: 70, seed: 7 }).map((one, i) => ({ ...one, number: `N${i}` }));
  for (const one of sources) {
    await setting.put({
      resourceType: 'Patient',
      id: one.number.toLowerCase(),
      identifier: [{ system, value: one.number }],
      name: [{ family: one.family, given: [one.given] }],
      birthDate: one.birthDate,
      gender: one.gender,
      address: [{ city: one.city, line: ['1 High Street'] }],
    } as never);
  }
});
afterAll(() => setting.test.drop());

const bare = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

function text(path: string, words: string[], of: (source: Source) => string): fc.Arbitrary<Criterion> {
  return fc
    .record({ word: fc.constantFrom(...words), isUpper: fc.boolean(), isBeginning: fc.boolean() })
    .map(({ word, isUpper, isBeginning }) => {
      const written = isUpper ? word.toUpperCase() : word;
      const begun = isBeginning ? written.slice(0, 3) : written;
      const holds = (source: Source) =>
        isBeginning ? bare(of(source)).startsWith(bare(begun)) : bare(of(source)) === bare(written);
      return { path, value: isBeginning ? `${begun}*` : written, holds };
    });
}

const criterion = fc.oneof(
  text('@PID.5.1.1', [...families, 'Nobody'], ({ family }) => family),
  text('@PID.5.2', givens, ({ given }) => given),
  text('@PID.11.3', cities, ({ city }) => city),
  fc.constantFrom(...dates, '2000-01-01').map((date) => ({
    path: '@PID.7',
    value: date.replaceAll('-', ''),
    holds: ({ birthDate }: Source) => birthDate === date,
  })),
  fc.constantFrom(...genders).map((sex) => ({
    path: '@PID.8',
    value: sex[0]!.toUpperCase(),
    holds: ({ gender }: Source) => gender === sex,
  })),
);

let asked = 0;
async function ask(criteria: Criterion[], tag: string, limit?: number, pointer?: string): Promise<Message> {
  const builder = new MessageBuilder({
    sendingFacility: 'CLINIC',
    time: '20240301',
    type: ['QBP', 'Q22', 'QBP_Q21'],
    controlId: `Q${++asked}`,
    version: '2.5',
  });
  builder.segment('QPD', {
    1: 'IHE PDQ Query',
    2: tag,
    3: repetitions(...criteria.map(({ path, value }) => [path, value])),
  });
  builder.segment('RCP', { 1: 'I', 2: limit === undefined ? undefined : [limit, 'RD'] });
  if (pointer !== undefined) builder.segment('DSC', { 1: pointer, 2: 'I' });
  const message = parseMessage(builder.toString());
  if (isParseError(message)) throw new Error(message.message);
  const { bytes } = await responder.answer({ message, kind: queryKind('QBP', 'Q22')!, source: 'clinic' });
  const answer = parseMessage(bytes);
  if (isParseError(answer)) throw new Error(answer.message);
  return answer;
}

/** For each person told, the numbers of its sources. */
const told = (answer: Message) =>
  answer.all('PID').map((pid) => pid.field(3).repetitions.map((one) => one.component(1).text));

it('tells whom the criteria fit, and nobody else', async () => {
  const known = new Map(sources.map((source) => [source.number, source]));
  await fc.assert(
    fc.asyncProperty(
      fc.array(criterion, { minLength: 2, maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async (criteria, limit) => {
        const answer = await ask(criteria, `T${asked}`);
        if (!criteria.some(({ path }) => path.startsWith('@PID.5'))) {
          expect([answer.get('QAK-2'), answer.all('PID').length]).toEqual(['AE', 0]);
          return;
        }
        const persons = told(answer);
        expect([answer.get('MSA-1'), answer.get('QAK-2')]).toEqual(['AA', persons.length > 0 ? 'OK' : 'NF']);
        for (const numbers of persons) {
          for (const { holds } of criteria) expect(numbers.some((number) => holds(known.get(number)!))).toBe(true);
        }
        const expected = sources.filter((source) => criteria.every(({ holds }) => holds(source)));
        expect(persons.flat()).toEqual(expect.arrayContaining(expected.map(({ number }) => number)));
        const inParts: string[][] = [];
        const tag = `P${asked}`;
        for (let pointer: string | undefined, parts = 0; parts === 0 || pointer; parts++) {
          const part = await ask(criteria, tag, limit, pointer);
          expect(told(part).length).toBeLessThanOrEqual(limit);
          inParts.push(...told(part));
          pointer = part.get('DSC-1');
        }
        const sorted = (all: string[][]) => all.map((numbers) => [...numbers].sort().join()).sort();
        expect(sorted(inParts)).toEqual(sorted(persons));
      },
    ),
    { numRuns: 80, seed: 11 },
  );
}, 60_000);

it('answers whatever stands in a query, by no failure of its own', async () => {
  const leaf = fc.oneof(
    fc.constantFrom('@PID.3.1', '@PID.3.4', '@PID.5.1', '@PID.5.2', '@PID.7', '@PID.8', '@PID.11.5', '@PID.18', '@PID'),
    fc.constantFrom(
      'CLINIC',
      'N1',
      'Ash',
      'F',
      '19800101',
      'Z34',
      'a|b,c$d',
      '*',
      '""',
      '\\X00\\',
      '\\F\\',
      "';--",
      '\ud800',
    ),
    fc.string({ maxLength: 6, unit: 'binary' }),
  );
  const field = fc
    .array(fc.tuple(leaf, fc.constantFrom('', '^', '~', '&', '^^^', '|')), { maxLength: 8 })
    .map((parts) =>
      parts
        .flat()
        .join('')
        .replace(/[\r\n\v\x1c]/g, ' '),
    );
  const codes = new Set<string | undefined>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(['QBP', 'Q22'], ['QBP', 'Q23'], ['QBP', 'Q11'], ['QRY', 'A19'], ['VXQ', 'V01'], ['QCN', 'J01']),
      fc.constantFrom('Z34^x', 'Z44', 'IHE PDQ Query'),
      field,
      async ([code, event], name, content) => {
        const segment =
          code === 'QBP'
            ? `QPD|${name}|T|${content}`
            : code === 'QRY' || code === 'VXQ'
              ? `QRD||R|I|T||||${content}`
              : `QID|${content}`;
        const message = parseMessage(
          `MSH|^~\\&|EHR|CLINIC|HUB|R|2024||${code}^${event}|Q${++asked}|P|2.5\r${segment}\r`,
        );
        if (isParseError(message)) return;
        const taken = { message, kind: queryKind(code!, event!)!, source: 'clinic' };
        const answer = parseMessage((await responder.answer(taken)).bytes);
        if (isParseError(answer)) throw new Error(answer.message);
        expect(['AA', 'AE']).toContain(answer.get('MSA-1'));
        expect(answer.all('ERR').map((err) => err.field(3).first.component(1).text)).not.toContain('207');
        codes.add(answer.get('QAK-2'));
      },
    ),
    { numRuns: 400, seed: 5 },
  );
  expect([...codes]).toEqual(expect.arrayContaining(['AE', 'NF']));
}, 60_000);
