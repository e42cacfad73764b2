import { expect, test } from 'vitest';
import { type Bar, barLines, issueBars, judge, type Results } from './bars.ts';

const results: Results = {
  read: {
    ...{ rate_per_s: 2_600, cpu_ms_per_op: 0.6, clients: 8, hub_peak_mib: 100, load_1min: 0 },
    by_clients: {
      8: { rate_per_s: 2_600, cpu_ms_per_op: 0.6, clients: 8, hub_peak_mib: 100, load_1min: 0 },
      32: { rate_per_s: 4_000, cpu_ms_per_op: 0.2, clients: 32, hub_peak_mib: 300, load_1min: 0 },
    },
  },
  create: { error: 'refused' },
};

test('a rate has to be reached, a cost not to be exceeded, each with its number of clients', () => {
  const held = new Map(judge(results, issueBars).map((judged) => [judged.what, judged.held]));
  expect(held.get('read by id, 8 clients')).toBe(true);
  expect(held.get('read by id, 8 clients: CPU')).toBe(false);
  expect(held.get('read by id, 32 clients')).toBe(false);
  expect(held.get('read by id, 32 clients: CPU')).toBe(true);
  expect(held.get('memory of the hub under load')).toBe(false);
});

test('what failed or was not measured is neither held nor missed', () => {
  const held = new Map(judge(results, issueBars).map((judged) => [judged.what, judged.held]));
  expect(held.get('create a Patient of 4 KB, 8 clients')).toBeUndefined();
  expect(held.get('start with data')).toBeUndefined();
  expect(barLines(results, issueBars).join('\n')).not.toContain('create');
});

test('the bar itself is enough', () => {
  const bar: Bar = { what: 'x', unit: 's', atMost: 3, figure: () => 3 };
  expect(judge({}, [bar])).toEqual([{ what: 'x', demand: '≤ 3 s', figure: 3, held: true }]);
  expect(barLines({}, [bar])).toEqual(['held   x: 3 (≤ 3 s)']);
});
