import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quantityStep } from './index-entries.ts';
import { selfHash } from './keys.ts';
import { newId } from './new-id.ts';

const width = 2n ** 54n;

it('what is made together lies together: hashes of ids with a time are led by it', () => {
  const now = Math.floor(Date.UTC(2026, 0, 1) / 2 ** 14) * 2 ** 14;
  const hashes = Array.from({ length: 1_000 }, (_, i) => selfHash('Observation', newId(now + i * 16)));
  expect(new Set(hashes).size).toBe(1_000);
  expect(new Set(hashes.map((hash) => hash >> 54n)).size).toBe(1);
  const next = selfHash('Observation', newId(now + 2 ** 14));
  expect(BigInt.asUintN(64, ((next >> 54n) - (hashes[0]! >> 54n)) * width)).toBe(width);
  expect(hashes.some((hash) => hash === selfHash('Patient', 'x'))).toBe(false);
});

it('hashes of the same id differ by type; those of other ids are spread', () => {
  const id = newId();
  expect(selfHash('Observation', id)).not.toBe(selfHash('Condition', id));
  const spread = Array.from({ length: 1_000 }, (_, i) => {
    const rid = `00000000-0000-8000-8000-${i.toString(16).padStart(12, '0')}`;
    return selfHash('Observation', rid) >> 54n;
  });
  expect(new Set(spread).size).toBeGreaterThan(500);
});

it('steps of quantities keep their order, begin at or below their value, and are narrow', () => {
  const value = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(value, value, (a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      expect(quantityStep(low)).toBeLessThanOrEqual(quantityStep(high));
      expect(quantityStep(a)).toBeLessThanOrEqual(a);
      if (Math.abs(a) > 1e-300 && Math.abs(a) < 1e300) {
        expect(a - quantityStep(a)).toBeLessThanOrEqual(Math.abs(a) / 64);
        expect(quantityStep(quantityStep(a))).toBe(quantityStep(a));
      }
    }),
    { numRuns: 2_000 },
  );
  expect([0, 1, 140, -3, 1.02, -1.02, Number.MAX_VALUE, -Number.MAX_VALUE].map(quantityStep)).toEqual([
    0,
    1,
    140,
    -3,
    1.015625,
    -1.03125,
    127 * 2 ** 1017,
    Number.NEGATIVE_INFINITY,
  ]);
});
