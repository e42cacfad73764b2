/**
 * Texts of one request that together would fill the memory: kept sealed in a file that has no name, under a key that is
 * nowhere else. Both are gone with the request, and after a crash. What makes or fills it throws a RecordError 507 where the
 * disk is full.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { RecordError } from './errors.ts';
import { newId } from './new-id.ts';
import { open, seal } from './sealing.ts';

const blockBytes = 256 * 1024;

export class TextSpool {
  readonly #directory: string;
  readonly #file: number;
  readonly #key = randomBytes(32);
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  /** What is not in the file yet: its end. */
  readonly #block = Buffer.allocUnsafe(blockBytes);
  #blockLength = 0;
  #written = 0;

  /** @param directory where the file lies, on a disk that has room for all texts, compressed */
  constructor(directory: string) {
    this.#file = onDisk(directory, () => {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const path = join(directory, `${newId()}.spool`);
      const file = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return file;
    });
    this.#directory = directory;
  }

  /** Keeps a text; returns the number by which it is found. @param type of the resource that it is about */
  put(text: string | Buffer, type: string): number {
    return this.keep(seal(text, this.#key, `${type}/${this.#starts.length}`));
  }

  text(number: number, type: string): string {
    return this.opened(number, type).toString();
  }

  /** What was put there, as bytes. */
  opened(number: number, type: string): Buffer {
    return open(this.bytes(number), this.#key, `${type}/${number}`);
  }

  /** Keeps bytes that are sealed already. */
  keep(bytes: Buffer): number {
    if (this.#blockLength + bytes.length > blockBytes) this.#flush();
    this.#starts.push(this.#written + this.#blockLength);
    this.#lengths.push(bytes.length);
    if (bytes.length > blockBytes) this.#write(bytes);
    else this.#blockLength += bytes.copy(this.#block, this.#blockLength);
    return this.#starts.length - 1;
  }

  bytes(number: number): Buffer {
    const start = this.#starts[number]!;
    const length = this.#lengths[number]!;
    const bytes = Buffer.allocUnsafe(length);
    if (start >= this.#written) this.#block.copy(bytes, 0, start - this.#written, start - this.#written + length);
    else {
      let read = 0;
      while (read < length) {
        const now = readSync(this.#file, bytes, read, length - read, start + read);
        if (now === 0) throw new Error('A spooled text is not whole.');
        read += now;
      }
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#file);
  }

  #flush(): void {
    this.#write(this.#block.subarray(0, this.#blockLength));
    this.#blockLength = 0;
  }

  #write(bytes: Buffer): void {
    let at = 0;
    onDisk(this.#directory, () => {
      while (at < bytes.length) at += writeSync(this.#file, bytes, at, bytes.length - at, this.#written + at);
    });
    this.#written += bytes.length;
  }
}

/** Does what needs room on the disk. */
function onDisk<T>(directory: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    const text = `The disk of this hub's folder ${basename(directory)}, in which large bundles are kept while they are worked on, is full; an administrator has to free some space.`;
    throw new RecordError(507, 'no-store', text).with('retry-after', '300');
  }
}
