/** The leases of connectors, and when somebody is told. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey } from '../secrets/index.ts';
import { ConnectorStore, noCounts, RunLost } from './store.ts';

let test: TestDatabase;
let one: ConnectorStore;
let other: ConnectorStore;

beforeAll(async () => {
  test = await testDatabase();
  const master = fixedMasterKey(Buffer.alloc(32, 1));
  [one, other] = [new ConnectorStore(test.database, master), new ConnectorStore(test.database, master)];
  const settings = { path: '/nowhere', everyMinutes: 5 } as never;
  await one.put({ key: 'a', participant: 'p', kind: 'folder', settings }, { password: 'hidden' }, false);
});
afterAll(() => test.drop());

it('a connector is run by one hub at a time; what the other took over is not changed any more', async () => {
  expect((await one.claim())?.key).toBe('a');
  expect(await other.claim()).toBeUndefined();
  await one.advance('a', { at: 1 }, { ...noCounts, taken: 2 });
  // The hub was killed: its lease runs out.
  await test.database.query(`UPDATE connector SET lease_until = now() - interval '1 s'`);
  expect(await other.claim()).toMatchObject({ key: 'a', progress: { at: 1 }, all: { taken: 2 } });
  await expect(one.advance('a', { at: 2 }, noCounts)).rejects.toThrow(RunLost);
  await expect(one.succeed('a', 0)).rejects.toThrow(RunLost);
  await other.advance('a', { at: 3 }, { ...noCounts, taken: 1, gone: 4 });
  await other.succeed('a', 0);
  expect(await one.find('a')).toMatchObject({ progress: { at: 3 }, all: { taken: 3, gone: 4 }, last: { taken: 1 } });
});

it('somebody is told at the third failure in a row, once, and again only after it succeeded', async () => {
  const failed = async () => {
    await one.due('a');
    await one.claim();
    return one.fail('a', 'no answer', 60_000, 3);
  };
  expect([await failed(), await failed(), await failed(), await failed()]).toEqual([false, false, true, false]);
  expect(await one.find('a')).toMatchObject({ failures: 4, error: 'no answer' });
  expect(await other.failing()).toMatchObject([{ key: 'a', error: 'no answer' }]);
  await one.due('a');
  await one.claim();
  await one.succeed('a', 0);
  expect(await other.failing()).toEqual([]);
  expect([await failed(), await failed(), await failed()]).toEqual([false, false, true]);
});

it('a connector that is paused is not run, and a run of it ends', async () => {
  await one.due('a');
  await one.claim();
  await other.pause('a', true);
  await expect(one.advance('a', {}, noCounts)).rejects.toThrow(RunLost);
  await one.due('a');
  expect(await one.claim()).toBeUndefined();
});

it('secrets are sealed', async () => {
  const { rows } = await test.database.query('SELECT secrets FROM connector');
  expect(rows[0]!.secrets.includes('hidden')).toBe(false);
  expect(await other.secretsOf('a')).toEqual({ password: 'hidden' });
});

it('secrets stay as they were given for one place, and go to no other', async () => {
  const moved = { key: 'a', participant: 'p', kind: 'folder', settings: { path: '/other', everyMinutes: 5 } } as never;
  await one.put(moved, undefined, false);
  expect(await one.secretsOf('a')).toEqual({ password: 'hidden' });
  await one.put(moved, undefined, true);
  expect(await one.secretsOf('a')).toEqual({});
  await one.put(moved, { password: 'new' }, true);
  expect(await one.secretsOf('a')).toEqual({ password: 'new' });
});
