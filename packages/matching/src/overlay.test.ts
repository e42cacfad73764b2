import { describe, expect, it } from 'vitest';
import type { Demographics } from './demographics.ts';
import { named, prepared, ssn } from './fixtures.ts';
import { isOverlay } from './overlay.ts';

const ELSEWHERE: Partial<Demographics> = {
  addresses: [{ line: ['9 Mill Road'], city: 'Dunmore', postalCode: '44120' }],
  phones: ['2165550190'],
  emails: [],
};

function overlays(after: Partial<Demographics>, before: Partial<Demographics> = {}) {
  return isOverlay(prepared(before), prepared(after)).overlay;
}

describe('an overlay', () => {
  it.each<[string, Partial<Demographics>]>([
    [
      'somebody else altogether',
      { ...ELSEWHERE, names: named('Paul Lindqvist'), birthDate: '1990-02-03', gender: 'male' },
    ],
    ['a namesake of another age', { ...ELSEWHERE, birthDate: '1994-10-02' }],
    ['the spouse', { names: named('Paul Okafor'), birthDate: '1969-02-14', gender: 'male' }],
    ['the twin', { names: named('Monica Okafor') }],
    ['a parent of the same name', { birthDate: '1943-10-02' }],
    ['the child', { names: named('Zora Okafor'), birthDate: '2004-04-05' }],
  ])('is %s', (_, after) => {
    expect(overlays(after)).toBe(true);
  });

  it.each<[string, Partial<Demographics>]>([
    ['nothing new', {}],
    ['a move', ELSEWHERE],
    ['a marriage', { names: named('Martha Hollis') }],
    ['a marriage with a move', { ...ELSEWHERE, names: named('Martha Hollis') }],
    ['a corrected birth date', { birthDate: '1971-06-28' }],
    ['a birth date corrected altogether', { birthDate: '1975-11-02' }],
    ['a corrected sex', { gender: 'male' }],
    ['a transition', { names: named('Marlon Okafor'), gender: 'male' }],
    ['an everyday name', { names: named('Patsy Okafor') }],
    ['less known', { names: named('Martha Okafor'), birthDate: undefined, addresses: [], phones: [], emails: [] }],
  ])('is not %s', (_, after) => {
    expect(overlays(after)).toBe(false);
  });

  it('is not a newborn given a name', () => {
    expect(overlays({ names: named('Zora Okafor') }, { names: named('Baby Girl Okafor') })).toBe(false);
  });

  it('is not a change of name under the same national identifier', () => {
    expect(
      overlays({ names: named('Nora Hollis'), identifiers: ssn('219-09-9991') }, { identifiers: ssn('219-09-9991') }),
    ).toBe(false);
  });

  it('says what changed', () => {
    const { changed } = isOverlay(prepared(), prepared({ names: named('Paul Okafor'), gender: 'male' }));
    expect(changed).toEqual(['given', 'sex']);
  });
});
