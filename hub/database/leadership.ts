/**
 * Several hubs may serve one database, but one at a time works off its inbox and one its outbox. Who does holds an
 * advisory lock on a connection of the hub's own; when that hub ends, however it ends, PostgreSQL gives the lock to the next.
 */
import type pg from 'pg';
import type { Database } from './pool.ts';

/** What only the leader does. `stop` resolves when nothing of it goes on. */
export interface LedWork {
  start(): Promise<void> | void;
  stop(): Promise<void>;
}

const retryMs = 2_000;

/** The connection that holds the locks of all that one hub leads, so that each lead does not take one of its own. */
export class LeaderLocks {
  readonly #database: Database;
  #connection: Promise<pg.PoolClient> | undefined;
  /** The locks held, and who is told when they are lost. */
  readonly #held = new Map<number, () => void>();
  #asking = 0;
  readonly #released = new WeakSet<pg.PoolClient>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Takes a lock where it is free. @param lost is told when the connection broke, and with it the lock */
  async take(lock: number, lost: () => void): Promise<boolean> {
    this.#asking++;
    try {
      const { rows } = await (await this.#connected()).query('SELECT pg_try_advisory_lock($1) AS taken', [lock]);
      if (rows[0].taken) this.#held.set(lock, lost);
      return rows[0].taken;
    } finally {
      this.#asking--;
      await this.#rest();
    }
  }

  /** Gives a lock to the next; one that was lost is given already. */
  async give(lock: number): Promise<void> {
    if (!this.#held.delete(lock)) return;
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.query('SELECT pg_advisory_unlock($1)', [lock]).catch(() => this.#broken(connection));
    await this.#rest();
  }

  #connected(): Promise<pg.PoolClient> {
    if (this.#connection) return this.#connection;
    const connecting = this.#database.pool.connect().then((connection) => {
      connection.on('error', () => this.#broken(connection));
      return connection;
    });
    this.#connection = connecting;
    connecting.catch(() => {
      if (this.#connection === connecting) this.#connection = undefined;
    });
    return connecting;
  }

  #broken(connection: pg.PoolClient): void {
    if (!this.#release(connection)) return;
    this.#connection = undefined;
    const lost = [...this.#held.values()];
    this.#held.clear();
    for (const tell of lost) tell();
  }

  /** Without locks no connection is kept. */
  async #rest(): Promise<void> {
    if (this.#held.size > 0 || this.#asking > 0) return;
    const connecting = this.#connection;
    this.#connection = undefined;
    const connection = await connecting?.catch(() => undefined);
    if (connection) this.#release(connection);
  }

  /** Returns false where that was done: a connection may break while it is given back, and its statement fail besides. */
  #release(connection: pg.PoolClient): boolean {
    if (this.#released.has(connection)) return false;
    this.#released.add(connection);
    connection.release(true);
    return true;
  }
}

export class Leadership {
  readonly #locks: LeaderLocks;
  readonly #lock: number;
  readonly #work: LedWork;
  #leads = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #turn: Promise<void> = Promise.resolve();

  /**
   * @param locks those of the hub
   * @param lock the number of the work's lock, the same in every hub
   */
  constructor(locks: LeaderLocks, lock: number, work: LedWork) {
    this.#locks = locks;
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
    try {
      if (await this.#locks.take(this.#lock, () => this.#lost())) {
        this.#leads = true;
        await this.#work.start();
        return;
      }
    } catch {
      this.#leads = false;
      await this.#locks.give(this.#lock);
    }
    this.#timer = setTimeout(() => void this.start(), retryMs);
  }

  /** The connection broke, and with it the lock: another hub may lead already. */
  #lost(): void {
    if (this.#stopped) return;
    this.#turn = this.#turn.then(() => this.#resign()).then(() => this.#tryToLead());
  }

  async #resign(): Promise<void> {
    if (!this.#leads) return;
    this.#leads = false;
    await this.#work.stop();
    await this.#locks.give(this.#lock);
  }
}
