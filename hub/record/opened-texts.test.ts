import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newDataKey } from '../secrets/index.ts';
import { OpenedTexts } from './opened-texts.ts';
import { seal } from './sealing.ts';

const identity = 'Patient/0193f0a2-7c1e-7000-8000-000000000001/1';

it('gives the very text that is sealed, however often and in whichever order', () => {
  const keys = [newDataKey(), newDataKey()];
  const version = fc.record({
    n: fc.integer({ min: 0, max: 5 }),
    key: fc.nat(1),
    text: fc.constantFrom('a', 'bé', 'ccc'),
  });
  fc.assert(
    fc.property(fc.array(version), (asked) => {
      const opened = new OpenedTexts();
      for (const { n, key, text } of asked) {
        const named = `Patient/${n}/1`;
        const sealed = seal(text, keys[key]!, named);
        expect(opened.open(sealed, keys[key]!, named)).toBe(text);
        expect(opened.open(sealed, keys[key]!, named)).toBe(text);
      }
    }),
  );
});

it('opens nothing by another key, under another identity, or of other bytes than before', () => {
  const [key, other] = [newDataKey(), newDataKey()];
  const opened = new OpenedTexts();
  const sealed = seal('{"a":1}', key, identity);
  expect(opened.open(sealed, key, identity)).toBe('{"a":1}');
  expect(() => opened.open(sealed, other, identity)).toThrow();
  expect(() => opened.open(sealed, key, `${identity}1`)).toThrow();
  const altered = Buffer.from(sealed);
  altered[altered.length - 1]! ^= 1;
  expect(() => opened.open(altered, key, identity)).toThrow();
  opened.clear();
  sealed[20]! ^= 1;
  expect(() => opened.open(sealed, key, identity)).toThrow();
});

it('keeps so much, and what was asked for last the longest', () => {
  const key = newDataKey();
  const opened = new OpenedTexts();
  const open = (n: number) => {
    const named = `Patient/${n}/1`;
    return opened.open(seal(randomBytes(6_000).toString('hex'), key, named), key, named);
  };
  const first = seal('first', key, 'Patient/0/1');
  for (let n = 1; n < 1_000; n++) {
    opened.open(first, key, 'Patient/0/1');
    open(n);
    expect(opened.holds('Patient/0/1')).toBe(true);
  }
  for (let n = 1_000; n < 2_000; n++) open(n);
  expect(opened.holds('Patient/0/1')).toBe(false);
  expect(opened.holds('Patient/1999/1')).toBe(true);
  opened.clear();
  expect(opened.holds('Patient/1999/1')).toBe(false);
});
