/**
 * What follows an erasure: PostgreSQL leaves what was deleted in its pages, its statistics and its log until somebody writes
 * there again. All tables are written anew (VACUUM FULL, which makes their indexes anew too), then the statistics, and then
 * the log is left behind, segment by segment. Each table is locked for as long as it is written.
 *
 * On a server of one's own the hub has no right to the statistics and the log: what is left to do there is said.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { patientClient, type Reached } from '../backup/index.ts';
import { type LedWork, locks } from '../database/index.ts';

export interface MaintenanceState {
  state: 'none' | 'waiting' | 'running' | 'done' | 'failed';
  /** What is being written, and how many of how many tables are done. */
  table?: string | undefined;
  done?: number;
  of?: number;
  begun?: string;
  ended?: string;
  /** What the administrator of the database has to do. */
  left?: string[];
  reason?: string;
}

/** Written to and never from: nothing is erased in it. */
const appendOnly = ['access_log', 'audit_about', 'audit_place', 'audit_tile'];

const nightly = { fromHour: 2, toHour: 5, lookMs: 10 * 60_000 };
const lockMs = 3_000;
const lockTries = 200;
const mostSegments = 1_000;

const leftOnServers = [
  'VACUUM FULL pg_catalog.pg_statistic, as superuser: it holds the most frequent values of columns as they were.',
  'Archived and recycled segments of the write-ahead log, replicas and the server’s own back-ups hold what was written before.',
];

export class Maintenance implements LedWork {
  readonly #database: Reached;
  readonly #superuser: Reached | undefined;
  readonly #fault: (error: unknown) => void;
  #state: MaintenanceState = { state: 'none' };
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param superuser of the embedded server */
  constructor(database: Reached, superuser: Reached | undefined, fault: (error: unknown) => void) {
    this.#database = database;
    this.#superuser = superuser;
    this.#fault = fault;
  }

  get state(): MaintenanceState {
    return this.#state;
  }

  /** Looks after what was erased, at night. */
  start(): void {
    const look = () => {
      const hour = new Date().getHours();
      if (hour < nightly.fromHour || hour >= nightly.toHour || this.#running) return;
      this.#isDue().then(
        (isDue) => (isDue ? this.run() : undefined),
        (error) => this.#fault(error),
      );
    };
    this.#timer = setInterval(look, nightly.lookMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Begins, unless it is under way. */
  begin(): MaintenanceState {
    if (!this.#running) void this.run();
    return this.#state;
  }

  /** Resolves when it is done, or has failed; see `state`. */
  run(): Promise<void> {
    this.#state = { state: 'waiting', begun: new Date().toISOString() };
    this.#running ??= this.#run()
      .catch((error) => {
        this.#fault(error);
        const reason =
          error instanceof MaintenanceError ? error.message : 'It ended by a fault; see the log of the hub.';
        this.#state = { ...this.#state, state: 'failed', reason, ended: new Date().toISOString() };
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #isDue(): Promise<boolean> {
    const client = await patientClient(this.#database);
    try {
      const { rowCount } = await client.query(
        `SELECT 1 FROM erasure WHERE state IN ('erased', 'lifted') AND maintained_at IS NULL LIMIT 1`,
      );
      return (rowCount ?? 0) > 0;
    } finally {
      await client.end();
    }
  }

  async #run(): Promise<void> {
    const client = await patientClient(this.#database);
    try {
      const { rows } = await client.query(
        `SELECT pg_try_advisory_lock(${locks.maintenance}) AS mine, clock_timestamp() AS now`,
      );
      if (!rows[0].mine) throw new MaintenanceError('Another hub over this database does it already.');
      await untilNobodySees(client);
      await this.#writeTables(client);
      if (this.#superuser) await this.#leaveLog(this.#superuser);
      await client.query(
        `UPDATE erasure SET maintained_at = clock_timestamp()
         WHERE state IN ('erased', 'lifted') AND erased_at < $1 AND maintained_at IS NULL`,
        [rows[0].now],
      );
      const left = this.#superuser ? [] : leftOnServers;
      this.#state = { ...this.#state, table: undefined, state: 'done', ended: new Date().toISOString(), left };
    } finally {
      await client.end();
    }
  }

  async #writeTables(client: pg.Client): Promise<void> {
    const erased = await client.query<{ homes: string[] }>(
      `SELECT coalesce(array_agg(h), '{}') AS homes FROM erasure, unnest(homes) h WHERE state IN ('erased', 'lifted')`,
    );
    await client.query('DELETE FROM index_token WHERE home = ANY($1)', [erased.rows[0]!.homes]);
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
         AND relname <> ALL ($1) ORDER BY pg_total_relation_size(oid) DESC`,
      [appendOnly],
    );
    await client.query(`SET lock_timeout = ${lockMs}`);
    for (const [done, { name }] of rows.entries()) {
      this.#state = { ...this.#state, state: 'running', table: name, done, of: rows.length };
      await locked(() => client.query(`VACUUM (FULL, ANALYZE) "${name}"`));
    }
    this.#state = { ...this.#state, done: rows.length };
  }

  /** The statistics are written anew; then the log goes on in a segment that is new, and those before are removed. */
  async #leaveLog(superuser: Reached): Promise<void> {
    const client = await patientClient(superuser);
    try {
      this.#state = { ...this.#state, table: 'pg_statistic' };
      await locked(() => client.query('VACUUM FULL pg_catalog.pg_statistic'));
      this.#state = { ...this.#state, table: 'pg_wal' };
      await client.query('ALTER SYSTEM SET wal_recycle = off');
      await client.query('SELECT pg_reload_conf()');
      const names = async () =>
        (
          await client.query<{ name: string }>(
            `SELECT name FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' ORDER BY name`,
          )
        ).rows.map(({ name }) => name);
      const last = (await names()).at(-1)!;
      for (let i = 0; i < mostSegments; i++) {
        const { rows } = await client.query(
          `SELECT pg_logical_emit_message(true, 'causeway', ''), pg_switch_wal(), pg_walfile_name(pg_current_wal_insert_lsn()) AS name`,
        );
        if (rows[0].name > last) break;
      }
      for (let i = 0; i < lockTries; i++) {
        await client.query('CHECKPOINT');
        if ((await names()).every((name) => name > last)) break;
        if (i === lockTries - 1)
          throw new MaintenanceError('Segments of the log that were written before are still there.');
        await delay(100);
      }
      await client.query('ALTER SYSTEM RESET wal_recycle');
      await client.query('SELECT pg_reload_conf()');
    } finally {
      await client.end();
    }
  }
}

/** Why it was not done; one sentence. */
class MaintenanceError extends Error {}

/** Rows that were deleted are written anew as long as anybody may still see them: a back-up, a long export. */
async function untilNobodySees(client: pg.Client): Promise<void> {
  const { rows } = await client.query('SELECT pg_current_xact_id()::xid::text AS now');
  for (let tried = 0; ; tried++) {
    const { rowCount } = await client.query(
      `SELECT 1 FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()
         AND age(backend_xmin) > age($1::xid) LIMIT 1`,
      [rows[0].now],
    );
    if (!rowCount) return;
    if (tried === 36_000) throw new MaintenanceError('A transaction that began before has not ended for an hour.');
    await delay(100);
  }
}

const lockNotAvailable = '55P03';

/** Waits for a lock for a short while at a time, so that nobody waits behind it for long. */
async function locked(run: () => Promise<unknown>): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      await run();
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== lockNotAvailable || tried === lockTries) throw error;
      await delay(500);
    }
  }
}
