/** Choices that come out the same for the same seed: which input of which run is made how. */

export class Random {
  #state: number;

  /** @param seeds whatever the choices depend on */
  constructor(...seeds: (number | string)[]) {
    this.#state = hashOf(seeds.join('/'));
  }

  /** The next of the numbers from 0 to 1, 1 left out (Mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to below `limit`; 0 where that is 0. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Of a list, which may not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** True once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** A number from 1 to `most`, small ones more often. */
  few(most: number): number {
    return 1 + Math.floor(most * this.next() ** 4);
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
