import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('works one after the other, in order, whatever fails', async () => {
  const turns = new Turns();
  const seen: string[] = [];
  let atOnce = 0;
  const work = (name: string, ms: number, fails = false) =>
    turns.take(async () => {
      expect(++atOnce).toBe(1);
      await delay(ms);
      atOnce--;
      seen.push(name);
      if (fails) throw new Error(name);
      return name;
    });
  const all = await Promise.allSettled([work('a', 20), work('b', 1, true), work('c', 5)]);
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('work within work does not wait for itself', async () => {
  const turns = new Turns();
  const inner = () => turns.take(() => delay(1, 'inner'));
  expect(await turns.take(async () => `${await inner()} in outer`)).toBe('inner in outer');
});
