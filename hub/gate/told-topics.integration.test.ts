/** From a message that comes in to the one that tells of it, by each topic that a route may name. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message } from '@causeway/hl7v2';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { mllpReceiver, type TestReceiver } from '../outbox/testing.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

let hub: TestHub;
let receiver: TestReceiver;
let server: Server;
const bundles: Json[] = [];
let port = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      bundles.push(JSON.parse(text));
      const entry = JSON.parse(text).entry.map(() => ({ response: { status: '200' } }));
      response.setHeader('content-type', 'application/fhir+json');
      response.end(JSON.stringify({ resourceType: 'Bundle', type: 'transaction-response', entry }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  hub = await startTestHub({ sendTo: [`http://127.0.0.1:${port}/`] });
  receiver = await mllpReceiver();
  await put('clinic', { name: 'The clinic', kind: 'practice', sendingFacility: 'CLINIC' });
  await put('ward', { name: 'The ward', kind: 'hospital', sendingFacility: 'WARD', identifierSystem: ward });
});
afterAll(async () => {
  await receiver.close();
  server.close();
  await hub.stop();
});

const ward = 'urn:causeway:authority:ward:WARDMRN';
const put = async (key: string, body: object) => {
  const { status, text } = await hub.send('PUT', `/api/participants/${key}`, body);
  if (status !== 200) throw new Error(text);
};
const listens = (...topics: string[]) => put('ward', { routes: [{ name: 'main', to: receiver.endpoint, topics }] });
const fhir = (...topics: string[]) =>
  put('ward', { routes: [{ name: 'main', to: { dialect: 'fhir', url: `http://127.0.0.1:${port}/fhir` }, topics }] });

let clock = 0;
const message = (type: string, ...segments: string[]) => {
  clock += 1;
  const time = `20261101${String(clock).padStart(6, '0')}`;
  const facility = segments[0]!.includes('WARDMRN') ? 'WARD' : 'CLINIC';
  const head = [`MSH|^~\\&|APP|${facility}|HUB|X|${time}||${type}|M${clock}|P|2.5.1`];
  if (type.startsWith('ADT')) head.push(`EVN||${time}`);
  return [...head, ...segments].join('\r');
};
const pid = (authority: string, given: string, more = '') =>
  `PID|1||${authority}-${given}^^^${authority}^MR||Quillfeather^${given}||19570314|F|||9 Heron Lane^^Sedgewick^^04999||555-0199${more}`;
const visit = 'PV1|1|O';
const none = '|'.repeat(15);

/** One human whom both know. */
async function person(given: string) {
  await hub.take(message('ADT^A04', pid('WARDMRN', given), visit), message('ADT^A04', pid('CLINICMRN', given), visit));
}
/** What came since, once it is so many messages. */
async function came<T>(all: readonly T[], since: number, count: number): Promise<T[]> {
  for (let tries = 0; all.length < since + count; tries++) {
    if (tries > 1_500) throw new Error(`${all.length - since} messages came, not ${count}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return all.slice(since);
}
const values = (one: Message, ...paths: string[]) => paths.map((path) => one.get(path as 'PID-3'));

it('allergies: new, changed, and entered in error', async () => {
  await person('Ada');
  await listens('allergy');
  const iam = (action: string, reaction: string) =>
    message('ADT^A60', pid('CLINICMRN', 'Ada'), `IAM|1|DA|70618^Penicillin^RXNORM|SV|${reaction}|${action}|ALG-1`);
  for (const [action, reaction] of [
    ['A', 'Hives'],
    ['U', 'Shock'],
    ['D', 'Shock'],
  ] as const) {
    const since = receiver.messages.length;
    await hub.take(iam(action, reaction));
    await came(receiver.messages, since, 1);
  }
  const told = receiver.messages.slice(-3);
  expect(told.map((one) => values(one, 'MSH-9.2', 'PID-3.1', 'IAM-3.1', 'IAM-5', 'IAM-6', 'IAM-7.1'))).toEqual([
    ['A60', 'WARDMRN-Ada', '70618', 'Hives', 'A', 'ALG-1'],
    ['A60', 'WARDMRN-Ada', '70618', 'Shock', 'U', 'ALG-1'],
    ['A60', 'WARDMRN-Ada', '70618', undefined, 'D', 'ALG-1'],
  ]);
});

it('medicines: started, changed and stopped, each also by itself', async () => {
  await person('Grace');
  const order = (control: string, dose: string) =>
    message(
      'RDE^O11^RDE_O11',
      pid('CLINICMRN', 'Grace'),
      `ORC|${control}|RX-1^CLINIC|`,
      `RXE||197361^Amlodipine^RXNORM|${dose}||mg^^UCUM|`,
    );
  const round = async (control: string, dose: string, expected: number) => {
    const since = receiver.messages.length;
    await hub.take(order(control, dose));
    const told = await came(receiver.messages, since, expected);
    return told.map((one) => values(one, 'MSH-9.1', 'ORC-1', 'ORC-2.1', 'PID-3.1'));
  };
  const told = (control: string) => [['RDE', control, 'RX-1', 'WARDMRN-Grace']];
  await listens('medication-changed');
  expect(await round('NW', '5', 0)).toEqual([]);
  expect(await round('XO', '10', 1)).toEqual(told('XO'));
  await put('ward', { routes: [{ name: 'stops', to: receiver.endpoint, topics: ['medication-stopped'] }] });
  expect(await round('DC', '10', 1)).toEqual(told('CA'));
  await put('ward', { routes: [{ name: 'starts', to: receiver.endpoint, topics: ['medication-started'] }] });
  expect(await round('NW', '20', 1)).toEqual(told('NW'));
  // Only what asked for it was told: nothing came beside.
  const { rows } = await hub.test.database.query(
    `SELECT route, kind FROM delivery WHERE topic = 'prescription' ORDER BY seq`,
  );
  expect(rows.map(({ route, kind }) => `${route} ${kind}`)).toEqual([
    'main correction',
    'stops correction',
    'starts new',
  ]);
});

it('appointments: moved and cancelled, also those that were not told of before', async () => {
  await person('Mary');
  await listens('appointment-changed', 'appointment-cancelled');
  const slot = (event: string, start: string, status: string) =>
    message(
      `SIU^${event}^SIU_S12`,
      `SCH|AP-1^CLINIC|AP-1^CLINIC||||CHECKUP^Check|||30|min^^UCUM|^^30^${start}^20301201093000|||||||||||||${status}`,
      pid('CLINICMRN', 'Mary'),
    );
  const since = receiver.messages.length;
  await hub.take(slot('S12', '20301201090000', 'Booked'));
  await hub.take(slot('S13', '20301201100000', 'Booked'));
  await came(receiver.messages, since, 1);
  await hub.take(slot('S15', '20301201100000', 'Cancelled'));
  const told = await came(receiver.messages, since, 2);
  expect(told.map((one) => values(one, 'MSH-9.1', 'MSH-9.2', 'PID-3.1'))).toEqual([
    ['SIU', 'S14', 'WARDMRN-Mary'],
    ['SIU', 'S15', 'WARDMRN-Mary'],
  ]);
});

it('a death, and nothing else of the person before', async () => {
  await person('Rosalind');
  await listens('death');
  const since = receiver.messages.length;
  await hub.take(message('ADT^A08', pid('CLINICMRN', 'Rosalind', `${'|'.repeat(3)}`), visit));
  await hub.take(message('ADT^A08', pid('CLINICMRN', 'Rosalind', `${none}|20261101|Y`), visit));
  const [told] = await came(receiver.messages, since, 1);
  expect(values(told!, 'MSH-9.1', 'MSH-9.2', 'PID-3.1', 'PID-29')).toEqual([
    'ADT',
    'A31',
    'WARDMRN-Rosalind',
    '20261101',
  ]);
});

it("that another site's record is of one person with an own one, and that it is not", async () => {
  await listens('linked');
  const since = receiver.messages.length;
  await person('Dorothy');
  const [linked] = await came(receiver.messages, since, 1);
  expect(values(linked!, 'MSH-9.2', 'PID-3.1')).toEqual(['A24', 'WARDMRN-Dorothy']);
  expect(linked!.toString().match(/^PID.*$/gm)?.[1]).toContain('CLINICMRN-Dorothy');
  const unlink = message('ADT^A37', pid('WARDMRN', 'Dorothy'), pid('CLINICMRN', 'Dorothy'));
  await hub.take(unlink);
  const [, unlinked] = await came(receiver.messages, since, 2);
  expect(values(unlinked!, 'MSH-9.2', 'PID-3.1')).toEqual(['A37', 'WARDMRN-Dorothy']);
});

it('consents, and the answers to referrals, as FHIR', async () => {
  await person('Emmy');
  await fhir('consent', 'referral-accepted');
  const [known] = await hub.resources(`Patient?identifier=CLINICMRN-Emmy`);
  const own = (known.link ?? []).map(({ other }: Json) => other.reference as string);
  const patients = await Promise.all(own.map(async (one: string) => (await hub.get(`/fhir/${one}`)).json));
  const clinic = patients.find(({ identifier }: Json) => identifier[0].value === 'CLINICMRN-Emmy');
  const subject = { reference: `Patient/${clinic.id}` };
  const since = bundles.length;
  const consent = await hub.send('POST', '/fhir/Consent', {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: subject,
    policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTIN' }] },
    provision: { type: 'permit' },
  });
  expect(consent.status).toBe(201);
  const referral = await hub.send('POST', '/fhir/ServiceRequest', {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    identifier: [{ system: 'urn:clinic', value: 'REF-7' }],
    category: [{ coding: [{ system: 'http://snomed.info/sct', code: '3457005' }] }],
    subject,
  });
  const task = (status: string) => ({
    resourceType: 'Task',
    id: 'emmy-task',
    status,
    intent: 'order',
    focus: { reference: `ServiceRequest/${referral.json.id}` },
    for: subject,
  });
  expect((await hub.send('PUT', '/fhir/Task/emmy-task', task('requested'))).status).toBe(201);
  expect((await hub.send('PUT', '/fhir/Task/emmy-task', task('accepted'))).status).toBe(200);
  const told = await came(bundles, since, 2);
  const of = (type: string) =>
    told
      .flatMap(({ entry }) => entry.map(({ resource }: Json) => resource))
      .find((one: Json) => one.resourceType === type);
  expect(of('Consent')).toMatchObject({ status: 'active', patient: { identifier: { value: 'WARDMRN-Emmy' } } });
  expect(of('Task')).toMatchObject({
    status: 'accepted',
    for: { identifier: { value: 'WARDMRN-Emmy' } },
    focus: { type: 'ServiceRequest', identifier: { value: 'REF-7' } },
  });
  expect(of('Task').subject).toBeUndefined();
});

it('a discharge without a summary is summed up by the hub after its time, of what its receiver may see, and closed by that', async () => {
  await person('Hypatia');
  const folder = mkdtempSync(join(tmpdir(), 'causeway-summary-'));
  await put('ward', { routes: [{ name: 'documents', to: { dialect: 'ccda', folder } }] });
  const [known] = await hub.resources('Patient?identifier=CLINICMRN-Hypatia');
  const sources = await Promise.all(
    known.link.map(async ({ other }: Json) => (await hub.get(`/fhir/${other.reference}`)).json),
  );
  const clinic = sources.find(({ identifier }: Json) => identifier[0].value === 'CLINICMRN-Hypatia');
  const subject = { reference: `Patient/${clinic.id}` };
  const time = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSYTHPN' }];
  for (const [text, meta] of [
    ['Broken wrist', undefined],
    ['Of a therapy', { security }],
  ] as const) {
    const condition = {
      resourceType: 'Condition',
      ...(meta ? { meta } : {}),
      subject,
      code: { text },
      recordedDate: time(20),
    };
    expect((await hub.send('POST', '/fhir/Condition', condition)).status).toBe(201);
  }
  const period = { start: time(30), end: time(1) };
  const stay = { resourceType: 'Encounter', status: 'finished', class: { code: 'IMP' }, subject, period };
  const { json: encounter } = await hub.send('POST', '/fhir/Encounter', stay);
  const loop = async () =>
    (await hub.test.database.query(`SELECT state, outcome, site FROM care_loop WHERE kind = 'transition'`)).rows[0];
  expect(await loop()).toMatchObject({ state: 'open' });
  expect(readdirSync(folder)).toEqual([]);
  await hub.test.database.query(`UPDATE care_loop SET opened = opened - interval '25 hours'`);
  await vi.waitFor(() => expect(readdirSync(folder).filter((name) => name.endsWith('.xml'))).toHaveLength(1), 30_000);
  const xml = readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8');
  expect(xml).toContain('18842-5');
  expect(xml).toContain('Broken wrist');
  expect(xml).not.toContain('Of a therapy');
  await vi.waitFor(async () => expect(await loop()).toMatchObject({ state: 'closed', site: 'ward' }), 30_000);
  // Read on the spot it tells whoever reads what they may see; it is stated once.
  const [document, ...others] = await hub.resources(`DocumentReference?encounter=Encounter/${encounter.id}`);
  expect(others).toEqual([]);
  const read = await hub.get(`/fhir/${document.content[0].attachment.url.replace(/^.*\/fhir\//, '')}`);
  expect([read.status, read.text.includes('Broken wrist')]).toEqual([200, true]);
  rmSync(folder, { recursive: true });
});

it('what a dialect has no message for is no topic of its routes', async () => {
  const routes = [{ name: 'main', to: receiver.endpoint, topics: ['result', 'consent'] }];
  const { status, text } = await hub.send('PUT', '/api/participants/ward', { routes });
  expect([status, text]).toEqual([400, expect.stringContaining('consent')]);
});
