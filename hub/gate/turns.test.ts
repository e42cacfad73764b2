import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

describe('Turns', () => {
  it('does what there is room for, the larger alone, all in order, whether it ends well or not', async () => {
    const room = 10;
    const pieces = fc.record({ size: fc.integer({ min: 1, max: 15 }), ms: fc.nat(3), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 20 }), async (works) => {
        const turns = new Turns(room);
        const begun: number[] = [];
        const now: number[] = [];
        const outcomes = await Promise.allSettled(
          works.map(({ size, ms, fails }, serial) =>
            turns.take(size, async () => {
              begun.push(serial);
              now.push(size);
              const taken = now.reduce((sum, one) => sum + one, 0);
              expect(now.length === 1 || taken <= room).toBe(true);
              await delay(ms);
              now.splice(now.indexOf(size), 1);
              if (fails) throw new Error('It failed.');
              return serial;
            }),
          ),
        );
        expect(begun).toEqual(works.map((_, serial) => serial));
        expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(works.map(({ fails }) => fails));
      }),
      { numRuns: 50 },
    );
  });

  it('does small work beside other small work at once', async () => {
    const turns = new Turns(10);
    let busy = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++busy);
      await delay(1);
      busy--;
    };
    await Promise.all(Array.from({ length: 9 }, () => turns.take(3, work)));
    expect(most).toBe(3);
  });

  it('does work within work at once', async () => {
    const turns = new Turns(1);
    expect(await turns.take(1, () => turns.take(5, async () => 'inner'))).toBe('inner');
  });
});
