/**
 * A new master key without downtime: data keys are wrapped under it one by one, while the hub works; what they seal stays
 * as it is. It can be interrupted at any moment and goes on at the next start, since a data key that the new key opens is
 * done. It is over when a whole round finds none that was wrapped under another.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../database/index.ts';
import { KeyError } from './key-file.ts';
import { MasterFiles } from './master-files.ts';
import { type MasterKey, opens, unwrapDataKey, wrapDataKey } from './master-key.ts';

/** A column that holds what the master key wrapped. */
export interface WrappedColumn {
  table: string;
  column: string;
  /** The table's key and its SQL type. */
  key: string;
  type: 'bigint' | 'uuid' | 'text';
  /** What a row's data key is wrapped together with. @param key the row's key as text */
  context(key: string): string;
}

export interface RotationState {
  /** `waiting`: all is done here, and another hub still wraps under the key before. */
  state: 'none' | 'running' | 'waiting' | 'failed';
  /** Of this round. */
  looked: number;
  /** Since the rotation began, or this hub was started. */
  wrapped: number;
}

const keysPerStep = 1_000;
const pauses = { stepMs: 5, roundMs: 5_000, failureMs: 30_000 };

export class KeyRotation {
  readonly #database: Database;
  readonly #master: MasterKey;
  readonly #files: MasterFiles;
  readonly #columns: readonly WrappedColumn[];
  readonly #fault: (error: unknown) => void;
  readonly #pauses: typeof pauses;
  #state: RotationState = { state: 'none', looked: 0, wrapped: 0 };
  readonly #stopping = new AbortController();
  #turn: Promise<void> | undefined;

  /** @param fault is told why a round failed; it is tried again */
  constructor(
    parts: { database: Database; master: MasterKey; dataDir: string; columns: readonly WrappedColumn[] },
    fault: (error: unknown) => void,
    own: Partial<typeof pauses> = {},
  ) {
    this.#database = parts.database;
    this.#master = parts.master;
    this.#files = new MasterFiles(parts.dataDir);
    this.#columns = parts.columns;
    this.#fault = fault;
    this.#pauses = { ...pauses, ...own };
  }

  get state(): RotationState {
    return this.#state;
  }

  /** Goes on with a rotation that was begun before. */
  resume(): void {
    if (this.#files.isRotating) this.#run();
  }

  /**
   * Begins to wrap under a new key, the prepared one where there is one. @throws KeyError where another hub over the
   * database has begun with a key that this one does not have
   */
  async begin(): Promise<void> {
    const { rows } = await this.#database.query(`SELECT value FROM hub_state WHERE key = 'master-next'`);
    const other: unknown = rows[0]?.value.fingerprint;
    if (other !== undefined && other !== this.#files.offered) {
      throw new KeyError(
        'Another hub over this database has begun to take up a new master key: copy it from there (keys/master-next.key, here under the name master-prepared.key) first.',
      );
    }
    const fingerprint = this.#files.begin();
    this.#master.look();
    await this.#database.query(
      `INSERT INTO hub_state (key, value) VALUES ('master-next', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      [JSON.stringify({ fingerprint })],
    );
    this.#run();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#turn;
  }

  #run(): void {
    this.#turn ??= this.#rounds().finally(() => {
      this.#turn = undefined;
    });
  }

  async #rounds(): Promise<void> {
    const { signal } = this.#stopping;
    this.#state = { state: 'running', looked: 0, wrapped: 0 };
    while (!signal.aborted) {
      let pauseMs = this.#pauses.roundMs;
      try {
        const wrapped = await this.#round();
        if (signal.aborted) return;
        // A hub that shares the folder takes up the key within moments; one that is not told of it never does.
        if (wrapped === 0 && this.#state.state === 'waiting') return await this.#finish();
        this.#state = { ...this.#state, state: 'waiting' };
      } catch (error) {
        this.#fault(error);
        this.#state = { ...this.#state, state: 'failed' };
        pauseMs = this.#pauses.failureMs;
      }
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  async #finish(): Promise<void> {
    this.#files.finish();
    this.#master.look();
    await this.#database.query(`DELETE FROM hub_state WHERE key = 'master-next'`);
    this.#state = { ...this.#state, state: 'none' };
  }

  /** Looks at all that is wrapped; returns how much it wrapped anew. */
  async #round(): Promise<number> {
    let wrapped = 0;
    this.#state = { ...this.#state, looked: 0 };
    for (const column of this.#columns) {
      let after: string | undefined;
      while (!this.#stopping.signal.aborted) {
        const step = await this.#step(column, after);
        wrapped += step.wrapped;
        const { state, looked, wrapped: before } = this.#state;
        this.#state = { state, looked: looked + step.looked, wrapped: before + step.wrapped };
        if (step.last === undefined) break;
        after = step.last;
        if (step.wrapped > 0) await delay(this.#pauses.stepMs);
      }
    }
    return wrapped;
  }

  async #step(
    { table, column, key, type, context }: WrappedColumn,
    after: string | undefined,
  ): Promise<{ looked: number; wrapped: number; last: string | undefined }> {
    const from = after === undefined ? '' : `AND ${key} > $1::${type}`;
    const { rows } = await this.#database.query<{ key: string; wrapped: Buffer }>(
      `SELECT ${key}::text AS key, ${column} AS wrapped FROM ${table}
       WHERE ${column} IS NOT NULL ${from} ORDER BY ${table}.${key} LIMIT ${keysPerStep}`,
      after === undefined ? [] : [after],
    );
    const old = rows.filter((row) => !opens(this.#master.wrapping, row.wrapped, context(row.key)));
    if (old.length > 0) {
      const anew = old.map((row) => {
        const dataKey = unwrapDataKey(this.#master, row.wrapped, context(row.key));
        return wrapDataKey(this.#master, dataKey, context(row.key));
      });
      // A row that was changed or destroyed meanwhile is left to the next round.
      await this.#database.query(
        `UPDATE ${table} t SET ${column} = v.anew FROM unnest($1::${type}[], $2::bytea[], $3::bytea[]) AS v (key, old, anew)
         WHERE t.${key} = v.key AND t.${column} = v.old`,
        [old.map((row) => row.key), old.map((row) => row.wrapped), anew],
      );
    }
    return { looked: rows.length, wrapped: old.length, last: rows.at(-1)?.key };
  }
}
