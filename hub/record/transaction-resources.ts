/** The resources that a transaction touches: their versions as the database holds them, locked, and as it leaves them. */
import { typeName } from '@causeway/fhir';
import type { Transaction } from '../database/index.ts';
import type { Row } from './flush.ts';
import { ridOf } from './keys.ts';
import type { ShownAs } from './present.ts';
import { openText, sealIdentity } from './sealing.ts';
import type { Settled } from './settled.ts';
import type { TransactionHomes } from './transaction-homes.ts';

export interface ResourceKey {
  type: string;
  id: string;
}

/**
 * A version of a resource as the transaction sees it. `updated` and `text` of one that the transaction makes hold only
 * once it is committed: its time may have to be a later one (see `WriteSet.flush`).
 */
export interface Version {
  type: string;
  id: string;
  rid: string;
  home: number;
  /** Undefined for a resource made in this transaction: its first sequence number becomes its key. */
  rkey: number | undefined;
  version: number;
  updated: Date;
  deleted: boolean;
  asOf: string | undefined;
  /** The inbox message that stated it. */
  message: string | undefined;
  text: string | undefined;
  /** Where the text is instead, in a large transaction. */
  settled?: Settled;
  /** See docs/access.md; the bits of @causeway/access. */
  labels: number;
  /** The days of its data, `YYYY-MM-DD`. */
  days: { from: string; to: string } | undefined;
  /** As whom its patient is shown, where that is another than the text says. */
  shownAs?: ShownAs;
}

/** A resource in a transaction. */
export interface Slot {
  /** What the database holds. */
  loaded: Version | undefined;
  /** With the changes made so far. */
  current: Version | undefined;
  /** Those changes. */
  rows: Row[];
}

export class TransactionResources {
  readonly #transaction: Transaction;
  readonly #homes: TransactionHomes;
  readonly #slots = new Map<string, Slot>();

  constructor(transaction: Transaction, homes: TransactionHomes) {
    this.#transaction = transaction;
    this.#homes = homes;
  }

  /** Loads and locks the resources named. @param texts whether their texts are needed */
  async load(keys: readonly ResourceKey[], texts: boolean): Promise<void> {
    const wanted = new Map<string, ResourceKey & { rid: string }>();
    for (const key of keys) {
      const rid = ridOf(key.id);
      if (!this.find(key.type, rid)) wanted.set(slotKey(key.type, rid), { ...key, rid });
    }
    if (wanted.size === 0) return;
    const rows = await lockVersions(
      this.#transaction,
      [...wanted.values()].map(({ rid }) => rid),
      texts,
    );
    if (texts) await this.#homes.loadKeys(rows.map((row) => row.home));
    for (const row of rows) {
      const type = typeName(row.type)!;
      const key = wanted.get(slotKey(type, row.rid));
      if (!key) continue;
      const version: Version = {
        type,
        id: key.id,
        rid: row.rid,
        home: row.home,
        rkey: row.rkey,
        version: row.version,
        updated: row.updated,
        deleted: row.deleted,
        asOf: row.as_of?.toISOString(),
        message: row.message ?? undefined,
        text: undefined,
        labels: row.labels,
        days: row.days ? { from: row.days[0]!, to: row.days[1]! } : undefined,
      };
      if (row.body) version.text = openText(row.body, this.#homes.key(row.home), sealIdentity(version));
      this.#slots.set(slotKey(type, row.rid), { loaded: version, current: version, rows: [] });
    }
    for (const { type, rid } of wanted.values()) this.slot(type, rid);
  }

  /** A resource that was loaded, or is known not to be there. */
  find(type: string, rid: string): Slot | undefined {
    return this.#slots.get(slotKey(type, rid));
  }

  /** A resource; one that was not loaded is not there. */
  slot(type: string, rid: string): Slot {
    const key = slotKey(type, rid);
    let slot = this.#slots.get(key);
    if (!slot) {
      slot = { loaded: undefined, current: undefined, rows: [] };
      this.#slots.set(key, slot);
    }
    return slot;
  }

  all(): Slot[] {
    return [...this.#slots.values()];
  }
}

/** The current versions of resources, locked in one order. */
async function lockVersions(transaction: Transaction, rids: string[], texts: boolean) {
  const { rows } = await transaction.query({
    name: texts ? 'write_load_texts' : 'write_load',
    text: `SELECT rid, type, home, rkey, version, updated, deleted, as_of, message, labels,
             CASE WHEN first_day IS NOT NULL THEN ARRAY[first_day::text, last_day::text] END AS days${texts ? ', body' : ''}
           FROM resource WHERE rid = ANY($1) ORDER BY rid, type FOR UPDATE`,
    values: [[...new Set(rids)]],
  });
  return rows;
}

function slotKey(type: string, rid: string): string {
  return `${type}/${rid}`;
}
