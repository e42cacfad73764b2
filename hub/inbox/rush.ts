/**
 * How long storing waits while messages pour in, so that acknowledgements go first. A burst of some seconds is taken in
 * with storing beside it at a tenth of the time; a rush that does not end is the load, and what came is stored at the pace
 * that it has been stored at all along.
 */
const pausesOfABatch = 9;
const longestWaitMs = 2_000;
const steadyWaitMs = 400;
const burstMs = 30_000;

export class Rush {
  #since: number | undefined;

  /**
   * How long the next batch waits at most; it goes on as soon as nothing presses any more.
   *
   * @param isPressed whether messages pour in now
   * @param storedMs how long the last batch took
   */
  longestWait(isPressed: boolean, storedMs: number, now: number): number {
    if (!isPressed) {
      this.#since = undefined;
      return 0;
    }
    this.#since ??= now;
    if (now - this.#since > burstMs) return steadyWaitMs;
    return Math.min(longestWaitMs, Math.max(steadyWaitMs, storedMs * pausesOfABatch));
  }
}
