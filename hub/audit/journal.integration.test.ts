/** What the journal promises: what it took is in the log once, whatever ends the hub, its database or its disk. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Database } from '../database/index.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey, wrapDataKey } from '../secrets/index.ts';
import { AuditLog } from './audit-log.ts';
import type { Entry } from './event.ts';
import { Journal, type JournalParts, type JournalTiming } from './journal.ts';
import { makeJournalFile, readJournalFile } from './journal-file.ts';
import { bringInFound, noteLost, settleJournals } from './journal-found.ts';
import { payloadOf, piecesOf } from './journal-rows.ts';
import { accessesIn } from './testing.ts';

const master = fixedMasterKey(Buffer.alloc(32, 7));
const quick: Partial<JournalTiming> = { bringInMs: 20, againMs: 40, lookMs: 100, fileBytes: 32 * 1024 };

let test: TestDatabase;
let audit: AuditLog;
let place: string;
let journals: Journal[];
let told: { entries: number; damaged: number; lost: number };
beforeEach(async () => {
  test = await testDatabase();
  audit = new AuditLog(test.database, master);
  place = mkdtempSync(join(tmpdir(), 'causeway-journal-'));
  journals = [];
  told = { entries: 0, damaged: 0, lost: 0 };
});
afterEach(async () => {
  for (const journal of journals) await journal.close();
  rmSync(place, { recursive: true, force: true });
  await test.drop();
});

function partsOf(more: Partial<JournalParts> = {}): JournalParts {
  return {
    database: test.database,
    audit,
    master,
    folder: join(place, 'access-journal'),
    folderBefore: join(place, 'access-log-beside'),
    isAlone: true,
    isFirst: true,
    told: ({ entries, damaged, lost }) => {
      told.entries += entries;
      told.damaged += damaged;
      told.lost += lost;
    },
    fault: () => {},
    ...more,
  };
}

async function begun(more: Partial<JournalParts> = {}, timing = quick): Promise<Journal> {
  const journal = new Journal(partsOf(more), timing);
  journals.push(journal);
  await journal.open();
  return journal;
}

const entry = (what: string, patient = 'one'): Entry => ({
  at: new Date().toISOString(),
  who: 'ann',
  role: 'clinician',
  organization: 'Clinic',
  action: 'read',
  what,
  status: 200,
  patients: [patient],
});
const append = async (journal: Journal, ...what: string[]) =>
  journal.append(await audit.sealed(what.map((one) => entry(one))));
const recorded = async () => (await accessesIn(test.database, master)).map(({ what }) => what);
const reads = async () => (await recorded()).filter((what) => !what.startsWith('access-journal/'));
const files = (folder = partsOf().folder) => readdirSync(folder).filter((name) => name !== 'folder');
const out = () => test.database.query('ALTER TABLE access_log RENAME TO access_log_gone');
const back = () => test.database.query('ALTER TABLE access_log_gone RENAME TO access_log');

/** What a hub leaves that is killed: a file whose frames nobody brought in. */
async function left(...frames: string[][]): Promise<string> {
  const file = await makeJournalFile(partsOf().folder, master, quick.fileBytes!);
  for (const what of frames)
    await file.append('events', payloadOf(piecesOf(await audit.sealed(what.map((one) => entry(one))))));
  file.close();
  return file.path;
}

