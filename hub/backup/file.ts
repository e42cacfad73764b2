/**
 * The file of a back-up: a line that names the format, a line of JSON that says what it is of, and then, compressed (zstd)
 * and sealed in pieces, the tables. The key of the file is made for it and lies in it wrapped by the master key, which is
 * never in it.
 *
 * Opened, it is a series of frames: a byte for the kind, 4 bytes of length, and the bytes. `T` begins a table and `E` ends
 * it (JSON), `D` is a piece of its rows as PostgreSQL's binary COPY, `S` are the places of sequences, `Z` ends all.
 */
import { randomUUID } from 'node:crypto';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { KeyError, type MasterKey, newDataKey, unwrapDataKey, wrapDataKey } from '../secrets/index.ts';
import { OpeningStream, SealedStreamError, SealingStream } from './sealed-stream.ts';

const format = 'causeway-backup 1';
const longestHead = 1024 * 1024;

/** What a back-up says of itself without being opened. */
export interface BackupHead {
  id: string;
  created: string;
  /** Where the operator keeps the master key, in the operator's words. */
  keyKeptAt: string;
  /** The migrations of the database, in their order, with the SHA-256 of each. */
  schema: { number: number; name: string; checksum: string }[];
  /** `server_version` of the PostgreSQL it was taken from. */
  postgres: string;
}

export type FrameKind = 'T' | 'D' | 'E' | 'S' | 'Z';

export interface Frame {
  kind: FrameKind;
  bytes: Buffer;
}

export interface TableBegin {
  name: string;
  columns: string[];
}

export interface TableEnd {
  name: string;
  rows: number;
  /** SHA-256 of its pieces, in hexadecimal. */
  digest: string;
}

/** Writes a back-up, and returns its length in bytes; what is in memory does not grow with it. */
export async function writeBackup(
  head: Omit<BackupHead, 'id'>,
  frames: AsyncIterable<Frame>,
  master: MasterKey,
  to: Writable,
): Promise<number> {
  const id = randomUUID();
  const key = newDataKey();
  const line = JSON.stringify({ id, ...head, key: wrapDataKey(master, key, keyContext(id)).toString('base64') });
  const begin = Buffer.from(`${format}\n${line}\n`);
  let length = begin.length;
  to.write(begin);
  const sealing = new SealingStream(key, Buffer.from(line));
  sealing.on('data', (piece: Buffer) => {
    length += piece.length;
  });
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  await pipeline(Readable.from(encoded(frames)), compress, sealing, to);
  return length;
}

/** Reads a back-up: what it says of itself, and its frames, each once. @throws KeyError, SealedStreamError */
export async function readBackup(
  from: AsyncIterable<Buffer>,
  master: MasterKey,
): Promise<{ head: BackupHead; frames: AsyncIterable<Frame> }> {
  const bytes = from[Symbol.asyncIterator]();
  const { line, rest } = await headOf(bytes);
  const { key: wrapped, ...head } = JSON.parse(line) as BackupHead & { key: string };
  const key = keyOf(head, wrapped, master);
  const sealed = Readable.from(remaining(rest, bytes));
  const opened = createZstdDecompress();
  const streaming = pipeline(sealed, new OpeningStream(key, Buffer.from(line)), opened);
  streaming.catch(() => {});
  return { head, frames: decoded(opened, streaming) };
}

/** The bytes of a back-up, opened: what a thief of the file and the key would read. */
export async function* framesOfBackup(from: AsyncIterable<Buffer>, master: MasterKey): AsyncGenerator<Buffer> {
  const { frames } = await readBackup(from, master);
  for await (const { bytes } of frames) yield bytes;
}

function keyOf(head: BackupHead, wrapped: string, master: MasterKey): Buffer {
  try {
    return unwrapDataKey(master, Buffer.from(wrapped, 'base64'), keyContext(head.id));
  } catch {
    throw new KeyError(
      `The back-up of ${head.created} does not open with the master keys here: put the key of that time into the folder keys. It was said to be kept at: ${head.keyKeptAt}`,
    );
  }
}

function keyContext(id: string): string {
  return `backup/${id}`;
}

async function* encoded(frames: AsyncIterable<Frame>): AsyncGenerator<Buffer> {
  for await (const { kind, bytes } of frames) {
    const head = Buffer.alloc(5);
    head.write(kind, 'latin1');
    head.writeUInt32BE(bytes.length, 1);
    yield head;
    if (bytes.length > 0) yield bytes;
  }
}

async function* decoded(opened: AsyncIterable<Buffer>, streaming: Promise<void>): AsyncGenerator<Frame> {
  let held: Buffer = Buffer.alloc(0);
  let isEnded = false;
  for await (const piece of opened) {
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    for (;;) {
      const end = held.length < 5 ? Number.POSITIVE_INFINITY : 5 + held.readUInt32BE(1);
      if (held.length < end) break;
      const kind = held.toString('latin1', 0, 1) as FrameKind;
      isEnded = kind === 'Z';
      yield { kind, bytes: held.subarray(5, end) };
      held = held.subarray(end);
    }
  }
  await streaming;
  if (!isEnded) throw new SealedStreamError('The file does not end as a back-up ends.');
}

async function headOf(bytes: AsyncIterator<Buffer>): Promise<{ line: string; rest: Buffer }> {
  let held: Buffer = Buffer.alloc(0);
  while (held.length < longestHead) {
    const first = held.indexOf('\n');
    const second = first < 0 ? -1 : held.indexOf('\n', first + 1);
    if (first >= 0 && held.toString('latin1', 0, first) !== format) break;
    if (second >= 0) return { line: held.toString('utf8', first + 1, second), rest: held.subarray(second + 1) };
    const next = await bytes.next();
    if (next.done) break;
    held = Buffer.concat([held, next.value]);
  }
  throw new SealedStreamError('The file is no back-up of this hub, or it is of another format.');
}

async function* remaining(rest: Buffer, bytes: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (rest.length > 0) yield rest;
  for (;;) {
    const next = await bytes.next();
    if (next.done) return;
    yield next.value;
  }
}
