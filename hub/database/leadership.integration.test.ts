import { afterAll, beforeAll, expect, it } from 'vitest';
import { Leadership, openDatabase } from './index.ts';
import { type TestDatabase, testDatabase } from './testing.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase(null);
});
afterAll(() => test.drop());

function worker() {
  const did: string[] = [];
  return { did, start: () => void did.push('start'), stop: async () => void did.push('stop') };
}

it('lets one lead, and the next when the first has ended', async () => {
  const [first, second] = [worker(), worker()];
  const [one, other] = [new Leadership(test.database, 1, first), new Leadership(test.database, 1, second)];
  await one.start();
  await other.start();
  expect([first.did, second.did]).toEqual([['start'], []]);
  await one.stop();
  await expect.poll(() => second.did, { timeout: 10_000 }).toEqual(['start']);
  await other.stop();
  expect([first.did, second.did]).toEqual([
    ['start', 'stop'],
    ['start', 'stop'],
  ]);
});

it('ends the work of a hub whose connection broke, and takes the lead again', async () => {
  const database = await openDatabase({ connection: test.connection, applicationName: 'leader', maxConnections: 3 });
  const work = worker();
  const leadership = new Leadership(database, 2, work);
  await leadership.start();
  await test.database.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 2`);
  await expect.poll(() => work.did, { timeout: 10_000 }).toEqual(['start', 'stop', 'start']);
  await leadership.stop();
  await database.close();
});
