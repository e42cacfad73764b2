import { expect, test } from 'vitest';
import { threeOf } from './token-values.ts';

const value = (matches: number) => ({ code: `c|${matches}`, matches, path: '' });

test('the rarest, the one in the geometric middle, the most frequent', () => {
  const found = threeOf([10, 90_000, 1_200, 40_000, 30, 20].map(value));
  expect(found.map(({ matches }) => matches)).toEqual([10, 1_200, 90_000]);
});

test('two values are told apart, equal ones are not', () => {
  expect(threeOf([500, 10].map(value)).map(({ matches }) => matches)).toEqual([10, 500]);
  expect(() => threeOf([10, 10].map(value))).toThrow(/differently frequent/);
  expect(() => threeOf([])).toThrow();
});
