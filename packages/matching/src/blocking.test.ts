import { describe, expect, it } from 'vitest';
import { blockingKeys } from './blocking.ts';
import type { Demographics } from './demographics.ts';
import { named, prepared } from './fixtures.ts';

const MOVED: Partial<Demographics> = {
  addresses: [{ line: ['9 Mill Road'], city: 'Dunmore', postalCode: '44120' }],
  phones: ['2165550190'],
  emails: [],
};

describe('blocking keys', () => {
  it('are eight or more for a whole record and none for an empty one', () => {
    expect(blockingKeys(prepared()).length).toBeGreaterThanOrEqual(8);
    const empty = prepared({ names: [], birthDate: undefined, addresses: [], phones: [], emails: [] });
    expect(blockingKeys(empty)).toEqual([]);
  });

  it('meet when day and month are swapped and a name is misspelt', () => {
    const keys = new Set(blockingKeys(prepared({ birthDate: '1971-06-03' })));
    const swapped = prepared({ ...MOVED, names: named('Marsha Okafor'), birthDate: '1971-03-06' });
    expect(blockingKeys(swapped).some((key) => keys.has(key))).toBe(true);
  });

  it('do not change between versions: they are stored', () => {
    expect(blockingKeys(prepared({ addresses: [], phones: [], emails: [] })).map(String)).toMatchInlineSnapshot(`
      [
        "1946048050307105781",
        "-1279079209019046538",
        "-1286322267291629739",
        "5758434037956762491",
      ]
    `);
  });

  it.each<[string, Partial<Demographics>]>([
    ['a misspelt name', { ...MOVED, names: named('Martha Okaffor') }],
    ['a married name', { ...MOVED, names: named('Martha Hollis') }],
    ['swapped names', { ...MOVED, names: named('Okafor Martha') }],
    ['an everyday name', { ...MOVED, names: named('Patsy Okafor'), birthDate: '1971-06-28' }],
    ['a wrong year', { ...MOVED, birthDate: '1917-06-23' }],
    ['a wrong month', { ...MOVED, birthDate: '1971-08-23' }],
    ['no birth date', { birthDate: undefined }],
    ['another birth date and a new phone', { birthDate: '1984-02-02', phones: [] }],
  ])('meet in spite of %s', (_, changes) => {
    const keys = new Set(blockingKeys(prepared()));
    expect(blockingKeys(prepared(changes)).some((key) => keys.has(key))).toBe(true);
  });
});
