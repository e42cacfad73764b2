import { expect, it } from 'vitest';
import { Seen } from './seen.ts';

const hour = 3_600_000;
const ten = 10 * hour;
const persons = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `p${from + i}`);

it('counts distinct persons within an hour, whichever hours of the clock it spans', () => {
  const seen = new Seen();
  seen.add('account', 'ann', ten - 600_000, persons(0, 150));
  seen.add('account', 'ann', ten + 600_000, persons(100, 250));
  seen.add('account', 'bob', ten, persons(0, 200));
  expect(seen.over(200, ten + 600_000)).toEqual([{ kind: 'account', key: 'ann', persons: 250 }]);
  // Fifty minutes later only those of the second look are within the hour.
  expect(seen.over(149, ten + hour)).toEqual([
    { kind: 'account', key: 'ann', persons: 150 },
    { kind: 'account', key: 'bob', persons: 200 },
  ]);
  expect(seen.over(200, ten + hour)).toEqual([]);
});

it('tells once of each hour that is over, a minute after it', () => {
  const seen = new Seen();
  seen.add('organization', 'north', ten - 1, persons(0, 3));
  seen.add('organization', 'north', ten + 1, persons(0, 2));
  expect(seen.closedHours(ten + 1_000)).toEqual([]);
  const closed = [{ hour: ten - hour, counts: [{ kind: 'organization', key: 'north', persons: 3 }] }];
  expect(seen.closedHours(ten + 61_000)).toEqual(closed);
  expect(seen.closedHours(ten + 62_000)).toEqual([]);
});

it('holds no more persons of one looker than it is bound to', () => {
  const seen = new Seen();
  seen.add('account', 'ann', ten, persons(0, 30_000));
  expect(seen.over(200, ten)).toEqual([{ kind: 'account', key: 'ann', persons: 20_000 }]);
});
