import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GroupCommit } from './group-commit.ts';

const commitMs = 8;
let commits: { at: number; items: string[] }[];
let log: GroupCommit<string>;

beforeEach(() => {
  vi.useFakeTimers();
  commits = [];
  log = new GroupCommit(async (items) => {
    commits.push({ at: performance.now(), items });
    await new Promise((done) => setTimeout(done, commitMs));
  }, 5);
});

afterEach(() => {
  vi.useRealTimers();
});

describe('what is committed together', () => {
  test('one alone waits for nobody', async () => {
    for (let i = 0; i < 20; i++) {
      const asked = performance.now();
      log.add('a');
      await vi.advanceTimersByTimeAsync(commitMs + 3);
      expect(commits[i]!.at - asked).toBeLessThan(1);
    }
  });

  test('what arrives while a commit is under way is in the next, with those that come back from it', async () => {
    log.add('a');
    await vi.advanceTimersByTimeAsync(1);
    log.add('b');
    await vi.advanceTimersByTimeAsync(commitMs);
    // The first one has ended, and b waits for a to come back.
    expect(commits.map(({ items }) => items)).toEqual([['a']]);
    log.add('a');
    await vi.advanceTimersByTimeAsync(1);
    expect(commits.map(({ items }) => items)).toEqual([['a'], ['b', 'a']]);
  });

  test('those who do not come back are waited for no longer than a commit takes', async () => {
    log.add('a');
    await vi.advanceTimersByTimeAsync(1);
    log.add('b');
    await vi.advanceTimersByTimeAsync(3 * commitMs);
    expect(commits.map(({ items }) => items)).toEqual([['a'], ['b']]);
    expect(commits[1]!.at - commits[0]!.at).toBeLessThanOrEqual(2 * commitMs);
  });

  test('where that was in vain, the next commits begin at once', async () => {
    const waited: number[] = [];
    for (let i = 0; i < 60; i++) {
      log.add('first');
      await vi.advanceTimersByTimeAsync(2 * commitMs);
      const asked = commits.length;
      log.add('a');
      await vi.advanceTimersByTimeAsync(1);
      log.add('b');
      await vi.advanceTimersByTimeAsync(commitMs - 1);
      const ended = commits[asked]!.at + commitMs;
      await vi.advanceTimersByTimeAsync(3 * commitMs);
      waited.push(Number(commits[asked + 1]!.at - ended > 1));
    }
    expect(waited[0]).toBe(1);
    expect(waited.filter((was) => was === 1).length).toBeLessThan(8);
  });

  test('no more than fit into one, and none is lost', async () => {
    for (let i = 0; i < 12; i++) log.add(String(i));
    await vi.advanceTimersByTimeAsync(10 * commitMs);
    expect(commits.flatMap(({ items }) => items)).toEqual(Array.from({ length: 12 }, (_, i) => String(i)));
    expect(Math.max(...commits.map(({ items }) => items.length))).toBe(5);
  });
});
