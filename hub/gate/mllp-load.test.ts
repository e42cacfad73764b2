import { expect, test } from 'vitest';
import { MllpLoad } from './mllp-load.ts';

const mebibyte = 1024 * 1024;

function connections(load: MllpLoad, count: number) {
  return Array.from({ length: count }, () => {
    const connection = {
      resumed: 0,
      resume: () => {
        connection.resumed++;
      },
    };
    load.joined(connection);
    return connection;
  });
}

test('large frames take turns, in the order in which they became large', () => {
  const load = new MllpLoad();
  const all = connections(load, 6);
  for (const one of all) load.holding(one, mebibyte);
  expect(all.map((one) => load.mustWait(one))).toEqual([false, false, false, false, true, true]);
  load.holding(all[1]!, 0);
  expect(all.map((one) => load.mustWait(one))).toEqual([false, false, false, false, false, true]);
  expect(all[4]!.resumed).toBeGreaterThan(0);
  load.left(all[0]!);
  expect(load.mustWait(all[5]!)).toBe(false);
});

test('small frames wait for no turn', () => {
  const load = new MllpLoad();
  const all = connections(load, 50);
  for (const one of all) load.holding(one, 10_000);
  expect(all.some((one) => load.mustWait(one))).toBe(false);
});

test('what waits for its commit is limited for one connection and for all, and told when there is room', () => {
  const load = new MllpLoad();
  const [one] = connections(load, 1);
  expect(load.isFull(1, 15 * mebibyte)).toBe(false);
  expect(load.isFull(1, 16 * mebibyte)).toBe(true);
  for (let i = 0; i < 8; i++) load.taken(8 * mebibyte);
  expect(load.isFull(1, 0)).toBe(true);
  for (let i = 0; i < 4; i++) load.answered(8 * mebibyte);
  expect(one!.resumed).toBe(0);
  load.answered(1);
  expect(one!.resumed).toBe(1);
  expect(load.isFull(0.5, 0)).toBe(false);
});
