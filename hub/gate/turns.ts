/** Work that takes so much memory that only some of it is done at a time, begun in the order in which it came. */
import { AsyncLocalStorage } from 'node:async_hooks';

export class Turns {
  readonly #room: number;
  readonly #within = new AsyncLocalStorage<true>();
  readonly #waiting: { size: number; begin(): void }[] = [];
  #taken = 0;

  /** @param room the sizes of what is done at a time add up to so much at most; what is larger is done alone */
  constructor(room: number) {
    this.#room = room;
  }

  /** Does the work when there is room for it. Work within work has its turn already. */
  async take<T>(size: number, work: () => Promise<T>): Promise<T> {
    if (this.#within.getStore()) return work();
    await new Promise<void>((begin) => {
      this.#waiting.push({ size, begin });
      this.#begin();
    });
    try {
      return await this.#within.run(true, work);
    } finally {
      this.#taken -= size;
      this.#begin();
    }
  }

  #begin(): void {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      if (this.#taken > 0 && this.#taken + first.size > this.#room) return;
      this.#waiting.shift();
      this.#taken += first.size;
      first.begin();
    }
  }
}
