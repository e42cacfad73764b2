import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { plan, targetOf } from './plan.ts';
import { fuzz } from './run.ts';
import { collectSeeds } from './seeds.ts';
import { targets } from './targets.ts';

const seeds = collectSeeds(undefined);

describe('parsers and converters', () => {
  it('take 2 000 mutated inputs without a crash, a hang or too much memory', { timeout: 120_000 }, async () => {
    const { tallies, failures, peakMib } = await fuzz({ seed: 7, from: 0, to: 2_000, seeds });
    expect(failures).toEqual([]);
    expect(peakMib).toBeGreaterThan(20);
    const counts = Object.values(tallies).map(({ count }) => count);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2_000);
    expect(Object.keys(tallies).sort()).toEqual(targets.map(({ name }) => name).sort());
    // Of each some are taken and some refused: the inputs are neither all as they were nor all destroyed.
    for (const { accepted, count } of Object.values(tallies)) expect(accepted > 0 && accepted < count).toBe(true);
  });
});

describe('inputs', () => {
  it('are the same for the same seed and number, others for another, whatever is run beside them', () => {
    const inputs = (seed: number) =>
      Array.from({ length: 100 }, (_, number) => plan(seed, number, targets, seeds).input.toString('base64'));
    const [some, again, others] = [inputs(1), inputs(1), inputs(2)];
    expect(again).toEqual(some);
    expect(others.filter((input, i) => input === some[i]).length).toBeLessThan(10);
  });

  it('are shared out as the targets say', () => {
    const counts = new Map<string, number>();
    for (let number = 0; number < 1_000; number++) {
      const { name } = targetOf(number, targets);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual(
      Object.fromEntries(targets.map(({ name, share }) => [name, share * 10])),
    );
  });
});

describe('the watchdog', () => {
  const failing = pathToFileURL(join(import.meta.dirname, 'failing-targets.ts')).href;

  it('notices each way to fail, and goes on behind it', { timeout: 120_000 }, async () => {
    const limits = { slowMs: 300, hungMs: 3_000, mostMib: 200 };
    const { failures, tallies, peakMib } = await fuzz({ seed: 61, from: 0, to: 24, seeds, limits, targets: failing });
    const kinds = new Map<string, Set<string>>();
    for (const { target, kind } of failures) kinds.set(target, (kinds.get(target) ?? new Set()).add(kind));
    expect(kinds).toEqual(
      new Map(
        ['throws', 'slow', 'hung', 'ended', 'memory'].map((name) => [
          name,
          new Set([name === 'throws' ? 'threw' : name]),
        ]),
      ),
    );
    expect(tallies.fine!.count).toBe(4);
    expect(peakMib).toBeGreaterThan(200);
  });

  it('replays one input alone', async () => {
    const all = await fuzz({ seed: 1, from: 0, to: 60, only: 'throws', seeds, targets: failing });
    expect(all.failures.length).toBeGreaterThan(0);
    const { number } = all.failures[0]!;
    const one = await fuzz({ seed: 1, from: number, to: number + 1, only: 'throws', seeds, targets: failing });
    expect(one.failures).toEqual([all.failures[0]]);
  });
});
