import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { nextDue } from './queue.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

it('lets a destination with nothing to send rest', async () => {
  expect(await nextDue(test.database, 'nobody', 5_000)).toBe(5_000);
});
