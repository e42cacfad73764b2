import { expect, it } from 'vitest';
import { Polling, retryAfter } from './polling.ts';

it('allows a few questions in a row, then one a second, for each job alone', () => {
  const polling = new Polling();
  const ask = (job: string, now: number) => polling.allows(job, now);
  expect(Array.from({ length: 12 }, () => ask('a', 0)).filter(Boolean)).toHaveLength(10);
  expect(ask('b', 0)).toBe(true);
  expect(ask('a', 500)).toBe(false);
  expect(ask('a', 1_000)).toBe(true);
  expect(ask('a', 1_001)).toBe(false);
  expect(Array.from({ length: 12 }, () => ask('a', 60_000)).filter(Boolean)).toHaveLength(10);
});

it('forgets the oldest accounts, not the clients’ patience', () => {
  const polling = new Polling();
  for (let i = 0; i < 3_000; i++) polling.allows(String(i), 0);
  for (let i = 0; i < 9; i++) expect(polling.allows('2999', 0)).toBe(true);
  expect(polling.allows('2999', 0)).toBe(false);
});

it('asks to wait longer for jobs that take longer', () => {
  expect([0, 30_000, 200_000, 86_400_000].map(retryAfter)).toEqual([1, 2, 10, 30]);
});
