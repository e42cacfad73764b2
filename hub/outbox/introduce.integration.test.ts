/** Persons whom a destination does not know: introduced where the route says so, and told of under the same numbers since. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bundle } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { newId } from '../record/index.ts';
import { mllpReceiver, sites, type TestOutbox, type TestReceiver, testOutbox } from './testing.ts';

let test: TestDatabase;
let outbox: TestOutbox;
let receiver: TestReceiver;
const bundles: Bundle[] = [];
const server = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk) => {
    text += chunk;
  });
  request.on('end', () => {
    bundles.push(JSON.parse(text));
    response
      .setHeader('content-type', 'application/fhir+json')
      .end('{"resourceType":"Bundle","type":"transaction-response"}');
  });
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test = await testDatabase();
  outbox = await testOutbox(test.database);
  receiver = await mllpReceiver();
  const settings = { providers: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' }] };
  await outbox.participants.put({ ...outbox.participants.byKey(sites.practice), settings });
  await outbox.sender().start();
});
afterAll(async () => {
  await outbox.stop();
  await receiver.close();
  server.close();
  await test.drop();
});

/** A site's Patient, whose family doctor is at the practice. */
async function patient(given: string, site: 'lab' | 'hospital' = 'lab', more = {}) {
  const [id, doctor] = [newId(), newId()];
  const npi = { system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' };
  await outbox.say(
    sites[site],
    { resourceType: 'Practitioner', id: doctor, identifier: [npi] } as never,
    outbox.patientAt(site, id, { generalPractitioner: [{ reference: `Practitioner/${doctor}` }], ...more }, given),
  );
  return id;
}
async function report(whose: string, id: string, conclusion: string, site: 'lab' | 'hospital' = 'lab', more = {}) {
  const code = { coding: [{ system: 'http://loinc.org', code: '2823-3' }] };
  const subject = { reference: `Patient/${whose}` };
  const what = { resourceType: 'DiagnosticReport', id, status: 'final', code, subject, conclusion, ...more };
  await outbox.say(sites[site], what as never);
}
const came = async (count: number) => {
  await vi.waitFor(() => expect(receiver.messages.length).toBeGreaterThanOrEqual(count), 30_000);
  return receiver.messages.map((one) => [one.get('MSH-9.2'), one.get('PID-3.1'), one.get('NTE-3')]);
};

it('by HL7 v2 the Patient goes first, then what is told; who has a Patient of its own meanwhile is told the next under that', async () => {
  await outbox.routes(sites.practice, [
    { name: 'main', to: receiver.endpoint, topics: ['result'], unknown: 'introduce' },
  ]);
  const lab = await patient('Ada');
  const first = newId();
  await report(lab, first, 'First.');
  await report(lab, newId(), 'Second.');
  expect(await came(3)).toEqual([
    ['A28', 'lab-Ada', undefined],
    ['R01', 'lab-Ada', 'First.'],
    ['R01', 'lab-Ada', 'Second.'],
  ]);
  await outbox.say(sites.practice, outbox.patientAt('practice', newId(), {}, 'Ada'));
  await report(lab, first, 'First, corrected.');
  await report(lab, newId(), 'Third.');
  const told = (await came(5)).slice(3);
  expect(told).toEqual(
    expect.arrayContaining([
      ['R01', 'lab-Ada', 'First, corrected.'],
      ['R01', 'practice-Ada', 'Third.'],
    ]),
  );
  expect(told).toHaveLength(2);
});

it('nobody is introduced by a route that does not say so, nor to who does not care', async () => {
  const before = (await outbox.rows()).length;
  await outbox.routes(sites.practice, [{ name: 'main', to: receiver.endpoint, topics: ['result'] }]);
  await report(await patient('Grace'), newId(), 'Untold.');
  await outbox.routes(sites.practice, [
    { name: 'main', to: receiver.endpoint, topics: ['result'], unknown: 'introduce' },
  ]);
  const id = newId();
  await outbox.say(sites.lab, outbox.patientAt('lab', id, {}, 'Mary'));
  await report(id, newId(), 'Of nobody.');
  expect((await outbox.rows()).length).toBe(before);
});

it('what was there when care began is told after the introduction', async () => {
  const id = newId();
  await outbox.say(sites.lab, outbox.patientAt('lab', id, {}, 'Emmy'));
  await report(id, newId(), 'Held.');
  const doctor = newId();
  const npi = { system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' };
  const since = receiver.messages.length;
  await outbox.say(
    sites.lab,
    { resourceType: 'Practitioner', id: doctor, identifier: [npi] } as never,
    outbox.patientAt('lab', id, { generalPractitioner: [{ reference: `Practitioner/${doctor}` }] }, 'Emmy'),
  );
  expect((await came(since + 2)).slice(since)).toEqual([
    ['A28', 'lab-Emmy', undefined],
    ['R01', 'lab-Emmy', 'Held.'],
  ]);
});

it('who takes persons too is told of the introduced one once, and of its changes after that', async () => {
  await outbox.routes(sites.practice, [
    { name: 'main', to: receiver.endpoint, topics: ['person', 'result'], unknown: 'introduce' },
  ]);
  const since = receiver.messages.length;
  const id = await patient('Lise');
  expect((await came(since + 1)).slice(since)).toEqual([['A28', 'lab-Lise', undefined]]);
  await report(id, newId(), 'Hers.');
  await outbox.say(sites.lab, outbox.patientAt('lab', id, { deceasedBoolean: true }, 'Lise'));
  expect((await came(since + 3)).slice(since + 1)).toEqual([
    ['R01', 'lab-Lise', 'Hers.'],
    ['A31', 'lab-Lise', undefined],
  ]);
});

it('of two who turn out to be one each is followed up under the numbers by which it was told', async () => {
  await outbox.routes(sites.practice, [
    { name: 'main', to: receiver.endpoint, topics: ['result'], unknown: 'introduce' },
  ]);
  const since = receiver.messages.length;
  const [lab, hospital] = [await patient('Jane'), await patient('Jane', 'hospital', { birthDate: '1990-01-01' })];
  const [first, second] = [newId(), newId()];
  await report(lab, first, 'At the laboratory.');
  await report(hospital, second, 'At the hospital.', 'hospital');
  expect(
    (await came(since + 4))
      .slice(since)
      .map(([event, number]) => `${event} ${number}`)
      .sort(),
  ).toEqual(['A28 hospital-Jane', 'A28 lab-Jane', 'R01 hospital-Jane', 'R01 lab-Jane']);
  await outbox.say(sites.hospital, outbox.patientAt('hospital', hospital, {}, 'Jane'));
  const { rows } = await test.database.query('SELECT DISTINCT person FROM link WHERE patient = ANY($1)', [
    [lab, hospital],
  ]);
  expect(rows).toHaveLength(1);
  const told = (await came(since + 4)).length;
  await report(lab, first, 'Wrong.', 'lab', { status: 'entered-in-error' });
  await report(hospital, second, 'Wrong.', 'hospital', { status: 'entered-in-error' });
  await came(told + 2);
  const taken = receiver.messages.slice(told).map((one) => [one.get('PID-3.1'), one.get('OBR-25')]);
  expect(taken.sort()).toEqual([
    ['hospital-Jane', 'C'],
    ['lab-Jane', 'C'],
  ]);
});

it('nobody is introduced under numbers of whom the route demands a confirmed link, until somebody confirms it', async () => {
  await outbox.routes(sites.practice, [
    { name: 'main', to: receiver.endpoint, topics: ['result'], unknown: 'introduce', grade: 'confirmed' },
  ]);
  const since = receiver.messages.length;
  const lab = newId();
  await outbox.say(sites.lab, outbox.patientAt('lab', lab, {}, 'Hedy'));
  const hospital = await patient('Hedy', 'hospital');
  await report(hospital, newId(), 'Unsure.', 'hospital');
  const held = (await outbox.rows()).filter(({ last_error }) => last_error?.includes('nobody has confirmed'));
  expect(held).toHaveLength(1);
  const { rows } = await test.database.query('SELECT 1 FROM delivery WHERE recipient = $1', [lab]);
  expect(rows).toHaveLength(1);
  await outbox.record.writer.write({
    keys: [],
    patients: [lab, hospital],
    alone: true,
    apply: (set) => {
      const at = new Date().toISOString();
      outbox.persons.state(set, { kind: 'link', a: lab, b: hospital, at, source: sites.hospital });
      set.touch();
    },
  });
  expect((await came(since + 2)).slice(since)).toEqual([
    ['A28', 'lab-Hedy', undefined],
    ['R01', 'lab-Hedy', 'Unsure.'],
  ]);
});

it('by FHIR the Patient is made in the same transaction, once, by the number of who knows them', async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`;
  await outbox.routes(sites.practice, [
    { name: 'main', to: { dialect: 'fhir', url }, topics: ['result'], unknown: 'introduce' },
  ]);
  const lab = await patient('Rosalind');
  await report(lab, newId(), 'As FHIR.');
  await vi.waitFor(() => expect(bundles).toHaveLength(1), 30_000);
  const [first, ...rest] = bundles[0]!.entry!;
  const system = encodeURIComponent(outbox.participants.byKey(sites.lab).identifierSystem!);
  expect(first!.request).toEqual({ method: 'POST', url: 'Patient', ifNoneExist: `identifier=${system}|lab-Rosalind` });
  const told = rest.find(({ resource }) => resource?.resourceType === 'DiagnosticReport')!.resource;
  expect(told).toMatchObject({ conclusion: 'As FHIR.', subject: { reference: first!.fullUrl } });
});
