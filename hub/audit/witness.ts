/**
 * This hub as a witness of the logs of others (C2SP tlog-witness): it cosigns that a log only grew, one tree of each size,
 * and never signs what does not continue what it signed before. What it cosigned is in the database and in a file beside the
 * data before the signature leaves, so that neither can be set back alone.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  type Checkpoint,
  emptyRoot,
  isConsistent,
  type Note,
  readCheckpoint,
  readNote,
  readSubmission,
  readVerifier,
  type Signer,
  type Submission,
  signatureLine,
  signNote,
  type Verifier,
  verifierText,
  verifyNote,
} from '@causeway/tlog';
import type { Database, Transaction } from '../database/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import { CheckpointFile } from './checkpoint-file.ts';
import type { WatchedFile } from './watched-file.ts';
import { witnessSigner } from './witness-key.ts';

export interface WitnessParts {
  database: Database;
  master: MasterKey;
  dataDir: string;
  /** The host in the name of a witness that is begun. */
  host: string;
  logs: WatchedFile<WitnessedLogs>;
  /** Told that a log signed two trees of one size, in the transaction that keeps the proof. */
  alarm(transaction: Transaction, text: string): void;
}

/** The keys that are trusted for the origin of each log. */
export type WitnessedLogs = ReadonlyMap<string, Verifier[]>;

/** An answer of the protocol. */
export interface WitnessAnswer {
  status: number;
  type: string;
  body: string;
}

/** How a log stands at this witness. */
export interface WitnessedLog {
  origin: string;
  size: number;
  /** When it was cosigned last. */
  at?: Date;
  /** How often it signed two trees of one size. */
  conflicts: number;
}

/** Conflicts of one log that are kept: one is enough to prove that it forked. */
const mostConflicts = 10;
export const sizeType = 'text/x.tlog.size';

export class Witness {
  readonly #parts: WitnessParts;
  #signer: Promise<Signer> | undefined;

  constructor(parts: WitnessParts) {
    this.#parts = parts;
  }

  /** `add-checkpoint`: cosigns the checkpoint of a body where it may. */
  async add(body: Uint8Array): Promise<WitnessAnswer> {
    const read = readBody(body);
    if (!read) return plain(400, 'The body is old <size>, the lines of a proof, an empty line and a checkpoint.');
    const { submission, note, head } = read;
    const keys = (await this.#parts.logs.value()).get(head.origin);
    if (!keys) return plain(404, 'This witness does not know that log.');
    if (!isSigned(note, keys)) return plain(403, 'No key of that log that is trusted here signed the checkpoint.');
    if (submission.from > head.size) return plain(400, 'The old size is above that of the checkpoint.');
    const signer = await this.#signing();
    return this.#parts.database.transaction(async (transaction) => {
      // Also in a database where that is not usual: what is signed stays.
      transaction.send({ name: 'audit_witness_durable', text: 'SET LOCAL synchronous_commit = on' });
      const file = this.#fileOf(head.origin);
      const last = await lockedLast(transaction, head.origin, await file.read());
      if (submission.from !== last.size) return { status: 409, type: sizeType, body: `${last.size}\n` };
      const refused = refusal(last, head, submission.path);
      if (refused !== undefined) {
        if (head.size === last.size) await this.#conflict(transaction, last, head, submission.checkpoint);
        return plain(422, refused);
      }
      const line = signatureLine(note.text, signer, Math.floor(Date.now() / 1_000));
      const cosigned = `${noteOf(submission.checkpoint, note, keys)}${line}`;
      await file.write(cosigned);
      await transaction.query({
        name: 'audit_witness_put',
        text: 'UPDATE audit_witnessed SET size = $2, root = $3, checkpoint = $4, at = clock_timestamp() WHERE origin = $1',
        values: [head.origin, head.size, head.root, cosigned],
      });
      return plain(200, line);
    });
  }

  /** The checkpoint that was cosigned last of the log whose origin has a hash (in hexadecimal). */
  async checkpoint(originHash: string): Promise<string | undefined> {
    const origin = [...(await this.#parts.logs.value()).keys()].find((one) => hashOf(one) === originHash);
    if (origin === undefined) return undefined;
    const { rows } = await this.#parts.database.query<{ checkpoint: string | null }>(
      'SELECT checkpoint FROM audit_witnessed WHERE origin = $1',
      [origin],
    );
    return rows[0]?.checkpoint ?? undefined;
  }

  /** The key that cosigns, as others trust it, and the logs; undefined where this hub is no witness. */
  async status(): Promise<{ verifier: string; logs: WitnessedLog[] } | undefined> {
    if (!this.#parts.logs.isThere) return undefined;
    const origins = [...(await this.#parts.logs.value()).keys()];
    const { rows } = await this.#parts.database.query<{
      origin: string;
      size: number;
      at: Date | null;
      conflicts: number;
    }>(
      `SELECT o.origin, coalesce(w.size, 0) AS size, w.at,
              (SELECT count(*) FROM audit_conflict c WHERE c.origin = o.origin)::integer AS conflicts
       FROM unnest($1::text[]) WITH ORDINALITY AS o (origin, place) LEFT JOIN audit_witnessed w ON w.origin = o.origin
       ORDER BY o.place`,
      [origins],
    );
    return {
      verifier: verifierText(await this.#signing()),
      logs: rows.map(({ at, ...row }) => ({ ...row, ...(at ? { at } : {}) })),
    };
  }

  #signing(): Promise<Signer> {
    const { database, master, host } = this.#parts;
    this.#signer ??= witnessSigner(database, master, `${host}/witness/${randomBytes(4).toString('hex')}`);
    this.#signer.catch(() => {
      this.#signer = undefined;
    });
    return this.#signer;
  }

  #fileOf(origin: string): CheckpointFile {
    return new CheckpointFile(this.#parts.dataDir, 'witnessed', hashOf(origin));
  }

  /** Keeps that a log signed two trees of one size: it can be shown to anybody, and not be denied. */
  async #conflict(transaction: Transaction, last: Last, head: Checkpoint, other: string): Promise<void> {
    if (last.checkpoint === undefined || head.root.equals(last.root)) return;
    const { rowCount } = await transaction.query(
      `INSERT INTO audit_conflict (origin, size, cosigned, other) SELECT $1, $2, $3, $4
       WHERE (SELECT count(*) FROM audit_conflict WHERE origin = $1) < ${mostConflicts}
         AND NOT EXISTS (SELECT FROM audit_conflict WHERE origin = $1 AND size = $2 AND other = $4)`,
      [head.origin, head.size, last.checkpoint, other],
    );
    if (rowCount === 0) return;
    const roots = [last.root, head.root].map((root) => root.toString('base64')).join(' and ');
    this.#parts.alarm(
      transaction,
      `The log ${head.origin}, which this hub is a witness for, signed two different trees of ${head.size} entries (${roots}). Both checkpoints are kept.`,
    );
  }
}

