import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { searchParameters, typedBirthDate } from './find-people.ts';

describe('a birth date as typed', () => {
  it.each([
    '1962-04-09',
    '1962-4-9',
    '1962/4/9',
    '04/09/1962',
    '4-9-1962',
    '9.4.1962',
    '09. 04. 1962',
    '19620409',
    '9 Apr 1962',
    '9. April 1962',
    'Apr 9, 1962',
    'april 9th 1962',
  ])('%s is one day', (text) => {
    expect(typedBirthDate(text)).toBe('1962-04-09');
  });
  it.each([
    ['1962', '1962'],
    ['4/1962', '1962-04'],
    ['April 1962', '1962-04'],
    ['1962-02-30', undefined],
    ['13/13/1962', undefined],
    ['9 Foo 1962', undefined],
    ['9.4.62', undefined],
  ])('%s is %s', (text, date) => {
    expect(typedBirthDate(text)).toBe(date);
  });
  it('every day is read back as it is written in FHIR', () => {
    const days = fc.date({ min: new Date('1880-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(days, (day) => {
        const iso = day.toISOString().slice(0, 10);
        expect(typedBirthDate(iso)).toBe(iso);
        expect(typedBirthDate(iso.replaceAll('-', ''))).toBe(iso);
      }),
    );
  });
});

it('each word of a name must be found', () => {
  expect(searchParameters({ name: ' Ada  Rivers,Stone ' })?.getAll('name')).toEqual(['Ada', 'Rivers', 'Stone']);
  expect(searchParameters({ name: '  ' })).toBeUndefined();
});
