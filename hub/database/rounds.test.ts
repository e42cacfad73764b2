import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { Rounds } from './rounds.ts';

it('comes back after the time that each round says, and after a fault', async () => {
  const faults: unknown[] = [];
  let count = 0;
  const rounds = new Rounds({
    round: async () => {
      count++;
      if (count === 2) throw new Error('once');
      return count === 4 ? undefined : 1;
    },
    afterFaultMs: 1,
    fault: (error) => faults.push(error),
  });
  rounds.start();
  await vi.waitFor(() => expect(count).toBe(4));
  expect(faults).toEqual([new Error('once')]);
  await rounds.stop();
  expect(count).toBe(4);
});

it('is stopped when the round under way has ended, which is told; no other follows, unless it is started anew', async () => {
  const said: string[] = [];
  const rounds = new Rounds({
    round: async (signal) => {
      said.push('begins');
      await delay(60_000, undefined, { signal }).catch(() => {});
      await delay(5);
      said.push('ends');
      return 0;
    },
    afterFaultMs: 0,
    fault: () => {},
  });
  rounds.start();
  await vi.waitFor(() => expect(said).toEqual(['begins']));
  await rounds.stop();
  expect(said).toEqual(['begins', 'ends']);
  rounds.start();
  await vi.waitFor(() => expect(said).toHaveLength(3));
  await rounds.stop();
  expect(said).toHaveLength(4);
});

it('is not begun where it is stopped before its first time', async () => {
  const round = vi.fn(async () => 0);
  const rounds = new Rounds({ round, firstMs: 60_000, afterFaultMs: 0, fault: () => {} });
  rounds.start();
  await rounds.stop();
  expect(round).not.toHaveBeenCalled();
});
