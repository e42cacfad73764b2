/**
 * Attempts to sign in, counted in the database before they are decided, so that a burst of them meets the lock on however
 * many hubs. Names that no account has are counted alike: the lock tells nobody which accounts there are.
 */
import { createHash } from 'node:crypto';
import type { Database, Queryable } from '../database/index.ts';

const failuresBeforeLock = 5;
/** The first lock's time; each further one is twice as long, up to the longest. */
const lockMinutes = { first: 5, longest: 60 };

export class Attempts {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Counts an attempt, which is a failure until `succeeded`. Returns false where the name is locked. */
  async begin(name: string): Promise<boolean> {
    const { rowCount } = await this.#database.query({
      name: 'sign_in_attempt',
      text: `INSERT INTO sign_in_attempt AS a (name, failures, last) VALUES ($1, 1, now())
             ON CONFLICT (name) DO UPDATE SET failures = a.failures + 1, last = now(), locked_until =
               CASE WHEN (a.failures + 1) % ${failuresBeforeLock} = 0 THEN now() + interval '1 minute' *
                 least(${lockMinutes.longest},
                       ${lockMinutes.first} * 2 ^ ((a.failures + 1) / ${failuresBeforeLock} - 1)::float8) END
             WHERE a.locked_until IS NULL OR a.locked_until <= now()`,
      values: [digest(name)],
    });
    return rowCount === 1;
  }

  /** Forgets the failures of a name, and those of others that are older than a day. */
  async succeeded(name: string, database: Queryable = this.#database): Promise<void> {
    await database.query({
      name: 'sign_in_succeeded',
      text: `DELETE FROM sign_in_attempt WHERE name = $1 OR last < now() - interval '1 day'`,
      values: [digest(name)],
    });
  }

  /** Until when names are locked; of those that are not, nothing. */
  async locks(names: readonly string[]): Promise<Map<string, Date>> {
    const byDigest = new Map(names.map((name) => [digest(name).toString('hex'), name]));
    const { rows } = await this.#database.query(
      `SELECT encode(name, 'hex') AS name, locked_until FROM sign_in_attempt
       WHERE locked_until > now() AND name = ANY($1)`,
      [names.map(digest)],
    );
    return new Map(rows.map((row) => [byDigest.get(row.name)!, row.locked_until]));
  }
}

function digest(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}
