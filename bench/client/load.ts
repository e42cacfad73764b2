/** Closed-loop load: so many clients, each sending its next request when the last was answered. */

/** One kind of work. */
export interface Work {
  clients: number;
  /** Does one operation for a client; returns how many units it counts for (resources of a bundle). */
  operation(client: number): Promise<number>;
  close(): void;
}

export interface LoadResult {
  /** Units done, by which rates and CPU times are divided. */
  units: number;
  /** Requests done; of these the latencies are. */
  requests: number;
  seconds: number;
  p50_ms: number;
  p99_ms: number;
}

/** Runs for the given time; operations that were begun are finished. Rejects with the first failure. */
export async function runLoad(work: Work, seconds: number): Promise<LoadResult> {
  const latencies: number[] = [];
  const begun = performance.now();
  const end = begun + seconds * 1000;
  let units = 0;
  await Promise.all(
    Array.from({ length: work.clients }, async (_, client) => {
      for (let start = performance.now(); start < end; ) {
        const done = await work.operation(client);
        units += done;
        const now = performance.now();
        latencies.push(now - start);
        start = now;
      }
    }),
  );
  const elapsed = (performance.now() - begun) / 1000;
  return { units, requests: latencies.length, seconds: elapsed, ...percentiles(latencies) };
}

/** Median and 99th percentile, by nearest rank. */
export function percentiles(latencies: number[]): { p50_ms: number; p99_ms: number } {
  const sorted = latencies.toSorted((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { p50_ms: rank(0.5), p99_ms: rank(0.99) };
}
