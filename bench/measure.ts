/** The measurements by name: what is run, how often, and what is written down of it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FhirName, KnownPatient } from './client/fhir-work.ts';
import type { LoadResult } from './client/load.ts';
import type { Client } from './client/start.ts';
import type { BenchHub } from './server/hub.ts';
import { load } from './server/machine.ts';
import { type Usage, usageOf } from './server/usage.ts';

/** One line of the results; figures that do not apply are left out. */
export interface Figures {
  rate_per_s: number;
  p50_ms?: number;
  p99_ms?: number;
  /** CPU of hub and PostgreSQL together; the shares of each beside it. */
  cpu_ms_per_op?: number;
  hub_cpu_ms_per_op?: number;
  postgres_cpu_ms_per_op?: number;
  hub_rss_mib?: number;
  postgres_rss_mib?: number;
  operations?: number;
  clients?: number;
  /** Load average of the machine when it was measured. */
  load_1min: number;
  [other: string]: unknown;
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
  messages: number;
  burst: number;
  probes: number;
  matchedPeople: number;
  deliveredPeople: number;
}

export const quick: Effort = {
  seconds: 1.2,
  warmSeconds: 0.4,
  people: 16,
  messages: 200,
  burst: 2_500,
  probes: 10,
  matchedPeople: 300,
  deliveredPeople: 60,
};
export const thorough: Effort = {
  seconds: 8,
  warmSeconds: 3,
  people: 120,
  messages: 2_000,
  burst: 20_000,
  probes: 50,
  matchedPeople: 3_000,
  deliveredPeople: 600,
};

const concurrent: Record<FhirName, number[]> = {
  ingest: [1, 4, 8],
  create: [8],
  read: [8],
  search_patient_code: [8],
  search_patient_name: [8],
  everything: [8],
};

/** Measures a FHIR operation with each number of clients; the figures are those of the most. */
export async function measureFhir(
  name: FhirName,
  client: Client,
  subject: Subject,
  known: KnownPatient[],
  effort: Effort,
): Promise<Figures> {
  const all = new Map<number, Figures>();
  for (const clients of concurrent[name]) {
    await client.call('prepareFhir', name, fhirTarget(subject), clients, known, effort.warmSeconds);
    all.set(clients, await withUsage(subject.hub, clients, () => client.call('run', effort.seconds)));
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
    return { units: effort.messages, requests: effort.messages, seconds, p50_ms: 0, p99_ms: 0 };
  });
  const { failed, dead, refused } = await hub.status();
  const found = await client.call('timesUntilFound', hub.mllp, fhirTarget(subject), effort.probes);
  return { ...figures, ...found, failed: failed + dead + refused };
}

/** Runs something and divides what hub and database used meanwhile by what was done. */
async function withUsage(hub: BenchHub | undefined, clients: number, run: () => Promise<LoadResult>): Promise<Figures> {
  const before = hub && usageOf(hub.pid, hub.postmaster);
  const { units, seconds, p50_ms, p99_ms, requests } = await run();
  const after = hub && usageOf(hub.pid, hub.postmaster);
  return {
    rate_per_s: units / seconds,
    p50_ms,
    p99_ms,
    ...(before && after ? used(before, after, units) : {}),
    operations: units,
    ...(requests === units ? {} : { requests }),
    clients,
    load_1min: load(),
  };
}

function used(before: Usage, after: Usage, units: number): Partial<Figures> {
  const hub = (after.hubCpuMs - before.hubCpuMs) / units;
  const postgres = (after.postgresCpuMs - before.postgresCpuMs) / units;
  return {
    cpu_ms_per_op: hub + postgres,
    hub_cpu_ms_per_op: hub,
    postgres_cpu_ms_per_op: postgres,
    hub_rss_mib: after.hubRssMib,
    postgres_rss_mib: after.postgresRssMib,
    postgres_memory: after.postgresMemory,
  };
}

/** The figures of the largest number of clients, with all of them beside it. */
function among(all: Map<number, Figures>, name: string): Figures {
  const most = [...all.values()].at(-1)!;
  return all.size === 1 ? most : { ...most, [name]: Object.fromEntries(all) };
}

async function drained(hub: BenchHub): Promise<void> {
  while ((await hub.status()).waiting > 0) await delay(50);
}

export function fhirTarget({ base, token, run }: Subject) {
  return { base, token, run };
}
