import { describe, expect, it } from 'vitest';
import { compare } from './compare.ts';
import type { Demographics } from './demographics.ts';
import { named, person, prepared, ssn } from './fixtures.ts';
import { defaultModel, withPopulation } from './model.ts';
import { prepare } from './prepare.ts';

function outcome(a: Partial<Demographics>, b: Partial<Demographics>) {
  return compare(prepared(a), prepared(b)).outcome;
}

const MOVED: Partial<Demographics> = {
  addresses: [{ line: ['9 Mill Road'], city: 'Dunmore', state: 'OH', postalCode: '44120' }],
  phones: ['2165550190'],
  emails: [],
};
const BARE: Partial<Demographics> = { addresses: [], phones: [], emails: [] };

describe('the same person', () => {
  it.each<[string, Partial<Demographics>]>([
    ['everything the same', {}],
    ['a misspelt family name', { names: named('Martha Jean Okafr') }],
    ['a misspelt given name', { names: named('Marhta Okafor') }],
    ['an everyday name', { names: named('Marty Okafor') }],
    ['names swapped', { names: named('Okafor Martha') }],
    ['a new address', { addresses: MOVED.addresses }],
    ['day and month within reach', { birthDate: '1971-06-28' }],
    ['a two-part family name', { names: named('Martha Okafor-Lindqvist') }],
    ['the middle name used', { names: named('Jean Okafor') }],
  ])('%s links', (_, changes) => {
    expect(outcome({}, changes)).toBe('link');
  });

  it('links after a marriage when phone or address stay, or the former name is listed', () => {
    const married = named('Martha Jean Hollis');
    expect(outcome({}, { names: married })).toBe('link');
    expect(outcome({}, { names: married, phones: [] })).toBe('link');
    const listed = [...married, { family: 'Okafor', given: ['Martha'], use: 'maiden' }];
    expect(outcome({}, { ...MOVED, names: listed })).toBe('link');
  });

  it('shows a marriage with a move to a human where the given name is rare', () => {
    const before = { names: named('Ottoline Okafor') };
    expect(outcome(before, { ...MOVED, names: named('Ottoline Hollis') })).not.toBe('link');
    expect(outcome({ ...before, ...BARE }, { ...BARE, names: named('Ottoline Hollis') })).toBe('review');
  });

  it('links a rare name on birth date and sex alone, and asks about a common one', () => {
    expect(outcome({ ...BARE }, BARE)).toBe('link');
    const smith = { ...BARE, names: named('John Smith'), gender: 'male' as const };
    expect(outcome(smith, smith)).toBe('review');
  });

  it('asks more the more people there are', () => {
    const a = prepared({ ...BARE, names: named('John Smith') });
    expect(compare(a, a, withPopulation(defaultModel, 5_000)).outcome).toBe('link');
    expect(compare(a, a, withPopulation(defaultModel, 10_000_000)).outcome).toBe('review');
  });
});

describe('somebody else', () => {
  const twin = { names: named('Monica Okafor') };

  it('never links twins, whatever else agrees', () => {
    expect(outcome({}, twin)).toBe('different');
    expect(compare(prepared(), prepared(twin)).guards).toContain('given-name-disagrees');
    expect(outcome({ identifiers: ssn('219-09-9991') }, { ...twin, identifiers: ssn('219-09-9991') })).toBe('review');
  });

  it('never links twins of like names', () => {
    const tina = { names: named('Tina Okafor') };
    expect(outcome(tina, { names: named('Gina Okafor') })).not.toBe('link');
    expect(outcome({ names: named('Daniel Okafor') }, { names: named('Danielle Okafor') })).not.toBe('link');
    expect(outcome(tina, { names: named('T Okafor') })).not.toBe('link');
    expect(outcome({ multipleBirth: 1 }, { names: named('Marthe Okafor') })).toBe('review');
  });

  it('never links father and son of one name', () => {
    expect(outcome({}, { birthDate: '1999-02-11' })).toBe('different');
    expect(outcome({}, { birthDate: '1991-06-23' })).not.toBe('link');
    const senior = { names: [{ family: 'Okafor', given: ['Martin'], suffix: 'Sr' }], gender: 'male' as const };
    const junior = { names: named('Martin Okafor Jr'), gender: 'male' as const };
    expect(outcome(senior, { ...junior, names: [{ family: 'Okafor Jr.', given: ['Martin'] }] })).toBe('review');
  });

  it('shows the same name and home with another birth date to a human at most', () => {
    expect(outcome({}, { birthDate: '1973-11-02' })).toBe('review');
  });

  it('keeps spouses and siblings apart', () => {
    expect(outcome({}, { names: named('Paul Okafor'), gender: 'male', birthDate: '1969-02-14' })).toBe('different');
    expect(outcome({}, { names: named('Marthe Okafor'), birthDate: '1973-06-23' })).not.toBe('link');
  });

  it('asks when the national identifiers contradict', () => {
    const a = { ...MOVED, identifiers: ssn('219-09-9991') };
    expect(compare(prepared({ identifiers: ssn('457-55-5462') }), prepared(a)).guards).toContain(
      'national-id-conflict',
    );
  });

  it('never links placeholders', () => {
    const doe = { names: named('John Doe') };
    expect(outcome(doe, doe)).not.toBe('link');
    const baby = { names: [{ family: 'Okafor', given: ['Baby Girl'] }] };
    expect(outcome(baby, baby)).not.toBe('link');
    expect(outcome(baby, {})).not.toBe('link');
  });
});

describe('the explanation', () => {
  it('accounts for every bit', () => {
    const result = compare(prepared(), prepared({ ...MOVED, birthDate: '1971-23-06' }));
    const sum = result.explanation.reduce((total, line) => total + line.weight, 0);
    expect(sum).toBeCloseTo(result.weight, 9);
    expect(result.posterior).toBeCloseTo(result.weight + defaultModel.prior, 9);
    expect(result.probability).toBeGreaterThanOrEqual(0);
    expect(result.probability).toBeLessThanOrEqual(1);
  });

  it('names fields, values, levels and missing values', () => {
    const lines = compare(prepared(), prepared({ names: named('Peggy Okafor'), phones: [] })).explanation;
    expect(lines.find((line) => line.field === 'family')).toMatchObject({ level: 'exact', a: 'OKAFOR', b: 'OKAFOR' });
    expect(lines.find((line) => line.field === 'phone')).toMatchObject({
      level: 'missing',
      a: null,
      b: null,
      weight: 0,
    });
  });

  it('counts a common name for less than a rare one', () => {
    const weight = (family: string) => {
      const p = prepare(person({ names: named(`Martha ${family}`) }));
      return compare(p, p).explanation.find((line) => line.field === 'family')!.weight;
    };
    expect(weight('Okafor')).toBeGreaterThan(weight('Smith') + 3);
  });

  it('takes no evidence from missing fields', () => {
    const empty = prepare({ names: [], addresses: [], phones: [], emails: [], identifiers: [] });
    expect(compare(empty, prepared()).weight).toBe(0);
    expect(compare(empty, empty).outcome).toBe('different');
  });
});

it('weighs the same pair of names whoever of the two comes first', () => {
  const person = (...names: [string, string][]) =>
    prepare({
      names: names.map(([family, given]) => ({ family, given: [given] })),
      addresses: [],
      phones: [],
      emails: [],
      identifiers: [],
    });
  const [a, b] = [person(['Ana', 'Anna'], ['', 'Li']), person(['Ana', 'Li'], ['', 'Anna'])];
  expect(compare(a, b).weight).toBeCloseTo(compare(b, a).weight, 9);
});