/** What was cosigned of a log last. */
interface Last {
  size: number;
  root: Buffer;
  checkpoint: string | undefined;
}

/** The same, and nobody else cosigns that log before the transaction ends. @param kept the file's checkpoint */
async function lockedLast(transaction: Transaction, origin: string, kept: string | undefined): Promise<Last> {
  transaction.send({
    name: 'audit_witness_begin',
    text: 'INSERT INTO audit_witnessed (origin, size, root) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING',
    values: [origin, emptyRoot],
  });
  const { rows } = await transaction.query<{ size: number; root: Buffer; checkpoint: string | null }>({
    name: 'audit_witness_last',
    text: 'SELECT size, root, checkpoint FROM audit_witnessed WHERE origin = $1 FOR UPDATE',
    values: [origin],
  });
  const { size, root, checkpoint } = rows[0]!;
  const head = kept === undefined ? undefined : readCheckpoint(readNote(kept).text);
  // A database that was restored has forgotten what was signed since; the file has not.
  if (head && head.size > size) return { size: head.size, root: head.root, checkpoint: kept };
  return { size, root, checkpoint: checkpoint ?? undefined };
}

/** Why a tree is not cosigned after another. */
function refusal(last: Last, head: Checkpoint, path: readonly Uint8Array[]): string | undefined {
  if (head.size === 0 && !head.root.equals(emptyRoot)) return 'The root of a tree without entries is another one.';
  return isConsistent(last, head, path)
    ? undefined
    : `It is not shown that the tree of ${head.size} entries continues the one of ${last.size} that was cosigned.`;
}

function readBody(body: Uint8Array): { submission: Submission; note: Note; head: Checkpoint } | undefined {
  try {
    const submission = readSubmission(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
    const note = readNote(submission.checkpoint);
    return { submission, note, head: readCheckpoint(note.text) };
  } catch {
    return undefined;
  }
}

function isSigned(note: Note, keys: readonly Verifier[]): boolean {
  try {
    return verifyNote(note, keys).length > 0;
  } catch {
    return false;
  }
}

/** The checkpoint with the signatures that were verified, and no others. */
function noteOf(checkpoint: string, { text, signatures }: Note, keys: readonly Verifier[]): string {
  const lines = checkpoint.slice(text.length + 1).split(/(?<=\n)/);
  const ofLog = lines.filter((_, i) =>
    keys.some(({ name, id }) => signatures[i]?.name === name && signatures[i].id === id),
  );
  return `${signNote(text, [])}${ofLog.join('')}`;
}

function plain(status: number, body: string): WitnessAnswer {
  return { status, type: 'text/plain; charset=utf-8', body: body.endsWith('\n') ? body : `${body}\n` };
}

function hashOf(origin: string): string {
  return createHash('sha256').update(origin).digest('hex');
}

/**
 * Reads which logs are cosigned, a line each: the verifier key, and the origin where that is not the key's name. A log may
 * have several keys. @throws NoteError where a key cannot be read
 */
export function readWitnessedLogs(text: string): WitnessedLogs {
  const logs = new Map<string, Verifier[]>();
  for (const line of text.split('\n')) {
    const [verifier, origin] = line.trim().split(/[ \t]+/) as [string, string?];
    if (verifier === '' || verifier.startsWith('#')) continue;
    const key = readVerifier(verifier);
    const name = origin ?? key.name;
    logs.set(name, [...(logs.get(name) ?? []), key]);
  }
  return logs;
}
