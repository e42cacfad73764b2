import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from './pool.ts';
import { type TestDatabase, testDatabase } from './testing.ts';

let base: TestDatabase;
let database: Database;

beforeAll(async () => {
  base = await testDatabase(null);
  database = await openDatabase({ connection: base.connection, connectTimeoutMs: 1_000 });
});

afterAll(async () => {
  await database.close();
  await base.drop();
});

const scopeNow = { name: 'scope_now', text: `SELECT current_setting('causeway.homes') AS scope, $1::int4 AS n` };

/** What a scope's statement saw as its scope. */
async function seen(scope: string, n: number) {
  const { rows } = await database.as(scope).query({ ...scopeNow, values: [n] });
  return rows[0]!;
}

test('each statement runs in its own scope, however many wait', async () => {
  await seen('all', 0);
  const asked = Array.from({ length: 200 }, (_, n) => ({ scope: ['all', '0,5', ''][(n * 7) % 3]!, n }));
  expect(await Promise.all(asked.map(({ scope, n }) => seen(scope, n)))).toEqual(asked);
  expect(await Promise.all(asked.map(({ n }) => seen('0,7', n)))).toEqual(asked.map(({ n }) => ({ scope: '0,7', n })));
});

test('a statement that fails fails alone, also among those that were sent with it', async () => {
  const divide = (by: number) =>
    database.as('all').query({ name: 'divide', text: 'SELECT 10 / $1::int4 AS part', values: [by] });
  await divide(1);
  const outcomes = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => divide(n % 4)));
  outcomes.forEach((outcome, n) => {
    if (n % 4 === 0) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: '22012' } });
    else expect(outcome).toMatchObject({ status: 'fulfilled', value: { rows: [{ part: Math.floor(10 / (n % 4)) }] } });
  });
});

test('quick statements do not wait for slow ones', async () => {
  const slow = () => database.as('all').query({ name: 'slow', text: 'SELECT pg_sleep(0.6)' });
  await seen('all', 0);
  await slow();
  const begun = performance.now();
  const slowly = [slow(), slow()];
  await Promise.all(Array.from({ length: 100 }, (_, n) => seen('all', n)));
  expect(performance.now() - begun).toBeLessThan(500);
  await Promise.all(slowly);
});

test('what finds no connection in time fails, and the next is answered', async () => {
  const hold = () => database.as('all').query('SELECT pg_sleep(1.5)');
  const held = Array.from({ length: 4 }, hold);
  const begun = performance.now();
  await expect(seen('all', 1)).rejects.toThrow(/^timeout exceeded when trying to connect/);
  expect(performance.now() - begun).toBeLessThan(1_400);
  await Promise.all(held);
  expect(await seen('all', 2)).toEqual({ scope: 'all', n: 2 });
});

test('a connection that breaks fails what it carries; others take over', async () => {
  const { rows } = await database.as('all').query('SELECT pg_backend_pid() AS pid');
  const held = Array.from({ length: 4 }, () => database.as('all').query('SELECT pg_sleep(20), 1'));
  const ended = Promise.allSettled(held);
  const others = Array.from({ length: 6 }, (_, n) => seen('all', n));
  expect(rows[0]!.pid).toBeGreaterThan(0);
  await base.database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(20)%'`,
  );
  for (const outcome of await ended) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: '57P01' } });
  expect(await Promise.all(others)).toHaveLength(6);
});
