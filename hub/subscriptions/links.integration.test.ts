/** Subscribers are told when source patients turn out to be one person, or different ones: in order, none passed over. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startHub } from '../main.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { oneHuman } from '../testing-patients.ts';
import { statusIn, type TestEndpoint, testEndpoint } from './testing.ts';

const soon = { timeout: 20_000, interval: 20 };
let hub: TestHub;
let endpoint: TestEndpoint;

beforeAll(async () => {
  endpoint = await testEndpoint();
  hub = await startTestHub({ notifyTo: [endpoint.url] });
});
afterAll(async () => {
  await hub?.stop();
  await endpoint?.close();
});

async function put(id: string, patient: object) {
  const answer = await hub.send('PUT', `/fhir/Patient/${id}`, { ...patient, id });
  expect(answer.status, answer.text).toBeLessThan(300);
}

async function write(type: string, resource: Json) {
  const answer = await hub.send('PUT', `/fhir/${type}/${resource.id}`, { resourceType: type, ...resource });
  expect(answer.status, answer.text).toBeLessThan(300);
}

async function subscribe(path: string, topic: string, filters: string[] = [], role = 'administrator'): Promise<string> {
  const url = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-filter-criteria';
  const subscription = {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'test',
    criteria: topic.startsWith('http') ? topic : `urn:causeway:SubscriptionTopic:${topic}`,
    _criteria: {
      extension: [{ url: 'urn:test', valueString: 'x' }, ...filters.map((valueString) => ({ url, valueString }))],
    },
    channel: { type: 'rest-hook', endpoint: `${endpoint.url}/${path}`, payload: 'application/fhir+json' },
  };
  const { status, json, text } = await hub.send('POST', '/fhir/Subscription', subscription, { role });
  expect(status, text).toBe(201);
  await vi.waitFor(
    async () => expect((await hub.get(`/fhir/Subscription/${json.id}`)).json.status).toBe('active'),
    soon,
  );
  return json.id;
}

/** The foci that were told at a path, each with its number. */
const told = (path: string): [number, string][] =>
  endpoint.got
    .filter((got) => got.path === `/${path}`)
    .flatMap(({ json }) => statusIn(json).events)
    .map(({ number, focus }: Json) => [number, focus.split('/').at(-1)]);

it('a merge and a split are told, by filters of whoever is concerned, and to those who see both sides', async () => {
  await put('a1', oneHuman('Ambler'));
  await put('x1', oneHuman('Xavier'));
  const secret = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSYTHPN' }] };
  await subscribe('merged', 'person-merged');
  await subscribe('split', 'person-split');
  await subscribe('filtered', 'person-merged', ['Patient?_id=a1']);
  await subscribe('other', 'person-merged', ['Patient?family=Nobody']);
  await subscribe('clinician', 'person-merged', undefined, 'clinician');
  await put('x2', { ...oneHuman('Xavier'), meta: secret });
  await put('a2', oneHuman('Ambler'));
  await vi.waitFor(() => expect(told('merged').length).toBe(2), soon);
  await hub.send('POST', '/api/persons/a1/unlink', { patient: 'a2', reason: 'another' });
  await vi.waitFor(() => expect(told('split').length).toBe(1), soon);
  await vi.waitFor(() => expect(told('clinician').length).toBe(1), soon);
  expect(told('merged')).toEqual([
    [1, 'x2'],
    [2, 'a2'],
  ]);
  expect(told('split')).toEqual([[1, 'a2']]);
  expect(told('filtered')).toEqual([[1, 'a2']]);
  expect(told('clinician')).toEqual([[1, 'a2']]);
  expect(told('other')).toEqual([]);
});

it('the patient data feed tells of several types, each by filters of its own, of which one is enough', async () => {
  const feed = 'http://hl7.org/fhir/us/core/SubscriptionTopic/patient-data-feed';
  await subscribe('feed', feed, [
    'Encounter?patient=a1&trigger=feed-event',
    'Observation?patient=a1&category=laboratory',
  ]);
  await subscribe('both', feed, ['Observation?code=urn:c|x', 'Observation?code=urn:c|y']);
  await subscribe('all', feed);
  const subject = { reference: 'Patient/a1' };
  const of = (code: string, category: string) => ({
    status: 'final',
    code: { coding: [{ system: 'urn:c', code }] },
    category: [{ coding: [{ code: category }] }],
    subject,
  });
  await write('Encounter', { id: 'f1', status: 'planned', class: { code: 'AMB' }, subject });
  await write('Observation', { id: 'f2', ...of('x', 'laboratory') });
  await write('Observation', { id: 'f3', ...of('y', 'vital-signs') });
  await write('Condition', { id: 'f4', subject });
  await vi.waitFor(() => expect(told('all').map(([, focus]) => focus)).toEqual(['f1', 'f2', 'f3', 'f4']), soon);
  await vi.waitFor(() => expect(told('both').map(([, focus]) => focus)).toEqual(['f2', 'f3']), soon);
  await vi.waitFor(() => expect(told('feed').map(([, focus]) => focus)).toEqual(['f1', 'f2']), soon);
  const event = endpoint.got.find(({ path, json }) => path === '/feed' && statusIn(json).events.length > 0)!.json;
  const parts = event.entry[0].resource.parameter.find(({ name }: Json) => name === 'notification-event').part;
  expect(parts.find(({ name }: Json) => name === 'trigger').valueCoding.code).toBe('feed-event');
});

it('another hub goes on where the one before ended: none is passed over, and none numbered twice', async () => {
  endpoint.got.length = 0;
  await put('b1', oneHuman('Barlow'));
  await put('b2', oneHuman('Barlow'));
  await hub.send('POST', '/api/persons/b1/unlink', { patient: 'b2', reason: 'another' });
  await hub.rest();
  const progress = { say: () => {}, count: () => {}, fail: () => {} };
  const next = await startHub(hub.config, progress, async () => undefined);
  await vi.waitFor(() => expect(told('merged').map(([number]) => number)).toEqual([3]), soon);
  await vi.waitFor(() => expect(told('split')).toEqual([[2, told('merged')[0]![1]]]), soon);
  await next.stop();
});
