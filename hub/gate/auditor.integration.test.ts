/** An auditor reads who did what, of everybody, and no record; and changes nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

const canary = 'Wqxcanary';
const auditor = { role: 'auditor' };

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
  const put = async (resource: { resourceType: string; id: string }) => {
    const { status, text } = await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
    expect(status, text).toBe(201);
  };
  await put({ resourceType: 'Patient', id: 'p', name: [{ family: canary }], birthDate: '1970-01-02' } as never);
  const code = { text: canary };
  const subject = { reference: 'Patient/p' };
  await put({ resourceType: 'Observation', id: 'o', status: 'final', code, subject } as never);
  await hub.get('/fhir/Observation/o', { role: 'clinician' });
  const about = { name: canary, asked: canary, manner: canary };
  const letter = { received: '2026-01-02', requester: 'payer', patient: 'p', about };
  const filed = await hub.send('POST', '/api/information-requests', letter, { role: 'privacy-officer' });
  const step = { step: 'told', day: '2026-01-05', note: canary };
  await hub.send('POST', `/api/information-requests/${filed.json.id}/steps`, step, { role: 'privacy-officer' });
});
afterAll(() => hub.stop());

it('sees who looked at whom and to whom it was given out, with the receipts', async () => {
  const { status, json, text } = await hub.get('/api/patients/p/accesses', auditor);
  expect(status).toBe(200);
  const read = json.accesses.find(({ role, type }: Json) => role === 'clinician' && type === 'Observation');
  expect(read, text).toBeDefined();
  const receipt = () => hub.get(`/api/patients/p/accesses/${read.id}/receipt`, auditor);
  await expect.poll(async () => (await receipt()).status, { timeout: 20_000 }).toBe(200);
  const events = await hub.get('/fhir/AuditEvent?patient=p', auditor);
  expect(events.json.entry.length).toBeGreaterThan(2);
  expect((await hub.get(`/fhir/AuditEvent/${events.json.entry[0].resource.id}`, auditor)).status).toBe(200);
  for (const format of ['json', 'csv', 'pdf', 'fhir']) {
    const told = await hub.get(`/api/patients/p/disclosures?format=${format}`, auditor);
    expect([format, told.status]).toEqual([format, 200]);
    expect(told.text).not.toContain(canary);
  }
  for (const path of [
    '/api/audit/status',
    '/audit/checkpoint',
    '/api/refusals',
    '/api/refusals.csv',
    '/api/safeguards',
  ])
    expect([path, (await hub.get(path, auditor)).status]).toEqual([path, 200]);
});

it('sees requests with their clocks, and not what is written in them', async () => {
  const read = async (as: object) => (await hub.get('/api/information-requests', as)).json.requests[0];
  expect(await read({ role: 'privacy-officer' })).toMatchObject({
    about: { name: canary },
    steps: [{ note: canary }],
  });
  const shown = await read(auditor);
  expect(shown).toMatchObject({ requester: 'payer', state: 'open', steps: [{ step: 'told' }] });
  expect(JSON.stringify(shown)).not.toContain(canary);
});

it('opens no record, whatever it asks', async () => {
  for (const path of [
    '/fhir/Patient/p',
    '/fhir/Observation/o',
    '/fhir/Patient/p/$everything',
    '/fhir/Patient/p/$summary',
  ])
    expect([path, (await hub.get(path, auditor)).status]).toEqual([path, 404]);
  for (const path of ['/fhir/Patient', '/fhir/Observation?patient=p', '/fhir/_history', '/fhir/Provenance']) {
    const { json } = await hub.get(path, auditor);
    expect([path, json.entry ?? []]).toEqual([path, []]);
  }
  for (const path of ['/api/persons/p', '/api/messages', '/api/erasures', '/api/patients/p/accounting-holds'])
    expect([path, (await hub.get(path, auditor)).status]).toEqual([path, 403]);
});

it('changes and decides nothing', async () => {
  const { requests } = (await hub.get('/api/information-requests', auditor)).json;
  const changes: [string, string, object][] = [
    ['PUT', '/fhir/Patient/q', { resourceType: 'Patient', id: 'q' }],
    ['POST', '/fhir/AuditEvent', { resourceType: 'AuditEvent' }],
    ['POST', '/api/refusals/decision', {}],
    ['POST', '/api/information-requests', {}],
    ['POST', `/api/information-requests/${requests[0].id}/steps`, { step: 'note', day: '2026-01-06', note: 'x' }],
    ['POST', '/api/safeguards/164.308(a)(1)(ii)(A)', {}],
    ['POST', '/api/audit/accept-restore', {}],
    ['POST', '/api/audit/keys', {}],
    ['POST', '/api/patients/p/accounting-holds', {}],
    ['POST', '/api/keys/index', {}],
  ];
  for (const [method, path, body] of changes)
    expect([path, (await hub.send(method, path, body, auditor)).status]).toEqual([path, 403]);
});
