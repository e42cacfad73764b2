/**
 * Labels later what was stored while labelling was out of order: tried again until it is done. Meanwhile the last labels
 * serve, and what has none counts as restricted (docs/access.md, 5).
 */
import type { FhirRecord } from './record.ts';

const againMs = 60_000;

export class LateLabelling {
  readonly #record: FhirRecord;
  readonly #fault: (error: unknown, text: string) => void;
  readonly #againMs: number;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  readonly #ending = new AbortController();

  /** @param fault is told why something could not be labelled */
  constructor(record: FhirRecord, fault: (error: unknown, text: string) => void, pauseMs = againMs) {
    this.#record = record;
    this.#fault = fault;
    this.#againMs = pauseMs;
    record.writer.onUnlabelled = (error) => this.#later(error);
  }

  /** Labels what nobody has labelled. Never rejects. */
  run(progress: (done: number) => void = () => {}): Promise<void> {
    this.#turn = this.#turn
      .then(() => this.#record.labelStored(progress, this.#ending.signal))
      .catch((error) => this.#later(error));
    return this.#turn;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    clearTimeout(this.#timer);
    this.#record.writer.onUnlabelled = () => {};
    await this.#turn;
    clearTimeout(this.#timer);
  }

  #later(error: unknown): void {
    if (this.#timer) return;
    this.#fault(error, 'labelling is out of order: what is stored meanwhile counts as not yet labelled');
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.run();
    }, this.#againMs).unref();
  }
}
