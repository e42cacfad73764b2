/** What a connector has taken, thing by thing: so that what comes twice is known, and what is gone is noticed. */
import { createHash } from 'node:crypto';
import type { Database } from '../database/index.ts';

export interface Item {
  /** `Patient/1`, the name of a file. */
  item: string;
  digest: Buffer;
  /** Whose it is, by the source's own id. */
  patient?: string | undefined;
}

/** A file that could not be taken, or only in part. */
export interface FailedItem {
  item: string;
  reason: string;
  at: Date;
}

const shown = 500;

export class Items {
  readonly #database: Database;
  readonly #connector: string;

  constructor(database: Database, connector: string) {
    this.#database = database;
    this.#connector = connector;
  }

  /** Those of the items that are not known as they are. */
  async changed<T extends Item>(items: readonly T[]): Promise<T[]> {
    const { rows } = await this.#database.query({
      name: 'connector_items',
      text: `SELECT item, digest FROM connector_item WHERE connector = $1 AND item = ANY($2) AND state <> 'gone'`,
      values: [this.#connector, items.map(({ item }) => item)],
    });
    const known = new Map(rows.map((row) => [row.item, row.digest as Buffer]));
    return items.filter(({ item, digest }) => !known.get(item)?.equals(digest));
  }

  /** Which of these were taken, and are not known to be gone, and whose they are. */
  async known(items: readonly string[]): Promise<Map<string, string | undefined>> {
    if (items.length === 0) return new Map();
    const { rows } = await this.#database.query(
      `SELECT item, patient FROM connector_item WHERE connector = $1 AND item = ANY($2) AND state = 'taken'`,
      [this.#connector, items],
    );
    return new Map(rows.map((row) => [row.item, row.patient ?? undefined]));
  }

  /** Which of these were found since a time, and whether they were there or deleted. */
  async foundSince(items: readonly string[], since: Date): Promise<Map<string, 'taken' | 'gone'>> {
    const { rows } = await this.#database.query(
      `SELECT item, state FROM connector_item
       WHERE connector = $1 AND item = ANY($2) AND state IN ('taken', 'gone') AND seen >= $3`,
      [this.#connector, items, since],
    );
    return new Map(rows.map((row) => [row.item, row.state]));
  }

  /** Which of these were taken for deleted. */
  async gone(items: readonly string[]): Promise<string[]> {
    const { rows } = await this.#database.query(
      `SELECT item FROM connector_item WHERE connector = $1 AND item = ANY($2) AND state = 'gone'`,
      [this.#connector, items],
    );
    return rows.map((row) => row.item);
  }

  /** The database's clock, by which things are seen. */
  async now(): Promise<Date> {
    const { rows } = await this.#database.query('SELECT clock_timestamp() AS now');
    return rows[0]!.now;
  }

  async note(items: readonly Item[], state: 'taken' | 'failed' | 'gone', reason?: string): Promise<void> {
    if (items.length === 0) return;
    // Of an item that stands twice in one page the last counts.
    const last = [...new Map(items.map((one) => [one.item, one])).values()];
    await this.#database.query({
      name: 'connector_note',
      text: `INSERT INTO connector_item (connector, item, digest, patient, state, reason)
             SELECT $1, item, digest, patient, $5, $6
             FROM unnest($2::text[], $3::bytea[], $4::text[]) AS v (item, digest, patient)
             ON CONFLICT (connector, item) DO UPDATE
             SET digest = excluded.digest, patient = coalesce(excluded.patient, connector_item.patient),
               state = excluded.state, reason = excluded.reason, seen = clock_timestamp()`,
      values: [
        this.#connector,
        last.map(({ item }) => item),
        last.map(({ digest }) => digest),
        last.map(({ patient }) => patient ?? null),
        state,
        reason ?? null,
      ],
    });
  }

  /** Notes that these are still there. */
  async seen(items: readonly string[]): Promise<void> {
    await this.#database.query({
      name: 'connector_seen',
      text: `UPDATE connector_item SET seen = clock_timestamp() WHERE connector = $1 AND item = ANY($2)`,
      values: [this.#connector, items],
    });
  }

  /** What was taken of a type and was not seen since a time. */
  async unseen(type: string, since: Date, limit: number): Promise<string[]> {
    const { rows } = await this.#database.query(
      `SELECT item FROM connector_item
       WHERE connector = $1 AND item ^@ $2 AND state = 'taken' AND seen < $3 ORDER BY item LIMIT $4`,
      [this.#connector, `${type}/`, since, limit],
    );
    return rows.map((row) => row.item);
  }

  async failed(): Promise<FailedItem[]> {
    const { rows } = await this.#database.query(
      `SELECT item, reason, seen FROM connector_item WHERE connector = $1 AND state = 'failed'
       ORDER BY seen DESC LIMIT ${shown}`,
      [this.#connector],
    );
    return rows.map((row) => ({ item: row.item, reason: row.reason, at: row.seen }));
  }

  /** Forgets what failed, so that it is tried again where it still lies. */
  async forgetFailed(): Promise<void> {
    await this.#database.query(`DELETE FROM connector_item WHERE connector = $1 AND state = 'failed'`, [
      this.#connector,
    ]);
  }
}

/** What something is, in sixteen bytes. */
export function digestOf(text: string | Buffer): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, 16);
}
