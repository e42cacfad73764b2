/** So many a second at most, measured from the first. */
import { setTimeout as delay } from 'node:timers/promises';

/** @returns waits until so many more may be done */
export function paceOf(perSecond: number | undefined, signal: AbortSignal): (count: number) => Promise<void> {
  if (perSecond === undefined) return async () => {};
  let free = performance.now();
  return async (count) => {
    const now = performance.now();
    const waitMs = free - now;
    free = Math.max(free, now) + (count / perSecond) * 1_000;
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
  };
}
