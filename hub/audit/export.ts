/**
 * The log as a file that anybody can verify without the hub: a line of JSON that says what it is, with its keys and the
 * checkpoint, then the leaves, a line each; after each 256, and after the last, a line of their hashes in base64 behind `=`.
 */
import { createReadStream } from 'node:fs';
import {
  Edge,
  type Hash,
  hashBytes,
  leafHash,
  type Policy,
  readCheckpoint,
  readNote,
  readVerifier,
  tileWidth,
  type Verifier,
  verifyCheckpoint,
} from '@causeway/tlog';
import type { Queryable } from '../database/index.ts';
import { cosignedOf } from './cosigned.ts';
import { verifiersOf } from './log-keys.ts';
import { type Finding, Replay } from './replay.ts';
import { treeState } from './tree.ts';
import { type Cosigned, cosignedBy } from './verify-cosigned.ts';

const format = 'causeway.health/audit-export/v1';
/** Rows are read that have about so many entries. */
const entriesAtOnce = 2_000;

interface Head {
  format: typeof format;
  origin: string;
  keys: string[];
  size: number;
  checkpoint: string;
  /** Checkpoints with cosignatures, the latest first. */
  cosigned?: string[];
}

/** The pieces of the file. @throws Error where nothing was signed yet */
export async function* exported(database: Queryable): AsyncGenerator<string> {
  const state = await treeState(database);
  if (!state?.checkpoint) throw new Error('The audit log has no checkpoint yet.');
  const keys = (await verifiersOf(database)).map(({ verifier }) => verifier);
  const { origin, size, checkpoint } = state;
  const cosigned = (await cosignedOf(database, origin)).filter((note) => sizeOf(note) <= size);
  yield `${JSON.stringify({ format, origin, keys, size, checkpoint, cosigned } satisfies Head)}\n`;
  let hashes: Buffer[] = [];
  for (let next = 0; next < size; ) {
    const { rows } = await database.query<{ first: number; leaves: string }>({
      name: 'audit_export',
      text: `SELECT p.first, l.leaves FROM audit_place p JOIN access_log l ON l.id = p.log
             WHERE p.first >= $1 AND p.first < $2 ORDER BY p.first`,
      values: [next, Math.min(size, next + entriesAtOnce)],
    });
    if (rows.length === 0) throw new Error(`The audit log has no entry ${next}.`);
    let text = '';
    for (const { leaves } of rows) {
      for (const leaf of leaves.split('\n')) {
        text += `${leaf}\n`;
        hashes.push(leafHash(Buffer.from(leaf)));
        next++;
        if (next % tileWidth !== 0 && next !== size) continue;
        text += `=${Buffer.concat(hashes).toString('base64')}\n`;
        hashes = [];
      }
    }
    yield text;
  }
}

/**
 * @param keys that are trusted; those that the file names where there are none
 * @param policy which witnesses are trusted, and how many of them have to have cosigned
 */
export async function verifyExport(
  path: string,
  keys?: readonly Verifier[],
  policy?: Policy,
): Promise<{
  origin: string;
  size: number;
  root: Hash;
  finding?: Finding;
  checkpoints?: number;
  cosigned?: Cosigned;
}> {
  let head: Head | undefined;
  const leaves: Buffer[] = [];
  let stored: Buffer = Buffer.alloc(0);
  const replayOf = (sizes: readonly number[]) =>
    new Replay(
      new Edge(),
      async (from, to) => {
        const start = from % tileWidth;
        return stored.subarray(start * hashBytes, (start + to - from) * hashBytes);
      },
      sizes,
    );
  let replay = replayOf([]);
  const result = (finding?: Finding) => ({
    origin: head?.origin ?? '',
    size: replay.size,
    root: replay.root(),
    ...(finding ? { finding } : {}),
  });
  for await (const lines of linesOf(path)) {
    for (const line of lines) {
      if (!head) {
        head = readHead(line);
        replay = replayOf((head.cosigned ?? []).map(sizeOf));
      } else if (line[0] !== equals) leaves.push(line);
      else {
        stored = Buffer.from(line.toString('latin1', 1), 'base64');
        for (const leaf of leaves.splice(0)) replay.add(leaf);
        const finding = await replay.compare(true);
        if (finding) return result(finding);
        if (replay.size % tileWidth !== (stored.length / hashBytes) % tileWidth) {
          return result({ kind: 'removed', index: replay.size, text: `Entry ${replay.size} is not there any more.` });
        }
      }
    }
  }
  if (!head) throw new Error('The file is empty.');
  if (leaves.length > 0 || replay.size !== head.size) {
    const { size } = replay;
    const what =
      size < head.size
        ? `Entries end before entry ${size}, of ${head.size}.`
        : `The file has more than its ${head.size} entries.`;
    return result({ kind: size < head.size ? 'cut' : 'inserted', index: Math.min(size, head.size), text: what });
  }
  const log = keys ?? head.keys.map(readVerifier);
  const wrong = signedFinding(head, replay, log);
  if (wrong) return result(wrong);
  const { origin, cosigned = [] } = head;
  const judged = policy ? cosignedBy(cosigned, { origin, log, policy }) : {};
  return { ...result(), checkpoints: cosigned.length, ...judged };
}

/** How many entries a checkpoint signs. @throws NoteError where it is none */
function sizeOf(note: string): number {
  return readCheckpoint(readNote(note).text).size;
}

function signedFinding(head: Head, replay: Replay, log: readonly Verifier[]): Finding | undefined {
  try {
    const signed = verifyCheckpoint(head.checkpoint, { origin: head.origin, log });
    const isWhole = signed.size === head.size && signed.root.equals(replay.root());
    const isGrown = (head.cosigned ?? []).every((note) => {
      const { size, root } = verifyCheckpoint(note, { origin: head.origin, log });
      return replay.roots.get(size)?.equals(root);
    });
    if (isWhole && isGrown) return undefined;
    const text = `The ${head.size} entries are not those that were signed: the log was forked or written anew.`;
    return { kind: 'fork', text };
  } catch (error) {
    return { kind: 'signature', text: `The checkpoint does not hold: ${(error as Error).message}` };
  }
}

const equals = '='.charCodeAt(0);
const newline = '\n'.charCodeAt(0);

function readHead(line: Buffer): Head {
  const head = JSON.parse(line.toString()) as Head;
  if (head.format !== format) throw new Error('The file is no export of an audit log.');
  return head;
}

/** The lines of a file, as many at once as come with a piece of it. */
async function* linesOf(path: string): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    const bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk as Buffer]) : (chunk as Buffer);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      lines.push(bytes.subarray(start, end));
      start = end + 1;
    }
    yield lines;
    rest = bytes.subarray(start);
  }
}
