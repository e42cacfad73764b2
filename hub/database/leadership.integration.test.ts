import type { EventEmitter } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LeaderLocks, Leadership, openDatabase } from './index.ts';
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
  const [one, other] = [first, second].map((work) => new Leadership(new LeaderLocks(test.database), 1, work)) as [
    Leadership,
    Leadership,
  ];
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
  const leadership = new Leadership(new LeaderLocks(database), 2, work);
  await leadership.start();
  await test.database.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 2`);
  await expect.poll(() => work.did, { timeout: 10_000 }).toEqual(['start', 'stop', 'start']);
  await leadership.stop();
  await database.close();
});

it('holds what one hub leads by one connection, and none when it leads nothing', async () => {
  const database = await openDatabase({ connection: test.connection, applicationName: 'many', maxConnections: 6 });
  const locks = new LeaderLocks(database);
  const works = [worker(), worker(), worker(), worker(), worker(), worker()];
  const leaderships = works.map((work, i) => new Leadership(locks, 10 + i, work));
  await Promise.all(leaderships.map((leadership) => leadership.start()));
  expect(works.map(({ did }) => did)).toEqual(works.map(() => ['start']));
  expect([database.pool.totalCount - database.pool.idleCount]).toEqual([1]);
  await database.transaction((transaction) => transaction.query('SELECT 1'));
  await test.database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 12`,
  );
  for (const { did } of works) await expect.poll(() => did, { timeout: 10_000 }).toEqual(['start', 'stop', 'start']);
  await Promise.all(leaderships.map((leadership) => leadership.stop()));
  const { rows } = await test.database.query(
    `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid BETWEEN 10 AND 15`,
  );
  expect(rows).toEqual([]);
  expect(database.pool.totalCount - database.pool.idleCount).toBe(0);
  await database.close();
});

it('a connection that breaks when it was given back already, or breaks twice, changes nothing', async () => {
  const database = await openDatabase({ connection: test.connection, applicationName: 'given', maxConnections: 3 });
  const locks = new LeaderLocks(database);
  const taken = Promise.withResolvers<EventEmitter>();
  database.pool.once('acquire', (client) => taken.resolve(client));
  let lost = 0;
  expect(await locks.take(20, () => lost++)).toBe(true);
  const first = await taken.promise;
  await locks.give(20);
  first.emit('error', new Error('terminated'));
  const again = Promise.withResolvers<EventEmitter>();
  database.pool.once('acquire', (client) => again.resolve(client));
  expect(await locks.take(20, () => lost++)).toBe(true);
  first.emit('error', new Error('terminated'));
  expect(lost).toBe(0);
  const second = await again.promise;
  second.emit('error', new Error('terminated'));
  second.emit('error', new Error('terminated'));
  expect(lost).toBe(1);
  await database.close();
});
