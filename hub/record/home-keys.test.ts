import { expect, it } from 'vitest';
import type { Queryable } from '../database/index.ts';
import { fixedMasterKey, newDataKey } from '../secrets/index.ts';
import { HomeKeys } from './home-keys.ts';
import { IndexKey } from './index-key.ts';

/** As many as are kept. */
const kept = 10_000;
const asked: Queryable = {
  as: () => asked,
  query: () => Promise.reject(new Error('The database was asked.')),
};
const keysOf = (homes: readonly number[]) => new Map(homes.map((home) => [home, newDataKey()]));
const homesUpTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

it('keeps as many keys as it may while some of them are used again and again', async () => {
  const keys = new HomeKeys(fixedMasterKey(newDataKey()), new IndexKey(1, newDataKey()));
  const all = keysOf(homesUpTo(kept));
  keys.remember(all);
  const some = homesUpTo(1_000);
  for (let i = 0; i < 3; i++) keys.remember(await keys.load(asked, some));
  expect(await keys.load(asked, homesUpTo(kept))).toEqual(all);
});

it('lets go of those that were made first where there are more', async () => {
  const keys = new HomeKeys(fixedMasterKey(newDataKey()), new IndexKey(1, newDataKey()));
  keys.remember(keysOf(homesUpTo(kept + 1)));
  await expect(keys.load(asked, [1])).rejects.toThrow('The database was asked.');
  expect((await keys.load(asked, [2, kept + 1])).size).toBe(2);
});
