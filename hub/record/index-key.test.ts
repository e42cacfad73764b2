import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { IndexEntries } from './index-entries.ts';
import { IndexKey } from './index-key.ts';
import { isOfValue, parameterNumber, referenceHash, referenceMask, selfHash, tokenHash, valueHash } from './keys.ts';

const hash = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));

it('hashes of values are odd; those of ids, references and parameters are even, and can be turned into each other', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(text, fc.uuid({ version: [4, 7, 8] }), (value, rid) => {
      expect(isOfValue(valueHash(value))).toBe(true);
      expect(isOfValue(tokenHash('Patient', 'identifier', value))).toBe(true);
      expect(isOfValue(selfHash('Patient', rid))).toBe(false);
      const mask = referenceMask('Observation', 'subject', 'Patient');
      expect(isOfValue(mask)).toBe(false);
      expect(referenceHash('Observation', 'subject', 'Patient', rid) ^ mask).toBe(selfHash('Patient', rid));
    }),
  );
  expect(isOfValue(parameterNumber('Patient', 'family'))).toBe(false);
  expect(isOfValue(parameterNumber('Observation', 'component-code-value-quantity$8480-6'))).toBe(true);
});

it('is AES-256 of the hash, cut to 64 bits, for hashes of values, and leaves the others as they are', () => {
  fc.assert(
    fc.property(secret, fc.array(hash, { maxLength: 60 }), (key, hashes) => {
      const expected = hashes.map((one) => {
        if (!isOfValue(one)) return one;
        const block = Buffer.alloc(16);
        block.writeBigInt64LE(one);
        const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
        return cipher.update(block).readBigInt64LE() | 1n;
      });
      const index = new IndexKey(1, key);
      expect(index.keyed(hashes)).toEqual(expected);
      expect(index.keyed(hashes)).toEqual(expected);
      expect(hashes.map((one) => index.keyedOne(one))).toEqual(expected);
      // What is found by is another thing than whom somebody is compared with.
      const blocking = index.keyedBlocking(hashes);
      expect(blocking).toHaveLength(hashes.length);
      expect(blocking.filter((one, i) => (one | 1n) === expected[i])).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

it('says nothing under another key', () => {
  fc.assert(
    fc.property(secret, secret, fc.array(hash, { minLength: 1, maxLength: 20 }), (one, other, hashes) => {
      fc.pre(!one.equals(other));
      const values = hashes.map((each) => each | 1n);
      const [a, b] = [new IndexKey(1, one).keyed(values), new IndexKey(2, other).keyed(values)];
      expect(a.filter((each, i) => each === b[i] || each === values[i])).toEqual([]);
    }),
  );
});

it('keys all that several resources are found by as it keys each hash', () => {
  const row = fc.record({
    param: hash,
    low: fc.double(),
    high: fc.double(),
    unit: fc.constant(undefined),
    step: fc.double(),
  });
  const entries: fc.Arbitrary<IndexEntries> = fc.record({
    tokens: fc.array(hash, { maxLength: 9 }),
    markers: fc.array(hash, { maxLength: 9 }),
    ranges: fc.array(row, { maxLength: 4 }),
    strings: fc.array(fc.record({ param: hash, value: fc.string() }), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(secret, fc.array(entries, { maxLength: 5 }), (key, several) => {
      const index = new IndexKey(1, key);
      const withKeyed = <T extends { param: bigint }>(rows: T[]) =>
        rows.map((each) => ({ ...each, param: index.keyedOne(each.param) }));
      expect(index.keyedEntries(several)).toEqual(
        several.map(({ tokens, markers, ranges, strings }) => ({
          tokens: index.keyed(tokens),
          markers: index.keyed(markers),
          ranges: withKeyed(ranges),
          strings: withKeyed(strings),
        })),
      );
    }),
  );
});
