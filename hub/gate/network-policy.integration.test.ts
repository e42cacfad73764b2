import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const path = '/api/network-policy';
const optIn = { model: 'opt-in', zone: 'Europe/Berlin', rules: [{ label: 'hiv', mode: 'permission' }] };

it('is changed by privacy officers with a reason, over what they saw, and keeps what was before', async () => {
  const officer = { role: 'privacy-officer' } as const;
  const first = await hub.get(path, officer);
  expect(first.json).toMatchObject({ version: 0, isReadable: true, versions: [{ version: 0 }] });
  const put = (body: object, role: 'privacy-officer' | 'clinician' | 'steward' = 'privacy-officer') =>
    hub.send('PUT', path, body, { role });
  expect((await put({ version: 0, policy: optIn })).status).toBe(400);
  const wrong = await put({ version: 0, policy: { ...optIn, zone: 'Nowhere' }, reason: 'x' });
  expect([wrong.status, wrong.json.error]).toEqual([400, 'zone must be the name of a time zone, as Europe/Berlin.']);
  const changed = await put({ version: 0, policy: optIn, reason: 'The state asks for it.' });
  expect([changed.status, changed.json]).toEqual([200, { version: 1 }]);
  expect((await put({ version: 0, policy: optIn, reason: 'Over an old one.' })).status).toBe(409);
  const { json } = await hub.get(path, officer);
  expect(json.version).toBe(1);
  expect(json.versions[0]).toMatchObject({ version: 1, policy: optIn, reason: 'The state asks for it.' });
  for (const role of ['clinician', 'steward'] as const) {
    expect((await hub.get(path, { role })).status).toBe(403);
    expect((await put({ version: 1, policy: optIn, reason: 'x' }, role)).status).toBe(403);
  }
});
