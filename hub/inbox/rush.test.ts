import { expect, test } from 'vitest';
import { Rush } from './rush.ts';

test('storing waits nine times as long as it takes while messages pour in, within bounds', () => {
  const rush = new Rush();
  expect(rush.longestWait(false, 1_000, 0)).toBe(0);
  expect(rush.longestWait(true, 0, 0)).toBe(400);
  expect(rush.longestWait(true, 100, 500)).toBe(900);
  expect(rush.longestWait(true, 5_000, 1_500)).toBe(2_000);
});

test('a rush that goes on for half a minute no longer keeps storing back, the next one does', () => {
  const rush = new Rush();
  expect(rush.longestWait(true, 200, 10_000)).toBe(1_800);
  expect(rush.longestWait(true, 200, 40_000)).toBe(1_800);
  expect(rush.longestWait(true, 200, 40_001)).toBe(400);
  expect(rush.longestWait(true, 200, 400_000)).toBe(400);
  expect(rush.longestWait(false, 200, 400_100)).toBe(0);
  expect(rush.longestWait(true, 200, 400_200)).toBe(1_800);
});
