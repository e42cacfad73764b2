/** The streams of chance: equal names give equal draws, other names other draws, ranges hold. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Person } from './people.ts';
import { randomFrom } from './random.ts';
import { recordNumber } from './registrations.ts';

test('equal parts give the equal stream, neighbours another', () => {
  const draw = (...parts: (number | string)[]) => Array.from({ length: 5 }, randomFrom(...parts).next);
  expect(draw(1, 'household', 7)).toEqual(draw(1, 'household', 7));
  expect(draw(1, 'household', 7)).not.toEqual(draw(1, 'household', 8));
  expect(draw(1, 'household', 7)).not.toEqual(draw(2, 'household', 7));
  expect(draw(1, 'story', 7)).not.toEqual(draw(1, 'household', 7));
});

test('draws stay in range and are even', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: -50, max: 50 }), fc.nat(100), (seed, low, width) => {
      const value = randomFrom(seed).int(low, low + width);
      return value >= low && value <= low + width;
    }),
  );
  const random = randomFrom('evenness');
  let sum = 0;
  for (let count = 0; count < 20_000; count++) sum += random.next();
  expect(sum / 20_000).toBeCloseTo(0.5, 1);
});

test('record numbers of a hundred thousand people never meet', () => {
  for (const site of ['harbor-hospital', 'millbrook-practice', 'ellery-lab', 'corner-pharmacy'] as const) {
    const numbers = new Set<string>();
    for (let ordinal = 0; ordinal < 100_000; ordinal++) {
      numbers.add(recordNumber({ ordinal } as Person, site));
      numbers.add(recordNumber({ ordinal } as Person, site, 1));
    }
    expect(numbers.size).toBe(200_000);
  }
});
