import { expect, test } from 'vitest';
import { rounded, tableLines } from './report.ts';

test('a line for each number of clients, and for what failed', () => {
  const one = { rate_per_s: 10, clients: 1, load_1min: 0 };
  expect(tableLines('read', { ...one, by_clients: { 1: one, 8: one } }).map((line) => line.split(/ {2,}/)[0])).toEqual([
    'read ×1',
    'read ×8',
  ]);
  expect(tableLines('read', { error: 'no answer' })).toEqual([expect.stringMatching(/^read +failed: no answer$/)]);
});

test('four digits are kept', () => {
  expect(rounded({ a: 1.23456, b: 123_456.7, c: 'x', d: { e: 0.000123456 } })).toEqual({
    a: 1.235,
    b: 123_457,
    c: 'x',
    d: { e: 0.0001235 },
  });
});
