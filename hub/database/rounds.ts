/** Work that comes back again and again while this hub leads it. */
import type { LedWork } from './leadership.ts';

export interface RoundsParts {
  /** Does what is to be done. @param signal says that the hub leads no longer @returns milliseconds until the next; undefined: there is none */
  round(signal: AbortSignal): Promise<number | undefined>;
  /** Milliseconds before the first; at once unless told. */
  firstMs?: number;
  /** Milliseconds after a round that failed. */
  afterFaultMs: number;
  fault(error: unknown): void;
}

/** One round at a time; whoever stops waits for the one under way. */
export class Rounds implements LedWork {
  readonly #parts: RoundsParts;
  #ending = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: RoundsParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#ending = new AbortController();
    this.#next(this.#parts.firstMs ?? 0, this.#ending.signal);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    clearTimeout(this.#timer);
    await this.#turn;
  }

  #next(ms: number | undefined, signal: AbortSignal): void {
    if (ms === undefined || signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#turn = this.#parts
        .round(signal)
        .catch((error) => {
          if (!signal.aborted) this.#parts.fault(error);
          return this.#parts.afterFaultMs;
        })
        .then((next) => this.#next(next, signal));
    }, ms).unref();
  }
}
