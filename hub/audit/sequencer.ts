/**
 * Gives events their numbers, adds them to the tree and signs what it has become: one hub at a time, and where two should
 * believe to be that one, one after the other, since each holds the tree's row locked from reading it until all of it is
 * committed. Nothing signed leaves before.
 */
import { randomBytes } from 'node:crypto';
import {
  checkpointText,
  type Edge,
  leafHash,
  readCheckpoint,
  readNote,
  readVerifier,
  signNote,
  verifyCheckpoint,
} from '@causeway/tlog';
import { type Database, type LedWork, Rounds, type Transaction } from '../database/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import type { CheckpointFile } from './checkpoint-file.ts';
import { signersOf, verifiersOf } from './log-keys.ts';
import { edgeOf, lockedState, makeTree, putTiles, rootAt, TreeError, type TreeState, treeState } from './tree.ts';

export interface SequencerParts {
  database: Database;
  master: MasterKey;
  file: CheckpointFile;
  /** The host in the name of a log that is begun. */
  host: string;
  /** Told why nothing is signed, or a turn failed. */
  fault(error: unknown): void;
}

const everyMs = 1_000;
const afterFaultMs = 10_000;
const rowsAtOnce = 200;

export class Sequencer implements LedWork {
  readonly #parts: SequencerParts;
  /** The tree as this hub left it. */
  #edge: Edge | undefined;
  #isChecked = false;
  #told: string | undefined;
  readonly #rounds: Rounds;

