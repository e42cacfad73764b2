/** What is told of the log to those who hold it to its word: checkpoints, tiles, entries, proofs and receipts. */
import { proofText, type TilePlace, tileWidth, widthOf } from '@causeway/tlog';
import type { Queryable } from '../database/index.ts';
import { cosignedWith, type WitnessState, witnessStates } from './cosigned.ts';
import type { AuditedEvent } from './reader.ts';
import { inclusionPath, tileAt, treeState } from './tree.ts';

/** A proof of one event that can be checked offline (docs/audit.md). */
export interface Receipt {
  format: 'causeway.health/audit-receipt/v1';
  leaf: string;
  index: number;
  /** C2SP tlog-proof. */
  proof: string;
  opened: {
    patient?: { index: number; id: string; salt: string };
    private?: { text: string; salt: string };
  };
}

export interface AuditStatus {
  /** `refused`: nothing is signed; `wrong`: something stored is not what it was. */
  state: 'none' | 'good' | 'refused' | 'wrong';
  /** Why it is not good. */
  problem?: string;
  origin?: string;
  /** Events with a number, and those that wait for one. */
  size: number;
  waiting: number;
  /** When the latest checkpoint was signed. */
  signed?: Date;
  /** Up to where all was found right, and when. */
  verified: number;
  verifiedAt?: Date;
  /** Those who cosign it; none where none are configured. */
  witnesses: WitnessState[];
}

export async function auditStatus(database: Queryable): Promise<AuditStatus> {
  const state = await treeState(database);
  if (!state) return { state: 'none', size: 0, waiting: 0, verified: 0, witnesses: [] };
  const { rows } = await database.query<{ waiting: number }>({
    name: 'audit_events_waiting',
    text: `SELECT coalesce(sum(l.count), 0)::integer AS waiting
           FROM (SELECT log FROM audit_pending LIMIT 10000) p JOIN access_log l ON l.id = p.log`,
  });
  const problem = state.refused ?? state.wrong ?? undefined;
  return {
    state: state.refused !== null ? 'refused' : state.wrong !== null ? 'wrong' : 'good',
    ...(problem === undefined ? {} : { problem }),
    origin: state.origin,
    size: state.size,
    waiting: rows[0]!.waiting,
    ...(state.signed ? { signed: state.signed } : {}),
    verified: state.verified,
    ...(state.verified_at ? { verifiedAt: state.verified_at } : {}),
    witnesses: await witnessStates(database, state.origin),
  };
}

/** So many hashes of a tile; undefined where the tree is not so large yet. */
export async function publishedTile(
  database: Queryable,
  { width, ...place }: TilePlace & { width: number },
): Promise<Buffer | undefined> {
  const state = await treeState(database);
  return state && widthOf(place, state.size) >= width ? tileAt(database, place, width) : undefined;
}

/** The leaves of a tile of level 0 (C2SP tlog-tiles): each after its length in two bytes. */
export async function publishedEntries(database: Queryable, index: number, width: number): Promise<Buffer | undefined> {
  const state = await treeState(database);
  if (!state || widthOf({ level: 0, index }, state.size) < width) return undefined;
  const first = index * tileWidth;
  const { rows } = await database.query<{ first: number; leaves: string }>({
    name: 'audit_entries',
    text: `SELECT p.first, l.leaves FROM audit_place p JOIN access_log l ON l.id = p.log
           WHERE p.first >= (SELECT max(first) FROM audit_place WHERE first <= $1) AND p.first < $2 ORDER BY p.first`,
    values: [first, first + width],
  });
  const pieces = rows.flatMap((row) =>
    row.leaves.split('\n').flatMap((leaf, i) => {
      const at = row.first + i;
      if (at < first || at >= first + width) return [];
      const bytes = Buffer.from(leaf);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length);
      return [length, bytes];
    }),
  );
  return Buffer.concat(pieces);
}

/** The latest checkpoint, with the cosignatures that it has. @param isCosigned the latest that witnesses cosigned */
export async function publishedCheckpoint(database: Queryable, isCosigned: boolean): Promise<string | undefined> {
  const state = await treeState(database);
  if (!state?.checkpoint) return undefined;
  const cosigned = await cosignedWith(database, state, isCosigned ? -1 : state.size - 1);
  return isCosigned ? cosigned?.checkpoint : (cosigned?.checkpoint ?? state.checkpoint);
}

/**
 * The proof that an event is in the log (C2SP tlog-proof), by a checkpoint that witnesses cosigned where one has the event;
 * undefined where none has it yet.
 */
export async function proofOf(database: Queryable, index: number): Promise<string | undefined> {
  const state = await treeState(database);
  if (!state?.checkpoint || index >= state.size) return undefined;
  const { size, checkpoint } = (await cosignedWith(database, state, index)) ?? {
    ...state,
    checkpoint: state.checkpoint,
  };
  const path = await inclusionPath(database, index, size);
  return proofText({ index, path, checkpoint });
}

/**
 * A receipt of an event; undefined where no checkpoint has it yet.
 * @param patient the one to whom it is given: only that one is named, and what is private only where it is of nobody else.
 *   Without, it is for who may see all.
 */
export async function receiptOf(
  database: Queryable,
  { index, leaf, event, opened }: AuditedEvent,
  patient?: string,
): Promise<Receipt | undefined> {
  const proof = index === undefined ? undefined : await proofOf(database, index);
  if (index === undefined || proof === undefined) return undefined;
  const named = opened.patients.find(({ id }) => (patient === undefined ? true : id === patient));
  const isOfNobodyElse = event.patients === undefined || event.patients.length === 1;
  const isShown = opened.private && (patient === undefined || (named && isOfNobodyElse));
  return {
    format: 'causeway.health/audit-receipt/v1',
    leaf,
    index,
    proof,
    opened: { ...(named ? { patient: named } : {}), ...(isShown ? { private: opened.private! } : {}) },
  };
}
