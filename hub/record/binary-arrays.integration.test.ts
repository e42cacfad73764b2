import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { float8Array, int8Array } from './binary-arrays.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase(null);
});
afterAll(() => test.drop());

const whole = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.maxSafeInteger());

it('PostgreSQL reads whole numbers, NULLs and empty arrays as they are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(whole, { nil: undefined }), { maxLength: 20 }), async (values) => {
      const { rows } = await test.database.query('SELECT $1::bigint[]::text[] AS read', [int8Array(values)]);
      expect(rows[0]!.read).toEqual(values.map((value) => (value === undefined ? null : String(value))));
    }),
    { numRuns: 200 },
  );
});

it('and floating-point numbers, infinite ones among them', async () => {
  const numbers = fc.array(fc.double({ noNaN: true }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(numbers, async (values) => {
      const { rows } = await test.database.query('SELECT $1::float8[] AS read', [float8Array(values)]);
      expect(rows[0]!.read).toEqual(values);
    }),
    { numRuns: 200 },
  );
});
