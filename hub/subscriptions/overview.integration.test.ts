/** People look after subscriptions: see how each fares, pause it, end it, let it go on. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { type TestEndpoint, testEndpoint } from './testing.ts';

const soon = { timeout: 20_000, interval: 20 };
const role = 'clinician';
let hub: TestHub;
let endpoint: TestEndpoint;

beforeAll(async () => {
  endpoint = await testEndpoint();
  hub = await startTestHub({ notifyTo: [endpoint.url] });
  await hub.send('PUT', '/fhir/Patient/ann', { resourceType: 'Patient', id: 'ann' });
});
afterAll(async () => {
  await hub?.stop();
  await endpoint?.close();
});

async function report(id: string): Promise<void> {
  const subject = { reference: 'Patient/ann' };
  const resource = { resourceType: 'DiagnosticReport', id, status: 'final', code: { text: 'x' }, subject };
  expect((await hub.send('PUT', `/fhir/DiagnosticReport/${id}`, resource)).status).toBe(201);
}

const shown = async (id: string) => (await hub.get(`/api/subscriptions/${id}`, { role })).json;
const ask = (id: string, state: string, options: Json = { role }) =>
  hub.send('POST', `/api/subscriptions/${id}`, { state }, options);

it('its owner sees it, pauses it, lets it go on and ends it; what came meanwhile is told in order', async () => {
  const channel = { type: 'rest-hook', endpoint: `${endpoint.url}/hook`, header: ['Authorization: Bearer s3cret'] };
  const criteria = 'urn:causeway:SubscriptionTopic:result';
  const subscription = { resourceType: 'Subscription', status: 'requested', reason: 'test', criteria, channel };
  const { id } = (await hub.send('POST', '/fhir/Subscription', subscription, { role })).json;
  await vi.waitFor(async () => expect((await shown(id)).subscription.state).toBe('active'), soon);
  await report('r1');
  await vi.waitFor(() => expect(endpoint.numbers()).toEqual([1]), soon);
  expect((await ask(id, 'paused')).json).toMatchObject({ state: 'paused', behind: 0 });
  await report('r2');
  await report('r3');
  await vi.waitFor(async () => expect((await shown(id)).subscription.behind).toBe(2), soon);
  expect(endpoint.numbers()).toEqual([1]);
  const seen = await shown(id);
  expect(seen.subscription).toMatchObject({
    id,
    who: 'test-clinician',
    topic: 'A report is there',
    channel: 'rest-hook',
    endpoint: `${endpoint.url}/hook`,
    events: 3,
    told: 1,
  });
  expect(seen.latest.map(({ number, reference, isTold }: Json) => [number, reference, isTold])).toEqual([
    [3, 'DiagnosticReport/r3', false],
    [2, 'DiagnosticReport/r2', false],
    [1, 'DiagnosticReport/r1', true],
  ]);
  expect(JSON.stringify(seen)).not.toContain('s3cret');
  endpoint.answer = 503;
  await ask(id, 'requested');
  await vi.waitFor(async () => {
    expect((await shown(id)).subscription).toMatchObject({ state: 'error', error: 'The endpoint answered 503.' });
  }, soon);
  endpoint.answer = 200;
  await vi.waitFor(() => expect(endpoint.numbers()).toEqual([1, 2, 3]), soon);
  expect((await ask(id, 'off')).json).toMatchObject({ state: 'off' });
  expect((await hub.get(`/fhir/Subscription/${id}`, { role })).json.status).toBe('off');
  expect((await ask(id, 'paused')).status).toBe(409);
  const administrator = (await hub.get('/api/subscriptions')).json.subscriptions;
  expect(administrator.map((one: Json) => one.id)).toContain(id);
  const headers = { authorization: `Bearer ${await hub.token('clinician', 'somebody-else')}` };
  expect((await hub.get('/api/subscriptions', { headers })).json).toEqual({ subscriptions: [] });
  expect((await hub.get(`/api/subscriptions/${id}`, { headers })).status).toBe(404);
  expect((await ask(id, 'requested', { headers })).status).toBe(404);
  expect((await ask(id, 'gone')).status).toBe(400);
});
