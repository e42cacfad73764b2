/**
 * The journal of a hub (docs/audit.md, "The journal"): accesses are written to the hub's own disk first, which takes less than
 * a commit, and are brought into the table many at a time, moments later. `isOpen` says whether accesses may be written here
 * alone; what an emergency opens may be also while it is not.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry, SealedEvent } from './event.ts';
import { type FrameKind, type JournalFile, makeJournalFile, syncFolder } from './journal-file.ts';
import { type BroughtIn, bringInFound, broughtInEntry, type FoundParts, noteLost, takenOf } from './journal-found.ts';
import { journalInsertion, type Piece, payloadOf, piecesOf } from './journal-rows.ts';

export interface JournalParts extends FoundParts {
  /** Whether all accesses are written here first; else only what an emergency opens while the table cannot be written. */
  isFirst: boolean;
  /** Told what was brought in late, or is missing. */
  told(brought: BroughtIn): void;
  /** Told why what waits could not be brought in; it is tried again. */
  fault(error: unknown): void;
}

export interface JournalTiming {
  /** What was written is in the table so soon. */
  bringInMs: number;
  /** After a failure it is tried again so much later. */
  againMs: number;
  /** What others left is looked for so often. */
  lookMs: number;
  /** It tells the others so often that it is there. */
  heartbeatMs: number;
  fileBytes: number;
}

const usual: JournalTiming = {
  bringInMs: 200,
  againMs: 1_000,
  lookMs: 5_000,
  heartbeatMs: 10_000,
  fileBytes: 4 * 1024 * 1024,
};
/** So many events at most are brought in by one statement; more that wait are brought in at once. */
const eventsAtOnce = 1_000;
/** While so much waits nothing more is written here alone. */
const mostWaitingBytes = 16 * 1024 * 1024;
const mostPayload = 256 * 1024;
/** When it could tell nobody for so long, others may soon take it for gone: nothing is written here alone. */
const leaseMs = 30_000;

/** A frame that is on disk, or may be, and not in the table yet. */
interface Waiting {
  file: JournalFile;
  number: number;
  bytes: number;
  pieces: readonly Piece[];
  /** Accesses whose subjects' keys were out of reach. */
  entries: readonly Entry[];
}

export class Journal {
  readonly #parts: JournalParts;
  readonly #timing: JournalTiming;
  #file: JournalFile | undefined;
  /** The file that follows, ready to be written; or on its way. */
  #next: Promise<JournalFile> | undefined;
  /** Files that nothing more is written to. */
  #full = new Set<JournalFile>();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #waitingEvents = 0;
  #folderId: string | undefined;
  /** The last attempt to bring in what waits failed. */
  #isBehind = false;
  #hasLooked = false;
  #heardAt = 0;
  #writing: Promise<unknown> = Promise.resolve();
  #writes = 0;
  #turn: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;
  #soon: NodeJS.Timeout | undefined;
  #timers: NodeJS.Timeout[] = [];
  #isClosed = false;

  constructor(parts: JournalParts, timing: Partial<JournalTiming> = {}) {
    this.#parts = parts;
    this.#timing = { ...usual, ...timing };
  }

