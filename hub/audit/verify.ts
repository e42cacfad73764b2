/** Verifies a log as its database has it: every entry against the tree, the tree against what was signed and published. */
import {
  Edge,
  type Hash,
  hashBytes,
  type Policy,
  readCheckpoint,
  readNote,
  readVerifier,
  type SignedCheckpoint,
  type Tile,
  tileWidth,
  type Verifier,
  verifyCheckpoint,
} from '@causeway/tlog';
import type { Queryable } from '../database/index.ts';
import { cosignedOf } from './cosigned.ts';
import { verifiersOf } from './log-keys.ts';
import { type Finding, Replay } from './replay.ts';
import { edgeAt, TreeError, type TreeState, treeState } from './tree.ts';
import { type Cosigned, cosignedBy } from './verify-cosigned.ts';

export interface Verification {
  origin: string;
  /** Entries from here on were looked at, up to there. */
  from: number;
  size: number;
  root: Hash;
  finding?: Finding;
  /** How many checkpoints with cosignatures there are, and what a policy says of them. */
  checkpoints?: number;
  cosigned?: Cosigned;
}

export interface VerifyOptions {
  /** A tree that was verified before. */
  from?: { size: number; root: Hash };
  /** Keys that are trusted; those of the database where there are none. */
  keys?: readonly Verifier[];
  /** Checkpoints that were published: the file beside the data, what a witness or a receipt holds. */
  published?: readonly string[];
  /** Which witnesses are trusted, and how many of them have to have cosigned. */
  policy?: Policy;
  /** Told how many entries were looked at; may pause the work. */
  step?(done: number): Promise<void> | void;
}

/** Rows are read that have about so many entries: one may have hundreds, of a hundred patients each. */
const entriesAtOnce = 2_000;
const settled = '1 minute';

export async function verifyDatabase(database: Queryable, options: VerifyOptions = {}): Promise<Verification> {
  const log = await treeState(database);
  const checkpoints = log ? await cosignedOf(database, log.origin) : [];
  // Read after them: what is cosigned is never more than there is.
  const state = await treeState(database);
  if (!state) return { origin: '', from: 0, size: 0, root: new Edge().root() };
  const from = options.from?.size ?? 0;
  const result = { origin: state.origin, from, size: state.size, root: state.root };
  try {
    const keys = options.keys ?? (await verifiersOf(database)).map(({ verifier }) => readVerifier(verifier));
    const published = [...(options.published ?? []), ...checkpoints];
    const finding = await findingIn(database, state, { ...options, keys, published });
    if (finding) return { ...result, finding };
    const { origin } = state;
    const { policy } = options;
    const judged = policy ? cosignedBy(checkpoints, { origin, log: keys, policy }) : {};
    return { ...result, checkpoints: checkpoints.length, ...judged };
  } catch (error) {
    if (!(error instanceof TreeError || error instanceof RangeError)) throw error;
    return { ...result, finding: { kind: 'hashes', text: error.message } };
  }
}

async function findingIn(
  database: Queryable,
  state: TreeState,
  { from, published, keys, step }: VerifyOptions & { published: readonly string[]; keys: readonly Verifier[] },
): Promise<Finding | undefined> {
  const signed = await signedTrees(database, state, published, keys);
  if (!Array.isArray(signed)) return signed;
  const longer = signed.find(({ size }) => size > state.size);
  if (longer) {
    const text = `A checkpoint of ${longer.size} entries was published, and the log has ${state.size}: entry ${state.size} and those after it are gone, or the database was restored from before.`;
    return { kind: 'older', index: state.size, text };
  }
  if (from && from.size > state.size) {
    return { kind: 'older', index: state.size, text: `The log had ${from.size} entries when it was verified last.` };
  }
  const edge = await edgeAt(database, from?.size ?? 0);
  if (from && !edge.root().equals(from.root)) {
    return { kind: 'fork', text: `The first ${from.size} entries are not those that were verified last.` };
  }
  const replay = new Replay(
    edge,
    (low, high) => storedHashes(database, low, Math.min(high, state.size)),
    [...signed.map(({ size }) => size), state.size],
    (tiles) => wrongTile(database, tiles, state.size),
  );
  const finding =
    (await replayed(database, replay, { from: edge.size, to: state.size }, step)) ??
    (await afterReplay(database, state, { replay, signed, from: from?.size ?? 0 }));
  return finding && finding.index !== undefined
    ? { ...finding, text: `${finding.text}${await rowOf(database, finding.index)}` }
    : finding;
}

