/** Several routes to one organisation: what goes by which, and that they do not hold up each other. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { newId } from '../record/index.ts';
import { mllpReceiver, sites, type TestOutbox, testOutbox } from './testing.ts';

let test: TestDatabase;
let outbox: TestOutbox;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  test = await testDatabase();
  outbox = await testOutbox(test.database);
});
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await outbox.stop();
  await test.drop();
});

/** One human at the hospital and at the laboratory; the id of the laboratory's Patient. */
const register = async (given: string) => (await outbox.register(given, 'hospital', 'lab')).lab;

async function report(lab: string, conclusion: string, more: object = {}) {
  const id = newId();
  await outbox.say(sites.lab, {
    resourceType: 'DiagnosticReport',
    id,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] },
    subject: { reference: `Patient/${lab}` },
    conclusion,
    ...more,
  } as never);
  return id;
}

async function vaccinate(lab: string) {
  await outbox.say(sites.lab, {
    resourceType: 'Immunization',
    id: newId(),
    status: 'completed',
    vaccineCode: { coding: [{ system: 'http://hl7.org/fhir/sid/cvx', code: '140' }] },
    patient: { reference: `Patient/${lab}` },
    occurrenceDateTime: '2026-10-01',
  } as never);
}

it('each takes its own topics, and one that is down holds up no other', async () => {
  const [results, everything] = [await mllpReceiver(), await mllpReceiver()];
  closing.push(
    () => results.close(),
    () => everything.close(),
  );
  const down = { dialect: 'hl7v2', host: '127.0.0.1', port: 1 } as const;
  await outbox.routes(sites.hospital, [
    { name: 'down', to: down, topics: ['result'] },
    { name: 'results', to: results.endpoint, topics: ['result'] },
    { name: 'registry', to: everything.endpoint, topics: ['result', 'immunization'] },
  ]);
  await outbox.sender().start();
  const lab = await register('Ada');
  await report(lab, 'Normal.');
  await vaccinate(lab);
  await outbox.until('delivered', 3);
  const codes = (of: typeof results) => of.messages.map((message) => message.get('MSH-9.1')).sort();
  expect([codes(results), codes(everything)]).toEqual([['ORU'], ['ORU', 'VXU']]);
  const waiting = (await outbox.rows()).filter(({ state }) => state !== 'delivered');
  expect(waiting.map(({ destination }) => destination)).toEqual([sites.hospital]);
});

it('a C-CDA reaches a folder as it came; another document does not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-route-'));
  closing.push(async () => rmSync(folder, { recursive: true }));
  await outbox.routes(sites.hospital, [{ name: 'documents', to: { dialect: 'ccda', folder } }]);
  const lab = await register('Grace');
  const before = (await outbox.rows()).filter(({ state }) => state === 'cancelled').length;
  const xml = '<?xml version="1.0"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Ä</title></ClinicalDocument>';
  for (const [contentType, text] of [
    ['text/plain', 'Words.'],
    ['text/xml', xml],
  ] as const) {
    await outbox.say(sites.lab, {
      resourceType: 'DocumentReference',
      id: newId(),
      status: 'current',
      type: { coding: [{ system: 'http://loinc.org', code: '18842-5' }] },
      subject: { reference: `Patient/${lab}` },
      content: [{ attachment: { contentType, data: Buffer.from(text).toString('base64') } }],
    } as never);
  }
  await outbox.until('cancelled', before + 1);
  await outbox.until('delivered', 4);
  const names = readdirSync(folder);
  expect(names).toEqual([expect.stringMatching(/^\d{12}-[0-9A-Z]{20}\.xml$/)]);
  expect(readFileSync(join(folder, names[0]!), 'utf8')).toBe(xml);
});

/** A time zone and hours that are quiet now, and for an hour at least. */
function quietNow() {
  const hour = new Date().getUTCHours();
  const time = (at: number) => `${String((at + 24) % 24).padStart(2, '0')}:00`;
  return { zone: 'UTC', from: time(hour - 1), to: time(hour + 2) };
}

it('in quiet hours what is urgent goes, with what waited before it for the same person; the rest goes afterwards', async () => {
  const receiver = await mllpReceiver();
  closing.push(() => receiver.close());
  const maps = [
    {
      from: { system: 'http://loinc.org', code: '2823-3' },
      to: { system: 'L', code: 'KAL' },
    },
  ];
  const to = { ...receiver.endpoint, messages: ['ORU'] } as const;
  const rest = { name: 'night', to, codes: maps, filters: ['DiagnosticReport?status=final'] };
  await outbox.routes(sites.hospital, [{ ...rest, quiet: quietNow() }]);
  const [quiet, urgent] = [await register('Mary'), await register('Rosalind')];
  await report(quiet, 'Mary, first.');
  await report(quiet, 'Mary, not final.', { status: 'preliminary' });
  await report(urgent, 'Rosalind, first.');
  const result = newId();
  await outbox.say(
    sites.lab,
    {
      resourceType: 'Observation',
      id: result,
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] },
      interpretation: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code: 'HH' }] },
      ],
      subject: { reference: `Patient/${urgent}` },
    } as never,
    {
      resourceType: 'DiagnosticReport',
      id: newId(),
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] },
      subject: { reference: `Patient/${urgent}` },
      result: [{ reference: `Observation/${result}` }],
      conclusion: 'Rosalind, critical.',
    } as never,
  );
  await report(urgent, 'Rosalind, last.');
  const told = async (count: number) => {
    for (let tries = 0; receiver.messages.length < count && tries < 1_500; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    return receiver.messages.map((message) => message.get('NTE-3'));
  };
  await outbox.sender().wake();
  expect(await told(2)).toEqual(['Rosalind, first.', 'Rosalind, critical.']);
  await outbox.routes(sites.hospital, [rest]);
  await outbox.sender().wake();
  expect((await told(4)).slice(2)).toEqual(['Mary, first.', 'Rosalind, last.']);
  const [message] = receiver.messages;
  expect(['OBR-4.1', 'OBR-4.3', 'OBR-4.4', 'OBR-4.6'].map((path) => message!.get(path as 'MSH-9'))).toEqual([
    'KAL',
    'L',
    '2823-3',
    'LN',
  ]);
});

