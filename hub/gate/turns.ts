/** Work that takes so much memory that it is done one after the other, in the order in which it came. */
import { AsyncLocalStorage } from 'node:async_hooks';

export class Turns {
  readonly #within = new AsyncLocalStorage<true>();
  #last: Promise<unknown> = Promise.resolve();

  /** Does the work when what came before has ended, well or not. Work within work has its turn already. */
  take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#within.getStore()) return work();
    const done = this.#last.then(() => this.#within.run(true, work));
    this.#last = done.catch(() => {});
    return done;
  }
}
