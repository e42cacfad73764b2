/** Work of many steps on the main thread, which others must not wait for: acknowledgements, reads. */
import { setImmediate } from 'node:timers/promises';

const stretchMs = 10;

export class Pace {
  #since = performance.now();

  /** Whether it is time to let others have their turn, by `rest`. */
  get isDue(): boolean {
    return performance.now() - this.#since > stretchMs;
  }

  async rest(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}
