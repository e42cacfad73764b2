/** Journals that other hubs left, this one's earlier runs among them, are brought into the table: each frame once. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Database, isAlive, type Queryable } from '../database/index.ts';
import { type MasterKey, unwrapDataKey } from '../secrets/index.ts';
import type { AuditLog } from './audit-log.ts';
import type { Entry, SealedEvent } from './event.ts';
import {
  type FoundJournal,
  type Frame,
  isOlderThan,
  isOpenHere,
  type Owner,
  ownOwner,
  readJournalFile,
  removeUnfinished,
} from './journal-file.ts';
import { eventsOfPayload, journalInsertion, piecesOf } from './journal-rows.ts';
import { opened } from './open.ts';
import type { SubjectKeys } from './subject-keys.ts';

/** What became of journals that were found. */
export interface BroughtIn {
  entries: number;
  /** Frames that do not open, or whose events belong to another database; they stay in a file whose name ends in `.damaged`. */
  damaged: number;
  /** Journals of this folder whose files are gone. */
  lost: number;
}

export interface FoundParts {
  database: Database;
  audit: AuditLog;
  master: MasterKey;
  /** Where journals lie; and where hubs before wrote what an emergency opened while the record was out of reach. */
  folder: string;
  folderBefore: string;
  /** Whether no other hub can use the folder, so that all that lies there was left. */
  isAlone: boolean;
}

/** Where the journals of a data directory lie. */
export function journalFolders(dataDir: string): Pick<FoundParts, 'folder' | 'folderBefore'> {
  return { folder: join(dataDir, 'access-journal'), folderBefore: join(dataDir, 'access-log-beside') };
}

/** A hub that was not heard of for so long, and cannot be looked up, is gone. */
const goneMs = 60_000;
const framesAtOnce = 50;
const journalName = /^[0-9a-f-]{36}\.journal$/;
const nameBefore = /^(\d+)-([0-9a-f-]{36})\.sealed$/;

/** Brings in what nobody writes any more. @throws where the record cannot be written */
export async function bringInFound(parts: FoundParts): Promise<BroughtIn> {
  const total: BroughtIn = { entries: 0, damaged: 0, lost: 0 };
  removeUnfinished(parts.folder);
  for (const name of namesIn(parts.folder, journalName)) {
    if (isOpenHere(name.slice(0, 36))) continue;
    const path = join(parts.folder, name);
    const found = unlessGone(() => readJournalFile(path, parts.master));
    // All of it was brought in meanwhile.
    if (found === 'gone') continue;
    if (!found) {
      total.damaged++;
      renameSync(path, `${path}.damaged`);
    } else if (parts.isAlone || (await isGone(parts.database, found, path))) {
      add(total, await bringInOne(parts, found, path));
    }
  }
  for (const name of namesIn(parts.folderBefore, nameBefore)) {
    const path = join(parts.folderBefore, name);
    const found = readFileBefore(path, name, parts.master);
    if (found) add(total, await bringInOne(parts, found, path));
  }
  return total;
}

/**
 * Waits until all that hubs wrote into a folder by now is in the table, and brings in what nobody else does. Returns how many
 * frames still wait when that takes too long.
 */
export async function settleJournals(parts: FoundParts, patienceMs: number): Promise<number> {
  const until = performance.now() + patienceMs;
  for (;;) {
    await bringInFound(parts);
    const waiting = await framesWaiting(parts);
    if (waiting === 0 || performance.now() > until) return waiting;
    await delay(100);
  }
}

/** How many frames of a folder are not in the table. */
async function framesWaiting({ database, master, folder }: FoundParts): Promise<number> {
  let waiting = 0;
  for (const name of namesIn(folder, journalName)) {
    const found = unlessGone(() => readJournalFile(join(folder, name), master));
    if (found === 'gone' || !found) continue;
    const taken = await takenOf(database, found.id);
    waiting += found.frames.filter(({ number }) => number > taken).length;
  }
  return waiting;
}

function unlessGone<T>(read: () => T): T | 'gone' {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
    throw error;
  }
}

/** Up to which frame a journal is in the table; 0 where nothing of it is. */
export async function takenOf(database: Queryable, id: string): Promise<number> {
  const { rows } = await database.query<{ taken: number }>('SELECT taken FROM access_journal WHERE id = $1', [id]);
  return rows[0]?.taken ?? 0;
}

/** What the log says of a journal that was brought in after a time in which it could not be. */
export function broughtInEntry(id: string, { entries, damaged }: Pick<BroughtIn, 'entries' | 'damaged'>): Entry {
  return { ...ofHub('bring-in', id, 200), entries, damaged };
}

/** Events as they were sealed, of which other keys do not open any: those of this database, and those sealed for ever. */
export async function ownEvents(
  database: Queryable,
  keys: SubjectKeys,
  events: readonly SealedEvent[],
): Promise<SealedEvent[]> {
  const numbers = [...new Set(events.flatMap(({ subjects }) => subjects))];
  const { rows } = await database.query<{ number: number }>(
    'SELECT number FROM audit_subject WHERE number = ANY ($1::bigint[])',
    [numbers],
  );
  const known = new Set(rows.map(({ number }) => number));
  const ring = await keys.byNumber(numbers);
  return events.filter((event) => {
    if (!event.subjects.every((number) => known.has(number))) return false;
    try {
      opened(JSON.parse(event.line), event, ring);
      return true;
    } catch {
      return false;
    }
  });
}

