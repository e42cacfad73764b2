/** `Prefer: respond-async` on what is no bulk operation. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { contents, ended, statusOf } from './testing.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const later = { prefer: 'respond-async', 'content-type': 'application/fhir+json' };
const patient = (id: string, family: string) => ({
  fullUrl: `urn:uuid:${id}`,
  resource: { resourceType: 'Patient', id, name: [{ family }] },
  request: { method: 'PUT', url: `Patient/${id}` },
});
const transaction = (...entry: object[]) => ({ resourceType: 'Bundle', type: 'transaction', entry });

it('a transaction and a search are answered as they would have been at once', async () => {
  const begun = await hub.send('POST', '/fhir', transaction(patient('d1', 'Deferred'), patient('d2', 'Deferred')), {
    headers: later,
    role: 'system',
  });
  expect([begun.status, begun.json.resourceType]).toEqual([202, 'OperationOutcome']);
  expect(begun.headers.get('preference-applied')).toBe('respond-async');
  const done = await ended(hub, statusOf(hub, begun));
  expect(done.json).toMatchObject({ request: `${hub.url}/fhir`, output: [{ type: 'Bundle', count: 1 }], error: [] });
  const [answer] = await contents(hub, done.json.output);
  expect(answer.type).toBe('transaction-response');
  expect(answer.entry.map(({ response }: { response: { status: string } }) => response.status.slice(0, 3))).toEqual([
    '201',
    '201',
  ]);

  const path = '/fhir/Patient?family=Deferred';
  const searched = await hub.get(path, { headers: { prefer: 'respond-async' }, role: 'clinician' });
  expect(searched.status).toBe(202);
  const { json } = await ended(hub, statusOf(hub, searched));
  expect(json.request).toBe(hub.url + path);
  expect((await contents(hub, json.output))[0]).toEqual((await hub.get(path)).json);
  const posted = await hub.send('POST', '/fhir/Patient/_search', 'family=Deferred', {
    headers: { prefer: 'respond-async', 'content-type': 'application/x-www-form-urlencoded' },
  });
  const found = await ended(hub, statusOf(hub, posted));
  expect((await contents(hub, found.json.output))[0].entry).toHaveLength(2);
});

it('is carried out as who asked, and what is refused is told with its status', async () => {
  const body = transaction(patient('d3', 'Refused'));
  const begun = await hub.send('POST', '/fhir', body, { headers: later, role: 'steward' });
  expect(begun.status).toBe(202);
  const status = statusOf(hub, begun);
  const refused = await hub.get(status, { role: 'steward' });
  expect(refused.status === 202 ? (await ended(hub, status)).status : refused.status).toBe(403);
  expect((await hub.get('/fhir/Patient/d3')).status).toBe(404);
  const wrong = await hub.get('/fhir/Patient?famly=x', { headers: { prefer: 'respond-async' } });
  const told = await ended(hub, statusOf(hub, wrong));
  expect([told.status, told.json.issue[0].expression]).toEqual([400, ['famly']]);
  expect((await hub.get('/fhir/Patient', { headers: { prefer: 'respond-async' }, role: null })).status).toBe(401);
  const searches = (await accessesOf(hub)).filter(({ action }) => action === 'search');
  expect([...new Set(searches.map(({ who }) => who))].sort()).toEqual(['test-administrator', 'test-clinician']);
});

it('is its owner’s only', async () => {
  const begun = await hub.get('/fhir/Patient', { headers: { prefer: 'respond-async' }, role: 'clinician' });
  const status = statusOf(hub, begun);
  expect((await hub.get(status, { role: 'steward' })).status).toBe(404);
  await ended(hub, status);
  expect((await hub.get(`${status}/2.ndjson`, { role: 'steward' })).status).toBe(404);
  expect((await hub.get(`${status}/2.ndjson`, { role: 'clinician' })).status).toBe(200);
});

it('a Bundle that a hub may have carried out is not carried out again', async () => {
  const begun = await hub.send('POST', '/fhir', transaction(patient('d4', 'Once')), { headers: later });
  const status = statusOf(hub, begun);
  await ended(hub, status);
  await hub.test.database.query(
    `UPDATE bulk_job SET state = 'running', finished = NULL, lease_until = now() WHERE id = $1`,
    [status.split('/').at(-1)],
  );
  const again = await ended(hub, status);
  expect([again.status, again.json.issue[0].code]).toEqual([500, 'incomplete']);
  expect((await hub.get('/fhir/Patient/d4')).json.meta.versionId).toBe('1');
});

it('one resource is answered at once, whatever is preferred', async () => {
  await hub.send('PUT', '/fhir/Patient/d5', { resourceType: 'Patient', id: 'd5' }, { headers: later });
  expect((await hub.get('/fhir/Patient/d5', { headers: { prefer: 'respond-async' } })).status).toBe(200);
});