describe('a journal of a hub that works', () => {
  it('has events on disk before it says so, and in the log moments later, in their order', async () => {
    const journal = await begun({}, { ...quick, bringInMs: 60_000 });
    for (let i = 0; i < 5; i++) await append(journal, `/Patient/${i}a`, `/Patient/${i}b`);
    const [name] = files();
    const found = readJournalFile(join(partsOf().folder, name!), master)!;
    expect(found.frames).toHaveLength(5);
    expect(await reads()).toEqual([]);
    await journal.settle();
    expect(await reads()).toEqual([0, 1, 2, 3, 4].flatMap((i) => [`/Patient/${i}a`, `/Patient/${i}b`]));
    expect(await audit.verifyDeep()).toEqual({ opened: 10, sealed: 0 });
  });

  it('brings in by itself, and closes with nothing left', async () => {
    const journal = await begun();
    await append(journal, '/Patient/1');
    await vi.waitFor(async () => expect(await reads()).toEqual(['/Patient/1']));
    await append(journal, '/Patient/2');
    await journal.close();
    expect(await reads()).toEqual(['/Patient/1', '/Patient/2']);
    expect(files()).toEqual([]);
    const { rows } = await test.database.query('SELECT FROM access_journal WHERE ended IS NULL');
    expect(rows).toEqual([]);
  });

  it('goes on in another file where one is full, and leaves those behind that are in the log', async () => {
    const journal = await begun();
    const all = Array.from({ length: 160 }, (_, i) => `/Patient/${i}?${'x'.repeat(300)}`);
    for (let i = 0; i < all.length; i += 10) await append(journal, ...all.slice(i, i + 10));
    await journal.settle();
    expect(await reads()).toEqual(all);
    await vi.waitFor(() => expect(files().length).toBeLessThanOrEqual(2));
    await vi.waitFor(() => expect(journal.isOpen).toBe(true));
  });

  it('keeps no file that nobody writes to where one is looked for while one is made', async () => {
    const journal = await begun({}, { ...quick, lookMs: 1, fileBytes: 8 * 1024 });
    for (let i = 0; i < 100; i++) await append(journal, `/Patient/${i}?${randomBytes(2_000).toString('hex')}`);
    await journal.settle();
    await vi.waitFor(() => expect(files().length).toBeLessThanOrEqual(2), 10_000);
  });

  it('takes what an emergency opens where the database cannot be told of the file that follows', async () => {
    const journal = await begun({}, { ...quick, fileBytes: 16 * 1024 });
    await test.database.query('ALTER TABLE access_journal RENAME TO access_journal_gone');
    const all = Array.from({ length: 20 }, (_, i) => `/Patient/${i}?${randomBytes(1_000).toString('hex')}`);
    for (const one of all) await append(journal, one);
    expect(journal.isOpen).toBe(false);
    await test.database.query('ALTER TABLE access_journal_gone RENAME TO access_journal');
    await vi.waitFor(async () => expect(await reads()).toEqual(all), 10_000);
  });

  it('takes more than fits into a frame or a row', async () => {
    const journal = await begun({}, { ...quick, fileBytes: 4 * 1024 * 1024 });
    const many = Array.from({ length: 1_300 }, (_, i) => `/Patient/${i}?${'x'.repeat(300)}`);
    await append(journal, ...many);
    await journal.settle();
    expect(await reads()).toEqual(many);
    const { rows } = await test.database.query('SELECT max(count) AS most, count(*)::int AS rows FROM access_log');
    expect(rows[0]!.most).toBeLessThanOrEqual(50);
    expect(rows[0]!.rows).toBeGreaterThanOrEqual(26);
  });

  it('is not open while what waits cannot be brought in, and is again when it can', async () => {
    const journal = await begun();
    expect(journal.isOpen).toBe(true);
    await out();
    await append(journal, '/Patient/1');
    await vi.waitFor(() => expect(journal.isOpen).toBe(false));
    await append(journal, '/Patient/2');
    await back();
    await vi.waitFor(async () => expect(await reads()).toEqual(['/Patient/1', '/Patient/2']));
    await vi.waitFor(() => expect(journal.isOpen).toBe(true));
    // That these came late is in the log.
    expect((await recorded()).at(-1)).toMatch(/^access-journal\//);
    expect(told.entries).toBe(2);
  });

  it('brings in once what an attempt brought in whose answer was lost', async () => {
    let lost = 0;
    const query: Database['query'] = async (statement, values) => {
      const result = await test.database.query(statement, values);
      const isOne = typeof statement === 'object' && statement.name === 'access_log_of_journal';
      if (isOne && lost++ < 3) throw new Error('The connection was lost.');
      return result as never;
    };
    const journal = await begun({ database: { ...test.database, query } });
    for (let i = 0; i < 6; i++) {
      await append(journal, `/Patient/${i}`);
      await journal.settle().catch(() => {});
    }
    await vi.waitFor(() => journal.settle());
    expect(lost).toBeGreaterThan(3);
    expect(await reads()).toEqual([0, 1, 2, 3, 4, 5].map((i) => `/Patient/${i}`));
  });

  it('goes by the database, once, where its disk fails, and on in another file', async () => {
    const journal = await begun();
    await append(journal, '/Patient/1');
    const descriptor = readdirSync('/proc/self/fd').find((one) => linkOf(one).startsWith(partsOf().folder));
    closeSync(Number(descriptor));
    // The lowest number that is free is given out again.
    expect(openSync('/dev/full', 'r+')).toBe(Number(descriptor));
    await append(journal, '/Patient/2');
    expect(await reads()).toEqual(['/Patient/1', '/Patient/2']);
    await vi.waitFor(() => expect(journal.isOpen).toBe(true));
    await append(journal, '/Patient/3');
    await journal.settle();
    expect(await reads()).toEqual(['/Patient/1', '/Patient/2', '/Patient/3']);
  });

  it('is not open where there is no place for it, and takes nothing then', async () => {
    writeFileSync(join(place, 'file'), '');
    const journal = await begun({ folder: join(place, 'file', 'below') });
    expect(journal.isOpen).toBe(false);
    await expect(append(journal, '/Patient/1')).rejects.toThrow();
    await expect(journal.appendEntries([entry('/Patient/1')])).rejects.toThrow();
    expect(await recorded()).toEqual([]);
  });

  it('writes nothing more into a file that another hub took for left', async () => {
    const journal = await begun({ isAlone: false }, { ...quick, heartbeatMs: 30 });
    await append(journal, '/Patient/1');
    const [taken] = files();
    await test.database.query('UPDATE access_journal SET ended = now() WHERE id = $1', [taken!.slice(0, 36)]);
    await vi.waitFor(() => expect(files()).not.toContain(taken));
    await vi.waitFor(() => expect(journal.isOpen).toBe(true));
    await append(journal, '/Patient/2');
    await journal.settle();
    expect(await reads()).toEqual(['/Patient/1', '/Patient/2']);
  });

  it('holds nothing of a person that could be opened once the keys are destroyed', async () => {
    const journal = await begun({}, { ...quick, bringInMs: 60_000 });
    await append(journal, '/Patient/one?secret');
    await test.database.transaction((transaction) => audit.destroyAuditKeys(transaction, ['one']));
    audit.forgetKeys(['one']);
    await journal.settle();
    const { events } = await audit.eventsOf({});
    expect(events.map(({ entry: { what, patients } }) => ({ what, patients }))).toEqual([
      { what: undefined, patients: [] },
    ]);
    expect(await audit.verifyDeep()).toEqual({ opened: 0, sealed: 1 });
  });
});

describe('a journal that a hub left', () => {
  it('is brought in before anything else, once, and that is told in the log', async () => {
    const path = await left(['/Patient/1', '/Patient/2'], ['/Patient/3']);
    const bytes = readFileSync(path);
    await begun();
    expect(await reads()).toEqual(['/Patient/1', '/Patient/2', '/Patient/3']);
    expect(existsSync(path)).toBe(false);
    // As after a stop between the commit and the removal of the file.
    writeFileSync(path, bytes);
    await begun();
    expect(await recorded()).toHaveLength(4);
    expect(existsSync(path)).toBe(false);
    expect(told).toEqual({ entries: 3, damaged: 0, lost: 0 });
  });

  it('is brought in once by several hubs that find it at once', async () => {
    await left(...Array.from({ length: 30 }, (_, i) => [`/Patient/${i}`]));
    const parts = partsOf();
    await Promise.allSettled(Array.from({ length: 4 }, () => bringInFound(parts)));
    await bringInFound(parts);
    expect((await reads()).sort()).toEqual(Array.from({ length: 30 }, (_, i) => `/Patient/${i}`).sort());
  });

  it('that was cut is brought in as far as it goes, is kept, and is told of', async () => {
    const path = await left(['/Patient/1'], ['/Patient/2']);
    writeFileSync(path, readFileSync(path).subarray(0, endOfFirst(path) + 100));
    await begun();
    expect(await reads()).toEqual(['/Patient/1']);
    expect(files()).toContainEqual(expect.stringMatching(/\.damaged$/));
    expect(told).toEqual({ entries: 1, damaged: 1, lost: 0 });
  });

  it('whose last frame was never whole is brought in without it', async () => {
    const path = await left(['/Patient/1'], ['/Patient/2']);
    const bytes = readFileSync(path);
    bytes.fill(0, endOfFirst(path) + 100);
    writeFileSync(path, bytes);
    await begun();
    expect(await reads()).toEqual(['/Patient/1']);
    expect(told).toEqual({ entries: 1, damaged: 0, lost: 0 });
  });

  it('of which a frame was changed is brought in without that one, is kept, and is told of', async () => {
    const path = await left(['/Patient/1'], ['/Patient/2'], ['/Patient/3']);
    const bytes = readFileSync(path);
    bytes[4_096 + 30]! ^= 1;
    writeFileSync(path, bytes);
    await begun();
    expect(await reads()).toEqual(['/Patient/2', '/Patient/3']);
    expect(told).toEqual({ entries: 2, damaged: 1, lost: 0 });
    const { entries, damaged } = (await accessesIn(test.database, master)).at(-1)!;
    expect({ entries, damaged }).toEqual({ entries: 2, damaged: 1 });
  });

  it('of another state of the database puts no event on somebody else’s list', async () => {
    await audit.sealed([entry('/Patient/0', 'zero')]);
    await left(['/Patient/1']);
    // Restored from before that Patient was known here: the number is another one's now.
    await test.database.query('TRUNCATE audit_subject RESTART IDENTITY');
    audit = new AuditLog(test.database, master);
    await audit.sealed([entry('/Patient/x', 'x'), entry('/Patient/y', 'y'), entry('/Patient/z', 'z')]);
    await begun();
    expect(await reads()).toEqual([]);
    expect(told).toEqual({ entries: 0, damaged: 1, lost: 0 });
    for (const patients of [['x'], ['y'], ['z']]) expect((await audit.eventsOf({ patients })).events).toEqual([]);
  });

  it('and that is gone is told of, once', async () => {
    const journal = await begun();
    await append(journal, '/Patient/1');
    await out();
    await journal.close();
    await back();
    for (const name of files()) rmSync(join(partsOf().folder, name));
    await begun();
    await begun();
    expect(told.lost).toBe(1);
    expect((await accessesIn(test.database, master)).map(({ action }) => action)).toEqual(['lose-journal']);
    expect(await noteLost(partsOf(), readFileSync(join(partsOf().folder, 'folder'), 'utf8'))).toBe(0);
  });

  it('of a hub that may live is left to it until it was not heard of for a minute', async () => {
    const path = await left(['/Patient/1']);
    const file = readJournalFile(path, master)!;
    const bytes = readFileSync(path);
    const head = bytes.subarray(0, bytes.indexOf('\n')).toString();
    const elsewhere = head.replace(JSON.stringify(file.owner.where), '"elsewhere"');
    bytes.fill(0, 0, head.length + 1);
    bytes.write(`${elsewhere}\n`);
    writeFileSync(path, bytes);
    const recent = async () => {
      await bringInFound(partsOf({ isAlone: false }));
      expect(await reads()).toEqual([]);
      expect(existsSync(path)).toBe(true);
    };
    // The database need not know of it yet.
    await recent();
    await test.database.query('INSERT INTO access_journal (id) VALUES ($1)', [file.id]);
    await recent();
    expect(await settleJournals(partsOf({ isAlone: false }), 0)).toBe(1);
    await test.database.query(`UPDATE access_journal SET seen = now() - interval '61 seconds'`);
    expect(await settleJournals(partsOf({ isAlone: false }), 0)).toBe(0);
    expect(await reads()).toEqual(['/Patient/1']);
  });

  it('of a hub of which the database never heard is left to it while it writes', async () => {
    const path = await left(['/Patient/1']);
    const bytes = readFileSync(path);
    const { where } = readJournalFile(path, master)!.owner;
    const head = bytes.subarray(0, bytes.indexOf('\n')).toString();
    // As long as before, so that the frame is where it was.
    bytes.write(head.replace(JSON.stringify(where), JSON.stringify('x'.repeat(where.length))));
    writeFileSync(path, bytes);
    await bringInFound(partsOf({ isAlone: false }));
    expect(await reads()).toEqual([]);
    const past = Date.now() / 1_000 - 61;
    utimesSync(path, past, past);
    await bringInFound(partsOf({ isAlone: false }));
    expect(await reads()).toEqual(['/Patient/1']);
    expect(existsSync(path)).toBe(false);
  });

  it('may be one of a hub before, a line for each access in an emergency', async () => {
    const id = '019a0000-0000-7000-8000-000000000009';
    const folder = partsOf().folderBefore;
    mkdirSync(folder);
    const line = (i: number, at = i) =>
      wrapDataKey(
        master,
        Buffer.from(JSON.stringify(entry(`/Patient/${i}`))),
        `access-log-beside/${id}/${at}`,
      ).toString('base64url');
    const path = join(folder, `${process.pid}-${id}.sealed`);
    const text = `${line(0)}\n${line(1)}\n${line(2, 3)}\n${line(3).slice(0, 20)}`;
    writeFileSync(path, text);
    await begun({ isFirst: false });
    expect(await reads()).toEqual(['/Patient/0', '/Patient/1']);
    expect(told).toEqual({ entries: 2, damaged: 1, lost: 0 });
    writeFileSync(path, text);
    await begun({ isFirst: false });
    expect(await reads()).toHaveLength(2);
  });
});

it('whatever fails when, what was taken is in the log exactly once', async () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.constant('append') },
    { weight: 2, arbitrary: fc.constant('append in an emergency') },
    { weight: 1, arbitrary: fc.constant('database out') },
    { weight: 1, arbitrary: fc.constant('database back') },
    { weight: 1, arbitrary: fc.constant('settle') },
    { weight: 1, arbitrary: fc.constant('hub ends and begins') },
  );
  let next = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const before = new Set(await reads());
      const taken: string[] = [];
      let isOut = false;
      let journal = await begun();
      for (const one of steps) {
        const what = `/Patient/${next++}`;
        if (one === 'append' && journal.isOpen) await append(journal, what).then(() => taken.push(what));
        else if (one === 'append in an emergency')
          await journal.appendEntries([entry(what)]).then(() => taken.push(what));
        else if (one === 'database out' && !isOut) {
          await out();
          isOut = true;
        } else if (one === 'database back' && isOut) {
          await back();
          isOut = false;
        } else if (one === 'settle') await journal.settle().catch(() => {});
        else if (one === 'hub ends and begins') {
          await journal.close();
          journal = await begun();
        }
      }
      if (isOut) await back();
      await journal.close();
      await (await begun()).close();
      const since = (await reads()).filter((what) => !before.has(what));
      expect(since.sort()).toEqual(taken.sort());
    }),
    { numRuns: 5 },
  );
}, 120_000);

/** Where the first frame of a file ends. */
function endOfFirst(path: string): number {
  return 4_096 + 13 + readJournalFile(path, master)!.frames[0]!.payload.length + 16;
}

function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}
