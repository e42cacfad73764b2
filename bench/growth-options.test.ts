import { expect, test } from 'vitest';
import { readGrowthOptions } from './growth-options.ts';
import { UsageError } from './options.ts';

test('takes sizes, parts and a file', () => {
  expect(readGrowthOptions(['--people', '10,100', '--resources=5000000', '--only', 'ingest', '--json', 'f'])).toEqual({
    only: ['ingest'],
    data: 'region',
    people: [10, 100],
    resources: 5_000_000,
    parts: 20,
    seconds: 8,
    json: 'f',
  });
});

test.each([
  [['--people', '100']],
  [['--people', '100,10']],
  [['--only', 'all']],
  [['--parts', '0']],
  [['--json']],
  [['--x', '1']],
  [['--data', 'x']],
])('refuses %j', (words) => {
  expect(() => readGrowthOptions(words)).toThrow(UsageError);
});
