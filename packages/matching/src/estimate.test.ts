import { describe, expect, it } from 'vitest';
import { recordedTwice } from '../training/population.ts';
import { compare } from './compare.ts';
import { estimate, frequenciesOf } from './estimate.ts';
import { named, prepared } from './fixtures.ts';
import { bitsOf, defaultModel, FIELDS } from './model.ts';
import { prepare } from './prepare.ts';
import { randomOf } from './random.ts';

const records = recordedTwice(1_500, defaultModel.frequencies, randomOf(5)).map(prepare);
const options = { seed: 11, randomPairs: 20_000 };

describe('the learnt model', () => {
  const model = estimate(records, options);

  it('is the same for the same records and seed', () => {
    expect(estimate(records, options)).toEqual(model);
  });

  it('holds probabilities only, and counts agreement for and difference against', () => {
    for (const { field } of FIELDS) {
      for (const { m, u } of Object.values(model.fields[field])) {
        expect(m).toBeGreaterThan(0);
        expect(m).toBeLessThanOrEqual(1);
        expect(u).toBeGreaterThan(0);
        expect(u).toBeLessThanOrEqual(1);
      }
      const levels = Object.values(model.fields[field]);
      expect(bitsOf(levels[0]!)).toBeGreaterThan(0);
      expect(bitsOf(levels.at(-1)!)).toBeLessThan(0);
    }
  });

  it('links most records of one person and none of two', () => {
    let linked = 0;
    for (let i = 0; i < records.length; i += 2) {
      if (compare(records[i]!, records[i + 1]!, model).outcome === 'link') linked++;
    }
    expect(linked / (records.length / 2)).toBeGreaterThan(0.8);
    let wrong = 0;
    for (let i = 0; i + 40 < records.length; i++) {
      for (let j = 2 - (i % 2); j < 20; j++) {
        if (compare(records[i]!, records[i + j]!, model).outcome === 'link') wrong++;
      }
    }
    expect(wrong).toBeLessThanOrEqual(2);
  });

  it('does not take households for people where there are no duplicates', () => {
    const once = records.filter((_, index) => index % 2 === 0);
    const { fields } = estimate(once, options);
    expect(bitsOf(fields.given.different!)).toBeLessThan(-2);
    expect(bitsOf(fields.birthDate.exact!)).toBeGreaterThan(10);
  });

  it('is the base where there is nothing to learn from', () => {
    expect(estimate([], { seed: 1 })).toBe(defaultModel);
    expect(estimate([prepared()], { seed: 1 })).toBe(defaultModel);
  });
});

describe('name frequencies', () => {
  it('are shares of the people with a name', () => {
    const people = ['Ann Li', 'Bo Li', 'Cy Li', 'Di Wu', 'John Doe'].map((name) => prepared({ names: named(name) }));
    expect(frequenciesOf(people).family.shares).toEqual({ LI: 0.75 });
  });
});
