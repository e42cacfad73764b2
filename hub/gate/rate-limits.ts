/** How often something may be tried from one address, counted in the database, so that it holds over all hubs. */
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { Database } from '../database/index.ts';
import { RecordError } from '../record/index.ts';

/** Times in seconds. */
const limits = { register: { points: 10, duration: 3600 }, invitation: { points: 20, duration: 3600 } };

export class RateLimits {
  readonly #limiters: Map<string, RateLimiterPostgres>;

  constructor(database: Database) {
    this.#limiters = new Map(
      Object.entries(limits).map(([what, limit]) => {
        const options = { storeClient: database.pool, storeType: 'pool', tableName: 'rate_limit', tableCreated: true };
        return [what, new RateLimiterPostgres({ ...options, ...limit, keyPrefix: what })];
      }),
    );
  }

  /** Counts one try. @throws RecordError 429 where there were too many */
  async take(what: keyof typeof limits, from: string): Promise<void> {
    try {
      await this.#limiters.get(what)!.consume(from);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      const seconds = String(Math.ceil(refused.msBeforeNext / 1000));
      throw new RecordError(429, 'throttled', 'Too many tries from this address; wait.').with('retry-after', seconds);
    }
  }
}
