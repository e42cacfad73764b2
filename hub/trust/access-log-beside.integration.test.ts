import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { accessesIn, testAudit } from '../audit/testing.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey, newDataKey } from '../secrets/index.ts';
import { AccessLog, accessOf, BesideLog } from './index.ts';

let test: TestDatabase;
let directory: string;
const master = fixedMasterKey(newDataKey());
beforeEach(async () => {
  test = await testDatabase();
  directory = mkdtempSync(join(tmpdir(), 'causeway-beside-'));
});
afterEach(async () => {
  rmSync(directory, { recursive: true, force: true });
  await test.drop();
});

const ordinary = accessOf({ username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' });
const emergency = { ...ordinary, purpose: 'ETREAT', emergency: '019a0000-0000-7000-8000-000000000001' };
const entry = (what: string) => ({ action: 'read', what, status: 200, patients: ['one'] });

const out = () => test.database.query('ALTER TABLE access_log RENAME TO access_log_gone');
const back = () => test.database.query('ALTER TABLE access_log_gone RENAME TO access_log');
const line = (what: string) =>
  JSON.stringify({
    at: '2026-01-02T03:04:05.678Z',
    who: 'ann',
    role: 'clinician',
    organization: 'Clinic',
    ...entry(what),
  });
const files = () => readdirSync(directory);

async function recorded(): Promise<string[]> {
  return (await accessesIn(test.database)).map(({ what }) => what);
}

it('holds what an emergency opened while the record could not be written, sealed, and nothing else is given out', async () => {
  const log = new AccessLog(test.database, testAudit(test.database), new BesideLog(directory, master));
  await out();
  const both = await Promise.allSettled([
    log.record(emergency, entry('/Patient/secret-1')),
    log.record(ordinary, entry('/Patient/ordinary')),
    log.record(emergency, entry('/Patient/secret-2')),
  ]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(files()).toHaveLength(1);
  const text = readFileSync(join(directory, files()[0]!), 'utf8');
  expect(text.split('\n')).toHaveLength(3);
  expect(text).not.toMatch(/secret|ann|019a0000-0000-7000-8000-000000000001/);
  expect(Buffer.from(text, 'base64url').toString('latin1')).not.toMatch(/secret/);
  await log.close();
});

it('is brought in once, whatever the hub is stopped by, in the order in which it was written', async () => {
  const beside = new BesideLog(directory, master);
  const log = new AccessLog(test.database, testAudit(test.database), beside);
  await out();
  for (let i = 0; i < 5; i++) await log.record(emergency, entry(`/Patient/${i}`));
  beside.close();
  await back();
  const kept = join(directory, files()[0]!);
  copyFileSync(kept, `${kept}.copy`);
  expect(await new BesideLog(directory, master).bringIn(test.database, testAudit(test.database))).toEqual({
    entries: 5,
    damaged: 0,
  });
  // As after a stop between the commit and the removal of the file.
  renameSync(`${kept}.copy`, kept);
  await new BesideLog(directory, master).bringIn(test.database, testAudit(test.database));
  expect(files()).toEqual([]);
  const what = await recorded();
  expect(what.slice(0, 5)).toEqual([0, 1, 2, 3, 4].map((i) => `/Patient/${i}`));
  expect(what.slice(5)).toEqual([expect.stringMatching(/^access-log-beside\//)]);
});

it('waits as long as the record cannot be written', async () => {
  const beside = new BesideLog(directory, master);
  await out();
  beside.append([line('/Patient/1')]);
  await expect(beside.bringIn(test.database, testAudit(test.database))).rejects.toThrow();
  expect(files()).toHaveLength(1);
  beside.append([line('/Patient/2')]);
  await back();
  expect((await beside.bringIn(test.database, testAudit(test.database))).entries).toBe(2);
  expect((await recorded()).slice(0, 2).sort()).toEqual(['/Patient/1', '/Patient/2']);
});

it('leaves out a line that was never whole, and keeps and tells of one that was changed or moved', async () => {
  const beside = new BesideLog(directory, master);
  beside.append([line('/Patient/1'), line('/Patient/2'), line('/Patient/3')]);
  beside.close();
  const path = join(directory, files()[0]!);
  const [one, two, three] = readFileSync(path, 'utf8').split('\n') as [string, string, string];
  writeFileSync(path, `${two}\n${one}\n${three}\n${one.slice(0, 20)}`);
  expect(await beside.bringIn(test.database, testAudit(test.database))).toEqual({ entries: 1, damaged: 2 });
  expect((await recorded())[0]).toBe('/Patient/3');
  expect(files()).toEqual([expect.stringMatching(/\.sealed\.damaged$/)]);
});

it('gives nothing out in an emergency either where there is no place beside', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const log = new AccessLog(test.database, testAudit(test.database), new BesideLog(join(file, 'beside'), master));
  await out();
  await expect(log.record(emergency, entry('/Patient/1'))).rejects.toThrow();
  await back();
  await log.record(emergency, entry('/Patient/2'));
  expect(await recorded()).toEqual(['/Patient/2']);
});
