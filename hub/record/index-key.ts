/**
 * The key of what resources are found by. A plain hash of a record number, or of a diagnosis, can be made by whoever
 * guesses it: with a database that was stolen, all nine digits of a social security number are tried in minutes. So the
 * index holds each hash of a value under a secret: the first 64 bits of AES-256 of it (FIPS 197, one block, as a pseudo-random
 * function). The secret lies in the database as the data keys do, wrapped by the master key.
 */
import { type Cipheriv, createCipheriv } from 'node:crypto';
import { type Database, locks, type Queryable } from '../database/index.ts';
import { type MasterKey, newDataKey, unwrapDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';
import type { IndexEntries } from './index-entries.ts';
import { lowHalf } from './keys.ts';

/** What the second half of a block says: what a hash is for, so that equal ones do not show across purposes. */
const purposes = { value: 0n, blocking: 1n };

export class IndexKey {
  /** Which key of the database it is; another one than that of its index makes the index anew. */
  readonly id: number;
  readonly #cipher: Cipheriv;

  /** @param key 32 bytes */
  constructor(id: number, key: Buffer) {
    this.id = id;
    this.#cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  }

  /** Hashes as the database has them: those of values keyed, odd as they were; others as they are. */
  keyed(hashes: readonly bigint[]): bigint[] {
    const blocks = blocksOf(hashes, purposes.value);
    const halves = new Int32Array(blocks.buffer);
    const isKeyed = (i: number) => (halves[halvesOfBlock * i + lowHalf]! & 1) === 1;
    if (!hashes.some((_, i) => isKeyed(i))) return [...hashes];
    const made = this.#encrypted(blocks);
    const madeHalves = new Int32Array(made.buffer, made.byteOffset, 2 * made.length);
    return hashes.map((hash, i) => {
      if (!isKeyed(i)) return hash;
      madeHalves[halvesOfBlock * i + lowHalf]! |= 1;
      return made[2 * i]!;
    });
  }

  /** See `keyed`. */
  keyedOne(hash: bigint): bigint {
    return this.keyed([hash])[0]!;
  }

  /** Blocking keys of a source patient as the database has them. */
  keyedBlocking(keys: readonly bigint[]): bigint[] {
    const made = this.#encrypted(blocksOf(keys, purposes.blocking));
    return Array.from(keys, (_, i) => made[2 * i]!);
  }

  /** What resources are found by, as the database has it: all in one call, which costs as much as some hundred hashes. */
  keyedEntries(entries: readonly IndexEntries[]): IndexEntries[] {
    const flat: bigint[] = [];
    for (const { tokens, markers, ranges, strings } of entries) {
      for (const hash of tokens) flat.push(hash);
      for (const hash of markers) flat.push(hash);
      for (const { param } of ranges) flat.push(param);
      for (const { param } of strings) flat.push(param);
    }
    const keyed = this.keyed(flat);
    let at = 0;
    const next = (count: number) => {
      at += count;
      return keyed.slice(at - count, at);
    };
    return entries.map(({ tokens, markers, ranges, strings }) => ({
      tokens: next(tokens.length),
      markers: next(markers.length),
      ranges: withParams(ranges, next(ranges.length)),
      strings: withParams(strings, next(strings.length)),
    }));
  }

  #encrypted(blocks: BigInt64Array<ArrayBuffer>): BigInt64Array {
    const made = this.#cipher.update(new Uint8Array(blocks.buffer));
    return new BigInt64Array(made.buffer, made.byteOffset, blocks.length);
  }
}

/** Of a hash that is enciphered: its own halves, and those of what it is for. */
const halvesOfBlock = 4;

/** A block for each hash: itself, and what it is for. */
function blocksOf(hashes: readonly bigint[], purpose: bigint): BigInt64Array<ArrayBuffer> {
  const blocks = new BigInt64Array(2 * hashes.length);
  for (let i = 0; i < hashes.length; i++) {
    blocks[2 * i] = hashes[i]!;
    blocks[2 * i + 1] = purpose;
  }
  return blocks;
}

function withParams<T extends { param: bigint }>(rows: readonly T[], params: readonly bigint[]): T[] {
  return rows.map((row, i) => (row.param === params[i] ? row : { ...row, param: params[i]! }));
}

/** The key of a database's index; made where there is none yet, or where another is asked for. */
export async function indexKeyOf(database: Database, master: MasterKey): Promise<IndexKey> {
  return database.transaction(async (transaction) => {
    await transaction.query(`SELECT pg_advisory_xact_lock(${locks.indexBuild})`);
    const { rows } = await transaction.query('SELECT id, wrapped, renew FROM index_key');
    const [row] = rows;
    if (row && !row.renew) return new IndexKey(row.id, unwrapDataKey(master, row.wrapped, context(row.id)));
    const id = (row?.id ?? 0) + 1;
    const key = newDataKey();
    await transaction.query('DELETE FROM index_key');
    await transaction.query('INSERT INTO index_key (id, wrapped) VALUES ($1, $2)', [
      id,
      wrapDataKey(master, key, context(id)),
    ]);
    return new IndexKey(id, key);
  });
}

/** Asks for another key: whichever hub starts next makes it, and the index anew under it. No other may run meanwhile. */
export async function renewIndexKey(database: Queryable): Promise<void> {
  await database.query('UPDATE index_key SET renew = true');
}

/** Where the wrapped key is. */
export const indexKeyColumn: WrappedColumn = {
  table: 'index_key',
  column: 'wrapped',
  key: 'id',
  type: 'bigint',
  context: (id) => context(Number(id)),
};

function context(id: number): string {
  return `index key/${id}`;
}
