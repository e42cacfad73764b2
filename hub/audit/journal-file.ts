/**
 * A file of the journal (docs/audit.md, "The journal"): a head, then frames, each on disk before the next is begun, and
 * zeros up to its end. All of it is there from the beginning, so that writing a frame moves nothing but its bytes. A frame is
 * sealed (AES-256-GCM) under a key of the file, together with its kind and number: none can be read, changed, moved, doubled
 * or left out unseen, save the last ones.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Holder, thisProcess } from '../database/index.ts';
import { type MasterKey, newDataKey, unwrapDataKey, wrapDataKey } from '../secrets/index.ts';
import { writtenApart } from './disk-writer.ts';

/** What a frame holds: sealed events as they go into the table, or accesses in plain whose subjects' keys were out of reach. */
export type FrameKind = 'events' | 'entries';

export interface Frame {
  number: number;
  kind: FrameKind;
  payload: Buffer;
}

/** The process that writes a file, and where it runs: numbers of processes mean something only there. */
export interface Owner extends Holder {
  where: string;
}

/** A file as it was found. */
export interface FoundJournal {
  id: string;
  owner: Owner;
  frames: Frame[];
  /** The numbers of frames that do not open although there are frames after them. */
  damaged: number[];
  /** Whether its end is missing. */
  isCut: boolean;
}

interface Head {
  journal: 1;
  id: string;
  owner: Owner;
  bytes: number;
  /** Wrapped by the master key; base64url. */
  key: string;
}

const headBytes = 4_096;
const magic = Buffer.from('CWJ1');
const frameHeadBytes = magic.length + 1 + 4 + 4;
const tagBytes = 16;
const nonceBytes = 12;
const kinds: readonly FrameKind[] = ['events', 'entries'];

const openHere = new Set<string>();

/** Whether a journal is being written by this process. */
export function isOpenHere(id: string): boolean {
  return openHere.has(id);
}

/** @throws where the disk does not take it; then nothing is left of it */
export async function makeJournalFile(folder: string, master: MasterKey, bytes: number): Promise<JournalFile> {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const id = randomUUID();
  const key = newDataKey();
  const head: Head = {
    journal: 1,
    id,
    owner: ownOwner(),
    bytes,
    key: wrapDataKey(master, key, contextOf(id)).toString('base64url'),
  };
  const path = join(folder, `${id}.journal`);
  const unfinished = `${path}.new`;
  const all = Buffer.alloc(bytes);
  all.write(`${JSON.stringify(head)}\n`);
  openHere.add(id);
  try {
    await fs.promises.writeFile(unfinished, all, { flag: 'wx', mode: 0o600, flush: true });
    // Whoever looks for journals finds it whole, or not at all.
    await fs.promises.rename(unfinished, path);
    syncFolder(folder);
    return new JournalFile({ id, path, descriptor: await opened(path, throughToDisk), key, bytes });
  } catch (error) {
    for (const one of [unfinished, path]) fs.rmSync(one, { force: true });
    openHere.delete(id);
    throw error;
  }
}

/** A write ends when what it wrote is on disk (open(2), O_DSYNC). */
const throughToDisk = fs.constants.O_WRONLY | fs.constants.O_DSYNC;

/** Takes away what hubs left that ended while they made a file: nothing is in it. */
export function removeUnfinished(folder: string): void {
  if (!fs.existsSync(folder)) return;
  for (const name of fs.readdirSync(folder)) {
    if (!unfinishedName.test(name) || isOpenHere(name.slice(0, 36))) continue;
    const path = join(folder, name);
    if (isOlderThan(path, unfinishedMs)) fs.rmSync(path, { force: true });
  }
}

/** Whether nothing was written to a file for so long; false where it is gone. */
export function isOlderThan(path: string, ms: number): boolean {
  const mtimeMs = fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return mtimeMs !== undefined && mtimeMs < Date.now() - ms;
}

const unfinishedName = /^[0-9a-f-]{36}\.journal\.new$/;
const unfinishedMs = 600_000;

export class JournalFile {
  readonly id: string;
  readonly path: string;
  readonly #descriptor: number;
  readonly #key: KeyObject;
  readonly #bytes: number;
  #at = headBytes;
  #last = 0;
  #isClosed = false;

  /** @param file an empty one, open for writing through to the disk */
  constructor(file: { id: string; path: string; descriptor: number; key: Buffer; bytes: number }) {
    this.id = file.id;
    this.path = file.path;
    this.#descriptor = file.descriptor;
    this.#key = createSecretKey(file.key);
    this.#bytes = file.bytes;
  }

  /** How many bytes of frames there may be yet. */
  get room(): number {
    return this.#bytes - this.#at - frameHeadBytes - tagBytes;
  }

  /** The number of the frame that was begun last. */
  get last(): number {
    return this.#last;
  }

