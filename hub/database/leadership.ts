/**
 * Several hubs may serve one database, but one at a time works off its inbox and one its outbox. Who does holds an
 * advisory lock on a connection of its own; when that hub ends, however it ends, PostgreSQL gives the lock to the next.
 */
import type pg from 'pg';
import type { Database } from './pool.ts';

/** What only the leader does. `stop` resolves when nothing of it goes on. */
export interface LedWork {
  start(): Promise<void> | void;
  stop(): Promise<void>;
}

const retryMs = 2_000;

export class Leadership {
  readonly #database: Database;
  readonly #lock: number;
  readonly #work: LedWork;
  #connection: pg.PoolClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #turn: Promise<void> = Promise.resolve();

  /** @param lock the number of the work's lock, the same in every hub */
  constructor(database: Database, lock: number, work: LedWork) {
    this.#database = database;
    this.#lock = lock;
    this.#work = work;
  }

  /** Takes the lead now where it is free, else as soon as it is. */
  start(): Promise<void> {
    this.#turn = this.#tryToLead();
    return this.#turn;
  }

  /** Ends the work and gives the lead to another hub. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
    await this.#resign();
  }

  async #tryToLead(): Promise<void> {
    if (this.#stopped) return;
    let connection: pg.PoolClient | undefined;
    try {
      connection = await this.#database.pool.connect();
      const { rows } = await connection.query('SELECT pg_try_advisory_lock($1) AS leads', [this.#lock]);
      if (rows[0].leads) {
        this.#connection = connection;
        connection.once('error', () => this.#lost());
        await this.#work.start();
        return;
      }
      connection.release();
    } catch {
      connection?.release(true);
      this.#connection = undefined;
    }
    this.#timer = setTimeout(() => void this.start(), retryMs);
  }

  /** The connection broke, and with it the lock: another hub may lead already. */
  #lost(): void {
    if (this.#stopped) return;
    this.#turn = this.#turn.then(() => this.#resign()).then(() => this.#tryToLead());
  }

  async #resign(): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    this.#connection = undefined;
    await this.#work.stop();
    connection.release(true);
  }
}
