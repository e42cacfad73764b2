import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { AccessEntry } from './access-log.ts';
import { Strangers } from './strangers.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('tells of some of one address, of some of all, and of the rest how many they were', async () => {
  const told: string[] = [];
  const record = async (_access: unknown, { what, status }: AccessEntry) => {
    told.push(`${what} ${status}`);
  };
  const strangers = new Strangers(record, { ofOne: 2, ofAll: 3, windowMs: 1_000 });
  for (let i = 0; i < 4; i++) await strangers.refused('a', 'GET /fhir/:type', 401);
  for (const from of ['b', 'c', 'd']) await strangers.refused(from, 'POST /oauth/token', 400);
  const one = 'GET /fhir/:type from a 401';
  expect(told).toEqual([one, one, 'POST /oauth/token from b 400']);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told.slice(3)).toEqual(['4 more requests 429']);
  await strangers.refused('a', 'GET /fhir/:type', 401);
  await strangers.close();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(told.slice(4)).toEqual([one]);
});
