import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockingKeys, MAX_KEYS } from './blocking.ts';
import { compare } from './compare.ts';
import { type Demographics, demographicsOf } from './demographics.ts';
import { jaroWinkler, withinOneEdit } from './distance.ts';
import { isOverlay } from './overlay.ts';
import { prepare } from './prepare.ts';

const word = fc.oneof(
  fc.constantFrom('Ana', 'Anna', 'Smith', 'Smyth', 'de la Cruz', "O'Neil", 'Bob', 'Robert', 'Jr', 'Li', 'Lee', 'Baby'),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const date = fc.oneof(
  fc.constantFrom('1970-03-04', '1970-04-03', '1970-03-05', '1995-03-04', '1970', '1970-03', '1970-01-01'),
  fc.string({ maxLength: 12 }),
);
const demographics: fc.Arbitrary<Demographics> = fc.record(
  {
    names: fc.array(fc.record({ family: word, given: fc.array(word, { maxLength: 3 }) }), { maxLength: 3 }),
    birthDate: date,
    gender: fc.constantFrom('male' as const, 'female' as const, 'other' as const, 'unknown' as const),
    addresses: fc.array(
      fc.record({
        line: fc.array(fc.oneof(fc.constantFrom('12 Oak St', '12 Oak Street Apt 4', 'PO Box 9'), word), {
          maxLength: 2,
        }),
        city: word,
        postalCode: fc.constantFrom('44055', '44120', '', 'SW1A 2BJ'),
      }),
      { maxLength: 2 },
    ),
    phones: fc.array(fc.oneof(fc.constantFrom('440-321-8765', '3218765'), word), { maxLength: 2 }),
    emails: fc.array(fc.oneof(fc.emailAddress(), word), { maxLength: 2 }),
    identifiers: fc.array(
      fc.record({
        system: fc.constantFrom('http://hl7.org/fhir/sid/us-ssn', 'urn:a', ''),
        value: fc.oneof(fc.constantFrom('219-09-9991', '219-09-9992', '9991'), word),
        type: fc.constantFrom('SS', 'MR', undefined),
      }),
      { maxLength: 3 },
    ),
    multipleBirth: fc.oneof(fc.boolean(), fc.integer({ min: 0, max: 3 })),
    motherMaidenName: word,
  },
  { requiredKeys: ['names', 'addresses', 'phones', 'emails', 'identifiers'] },
);

describe('for any content', () => {
  it('comparison is symmetric and repeatable', () => {
    fc.assert(
      fc.property(demographics, demographics, (x, y) => {
        const [a, b] = [prepare(x), prepare(y)];
        const forth = compare(a, b);
        const back = compare(b, a);
        expect(back.weight).toBeCloseTo(forth.weight, 9);
        expect(back.outcome).toBe(forth.outcome);
        expect(back.guards).toEqual(forth.guards);
        expect(back.explanation.map((line) => line.level)).toEqual(forth.explanation.map((line) => line.level));
        expect(compare(prepare(x), prepare(y))).toEqual(forth);
        expect(Number.isFinite(forth.weight)).toBe(true);
        isOverlay(a, b);
      }),
      { numRuns: 400 },
    );
  });

  it('a placeholder is never linked', () => {
    fc.assert(
      fc.property(demographics, demographics, (x, y) => {
        const [a, b] = [prepare(x), prepare(y)];
        fc.pre(a.placeholder !== undefined || b.placeholder !== undefined);
        expect(compare(a, b).outcome).not.toBe('link');
      }),
      { numRuns: 200 },
    );
  });

  it('blocking keys are stable, signed 64-bit and few, in whatever order a source lists things', () => {
    fc.assert(
      fc.property(demographics, (x) => {
        const keys = blockingKeys(prepare(x));
        expect(blockingKeys(prepare(structuredClone(x)))).toEqual(keys);
        expect(keys.length).toBeLessThanOrEqual(MAX_KEYS);
        for (const key of keys) expect(BigInt.asIntN(64, key)).toBe(key);
        const turned = { ...x, phones: [...x.phones].reverse(), identifiers: [...x.identifiers].reverse() };
        expect(blockingKeys(prepare(turned))).toEqual(keys);
      }),
      { numRuns: 300 },
    );
  });

  it('prepared people survive storage as JSON', () => {
    fc.assert(
      fc.property(demographics, demographics, (x, y) => {
        const stored = JSON.parse(JSON.stringify(prepare(x)));
        expect(compare(stored, prepare(y))).toEqual(compare(prepare(x), prepare(y)));
      }),
      { numRuns: 100 },
    );
  });

  it('a Patient of any shape is read', () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 3 }), (shape) => {
        const patient = { resourceType: 'Patient' as const, ...shape };
        prepare(demographicsOf(patient as never));
      }),
      { numRuns: 100 },
    );
  });

  it('string distances are symmetric', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 }), (a, b) => {
        expect(jaroWinkler(a, b)).toBeCloseTo(jaroWinkler(b, a), 12);
        expect(withinOneEdit(a, b)).toBe(withinOneEdit(b, a));
        expect(jaroWinkler(a, a)).toBe(1);
      }),
    );
  });
});
