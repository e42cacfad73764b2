import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

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
  const { rows } = await hub.test.database.query(
    `SELECT e ->> 'action' AS action, coalesce(e -> 'patients', '[]') AS patients
     FROM access_log, jsonb_array_elements(entries) e WHERE id > $1 ORDER BY id`,
    [since],
  );
  return rows.map(({ action, patients }) => [action, patients]);
}

async function logged(): Promise<number> {
  const { rows } = await hub.test.database.query('SELECT coalesce(max(id), 0) AS id FROM access_log');
  return rows[0]!.id;
}

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
  await hub.send('DELETE', '/fhir/Patient/own-id');
  expect((await hub.get('/fhir/Patient/_history')).status).toBe(200);
  const accesses = await named(since);
  expect(accesses.length).toBeGreaterThanOrEqual(20);
  for (const [action, patients] of accesses) {
    expect([action, patients]).toEqual([action, action === 'delete' && patients.length === 0 ? [] : ['own-id']]);
  }
});
