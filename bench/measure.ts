/** The measurements by name: what is run, how often, and what is written down of it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Known } from './client/known.ts';
import type { LoadResult } from './client/load.ts';
import type { FhirName } from './client/operations.ts';
import type { FhirTarget } from './client/server.ts';
import type { Client } from './client/start.ts';
import type { BenchHub } from './server/hub.ts';
import { load } from './server/machine.ts';
import { usageOf, watchMemory } from './server/usage.ts';

/** One line of the results; figures that do not apply are left out. */
export interface Figures {
  /** Operations per second; of `ingest` and `export`, resources. */
  rate_per_s?: number;
  requests_per_s?: number;
  resources_per_s?: number;
  /** Mean size of an answer's body. */
  bytes_per_answer?: number;
  p50_ms?: number;
  p99_ms?: number;
  /** CPU of hub and PostgreSQL together; the shares of each beside it. */
  cpu_ms_per_op?: number;
  hub_cpu_ms_per_op?: number;
  postgres_cpu_ms_per_op?: number;
  /** The most that was seen while it ran. */
  hub_peak_mib?: number;
  postgres_peak_mib?: number;
  memory?: 'pss' | 'rss';
  operations?: number;
  clients?: number;
  /** Load average of the machine when it was measured. */
  load_1min: number;
  [other: string]: unknown;
}

/** What could not be measured, and why. */
export interface Failure {
  error: string;
}

/** What is measured: a hub of the bench's own with its processes, or any FHIR server by its address alone. */
export interface Subject {
  base: string;
  token: string | undefined;
  run: string;
  hub: BenchHub | undefined;
}

/** How long and how much. */
export interface Effort {
  seconds: number;
  warmSeconds: number;
  people: number;
  namesakes: number;
  messages: number;
  burst: number;
  probes: number;
  matchedPeople: number;
  deliveredPeople: number;
  /** Resources that are ingested and copied side by side. */
  copied: number;
}

export const quick: Effort = {
  seconds: 0.8,
  warmSeconds: 0.2,
  people: 16,
  namesakes: 100,
  messages: 200,
  burst: 2_500,
  probes: 10,
  matchedPeople: 300,
  deliveredPeople: 60,
  copied: 5_000,
};
export const thorough: Effort = {
  seconds: 8,
  warmSeconds: 3,
  people: 120,
  namesakes: 1_000,
  messages: 2_000,
  burst: 20_000,
  probes: 50,
  matchedPeople: 3_000,
  deliveredPeople: 600,
  copied: 40_000,
};

/** The number of clients whose figures stand directly under a name, where it was measured with so many. */
const usualClients = 8;

/** What a FHIR measurement is about. */
export interface FhirCase {
  name: FhirName;
  clients: number[];
  known: Known;
  synthea: string | undefined;
}

/** Measures a FHIR operation with each number of clients. Where one fails, its figures are the reason. */
export async function measureFhir(
  { name, clients, known, synthea }: FhirCase,
  client: Client,
  subject: Subject,
  effort: Pick<Effort, 'seconds' | 'warmSeconds'>,
): Promise<Figures> {
  const all = new Map<number, Figures | Failure>();
  // An export reads everything; one at a time says what it costs.
  for (const count of name === 'export' ? [1] : clients) {
    const options = { name, target: fhirTarget(subject), clients: count, known, synthea };
    try {
      await client.call('prepareFhir', options, name === 'export' ? 0 : effort.warmSeconds);
      all.set(count, await withUsage(subject.hub, count, () => client.call('run', effort.seconds)));
    } catch (error) {
      all.set(count, { error: sentence(error) });
    }
  }
  return among(all, 'by_clients');
}

