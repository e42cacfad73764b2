import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { claim, nextDue } from './queue.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

it('lets a destination with nothing to send rest', async () => {
  const lane = { destination: 'nobody', route: 'main' };
  const { claimed, at } = await claim(test.database, lane, 10);
  expect(claimed).toEqual([]);
  expect(await nextDue(test.database, lane, at, 5_000)).toBe(5_000);
});