  /**
   * Writes a frame; resolves once it is on disk. One is written at a time. @throws where the disk does not take it: nothing
   * more may be written to this file then, since a number and its place are used once
   */
  async append(kind: FrameKind, payload: Buffer): Promise<void> {
    if (payload.length > this.room) throw new RangeError('The file of the journal has no room for this.');
    const frame = sealedFrame(this.#key, kind, ++this.#last, payload);
    const at = this.#at;
    this.#at += frame.length;
    await writtenApart(this.#descriptor, frame, at);
  }

  /** What was appended is on disk: that closing fails changes nothing. */
  close(): void {
    if (!this.#isClosed) fs.close(this.#descriptor, () => {});
    this.#isClosed = true;
    openHere.delete(this.id);
  }
}

/** @returns undefined where the file is no journal, or the master key does not open it */
export function readJournalFile(path: string, master: MasterKey): FoundJournal | undefined {
  const all = fs.readFileSync(path);
  let head: Head;
  let key: KeyObject;
  try {
    head = JSON.parse(all.subarray(0, all.indexOf('\n')).toString()) as Head;
    key = createSecretKey(unwrapDataKey(master, Buffer.from(head.key, 'base64url'), contextOf(head.id)));
  } catch {
    return undefined;
  }
  const frames: Frame[] = [];
  const damaged: number[] = [];
  for (let at = headBytes; ; ) {
    const next = frames.length + damaged.length + 1;
    const found: Placed | undefined = frameAt(all, at, key, next) ?? frameAfter(all, at, key, next);
    if (!found) break;
    for (let missing = next; missing < found.frame.number; missing++) damaged.push(missing);
    frames.push(found.frame);
    at = found.end;
  }
  return { id: head.id, owner: head.owner, frames, damaged, isCut: all.length < head.bytes };
}

/** Where this process runs, and which it is. */
export function ownOwner(): Owner {
  const read = (what: () => string) => {
    try {
      return what().trim();
    } catch {
      return '';
    }
  };
  const boot = read(() => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const processes = read(() => fs.readlinkSync('/proc/self/ns/pid'));
  return { ...thisProcess(), where: `${hostname()} ${boot} ${processes}` };
}

export function syncFolder(folder: string): void {
  const descriptor = fs.openSync(folder, 'r');
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
}

function contextOf(id: string): string {
  return `access-journal/${id}`;
}

/** A frame with memory of its own. */
function sealedFrame(key: KeyObject, kind: FrameKind, number: number, payload: Buffer): Buffer<ArrayBuffer> {
  const frame = Buffer.allocUnsafeSlow(frameHeadBytes + payload.length + tagBytes);
  const head = headOf(kind, number, payload.length);
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number)).setAAD(head);
  let at = head.copy(frame);
  at += cipher.update(payload).copy(frame, at);
  cipher.final();
  cipher.getAuthTag().copy(frame, at);
  return frame;
}

function headOf(kind: FrameKind, number: number, length: number): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  let at = magic.copy(head);
  at = head.writeUInt8(kinds.indexOf(kind), at);
  at = head.writeUInt32BE(number, at);
  head.writeUInt32BE(length, at);
  return head;
}

/** A number is used once under its key. */
function nonceOf(number: number): Buffer {
  const nonce = Buffer.alloc(nonceBytes);
  nonce.writeUInt32BE(number, nonceBytes - 4);
  return nonce;
}

interface Placed {
  frame: Frame;
  end: number;
}

/** The frame that begins at a place; undefined where none does that opens and has this number at least. */
function frameAt(all: Buffer, at: number, key: KeyObject, least: number): Placed | undefined {
  if (at + frameHeadBytes > all.length || !all.subarray(at, at + magic.length).equals(magic)) return undefined;
  const head = all.subarray(at, at + frameHeadBytes);
  const kind = kinds[head.readUInt8(magic.length)];
  const number = head.readUInt32BE(magic.length + 1);
  const sealedAt = at + frameHeadBytes;
  const tagAt = sealedAt + head.readUInt32BE(magic.length + 5);
  if (kind === undefined || number < least || tagAt + tagBytes > all.length) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number), { authTagLength: tagBytes });
    decipher.setAAD(head).setAuthTag(all.subarray(tagAt, tagAt + tagBytes));
    const payload = Buffer.concat([decipher.update(all.subarray(sealedAt, tagAt)), decipher.final()]);
    return { frame: { number, kind, payload }, end: tagAt + tagBytes };
  } catch {
    return undefined;
  }
}

/** The first frame after a place where none opens. */
function frameAfter(all: Buffer, from: number, key: KeyObject, least: number): Placed | undefined {
  for (let at = all.indexOf(magic, from + 1); at >= 0; at = all.indexOf(magic, at + 1)) {
    const found = frameAt(all, at, key, least);
    if (found) return found;
  }
  return undefined;
}

function opened(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, (error, descriptor) => (error ? reject(error) : resolve(descriptor)));
  });
}