  constructor(parts: SequencerParts, ownMs = everyMs) {
    this.#parts = parts;
    this.#rounds = new Rounds({
      round: async (signal) => {
        await this.sequence(signal);
        return this.#told === undefined ? ownMs : afterFaultMs;
      },
      afterFaultMs,
      fault: (error) => {
        this.#edge = undefined;
        parts.fault(error);
      },
    });
  }

  async start(): Promise<void> {
    this.#edge = undefined;
    this.#isChecked = false;
    await makeTree(this.#parts.database, `${this.#parts.host}/audit/${randomBytes(4).toString('hex')}`);
    this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** Takes up all that waits, or until the signal; returns how many events that was. */
  async sequence(signal?: AbortSignal): Promise<number> {
    let count = 0;
    for (;;) {
      if (!(await this.#check())) return count;
      const taken = await this.#take();
      count += taken.events;
      if (taken.checkpoint !== undefined) await this.#parts.file.write(taken.checkpoint);
      if (taken.rows < rowsAtOnce || signal?.aborted) return count;
    }
  }

  /** Whether the log may go on: the database is not older than what was published, nor another one. */
  async #check(): Promise<boolean> {
    if (this.#isChecked) return true;
    const { database, file, fault } = this.#parts;
    const state = (await treeState(database))!;
    const refused = await whyRefused(database, state, await file.read());
    if ((state.refused ?? undefined) !== refused) {
      await database.query('UPDATE audit_tree SET refused = $1', [refused ?? null]);
    }
    if (refused !== undefined && refused !== this.#told) fault(new Error(refused));
    this.#told = refused;
    this.#isChecked = refused === undefined;
    return this.#isChecked;
  }

  async #take(): Promise<{ rows: number; events: number; checkpoint?: string }> {
    const { database, master } = this.#parts;
    const { rows: waiting } = await database.query({
      name: 'audit_waiting',
      text: 'SELECT EXISTS (SELECT FROM audit_pending) AS any',
    });
    if (!waiting[0]!.any) return { rows: 0, events: 0 };
    const { edge, ...taken } = await database.transaction(async (transaction) => {
      const state = await lockedState(transaction);
      const edge = await this.#edgeFor(transaction, state);
      const rows = await pendingRows(transaction);
      if (rows.length === 0) return { rows: 0, events: 0, edge };
      // Until it is committed what it holds is true of no tree.
      this.#edge = undefined;
      const places = { firsts: [] as number[], logs: [] as number[], counts: [] as number[] };
      const hashes: Buffer[] = [];
      for (const { id, leaves } of rows) {
        const lines = leaves.split('\n');
        places.firsts.push(state.size + hashes.length);
        places.logs.push(id);
        places.counts.push(lines.length);
        for (const line of lines) hashes.push(leafHash(Buffer.from(line)));
      }
      putTiles(transaction, edge.append(Buffer.concat(hashes)));
      transaction.send({
        name: 'audit_put_places',
        text: `INSERT INTO audit_place (first, log, count)
               SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[])`,
        values: [places.firsts, places.logs, places.counts],
      });
      const { size } = edge;
      const root = edge.root();
      const text = checkpointText({ origin: state.origin, size, root });
      const checkpoint = signNote(text, await signersOf(transaction, master, state.name));
      transaction.send({
        name: 'audit_put_tree',
        text: 'UPDATE audit_tree SET size = $1, root = $2, checkpoint = $3, signed = clock_timestamp()',
        values: [size, root, checkpoint],
      });
      return { rows: rows.length, events: hashes.length, checkpoint, edge };
    });
    this.#edge = edge;
    return taken;
  }

  /** The edge of the tree as it is: the one in memory, or, where another hub added to it, the stored one. */
  async #edgeFor(transaction: Transaction, { size, root }: TreeState): Promise<Edge> {
    const known = this.#edge;
    if (known && known.size > size) throw new TreeError(`The audit log had ${known.size} events, and has ${size} now.`);
    if (known?.size === size) {
      if (!known.root().equals(root)) throw new TreeError(`The root of the audit log at ${size} events has changed.`);
      return known;
    }
    return edgeOf(transaction, { size, root });
  }
}

/** Takes rows out of those that wait, in the order of their numbers. */
async function pendingRows(transaction: Transaction): Promise<{ id: number; leaves: string }[]> {
  const { rows } = await transaction.query<{ id: number; leaves: string }>({
    name: 'audit_take',
    text: `WITH taken AS (
             DELETE FROM audit_pending WHERE log IN (SELECT log FROM audit_pending ORDER BY log LIMIT ${rowsAtOnce})
             RETURNING log)
           SELECT l.id, l.leaves FROM taken JOIN access_log l ON l.id = taken.log ORDER BY l.id`,
  });
  return rows;
}

/** Why a log must not go on by what was published of it last; undefined where it may. */
export async function whyRefused(
  database: Database,
  state: TreeState,
  published: string | undefined,
): Promise<string | undefined> {
  if (published === undefined) return undefined;
  const accepted = await acceptedHeads(database);
  // Also where the key that signed it is lost.
  if (accepted.includes(published)) return undefined;
  const verifiers = (await verifiersOf(database)).map(({ verifier }) => readVerifier(verifier));
  const origin = published.slice(0, published.indexOf('\n'));
  let head: { size: number; root: Buffer };
  try {
    head = verifyCheckpoint(published, { origin, log: verifiers });
  } catch {
    return `The checkpoint in the file audit/checkpoint is not signed by this log: the database is another one, or from before that key.`;
  }
  if (origin !== state.origin) {
    // What was published before that, on another machine.
    const heads = accepted.map((note) => readCheckpoint(readNote(note).text));
    const isPast = heads.some((one) => one.origin === origin && one.size >= head.size);
    return isPast ? undefined : notOf(origin, state.origin);
  }
  if (head.size > state.size) {
    return `The audit log has ${state.size} events, but a checkpoint of ${head.size} was published: the database was restored from an older state.`;
  }
  if (!(await rootAt(database, head.size)).equals(head.root)) {
    return `The audit log at ${head.size} events is not the one that was published: it was forked.`;
  }
  return undefined;
}

function notOf(published: string, stored: string): string {
  return `The checkpoint that was published is of the log ${published}, and the database holds ${stored}.`;
}

/** The checkpoints that were published last when it was accepted that the log goes on under another origin. */
async function acceptedHeads(database: Database): Promise<string[]> {
  const { rows } = await database.query<{ checkpoint: string }>('SELECT checkpoint FROM audit_restore');
  return rows.map(({ checkpoint }) => checkpoint);
}
