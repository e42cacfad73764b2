/**
 * Requests that are refused before it is known who makes them, in the record of accesses: what address was asked for, from
 * where, with which outcome; nothing of what was sent. Strangers cannot fill the record: of one address some requests are
 * told in ten minutes, of all together some hundreds, and of the rest how many they were, by one event when the time is over.
 */
import { type Access, accessOf } from './access.ts';
import type { AccessEntry } from './access-log.ts';

export interface StrangerLimits {
  ofOne: number;
  ofAll: number;
  windowMs: number;
}

const usual: StrangerLimits = { ofOne: 100, ofAll: 600, windowMs: 600_000 };

const access: Access = accessOf({
  username: 'unknown',
  name: 'unknown',
  role: 'system',
  organization: 'none',
  participant: 'none',
  isApp: true,
});

export class Strangers {
  readonly #record: (access: Access, entry: AccessEntry) => Promise<void>;
  readonly #limits: StrangerLimits;
  /** By address, how often it was refused in this window; never more addresses than events. */
  readonly #from = new Map<string, number>();
  #told = 0;
  #untold = 0;
  #window: NodeJS.Timeout | undefined;

  constructor(record: (access: Access, entry: AccessEntry) => Promise<void>, limits: Partial<StrangerLimits> = {}) {
    this.#record = record;
    this.#limits = { ...usual, ...limits };
  }

  /** Records a request that was refused. @param what method and route, without what a client put into its address */
  async refused(from: string, what: string, status: number): Promise<void> {
    this.#window ??= setTimeout(() => void this.#turn().catch(() => {}), this.#limits.windowMs).unref();
    const before = this.#from.get(from) ?? 0;
    if (before >= this.#limits.ofOne || this.#told >= this.#limits.ofAll) {
      this.#untold++;
      return;
    }
    this.#from.set(from, before + 1);
    this.#told++;
    await this.#record(access, { action: 'refused', what: `${what} from ${from}`, status });
  }

  /** Tells of those that were not told each. */
  async close(): Promise<void> {
    await this.#turn();
  }

  async #turn(): Promise<void> {
    clearTimeout(this.#window);
    this.#window = undefined;
    const untold = this.#untold;
    this.#from.clear();
    this.#told = 0;
    this.#untold = 0;
    if (untold > 0) await this.#record(access, { action: 'refused', what: `${untold} more requests`, status: 429 });
  }
}