it('what waits for a confirmed link is sent in its order when somebody confirms it, as it is then, and once', async () => {
  const receiver = await mllpReceiver();
  closing.push(() => receiver.close());
  await outbox.routes(sites.hospital, [{ name: 'chart', to: receiver.endpoint, grade: 'confirmed' }]);
  const { lab, hospital } = await outbox.register('Dorothy', 'hospital', 'lab');
  await outbox.sender().start();
  const first = await report(lab, 'First.');
  const second = await report(lab, 'Second.');
  await report(lab, 'Third.');
  const rows = async () => (await outbox.rows()).filter(({ route }) => route === 'chart');
  expect((await rows()).map(({ state, last_error }) => [state, last_error])).toEqual(
    Array(3).fill(['cancelled', expect.stringContaining('nobody has confirmed')]),
  );
  const more = { resourceType: 'DiagnosticReport', code: { text: 'x' }, subject: { reference: `Patient/${lab}` } };
  await outbox.say(sites.lab, { ...more, id: first, status: 'amended', conclusion: 'First, amended.' } as never);
  await outbox.say(sites.lab, { ...more, id: second, status: 'entered-in-error' } as never);
  expect(receiver.messages).toEqual([]);
  const { rows: homes } = await test.database.query('SELECT home FROM patient_home WHERE rid = ANY($1)', [
    [lab, hospital],
  ]);
  expect(homes).toHaveLength(2);
  const confirm = () =>
    outbox.record.writer.write({
      keys: [],
      patients: [lab, hospital],
      alone: true,
      apply: (set) => {
        outbox.persons.state(set, {
          kind: 'link',
          a: lab,
          b: hospital,
          at: new Date().toISOString(),
          source: sites.hospital,
        });
        set.touch();
      },
    });
  await confirm();
  await vi.waitFor(() => expect(receiver.messages).toHaveLength(2), 20_000);
  expect(receiver.messages.map((message) => message.get('NTE-3'))).toEqual(['Third.', 'First, amended.']);
  const told = (await rows()).length;
  await confirm();
  await report(lab, 'Fourth.');
  await vi.waitFor(() => expect(receiver.messages).toHaveLength(3), 20_000);
  expect((await rows()).length).toBe(told + 1);
  await outbox.stop();
});

it('resources of one id and different types are told of each for itself, also to a Patient of that id', async () => {
  const receiver = await mllpReceiver();
  closing.push(() => receiver.close());
  await outbox.routes(sites.hospital, [{ name: 'ids', to: receiver.endpoint, topics: ['result', 'immunization'] }]);
  const { lab, hospital } = await outbox.register('Emmy', 'hospital', 'lab');
  const subject = { reference: `Patient/${lab}` };
  const reportOf = (id: string) => ({
    resourceType: 'DiagnosticReport',
    id,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] },
    subject,
  });
  const shot = (status: string) => ({
    resourceType: 'Immunization',
    id: 'emmy-1',
    status,
    vaccineCode: { coding: [{ system: 'http://hl7.org/fhir/sid/cvx', code: '140' }] },
    patient: subject,
    occurrenceDateTime: '2026-10-01',
  });
  const written = async () =>
    (await outbox.rows()).filter(({ route }) => route === 'ids').map(({ kind, state }) => [kind, state]);
  await outbox.say(sites.lab, shot('completed') as never, reportOf('emmy-1') as never);
  expect(await written()).toEqual([
    ['new', 'waiting'],
    ['new', 'waiting'],
  ]);
  await outbox.say(sites.lab, shot('entered-in-error') as never, reportOf(hospital) as never);
  expect(await written()).toEqual([
    ['new', 'cancelled'],
    ['new', 'waiting'],
    ['new', 'waiting'],
  ]);
  const sender = outbox.sender();
  await sender.start();
  // One that is on its way when the sender stops would be tried again: the acknowledgements have to be kept, too.
  const states = async () => (await written()).map(([, state]) => state);
  await vi.waitFor(async () => expect(await states()).toEqual(['cancelled', 'delivered', 'delivered']), 20_000);
  await sender.stop();
  expect(receiver.messages.map((message) => message.get('MSH-9.1'))).toEqual(['ORU', 'ORU']);
});

it('a filter that cannot be read any more loses nothing that is stated: what it would decide on waits, and says so', async () => {
  const receiver = await mllpReceiver();
  closing.push(() => receiver.close());
  const filtered = { name: 'unread', to: receiver.endpoint, filters: ['DiagnosticReport?gone-since=1'] };
  await outbox.routes(sites.hospital, [filtered]);
  const { lab } = await outbox.register('Hypatia', 'hospital', 'lab');
  await report(lab, 'By a parameter that is gone.');
  const sender = outbox.sender();
  await sender.start();
  const unread = async () => (await outbox.rows()).filter(({ route }) => route === 'unread');
  await vi.waitFor(async () => {
    expect(await unread()).toMatchObject([{ state: 'failed', last_error: expect.stringContaining('filter') }]);
  }, 10_000);
  expect(receiver.messages).toEqual([]);
  await outbox.routes(sites.hospital, [{ ...filtered, filters: ['DiagnosticReport?status=final'] }]);
  await vi.waitFor(async () => expect(await unread()).toMatchObject([{ state: 'delivered' }]), 10_000);
  await sender.stop();
});