/** Messages acknowledged per second, over one connection and over eight. What is processed meanwhile costs CPU too. */
export async function measureAcknowledged(client: Client, subject: Subject, effort: Effort): Promise<Figures> {
  const hub = subject.hub!;
  const all = new Map<number, Figures>();
  for (const connections of [1, 8]) {
    await client.call('prepareMllp', hub.mllp, connections, effort.burst, 0.2);
    const before = await hub.status();
    const figures = await withUsage(hub, connections, () => client.call('run', effort.seconds));
    const after = await hub.status();
    all.set(connections, { ...figures, processed_meanwhile: after.processed - before.processed });
  }
  return among(all, 'by_connections');
}

/** Messages per second from the first sent until the last is processed and to be found; and how soon a single one is. */
export async function measureRecorded(client: Client, subject: Subject, effort: Effort): Promise<Figures> {
  const hub = subject.hub!;
  await client.call('prepareMllp', hub.mllp, 8, effort.messages + 100, 0);
  await client.call('sendMessages', 100);
  await drained(hub);
  const figures = await withUsage(hub, 8, async (): Promise<LoadResult> => {
    const begun = performance.now();
    await client.call('sendMessages', effort.messages);
    await drained(hub);
    const seconds = (performance.now() - begun) / 1000;
    const count = effort.messages;
    return { units: count, resources: 0, bytes: 0, requests: count, seconds, p50_ms: 0, p99_ms: 0 };
  });
  const { failed, dead, refused } = await hub.status();
  const found = await client.call('timesUntilFound', hub.mllp, fhirTarget(subject), effort.probes);
  return { ...figures, ...found, failed: failed + dead + refused };
}

/** Runs something and divides what hub and database used meanwhile by what was done. */
export async function withUsage(
  hub: Pick<BenchHub, 'pid' | 'postmaster'> | undefined,
  clients: number,
  run: () => Promise<LoadResult>,
): Promise<Figures> {
  const before = hub && usageOf(hub.pid, hub.postmaster);
  const peak = hub && watchMemory(hub.pid, hub.postmaster);
  let result: LoadResult;
  try {
    result = await run();
  } catch (error) {
    peak?.();
    throw error;
  }
  const { units, resources, bytes, seconds, p50_ms, p99_ms, requests } = result;
  const after = hub && usageOf(hub.pid, hub.postmaster);
  const memory = peak?.();
  const hubCpu = before && after ? (after.hubCpuMs - before.hubCpuMs) / units : undefined;
  const postgresCpu = before && after ? (after.postgresCpuMs - before.postgresCpuMs) / units : undefined;
  return {
    rate_per_s: units / seconds,
    ...(requests === units ? {} : { requests_per_s: requests / seconds }),
    ...(resources > 0 ? { resources_per_s: resources / seconds, bytes_per_answer: bytes / requests } : {}),
    p50_ms,
    p99_ms,
    ...(hubCpu === undefined || postgresCpu === undefined
      ? {}
      : { cpu_ms_per_op: hubCpu + postgresCpu, hub_cpu_ms_per_op: hubCpu, postgres_cpu_ms_per_op: postgresCpu }),
    ...(memory ? { hub_peak_mib: memory.hubMib, postgres_peak_mib: memory.postgresMib, memory: memory.kind } : {}),
    operations: units,
    ...(requests === units ? {} : { requests }),
    clients,
    load_1min: load(),
  };
}

/** The figures of the usual number of clients, else of the most, with all of them beside it. */
function among(all: Map<number, Figures | Failure>, name: string): Figures {
  const first = all.get(usualClients) ?? [...all.values()].at(-1)!;
  const shown = 'error' in first ? [...all.values()].findLast((one): one is Figures => !('error' in one)) : first;
  if (!shown) throw new Error((first as Failure).error);
  return all.size === 1 ? (shown as Figures) : { ...(shown as Figures), [name]: Object.fromEntries(all) };
}

async function drained(hub: BenchHub): Promise<void> {
  while ((await hub.status()).waiting > 0) await delay(50);
}

export function fhirTarget({ base, token, run }: Subject): FhirTarget {
  return { base, token, run };
}

/** The first line of what went wrong. */
export function sentence(error: unknown): string {
  return String((error as Error).message)
    .split('\n')[0]!
    .replace(/^Error: /, '');
}
