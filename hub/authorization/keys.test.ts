import { expect, test } from 'vitest';
import { inOrder, type StoredKey } from './keys.ts';

const hour = 3_600_000;
const day = 24 * hour;
const now = Date.UTC(2026, 10, 26);
const key = (kid: string, agedMs: number, alg = 'RS256'): StoredKey => ({ kid, alg, created: new Date(now - agedMs) });
const order = (...keys: StoredKey[]) => inOrder(keys, now).map(({ kid }) => kid);

test('the only key signs, however young', () => {
  expect(order(key('a', 0))).toEqual(['a']);
});

test('a new key is published before it signs, and the old one after it stopped', () => {
  expect(order(key('old', 91 * day), key('new', 0))).toEqual(['old', 'new']);
  expect(order(key('old', 91 * day), key('new', hour - 1))).toEqual(['old', 'new']);
  expect(order(key('old', 91 * day), key('new', hour))).toEqual(['new', 'old']);
  expect(order(key('old', 92 * day), key('new', 2 * day))).toEqual(['new', 'old']);
  expect(order(key('old', 93 * day), key('new', 3 * day))).toEqual(['new']);
});

test('of several the newest that clients know signs', () => {
  expect(order(key('a', 200 * day), key('b', 10 * day), key('c', 2 * hour), key('d', 0))).toEqual(['c', 'd', 'b']);
});

test('each algorithm has its own', () => {
  expect(order(key('e', 0, 'ES384'), key('r', day), key('x', 0, 'HS256'))).toEqual(['r', 'e']);
});
