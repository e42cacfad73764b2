/** The tree of the log as it is stored: its state, a row that is locked while it grows, and its tiles. */
import {
  consistencyFolds,
  Edge,
  emptyRoot,
  type Hash,
  hashBytes,
  hashIn,
  inclusionFolds,
  nodeHash,
  proofFrom,
  rootFold,
  type Subtree,
  type Tile,
  type TilePlace,
  tileOf,
  tileWidth,
  widthOf,
} from '@causeway/tlog';
import type { Queryable, Transaction } from '../database/index.ts';

export interface TreeState {
  name: string;
  origin: string;
  size: number;
  root: Hash;
  checkpoint: string | null;
  signed: Date | null;
  refused: string | null;
  verified: number;
  verified_root: Hash | null;
  verified_at: Date | null;
  wrong: string | null;
}

const columns = 'name, origin, size, root, checkpoint, signed, refused, verified, verified_root, verified_at, wrong';

/** Makes the log, where there is none. @param name unlike that of any other log */
export async function makeTree(database: Queryable, name: string): Promise<void> {
  await database.query('INSERT INTO audit_tree (name, origin, root) VALUES ($1, $1, $2) ON CONFLICT DO NOTHING', [
    name,
    emptyRoot,
  ]);
}

/** @throws Error where there is no log yet */
export async function treeState(database: Queryable): Promise<TreeState | undefined> {
  const { rows } = await database.query<TreeState>({ name: 'audit_tree', text: `SELECT ${columns} FROM audit_tree` });
  return rows[0];
}

/** The same, and nobody else changes it before the transaction ends. */
export async function lockedState(transaction: Transaction): Promise<TreeState> {
  const { rows } = await transaction.query<TreeState>(`SELECT ${columns} FROM audit_tree FOR UPDATE`);
  if (!rows[0]) throw new Error('There is no audit log in this database.');
  return rows[0];
}

/** The side of the tree at which it grows. @throws Error where the stored tiles are not those of the stored root */
export async function edgeOf(database: Queryable, { size, root }: Pick<TreeState, 'size' | 'root'>): Promise<Edge> {
  const edge = await edgeAt(database, size);
  if (!edge.root().equals(root)) throw new TreeError(`The stored hashes of the audit log are not those of its root.`);
  return edge;
}

/** The same for the tree as it was at a size. */
export async function edgeAt(database: Queryable, size: number): Promise<Edge> {
  const partial: Buffer[] = [];
  for (let level = 0; tileWidth ** level <= size; level++) {
    const index = Math.floor(size / tileWidth ** (level + 1));
    const width = widthOf({ level, index }, size);
    partial.push(width === 0 ? Buffer.alloc(0) : await tileAt(database, { level, index }, width));
  }
  return new Edge(size, partial);
}

/** What is stored is not what it was. */
export class TreeError extends Error {
  override name = 'TreeError';
}

/** So many hashes of a tile. @throws TreeError where they are not stored */
export async function tileAt(database: Queryable, { level, index }: TilePlace, width: number): Promise<Buffer> {
  const { rows } = await database.query<{ hashes: Buffer }>({
    name: 'audit_tile',
    text: 'SELECT hashes FROM audit_tile WHERE level = $1 AND index = $2',
    values: [level, index],
  });
  const hashes = rows[0]?.hashes;
  if (!hashes || hashes.length < width * hashBytes) {
    throw new TreeError(`The hashes of the audit log’s tile ${index} at level ${level} are not stored.`);
  }
  return hashes.subarray(0, width * hashBytes);
}

export function putTiles(transaction: Transaction, tiles: readonly Tile[]): void {
  transaction.send({
    name: 'audit_put_tiles',
    text: `INSERT INTO audit_tile (level, index, hashes)
           SELECT level, index, hashes FROM unnest($1::smallint[], $2::bigint[], $3::bytea[]) AS v (level, index, hashes)
           ON CONFLICT (level, index) DO UPDATE SET hashes = excluded.hashes`,
    values: [tiles.map(({ level }) => level), tiles.map(({ index }) => index), tiles.map(({ hashes }) => hashes)],
  });
}

/** The root of the tree as it was at a size. */
export async function rootAt(database: Queryable, size: number): Promise<Hash> {
  if (size === 0) return emptyRoot;
  const hashes = await Promise.all(rootFold(size).map((subtree) => hashOf(database, subtree, size)));
  return hashes.slice(0, -1).reduceRight<Hash>((right, left) => nodeHash(left, right), hashes.at(-1)!);
}

/** The path from a leaf to the root of the tree at a size. */
export function inclusionPath(database: Queryable, index: number, size: number): Promise<Hash[]> {
  return proofFrom(inclusionFolds(index, size), (place) => tileAt(database, place, widthOf(place, size)));
}

/** What shows that the tree of a size is the beginning of that of another. */
export function consistencyPath(database: Queryable, from: number, to: number): Promise<Hash[]> {
  return proofFrom(consistencyFolds(from, to), (place) => tileAt(database, place, widthOf(place, to)));
}

async function hashOf(database: Queryable, subtree: Subtree, size: number): Promise<Hash> {
  const place = tileOf(subtree);
  return hashIn(await tileAt(database, place, widthOf(place, size)), subtree);
}
