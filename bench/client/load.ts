/** Closed-loop load: so many clients, each sending its next request when the last was answered. */

/** What one operation did. */
export interface Done {
  /** How many units it counts for: the resources of a bundle or an export, else 1. */
  units: number;
  /** Resources written, or in the answer. */
  resources: number;
  /** Bytes of the answer's body. */
  bytes: number;
}

/** One kind of work. */
export interface Work {
  clients: number;
  /** Does one operation for a client. */
  operation(client: number): Promise<Done>;
  close(): void;
}

export interface LoadResult extends Done {
  /** Requests done; of these the latencies are. */
  requests: number;
  seconds: number;
  p50_ms: number;
  p99_ms: number;
}

/** How much is done: for so long, or until so many units are done. */
export type Extent = { seconds: number } | { units: number };

/** Runs so much; operations that were begun are finished. Rejects with the first failure. */
export async function runLoad(work: Work, extent: Extent): Promise<LoadResult> {
  const latencies: number[] = [];
  const sum: Done = { units: 0, resources: 0, bytes: 0 };
  const begun = performance.now();
  const isDone = (now: number) =>
    'units' in extent ? sum.units >= extent.units : now >= begun + extent.seconds * 1000;
  await Promise.all(
    Array.from({ length: work.clients }, async (_, client) => {
      for (let start = performance.now(); !isDone(start); ) {
        const { units, resources, bytes } = await work.operation(client);
        sum.units += units;
        sum.resources += resources;
        sum.bytes += bytes;
        const now = performance.now();
        latencies.push(now - start);
        start = now;
      }
    }),
  );
  const elapsed = (performance.now() - begun) / 1000;
  return { ...sum, requests: latencies.length, seconds: elapsed, ...percentiles(latencies) };
}

/** Median and 99th percentile, by nearest rank. */
export function percentiles(latencies: number[]): { p50_ms: number; p99_ms: number } {
  const sorted = latencies.toSorted((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { p50_ms: rank(0.5), p99_ms: rank(0.99) };
}
