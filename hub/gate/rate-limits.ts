/** How often something may be tried from one address, counted in the database, so that it holds over all hubs. */
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { Database } from '../database/index.ts';
import { RecordError } from '../record/index.ts';

/** Times in seconds. `sign-in` and `token` count what failed: many people, or one busy system, may share an address. */
const limits = {
  register: { points: 10, duration: 3600 },
  statement: { points: 100, duration: 3600 },
  invitation: { points: 20, duration: 3600 },
  'emergency-lookup': { points: 20, duration: 3600 },
  'make-account': { points: 30, duration: 3600 },
  'health-link': { points: 60, duration: 60 },
  'health-link-relay': { points: 30, duration: 60 },
  'sign-in': { points: 100, duration: 600 },
  token: { points: 600, duration: 300 },
  'private-match': { points: 600, duration: 600 },
};
type Limited = keyof typeof limits;

const remembered = 10_000;

export class RateLimits {
  readonly #limiters: Map<string, RateLimiterPostgres>;
  /** Until when those that failed too often are refused, so that it costs nothing to refuse them. */
  readonly #refused = new Map<string, number>();

  constructor(database: Database) {
    this.#limiters = new Map(
      Object.entries(limits).map(([what, limit]) => {
        const options = { storeClient: database.pool, storeType: 'pool', tableName: 'rate_limit', tableCreated: true };
        return [what, new RateLimiterPostgres({ ...options, ...limit, keyPrefix: what })];
      }),
    );
  }

  /** Counts one try. @throws RecordError 429 where there were too many */
  async take(what: Limited, from: string): Promise<void> {
    const untilMs = await this.#count(what, from);
    if (untilMs !== undefined) throw tooMany(untilMs);
  }

  /** @throws RecordError 429 where too many tries failed */
  check(what: Limited, from: string): void {
    const until = this.#refused.get(`${what}/${from}`);
    if (until !== undefined && until > Date.now()) throw tooMany(until);
  }

  /** Counts one that failed. Other hubs than this one refuse from their next failure on. */
  async failed(what: Limited, from: string): Promise<void> {
    const until = await this.#count(what, from);
    if (until === undefined) return;
    if (this.#refused.size >= remembered) this.#refused.clear();
    this.#refused.set(`${what}/${from}`, until);
  }

  /** Until when there are too many; undefined while there are not. */
  async #count(what: Limited, from: string): Promise<number | undefined> {
    try {
      await this.#limiters.get(what)!.consume(from);
      return undefined;
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      return Date.now() + refused.msBeforeNext;
    }
  }
}

function tooMany(until: number): RecordError {
  const seconds = String(Math.max(1, Math.ceil((until - Date.now()) / 1000)));
  return new RecordError(429, 'throttled', 'Too many tries; wait.').with('retry-after', seconds);
}
