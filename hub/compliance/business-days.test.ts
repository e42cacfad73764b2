import { expect, it } from 'vitest';
import { businessDaysAfter } from './business-days.ts';

it.each([
  ['the next day', '2026-03-03', 1, '2026-03-04'],
  ['over a weekend', '2026-03-06', 1, '2026-03-09'],
  ['ten of them', '2026-03-02', 10, '2026-03-16'],
  ['from a Saturday', '2026-03-07', 1, '2026-03-09'],
  ['over Thanksgiving, the fourth Thursday', '2026-11-25', 1, '2026-11-27'],
  ['over the third Monday of January', '2026-01-16', 1, '2026-01-20'],
  ['over the last Monday of May', '2026-05-22', 1, '2026-05-26'],
  ['not over the fourth Monday of May, where there are five', '2027-05-21', 1, '2027-05-24'],
  ['over a fourth of July on a Saturday, kept on Friday', '2026-07-02', 1, '2026-07-06'],
  ['over a holiday on a Sunday, kept on Monday', '2022-06-17', 1, '2022-06-21'],
  ['over New Year of a Saturday, kept on the last day of the year before', '2021-12-30', 1, '2022-01-03'],
  ['over Christmas and New Year', '2026-12-24', 10, '2027-01-11'],
])('%s', (_, from, count, expected) => {
  expect(businessDaysAfter(from, count)).toBe(expected);
});