/** The trees that were signed: what is published, and the state; or what is wrong with a signature. */
async function signedTrees(
  database: Queryable,
  state: TreeState,
  published: readonly string[],
  keys: readonly Verifier[],
): Promise<SignedCheckpoint[] | Finding> {
  const trees: SignedCheckpoint[] = [];
  const notes = [...published, ...(state.checkpoint === null ? [] : [state.checkpoint])];
  for (const note of notes) {
    try {
      const { origin } = readCheckpoint(readNote(note).text);
      // What was published before a restore that was accepted need not hold any more.
      if (origin === state.origin || note === state.checkpoint) {
        trees.push(verifyCheckpoint(note, { origin: state.origin, log: keys }));
      } else verifyCheckpoint(note, { origin, log: keys });
    } catch (error) {
      const which = note === state.checkpoint ? 'The latest checkpoint' : 'A published checkpoint';
      return { kind: 'signature', text: `${which} does not hold: ${(error as Error).message}` };
    }
  }
  if (state.checkpoint === null && state.size > 0) {
    const { rowCount } = await database.query('SELECT FROM audit_restore WHERE origin = $1 AND size = $2', [
      state.origin,
      state.size,
    ]);
    if (rowCount === 0) return { kind: 'signature', text: `No checkpoint signs the ${state.size} entries.` };
  }
  return trees;
}

/** Replays the entries from a number on; what comes while this goes on is left out. */
async function replayed(
  database: Queryable,
  replay: Replay,
  { from, to }: { from: number; to: number },
  step: VerifyOptions['step'],
): Promise<Finding | undefined> {
  for (let after = await firstFrom(database, from); ; after += entriesAtOnce) {
    const { rows } = await database.query<{ first: number; leaves: string | null }>({
      name: 'audit_replay',
      text: `SELECT p.first, l.leaves FROM audit_place p LEFT JOIN access_log l ON l.id = p.log
             WHERE p.first >= $1 AND p.first < $2 ORDER BY p.first`,
      values: [after, Math.min(to, after + entriesAtOnce)],
    });
    for (const { first, leaves } of rows) {
      // Of a row that is gone there is nothing: its entries are missed where they stood.
      const lines = leaves === null ? [] : leaves.split('\n');
      for (const leaf of first < from ? lines.slice(from - first) : lines) replay.add(Buffer.from(leaf));
    }
    const isEnd = after + entriesAtOnce >= to;
    const finding = await replay.compare(isEnd);
    if (finding || isEnd) return finding;
    await step?.(replay.size);
  }
}

/** Where the row begins that has an entry. */
async function firstFrom(database: Queryable, index: number): Promise<number> {
  const { rows } = await database.query<{ first: number | null }>(
    'SELECT max(first) AS first FROM audit_place WHERE first <= $1',
    [index],
  );
  return rows[0]!.first ?? 0;
}

async function afterReplay(
  database: Queryable,
  state: TreeState,
  { replay, signed, from }: { replay: Replay; signed: readonly SignedCheckpoint[]; from: number },
): Promise<Finding | undefined> {
  if (replay.size < state.size) {
    return { kind: 'cut', index: replay.size, text: `Entries end before entry ${replay.size}, of ${state.size}.` };
  }
  if (!replay.root().equals(state.root)) {
    return { kind: 'hashes', text: 'The stored root is not that of the stored hashes.' };
  }
  for (const { size, root } of signed) {
    const found = replay.roots.get(size);
    if (found && !found.equals(root)) {
      return {
        kind: 'fork',
        text: `The first ${size} entries are not those that were signed: the log was forked or written anew.`,
      };
    }
  }
  const latest = state.checkpoint === null ? undefined : readCheckpoint(readNote(state.checkpoint).text);
  if (latest && latest.size !== state.size) {
    return {
      kind: 'signature',
      text: `The latest checkpoint signs ${latest.size} entries, and the log has ${state.size}.`,
    };
  }
  return (await wrongPlaces(database, from)) ?? unnumbered(database, from);
}

