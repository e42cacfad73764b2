import { expect, test } from 'vitest';
import { judge } from './sequence.ts';

const link = 'lab|LIS|NORTH|HUB|REGION';
const at = (last: number | null, number: number, isKnown = false) => {
  const links = new Map([[link, last]]);
  const { expected, refused } = judge(links, { link, number }, isKnown);
  return [expected, refused === undefined, links.get(link)];
};

test.each([
  ['a link that never was starts', null, 0, false, [-1, true, null]],
  ['a link starts again', 7, 0, false, [8, true, 7]],
  ['the numbering begins anew', 7, -1, false, [-1, true, null]],
  ['the first number is taken as it comes', null, 41, false, [41, true, 41]],
  ['the next one', 7, 8, false, [8, true, 8]],
  ['the last one once more: its acknowledgement was lost', 7, 7, true, [8, true, 7]],
  ['an older one once more', 7, 3, true, [8, true, 7]],
  ['a gap', 7, 9, false, [8, false, 7]],
  ['a gap, with what was refused before', 7, 9, true, [8, false, 7]],
  ['a number used for something else', 7, 7, false, [8, false, 7]],
] as const)('%s', (_, last, number, isKnown, outcome) => {
  expect(at(last, number, isKnown)).toEqual(outcome);
});
