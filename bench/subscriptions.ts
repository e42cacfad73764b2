/**
 * `npm run bench:subscriptions`: what it costs to look at a change on behalf of subscriptions, with few and with many that
 * cannot be meant. The same results are stored each time; one in a hundred is an event. README.md says what is compared.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type BenchHub, startHub } from './server/hub.ts';
import { machine, versions } from './server/machine.ts';
import { untilQuiet, usageOf } from './server/usage.ts';

const { values } = parseArgs({
  options: {
    subscriptions: { type: 'string', default: '0,10,10000' },
    events: { type: 'string', default: '20000' },
    json: { type: 'string' },
  },
});

const atOnce = 8;
const perTransaction = 200;
/** One change in so many is an event. */
const oneIn = 100;

interface Measured {
  subscriptions: number;
  changes: number;
  events: number;
  /** Until the last change was looked at. */
  seconds: number;
  changes_per_second: number;
  /** Milliseconds of CPU of hub and database for each change, storing included. */
  cpu_ms: number;
}

const results: Measured[] = [];
let at: BenchHub | undefined;
for (const count of values.subscriptions.split(',').map(Number)) {
  at = await startHub();
  try {
    results.push(await measured(at, count, Number(values.events)));
    console.log(JSON.stringify(results.at(-1)));
  } finally {
    if (values.json && count === Number(values.subscriptions.split(',').at(-1))) {
      const written = {
        machine: machine(),
        versions: versions(at.postmaster),
        date: new Date().toISOString(),
        results,
      };
      writeFileSync(values.json, `${JSON.stringify(written, null, 2)}\n`);
    }
    await at.stop();
  }
}

async function measured(hub: BenchHub, count: number, changes: number): Promise<Measured> {
  const id = count === 0 ? undefined : await create(hub, subscription('Observation?code=urn:bench|event'));
  const never = Array.from({ length: Math.max(0, count - 1) }, (_, i) =>
    subscription(`Observation?code=urn:bench|never-${i}`),
  );
  await inTransactions(hub, never);
  await untilAllActive(hub);
  await untilQuiet(hub.pid, hub.postmaster);
  const before = usageOf(hub.pid, hub.postmaster);
  const begun = performance.now();
  await inTransactions(
    hub,
    Array.from({ length: changes }, (_, i) => observation(i % oneIn === 0 ? 'event' : `other-${i % 50}`)),
  );
  const expected = count === 0 ? 0 : Math.ceil(changes / oneIn);
  if (id !== undefined) await untilNumbered(hub, id, expected);
  const seconds = (performance.now() - begun) / 1_000;
  await untilQuiet(hub.pid, hub.postmaster);
  const after = usageOf(hub.pid, hub.postmaster);
  const cpu = after.hubCpuMs + after.postgresCpuMs - before.hubCpuMs - before.postgresCpuMs;
  return {
    subscriptions: count,
    changes,
    events: expected,
    seconds: Number(seconds.toFixed(2)),
    changes_per_second: Math.round(changes / seconds),
    cpu_ms: Number((cpu / changes).toFixed(3)),
  };
}

async function send(hub: BenchHub, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${hub.base}${path}`, {
    method,
    headers: { authorization: `Bearer ${hub.token}`, 'content-type': 'application/fhir+json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  return answer.json();
}

async function inTransactions(hub: BenchHub, resources: { resourceType: string }[]): Promise<void> {
  const bundles: object[] = [];
  for (let i = 0; i < resources.length; i += perTransaction) {
    const entry = resources
      .slice(i, i + perTransaction)
      .map((resource) => ({ resource, request: { method: 'POST', url: resource.resourceType } }));
    bundles.push({ resourceType: 'Bundle', type: 'transaction', entry });
  }
  const queue = bundles.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const bundle of queue) await send(hub, 'POST', '', bundle);
    }),
  );
}

async function create(hub: BenchHub, resource: { resourceType: string }): Promise<string> {
  return ((await send(hub, 'POST', `/${resource.resourceType}`, resource)) as { id: string }).id;
}

async function untilAllActive(hub: BenchHub): Promise<void> {
  const path = '/Subscription?status=requested&_summary=count';
  while (((await send(hub, 'GET', path)) as { total: number }).total > 0) await delay(250);
}

async function untilNumbered(hub: BenchHub, id: string, events: number): Promise<void> {
  for (;;) {
    const bundle = (await send(hub, 'GET', `/Subscription/${id}/$status`)) as { entry: { resource: Status }[] };
    const { parameter } = bundle.entry[0]!.resource;
    const numbered = parameter.find(({ name }) => name === 'events-since-subscription-start')!.valueString;
    if (Number(numbered) >= events) return;
    await delay(100);
  }
}

interface Status {
  parameter: { name: string; valueString?: string }[];
}

function subscription(criteria: string) {
  return {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'bench',
    criteria,
    channel: { type: 'websocket' },
  };
}

function observation(code: string) {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'urn:bench', code }] },
    effectiveDateTime: '2026-01-31T09:30:00Z',
    valueQuantity: { value: 5.4, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' },
  };
}
