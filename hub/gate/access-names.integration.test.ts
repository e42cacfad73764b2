import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessesOf, lastRowOf } from '../audit/testing.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { oneHuman } from '../testing-patients.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const put = (resource: Json) => hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
const about = (id: string, patient: string) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: [{ system: 'urn:codes', code: 'x' }] },
  subject: { reference: `Patient/${patient}` },
});

/** The patients of each access since a row of the log. */
async function named(since: number): Promise<[action: string, patients: string[]][]> {
  return (await accessesOf(hub, since)).map(({ action, patients = [] }) => [action, patients]);
}

const logged = () => lastRowOf(hub);

it('every access names a patient by the id under which it is shown', async () => {
  const since = await logged();
  await put({ resourceType: 'Patient', id: 'own-id', name: [{ family: 'Named' }] });
  await put(about('o1', 'own-id'));
  for (const path of [
    'Patient/own-id',
    'Patient/own-id/_history/1',
    'Patient/own-id/_history',
    'Patient?_id=own-id',
    '?_type=Patient&_id=own-id',
    'Patient/own-id/$meta',
    'Patient/own-id/$everything',
    'Patient/$everything',
    'Observation/o1',
    'Observation?patient=own-id',
    'Observation?patient=own-id&_include=Observation:subject',
    'Observation/$lastn?patient=own-id&code=x',
    '$graphql?query={PatientList{id}}',
  ]) {
    expect([path, (await hub.get(`/fhir/${path}`)).status]).toEqual([path, 200]);
  }
  const entry = ['Patient/own-id', 'Patient?_id=own-id'].map((url) => ({ request: { method: 'GET', url } }));
  expect((await hub.send('POST', '/fhir', { resourceType: 'Bundle', type: 'batch', entry })).status).toBe(200);
  await hub.send('DELETE', '/fhir/Observation/o1');
  await put(about('o1', 'own-id'));
  await hub.send('DELETE', '/fhir/Observation?_id=o1');
  await put(about('o1', 'own-id'));
  const gone = [{ request: { method: 'DELETE', url: 'Observation/o1' } }];
  await hub.send('POST', '/fhir', { resourceType: 'Bundle', type: 'batch', entry: gone });
  await put(about('o1', 'own-id'));
  await hub.send('POST', '/fhir/$graphql', { query: 'mutation {ObservationDelete(id: "o1")}' });
  await hub.send('DELETE', '/fhir/Patient/own-id');
  expect((await hub.get('/fhir/Patient/_history')).status).toBe(200);
  const accesses = await named(since);
  expect(accesses.length).toBeGreaterThanOrEqual(20);
  for (const [action, patients] of accesses.filter(([action, { length }]) => action !== 'graphql' || length > 0)) {
    expect([action, patients]).toEqual([action, ['own-id']]);
  }
});

it('an answer to a change shows the person, as a read does, and so does the record of the access', async () => {
  await put({ ...oneHuman('Shown'), id: 'source-a' });
  await put({ ...oneHuman('Shown'), id: 'source-b' });
  const found = (await hub.get('/fhir/Patient?family=Shown')).json.entry;
  expect(found).toHaveLength(1);
  const person = found[0].resource.id as string;
  const since = await logged();
  const shown = `Patient/${person}`;
  const subjectOf = ({ json }: { json: Json }) => json.subject?.reference;
  const own = about('of-a', 'source-a');
  const made = await put(own);
  expect([made.status, subjectOf(made)]).toEqual([201, shown]);
  const { id: _, ...unnamed } = about('', 'source-b');
  expect(subjectOf(await hub.send('POST', '/fhir/Observation', unnamed))).toBe(shown);
  expect(subjectOf(await put({ ...about('of-person', person), status: 'amended' }))).toBe(shown);
  expect(subjectOf(await hub.send('PUT', '/fhir/Observation?_id=of-a', own))).toBe(shown);
  const json = { headers: { 'content-type': 'application/json-patch+json' } };
  const patch = (path: string, value: string) =>
    hub.send('PATCH', '/fhir/Observation/of-a', JSON.stringify([{ op: 'replace', path, value }]), json);
  expect(subjectOf(await patch('/status', 'amended'))).toBe(shown);
  expect(subjectOf(await patch('/status', 'amended'))).toBe(shown);
  const tag = { name: 'meta', valueMeta: { tag: [{ code: 'x' }] } };
  await hub.send('POST', '/fhir/Observation/of-a/$meta-add', { resourceType: 'Parameters', parameter: [tag] });
  const same = Buffer.from('[{"op":"test","path":"/status","value":"amended"}]').toString('base64');
  const binary = { resourceType: 'Binary', contentType: 'application/json-patch+json', data: same };
  const entry = [
    { resource: { ...about('in-bundle', 'source-b') }, request: { method: 'PUT', url: 'Observation/in-bundle' } },
    { resource: binary, request: { method: 'PATCH', url: 'Observation/of-a' } },
  ];
  for (const type of ['batch', 'transaction']) {
    const bundle = { resourceType: 'Bundle', type, entry };
    const answer = await hub.send('POST', '/fhir', bundle, { headers: { prefer: 'return=representation' } });
    const subjects = answer.json.entry.map(({ resource }: Json) => resource.subject.reference);
    expect([type, subjects]).toEqual([type, [shown, shown]]);
  }
  const mutation = 'mutation ($res: Observation_Input) {ObservationCreate(res: $res) {subject {reference}}}';
  const graphql = await hub.send('POST', '/fhir/$graphql', { query: mutation, variables: { res: unnamed } });
  expect(graphql.json.data.ObservationCreate.subject.reference).toBe(shown);
  const accesses = (await named(since)).filter(([action]) => !['transaction', 'graphql'].includes(action));
  expect(accesses.length).toBeGreaterThanOrEqual(9);
  for (const [action, patients] of accesses) expect([action, patients]).toEqual([action, [person]]);
});