async function bringInOne(
  { database, audit }: FoundParts,
  { id, frames, damaged, isCut }: FoundJournal,
  path: string,
): Promise<BroughtIn> {
  let after = await takenOf(database, id);
  const waiting = frames.filter(({ number }) => number > after);
  const total: BroughtIn = { entries: 0, damaged: damaged.filter((number) => number > after).length, lost: 0 };
  if (isCut) total.damaged++;
  while (waiting.length > 0) {
    const some = waiting.splice(0, framesAtOnce);
    const { events, foreign } = await eventsIn(audit, some);
    total.entries += events.length;
    total.damaged += foreign;
    if (waiting.length === 0) events.push(...(await audit.sealed([broughtInEntry(id, total)])));
    const to = some.at(-1)!.number;
    const { rows } = await database.query(journalInsertion({ id, folder: undefined }, { after, to }, piecesOf(events)));
    // Another hub does it.
    if (!rows[0]!.done) return { entries: 0, damaged: 0, lost: 0 };
    after = to;
  }
  if (total.entries === 0 && total.damaged > 0)
    await database.query(await audit.insertion([broughtInEntry(id, total)]));
  await database.query('UPDATE access_journal SET ended = clock_timestamp() WHERE id = $1 AND ended IS NULL', [id]);
  if (total.damaged > 0) renameSync(path, `${path}.damaged`);
  else rmSync(path, { force: true });
  return total;
}

/** The events of frames, and how many of these have some that belong to another database. */
async function eventsIn(
  audit: AuditLog,
  frames: readonly Frame[],
): Promise<{ events: SealedEvent[]; foreign: number }> {
  const events: SealedEvent[] = [];
  let foreign = 0;
  for (const { kind, payload } of frames) {
    if (kind === 'entries') events.push(...(await audit.sealed(JSON.parse(payload.toString()))));
    else {
      const all = eventsOfPayload(payload);
      const own = await audit.ownOf(all);
      if (own.length < all.length) foreign++;
      events.push(...own);
    }
  }
  return { events, foreign };
}

/** Journals of a folder whose files are gone are told of as events, each once. Returns how many. */
export async function noteLost({ database, audit, folder }: FoundParts, folderId: string): Promise<number> {
  const { rows } = await database.query<{ id: string }>(
    'SELECT id FROM access_journal WHERE folder = $1 AND ended IS NULL',
    [folderId],
  );
  let lost = 0;
  for (const { id } of rows) {
    if (isOpenHere(id) || existsSync(join(folder, `${id}.journal`))) continue;
    await database.transaction(async (transaction) => {
      const { rowCount } = await transaction.query(
        'UPDATE access_journal SET ended = clock_timestamp() WHERE id = $1 AND ended IS NULL',
        [id],
      );
      if (rowCount !== 1) return;
      transaction.send(await audit.insertion([ofHub('lose-journal', id, 500)]));
      lost++;
    });
  }
  return lost;
}

/** Whether nobody writes a journal any more. */
async function isGone(database: Queryable, { id, owner }: FoundJournal, path: string): Promise<boolean> {
  const here = ownOwner();
  // It would be open here.
  if (owner.where === here.where) return owner.pid === here.pid || !isAlive(owner);
  const { rows } = await database.query<{ gone: boolean }>(
    `SELECT seen < clock_timestamp() - $2 * interval '1 millisecond' AS gone FROM access_journal WHERE id = $1`,
    [id, goneMs],
  );
  // The database does not know of one that is new, nor of one that was begun while it was out of reach.
  return rows[0]?.gone ?? isOlderThan(path, goneMs);
}

/** A file of a hub before: a line for each access, sealed under the master key; undefined while that hub lives. */
function readFileBefore(path: string, name: string, master: MasterKey): FoundJournal | undefined {
  const [, pid, id] = nameBefore.exec(name)!;
  const owner: Owner = { pid: Number(pid), began: undefined, where: '' };
  if (owner.pid !== process.pid && isRunning(owner.pid)) return undefined;
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const entries = lines.map((line, i) => {
    try {
      const context = `access-log-beside/${id}/${i}`;
      return JSON.parse(unwrapDataKey(master, Buffer.from(line, 'base64url'), context).toString()) as Entry;
    } catch {
      return undefined;
    }
  });
  const whole = entries.filter((entry) => entry !== undefined);
  const frames = [{ number: 1, kind: 'entries' as const, payload: Buffer.from(JSON.stringify(whole)) }];
  const damaged = lines.flatMap((_, i) => (entries[i] === undefined ? [i + 2] : []));
  return { id: id!, owner, frames, damaged, isCut: false };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function ofHub(action: string, id: string, status: number): Entry {
  const own = { who: 'hub', role: 'system', organization: 'hub' };
  return { at: new Date().toISOString(), ...own, action, what: `access-journal/${id}`, status };
}

function namesIn(folder: string, pattern: RegExp): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => pattern.test(name)) : [];
}

function add(total: BroughtIn, more: BroughtIn): void {
  total.entries += more.entries;
  total.damaged += more.damaged;
  total.lost += more.lost;
}
