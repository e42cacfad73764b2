/** The hub's migrations as they lie there: one of a wrong name or a doubled number would keep every hub from starting. */
import { expect, it } from 'vitest';
import { migrationsDirectory, readMigrations } from './migrate.ts';

it('are numbered from 1 on, each number once', () => {
  const numbers = readMigrations(migrationsDirectory).map(({ number }) => number);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.length).toBeGreaterThan(40);
});
