import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { locks } from './locks.ts';

it('no number is used for two locks', () => {
  const numbers: number[] = Object.values(locks);
  expect(numbers.filter((number, i) => numbers.indexOf(number) !== i)).toEqual([]);
});

it('no lock has its number elsewhere', () => {
  const hub = join(import.meta.dirname, '..');
  const files = globSync('**/*.ts', { cwd: hub, exclude: ['**/*.test.ts', 'database/locks.ts'] });
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((file) => /\b7_?240_?\d{3}\b/.test(readFileSync(join(hub, file), 'utf8')))).toEqual([]);
});
