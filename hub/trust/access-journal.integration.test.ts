/** When accesses go into the journal, when into the database, and what is given out while one of them or both fail. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AuditLog, Journal } from '../audit/index.ts';
import { accessesIn } from '../audit/testing.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey } from '../secrets/index.ts';
import { AccessLog, accessOf } from './index.ts';

const master = fixedMasterKey(Buffer.alloc(32, 7));
let test: TestDatabase;
let place: string;
let logs: AccessLog[];
beforeEach(async () => {
  test = await testDatabase();
  place = mkdtempSync(join(tmpdir(), 'causeway-journal-'));
  logs = [];
});
afterEach(async () => {
  for (const log of logs) await log.close();
  rmSync(place, { recursive: true, force: true });
  await test.drop();
});

const ordinary = accessOf({ username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' });
const emergency = { ...ordinary, purpose: 'ETREAT', emergency: '019a0000-0000-7000-8000-000000000001' };
const entry = (what: string) => ({ action: 'read', what, status: 200, patients: ['one'] });
const out = () => test.database.query('ALTER TABLE access_log RENAME TO access_log_gone');
const back = () => test.database.query('ALTER TABLE access_log_gone RENAME TO access_log');
const recorded = async () => (await accessesIn(test.database, master)).map(({ what }) => what);
const reads = async () => (await recorded()).filter((what) => !what.startsWith('access-journal/'));
const folder = () => join(place, 'access-journal');
const files = () => readdirSync(folder()).filter((name) => name !== 'folder');

async function begun(isFirst: boolean, at = folder(), bringInMs = 20) {
  const audit = new AuditLog(test.database, master);
  const told = vi.fn();
  const journal = new Journal(
    {
      ...{ database: test.database, audit, master, folder: at, folderBefore: join(place, 'before') },
      ...{ isAlone: true, isFirst, told, fault: () => {} },
    },
    { bringInMs, againMs: 50, lookMs: 100, fileBytes: 64 * 1024 },
  );
  audit.settled = () => journal.settle();
  const log = new AccessLog(test.database, audit, journal);
  logs.push(log);
  await journal.open();
  return { log, journal, audit, told };
}

it('writes accesses into the journal alone, and whoever looks through the same hub sees them at once', async () => {
  const { log, audit } = await begun(true, folder(), 60_000);
  await Promise.all(Array.from({ length: 40 }, (_, i) => log.record(ordinary, entry(`/Patient/${i}`))));
  expect(await recorded()).toEqual([]);
  const { events } = await audit.eventsOf({ patients: ['one'] });
  expect(events).toHaveLength(40);
  await log.record(ordinary, entry('/Patient/last'));
  await audit.status();
  expect(await recorded()).toHaveLength(41);
});

it('writes them into the database where the journal is not first, and makes no file', async () => {
  const { log } = await begun(false);
  await log.record(ordinary, entry('/Patient/1'));
  expect(await recorded()).toEqual(['/Patient/1']);
  expect(readdirSync(place)).toEqual([]);
});

it.each([
  ['first', true],
  ['not first', false],
])(
  'where the journal is %s: while the record cannot be written only an emergency opens anything',
  async (_, isFirst) => {
    const { log, journal, told } = await begun(isFirst);
    await out();
    if (isFirst) {
      // What is given out until that is noticed is in the journal.
      await log.record(ordinary, entry('/Patient/before'));
      await vi.waitFor(() => expect(journal.isOpen).toBe(false));
    }
    const both = await Promise.allSettled([
      log.record(emergency, entry('/Patient/secret-1')),
      log.record(ordinary, entry('/Patient/ordinary')),
      log.record(emergency, entry('/Patient/secret-2')),
    ]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(files().length).toBeGreaterThan(0);
    await back();
    const opened = ['/Patient/secret-1', '/Patient/secret-2'];
    await vi.waitFor(async () => expect(await reads()).toEqual(isFirst ? ['/Patient/before', ...opened] : opened));
    expect(told).toHaveBeenCalled();
    await vi.waitFor(() => expect(journal.isOpen).toBe(isFirst));
    await log.record(ordinary, entry('/Patient/after'));
    await vi.waitFor(async () => expect((await reads()).at(-1)).toBe('/Patient/after'));
  },
);

it('goes by the database where the journal has no place, and gives out nothing where neither takes it', async () => {
  writeFileSync(join(place, 'file'), '');
  const { log } = await begun(true, join(place, 'file', 'below'));
  await log.record(ordinary, entry('/Patient/1'));
  await out();
  await expect(log.record(emergency, entry('/Patient/2'))).rejects.toThrow();
  await expect(log.record(ordinary, entry('/Patient/3'))).rejects.toThrow();
  await back();
  expect(await recorded()).toEqual(['/Patient/1']);
});

it('what an emergency opened is brought in by the hub that is started next', async () => {
  const { log } = await begun(false);
  await out();
  await log.record(emergency, entry('/Patient/1'));
  await log.close();
  expect(files()).toHaveLength(1);
  await back();
  await begun(false);
  expect(await reads()).toEqual(['/Patient/1']);
  expect(files()).toEqual([]);
});

it('records a change with its transaction, not in the journal', async () => {
  const { log } = await begun(true, folder(), 60_000);
  const note = { access: ordinary, entry: { ...entry('/Patient/1'), action: 'update' } };
  await log.change(async () => ({ made: undefined, note }));
  expect(await recorded()).toEqual(['/Patient/1']);
  const failed = log.change(async () => {
    throw new Error('The change failed.');
  });
  await expect(failed).rejects.toThrow('The change failed.');
  expect(await recorded()).toEqual(['/Patient/1']);
});

it('an emergency’s own change is carried out while the record cannot be written', async () => {
  const { log } = await begun(true);
  await out();
  const note = { access: emergency, entry: entry('/Patient/1') };
  await log.changeAnyway(async (transaction) => {
    await transaction.query(`INSERT INTO hub_state (key, value) VALUES ('changed', '1')`);
    return { made: undefined, note };
  });
  await back();
  await vi.waitFor(async () => expect(await reads()).toEqual(['/Patient/1']));
  const { rows } = await test.database.query(`SELECT FROM hub_state WHERE key = 'changed'`);
  expect(rows).toHaveLength(1);
});