  /** Brings in what was left by earlier runs, and begins. What fails is tried again. */
  async open(): Promise<void> {
    await this.#look();
    this.#timers = [
      setInterval(() => void this.#look(), this.#timing.lookMs).unref(),
      setInterval(() => void this.#beat(), this.#timing.heartbeatMs).unref(),
    ];
  }

  /** Whether accesses may be written here alone. */
  get isOpen(): boolean {
    return (
      this.#parts.isFirst &&
      this.#file !== undefined &&
      !this.#isBehind &&
      !this.#isClosed &&
      this.#waitingBytes < mostWaitingBytes &&
      Date.now() - this.#heardAt < leaseMs
    );
  }

  /** Resolves once events are on disk. @throws where neither the disk nor the database takes them */
  async append(events: readonly SealedEvent[]): Promise<void> {
    for (const pieces of framesOf(piecesOf(events))) {
      await this.#write('events', payloadOf(pieces), { pieces, entries: [] });
    }
  }

  /** The same for accesses whose subjects' keys are out of reach: sealed under the key of the file alone until they are in the table. */
  async appendEntries(entries: readonly Entry[]): Promise<void> {
    await this.#write('entries', Buffer.from(JSON.stringify(entries)), { pieces: [], entries });
  }

  /** Resolves once all that was written before is in the table. @throws where that cannot be written */
  settle(): Promise<void> {
    if (this.#waiting.length === 0 && this.#full.size === 0) return this.#turn;
    // A turn that has not begun takes along what came meanwhile.
    if (!this.#queued) {
      this.#queued = this.#turn.then(() => {
        this.#queued = undefined;
        return this.#bringIn();
      });
      this.#turn = this.#queued.catch(() => {});
    }
    return this.#queued;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#writing.catch(() => {});
    const next = await this.#next?.catch(() => undefined);
    for (const file of [this.#file, next]) if (file) this.#full.add(file);
    this.#file = undefined;
    // What cannot be brought in is brought in by the hub that is started next.
    await this.settle().catch(() => {});
    clearTimeout(this.#soon);
    for (const file of this.#full) file.close();
  }

  #write(kind: FrameKind, payload: Buffer, what: Pick<Waiting, 'pieces' | 'entries'>): Promise<void> {
    this.#writes++;
    const done = this.#writing
      .then(() => this.#writeNow(kind, payload, what))
      .finally(() => {
        this.#writes--;
      });
    this.#writing = done.catch(() => {});
    return done;
  }

  async #writeNow(kind: FrameKind, payload: Buffer, what: Pick<Waiting, 'pieces' | 'entries'>): Promise<void> {
    const file = await this.#fileFor(payload.length);
    let failure: unknown;
    try {
      await file.append(kind, payload);
    } catch (error) {
      failure = error;
    }
    this.#waiting.push({ file, number: file.last, bytes: payload.length, ...what });
    this.#waitingBytes += payload.length;
    this.#waitingEvents += countOf(what);
    if (failure === undefined) return this.#arm();
    // Whether it is on disk cannot be known: it is brought in under its number, so that it cannot be twice.
    this.#leave(file);
    await this.settle();
  }

  /** A file with room for so much. @throws where there is none, and none can be made */
  async #fileFor(bytes: number): Promise<JournalFile> {
    if (this.#file && this.#file.room < bytes) this.#leave(this.#file);
    if (!this.#file) {
      const made = () => makeJournalFile(this.#parts.folder, this.#parts.master, this.#timing.fileBytes);
      // The prepared one needs the database; what an emergency opens needs the disk alone.
      const next = this.#next?.catch(made) ?? made();
      this.#next = undefined;
      this.#take(await next);
    }
    const file = this.#file!;
    if (this.#parts.isFirst && !this.#next && file.room < this.#timing.fileBytes / 2) this.#prepare();
    return file;
  }

  /** Where two were made at one moment, by who writes and who looks, one is enough. */
  #take(file: JournalFile): void {
    if (file === this.#file) return;
    if (this.#file) this.#full.add(file);
    else this.#file = file;
  }

  #prepare(): void {
    this.#next = this.#made();
    this.#next.catch(() => {});
  }

  /** A file that the database knows of, so that it is missed where it is lost. */
  async #made(): Promise<JournalFile> {
    const { folder, master, database } = this.#parts;
    const file = await makeJournalFile(folder, master, this.#timing.fileBytes);
    try {
      await database.query('INSERT INTO access_journal (id, folder) VALUES ($1, $2)', [file.id, this.#folder()]);
      this.#heardAt = Date.now();
      return file;
    } catch (error) {
      file.close();
      rmSync(file.path, { force: true });
      throw error;
    }
  }

  #leave(file: JournalFile): void {
    if (this.#file !== file) return;
    this.#full.add(file);
    this.#file = undefined;
    this.#arm();
  }

  #arm(): void {
    if (this.#isBehind) return;
    if (this.#waitingEvents >= eventsAtOnce) void this.settle().catch(() => {});
    this.#soon ??= this.#inTime(this.#timing.bringInMs);
  }

  #inTime(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#soon = undefined;
      void this.settle().catch(() => {});
    }, ms).unref();
  }

  async #bringIn(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#bringInSome();
      // Where it is not the first place, it is there no longer than it is needed.
      if (!this.#parts.isFirst && this.#file && this.#writes === 0) this.#leave(this.#file);
      for (const file of [...this.#full]) await this.#finish(file);
      this.#isBehind = false;
    } catch (error) {
      if (!this.#isBehind) this.#parts.fault(error);
      this.#isBehind = true;
      if (!this.#isClosed) this.#soon ??= this.#inTime(this.#timing.againMs);
      throw error;
    }
  }

  async #bringInSome(): Promise<void> {
    const { database, audit } = this.#parts;
    const { file } = this.#waiting[0]!;
    const frames: Waiting[] = [];
    for (let i = 0, count = 0; i < this.#waiting.length && count < eventsAtOnce; i++) {
      if (this.#waiting[i]!.file !== file) break;
      frames.push(this.#waiting[i]!);
      count += countOf(frames.at(-1)!);
    }
    const pieces: Piece[] = [];
    for (const frame of frames) {
      pieces.push(...frame.pieces);
      if (frame.entries.length > 0) pieces.push(...piecesOf(await audit.sealed(frame.entries)));
    }
    const isLate = this.#isBehind || frames.some(({ entries }) => entries.length > 0);
    const late = { entries: pieces.reduce((sum, { count }) => sum + count, 0), damaged: 0, lost: 0 };
    if (isLate) pieces.push(...piecesOf(await audit.sealed([broughtInEntry(file.id, late)])));
    const [after, to] = [frames[0]!.number - 1, frames.at(-1)!.number];
    const journal = { id: file.id, folder: this.#parts.isFirst ? this.#folder() : undefined };
    const { rows } = await database.query<{ done: boolean }>(journalInsertion(journal, { after, to }, pieces));
    this.#heardAt = Date.now();
    if (rows[0]!.done) {
      this.#drop(frames);
      if (isLate) this.#parts.told(late);
      return;
    }
    // An attempt whose end was not seen has done it, with all or some of these.
    const taken = await takenOf(database, file.id);
    const done = frames.filter(({ number }) => number <= taken);
    if (done.length === 0) throw new Error('A journal of accesses is in the database otherwise than it was written.');
    this.#drop(done);
  }

  #drop(frames: readonly Waiting[]): void {
    this.#waiting.splice(0, frames.length);
    for (const frame of frames) {
      this.#waitingBytes -= frame.bytes;
      this.#waitingEvents -= countOf(frame);
    }
  }

  /** A file all of whose frames are in the table goes. */
  async #finish(file: JournalFile): Promise<void> {
    if (this.#waiting.some((frame) => frame.file === file)) return;
    await this.#parts.database.query('UPDATE access_journal SET ended = clock_timestamp() WHERE id = $1', [file.id]);
    file.close();
    rmSync(file.path, { force: true });
    this.#full.delete(file);
  }

  /** Looks for what others left, and for a file of one's own where there is none. */
  async #look(): Promise<void> {
    if (this.#isClosed) return;
    const look = this.#turn.then(async () => {
      const isFirst = this.#parts.isFirst;
      const brought = await bringInFound(this.#parts);
      if (isFirst && !this.#hasLooked) brought.lost = await noteLost(this.#parts, this.#folder());
      this.#hasLooked = true;
      if (brought.entries + brought.damaged + brought.lost > 0) this.#parts.told(brought);
      if (isFirst && !this.#file && !this.#isClosed) await this.#begin();
    });
    this.#turn = look.catch(() => {});
    await this.#turn;
  }

  async #begin(): Promise<void> {
    if (!this.#next) this.#prepare();
    const next = this.#next!;
    try {
      const file = await next;
      if (this.#next === next) {
        this.#take(file);
        this.#next = undefined;
      }
    } catch (error) {
      if (this.#next === next) this.#next = undefined;
      throw error;
    }
  }

  /** Tells that this hub is there; a file that another one took for left is left. */
  async #beat(): Promise<void> {
    const file = this.#file;
    if (!file) return;
    const beaten = await this.#parts.database
      .query(
        `INSERT INTO access_journal AS j (id, folder) VALUES ($1, $2)
         ON CONFLICT (id) DO UPDATE SET seen = clock_timestamp() WHERE j.ended IS NULL RETURNING id`,
        [file.id, this.#parts.isFirst ? this.#folder() : null],
      )
      .catch(() => undefined);
    if (!beaten) return;
    this.#heardAt = Date.now();
    if (beaten.rowCount === 0) this.#writing = this.#writing.then(() => this.#leave(file));
  }

  /** The name of the folder, which the database knows its journals by. */
  #folder(): string {
    if (this.#folderId !== undefined) return this.#folderId;
    const { folder } = this.#parts;
    const path = join(folder, 'folder');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(path)) {
      writeFileSync(path, randomUUID(), { mode: 0o600, flag: 'wx', flush: true });
      syncFolder(folder);
    }
    this.#folderId = readFileSync(path, 'utf8');
    return this.#folderId;
  }
}

function countOf({ pieces, entries }: Pick<Waiting, 'pieces' | 'entries'>): number {
  return pieces.reduce((sum, { count }) => sum + count, entries.length);
}

/** Pieces that go into one frame each. */
function framesOf(pieces: readonly Piece[]): Piece[][] {
  const frames: Piece[][] = [];
  let bytes = mostPayload;
  for (const piece of pieces) {
    const size = piece.leaves.length + piece.beside.length;
    if (bytes + size > mostPayload) {
      frames.push([]);
      bytes = 0;
    }
    bytes += size;
    frames.at(-1)!.push(piece);
  }
  return frames;
}
