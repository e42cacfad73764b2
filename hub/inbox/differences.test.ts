import { expect, it } from 'vitest';
import { differencesOf } from './differences.ts';

const before = {
  resourceType: 'Patient',
  id: 'a',
  meta: { versionId: '1' },
  name: [{ family: 'Old', given: ['A', 'B'] }],
};
const after = {
  resourceType: 'Patient',
  id: 'a',
  meta: { versionId: '2' },
  name: [{ family: 'New', given: ['A'] }],
  active: true,
};

it('tells each element that differs, and nothing that the hub notes itself', () => {
  expect(differencesOf(before, after, 10)).toEqual([
    { path: 'name[0].family', before: 'Old', after: 'New' },
    { path: 'name[0].given[1]', before: 'B' },
    { path: 'active', after: true },
  ]);
  expect(differencesOf(before, before, 10)).toEqual([]);
});

it('tells all of what is new or gone, up to the limit', () => {
  expect(differencesOf(undefined, after, 10).map(({ path }) => path)).toEqual([
    'resourceType',
    'name[0].family',
    'name[0].given[0]',
    'active',
  ]);
  expect(differencesOf(before, undefined, 2)).toHaveLength(2);
});