/** Numbers of rows that leave a gap or overlap, from a number on. */
async function wrongPlaces(database: Queryable, from: number): Promise<Finding | undefined> {
  const { rows } = await database.query<{ first: number; beyond: boolean }>(
    `WITH tree AS (SELECT size FROM audit_tree)
     SELECT first, first >= (SELECT size FROM tree) AS beyond FROM (
       SELECT p.first, p.first + p.count AS next, lead(p.first) OVER (ORDER BY p.first) AS following, p.count <> l.count AS differs
       FROM audit_place p LEFT JOIN access_log l ON l.id = p.log WHERE p.first >= $1) places
     WHERE next <> coalesce(following, (SELECT size FROM tree)) OR differs ORDER BY first DESC LIMIT 1`,
    [from],
  );
  const [row] = rows;
  if (!row) return undefined;
  const { first: index, beyond } = row;
  if (beyond) return { kind: 'inserted', index, text: `Entry ${index} is one more than the log has.` };
  return { kind: 'hashes', index, text: `The numbers of the row of entry ${index} are not right.` };
}

/** A row that got no number, nor waits for one, from the row of an entry on. */
async function unnumbered(database: Queryable, from: number): Promise<Finding | undefined> {
  const { rows } = await database.query<{ id: number }>(
    `SELECT l.id FROM access_log l
     WHERE l.id > coalesce((SELECT log FROM audit_place WHERE first < $1 ORDER BY first DESC LIMIT 1), 0)
       AND NOT EXISTS (SELECT FROM audit_place p WHERE p.log = l.id)
       AND NOT EXISTS (SELECT FROM audit_pending w WHERE w.log = l.id)
       AND l.at < now() - interval '${settled}' ORDER BY l.id LIMIT 1`,
    [from],
  );
  if (!rows[0]) return undefined;
  const text = `Row ${rows[0].id} of access_log has no number, and waits for none: it was put in, or kept from the log.`;
  return { kind: 'unnumbered', text };
}

async function storedHashes(database: Queryable, from: number, to: number): Promise<Buffer> {
  if (to <= from) return Buffer.alloc(0);
  const { rows } = await database.query<{ index: number; hashes: Buffer }>({
    name: 'audit_hashes',
    text: 'SELECT index, hashes FROM audit_tile WHERE level = 0 AND index BETWEEN $1 AND $2 ORDER BY index',
    values: [Math.floor(from / tileWidth), Math.floor((to - 1) / tileWidth)],
  });
  const first = Math.floor(from / tileWidth);
  const gap = rows.findIndex(
    ({ index, hashes }, i) => index !== first + i || (i < rows.length - 1 && hashes.length !== tileWidth * hashBytes),
  );
  if (gap >= 0 || rows.length === 0) throw new TreeError('Hashes of entries are not stored.');
  const all = Buffer.concat(rows.map(({ hashes }) => hashes));
  if (all.length < (to - first * tileWidth) * hashBytes) throw new TreeError('Hashes of entries are not stored.');
  return all.subarray((from - first * tileWidth) * hashBytes, (to - first * tileWidth) * hashBytes);
}

/** Whether tiles above the entries are stored as they come of them. */
async function wrongTile(database: Queryable, tiles: readonly Tile[], size: number): Promise<Finding | undefined> {
  const full = tiles.filter(({ level, hashes }) => level > 0 && hashes.length === tileWidth * hashBytes);
  for (const { level, index, hashes } of full) {
    const { rows } = await database.query<{ hashes: Buffer }>(
      'SELECT hashes FROM audit_tile WHERE level = $1 AND index = $2',
      [level, index],
    );
    if (rows[0]?.hashes.equals(hashes)) continue;
    const width = tileWidth ** (level + 1);
    return {
      kind: 'hashes',
      text: `The stored hashes over the entries ${index * width} to ${Math.min((index + 1) * width, size) - 1} are not those that come of them: the entries, or the hashes, were changed together.`,
    };
  }
  return undefined;
}

/** Where an entry stands. */
async function rowOf(database: Queryable, index: number): Promise<string> {
  const { rows } = await database.query<{ log: number; first: number; count: number }>(
    'SELECT log, first, count FROM audit_place WHERE first <= $1 ORDER BY first DESC LIMIT 1',
    [index],
  );
  const row = rows[0];
  return row && index < row.first + row.count ? ` (Row ${row.log} of access_log, line ${index - row.first + 1}.)` : '';
}
