import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { Refusals } from './index.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

const refused = { kind: 'role', organization: 'clinic', requester: 'ann', action: 'read' } as const;
const day = new Date().toISOString().slice(0, 10);

it('what the database did not take is stored once it does, though nothing more is refused', async () => {
  const failing = Promise.withResolvers<unknown>();
  const refusals = new Refusals(test.database, failing.resolve);
  await test.database.query('ALTER TABLE refusal RENAME TO away');
  refusals.observe(refused);
  refusals.observe(refused);
  expect(String(await failing.promise)).toContain('refusal');
  await test.database.query('ALTER TABLE away RENAME TO refusal');
  const counted = async () =>
    (await test.database.query<{ times: number }>('SELECT times FROM refusal')).rows.map(({ times }) => times);
  await expect.poll(counted, { timeout: 30_000 }).toEqual([2]);
  await refusals.close();
  expect(await refusals.list({ from: day, to: day, limit: 10 })).toMatchObject([{ ...refused, times: 2 }]);
});
