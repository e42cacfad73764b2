/** A hub with a patient, and the endpoint of a subscriber that takes what it is told. */
import { setTimeout as delay } from 'node:timers/promises';
import { statusIn, type TestEndpoint, testEndpoint } from '../../hub/subscriptions/testing.ts';
import type { Json } from '../../hub/testing-calls.ts';
import { type AskedHub, startAskedHub } from '../requirement-rows/hub.ts';

export const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';
const patienceMs = 20_000;

export interface World {
  hub: AskedHub;
  endpoint: TestEndpoint;
  /** Numbers for ids that nobody has. */
  next: number;
  /** One that asks for heartbeats, made at the beginning. */
  beating: string;
}

export async function makeWorld(): Promise<World> {
  const endpoint = await testEndpoint();
  const hub = await startAskedHub({ notifyTo: [endpoint.url] });
  await hub.send('PUT', '/fhir/Patient/p', { resourceType: 'Patient', id: 'p', name: [{ family: 'Dow' }] });
  const world: World = { hub, endpoint, next: 0, beating: '' };
  world.beating = await subscribed(world, { path: '/beat', heartbeat: 10 });
  return world;
}

export async function endWorld({ hub, endpoint }: World): Promise<void> {
  await hub.stop();
  await endpoint.close();
}

export interface Wish {
  topic?: string;
  content?: string;
  filters?: string[];
  payload?: string;
  path?: string;
  header?: string[];
  heartbeat?: number;
  timeout?: number;
  most?: number;
  channel?: Json;
}

export function subscription({ endpoint }: World, wish: Wish = {}): Json {
  const { topic = 'result', content = 'id-only', payload = 'application/fhir+json', path = '/hook' } = wish;
  const numbers = [
    ['backport-heartbeat-period', 'valueUnsignedInt', wish.heartbeat],
    ['backport-timeout', 'valueUnsignedInt', wish.timeout],
    ['backport-max-count', 'valuePositiveInt', wish.most],
  ] as const;
  const filters = (wish.filters ?? []).map((valueString) => ({
    url: `${backport}/backport-filter-criteria`,
    valueString,
  }));
  const extension = numbers.flatMap(([name, value, of]) =>
    of === undefined ? [] : [{ url: `${backport}/${name}`, [value]: of }],
  );
  return {
    resourceType: 'Subscription',
    meta: { profile: [`${backport}/backport-subscription`] },
    status: 'requested',
    reason: 'conformance',
    criteria: topic.includes(':') ? topic : `urn:causeway:SubscriptionTopic:${topic}`,
    ...(filters.length > 0 ? { _criteria: { extension: filters } } : {}),
    channel: {
      ...(extension.length > 0 ? { extension } : {}),
      type: 'rest-hook',
      endpoint: `${endpoint.url}${path}`,
      payload,
      _payload: { extension: [{ url: `${backport}/backport-payload-content`, valueCode: content }] },
      ...(wish.header ? { header: wish.header } : {}),
      ...wish.channel,
    },
  };
}

/** An active subscription, by its id. */
export async function subscribed(world: World, wish: Wish = {}): Promise<string> {
  const { status, json, text } = await world.hub.send('POST', '/fhir/Subscription', subscription(world, wish));
  demand(status === 201, `a Subscription was answered ${status}: ${text.slice(0, 200)}`);
  await until(async () => (await stateOf(world, json.id)) === 'active', 'the subscription to be active');
  return json.id;
}

export async function stateOf({ hub }: World, id: string): Promise<string> {
  return (await hub.get(`/fhir/Subscription/${id}`)).json.status;
}

/** A new report; returns its id. */
export async function report(world: World, more: Json = {}): Promise<string> {
  const id = `r${world.next++}`;
  const report = {
    resourceType: 'DiagnosticReport',
    id,
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/p' },
  };
  const { status } = await world.hub.send('PUT', `/fhir/DiagnosticReport/${id}`, { ...report, ...more });
  demand(status === 201, `a report was answered ${status}`);
  return id;
}

/** What an endpoint was told below a path, of one type of notifications. */
export function told({ endpoint }: World, path: string, type?: string): Json[] {
  const bundles = endpoint.got.filter((got) => got.path === path && got.json).map(({ json }) => json);
  return type === undefined ? bundles : bundles.filter((bundle) => statusIn(bundle).type === type);
}

/** The numbers of events that were told below a path, in their order. */
export function numbers(world: World, path: string): number[] {
  return told(world, path, 'event-notification').flatMap((bundle) =>
    statusIn(bundle).events.map(({ number }: Json) => number),
  );
}

export async function until(isSo: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await delay(20);
  }
}

export function demand(isSo: unknown, otherwise: string): asserts isSo {
  if (!isSo) throw new Error(otherwise);
}
