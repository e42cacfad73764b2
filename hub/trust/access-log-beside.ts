/**
 * Where accesses in an emergency are written while the record of accesses cannot be (docs/access.md, 5): files beside the
 * data, append-only, each line sealed under the master key together with its file and number, so that none can be read,
 * moved or left out unseen. They are brought into the record of accesses later, each file once.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { AuditLog, Entry } from '../audit/index.ts';
import type { Database } from '../database/index.ts';
import { type MasterKey, unwrapDataKey, wrapDataKey } from '../secrets/index.ts';

const entriesInRow = 500;
const pattern = /^(\d+)-([0-9a-f-]{36})\.sealed$/;

/** What became of the files. */
export interface BroughtIn {
  entries: number;
  /** Lines that did not open; they stay in their file, whose name then ends in `.damaged`. */
  damaged: number;
}

export class BesideLog {
  readonly #directory: string;
  readonly #master: MasterKey;
  #current: { id: string; name: string; descriptor: number; lines: number } | undefined;

  /** @param directory made when it is needed */
  constructor(directory: string, master: MasterKey) {
    this.#directory = directory;
    this.#master = master;
  }

  /** Writes lines; they are on disk when it returns. @throws where the disk does not take them */
  append(lines: readonly string[]): void {
    this.#current ??= this.#begin();
    const { id, descriptor } = this.#current;
    const sealed = lines.map((line, i) =>
      wrapDataKey(this.#master, Buffer.from(line), contextOf(id, this.#current!.lines + i)).toString('base64url'),
    );
    const bytes = Buffer.from(sealed.map((line) => `${line}\n`).join(''));
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
      fsyncSync(descriptor);
      this.#current.lines += lines.length;
    } catch (error) {
      // What stands there now may end in half a line: nothing is written after it.
      this.#end();
      throw error;
    }
  }

  /** Brings what was written beside into the record of accesses. @throws where that still cannot be written */
  async bringIn(database: Database, audit: AuditLog): Promise<BroughtIn> {
    const total = { entries: 0, damaged: 0 };
    if (!existsSync(this.#directory)) return total;
    const files = readdirSync(this.#directory).filter((name) => this.#isOurs(name));
    if (files.length === 0) return total;
    // Tried first, so that while it fails all goes on into one file.
    await database.query(
      'INSERT INTO access_log (count, leaves, sealed) SELECT * FROM (VALUES (1, $1, $2::bytea)) v WHERE false',
      ['', ''],
    );
    this.#end();
    for (const name of files) {
      const { entries, damaged } = await this.#bringInFile(database, audit, name);
      total.entries += entries;
      total.damaged += damaged;
    }
    return total;
  }

  /** How many files wait. */
  get waiting(): number {
    return existsSync(this.#directory) ? readdirSync(this.#directory).filter((name) => pattern.test(name)).length : 0;
  }

  close(): void {
    this.#end();
  }

  async #bringInFile(database: Database, audit: AuditLog, name: string): Promise<BroughtIn> {
    const id = pattern.exec(name)![2]!;
    const path = join(this.#directory, name);
    // The last piece is empty, or a line that was never whole: its answer did not leave.
    const sealed = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    const lines = sealed.map((line, i) => this.#opened(line, contextOf(id, i)));
    const whole = lines.filter((line) => line !== undefined);
    const damaged = lines.length - whole.length;
    await database.transaction(async (transaction) => {
      const { rowCount } = await transaction.query(
        'INSERT INTO access_log_beside (file, entries, damaged) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
        [id, whole.length, damaged],
      );
      if (rowCount === 0) return;
      const own: Entry = {
        at: new Date().toISOString(),
        who: 'hub',
        role: 'system',
        organization: 'hub',
        action: 'bring-in',
        what: `access-log-beside/${id}`,
        status: 200,
        entries: whole.length,
        damaged,
      };
      const all = [...whole.map((line) => JSON.parse(line) as Entry), own];
      for (let i = 0; i < all.length; i += entriesInRow) {
        transaction.send(await audit.insertion(all.slice(i, i + entriesInRow)));
      }
    });
    if (damaged > 0) renameSync(path, `${path}.damaged`);
    else rmSync(path);
    return { entries: whole.length, damaged };
  }

  #opened(line: string, context: string): string | undefined {
    try {
      return unwrapDataKey(this.#master, Buffer.from(line, 'base64url'), context).toString();
    } catch {
      return undefined;
    }
  }

  #begin() {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const id = randomUUID();
    const name = `${process.pid}-${id}.sealed`;
    const descriptor = openSync(join(this.#directory, name), 'ax', 0o600);
    const folder = openSync(this.#directory, 'r');
    fsyncSync(folder);
    closeSync(folder);
    return { id, name, descriptor, lines: 0 };
  }

  #end(): void {
    if (this.#current) closeSync(this.#current.descriptor);
    this.#current = undefined;
  }

  /** Of a file that another process is writing to, that process takes care. */
  #isOurs(name: string): boolean {
    const pid = Number(pattern.exec(name)?.[1]);
    return pid === process.pid || (pid > 0 && !isAlive(pid));
  }
}

function contextOf(file: string, line: number): string {
  return `access-log-beside/${file}/${line}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
