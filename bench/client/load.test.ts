import { expect, test } from 'vitest';
import { percentiles, runLoad } from './load.ts';

test('units of concurrent clients are all counted', async () => {
  let given = 0;
  const result = await runLoad(
    {
      clients: 4,
      operation: async (client) => {
        await new Promise((resolve) => setTimeout(resolve, 1 + client));
        given += 3;
        return { units: 3, resources: 6, bytes: 10 };
      },
      close: () => {},
    },
    { seconds: 0.05 },
  );
  expect(result.units).toBe(given);
  expect(result.requests * 3).toBe(given);
  expect([result.resources, result.bytes]).toEqual([given * 2, (given / 3) * 10]);
});

test('a number of units is reached and hardly exceeded', async () => {
  const operation = async () => ({ units: 10, resources: 0, bytes: 0 });
  const { units } = await runLoad({ clients: 3, operation, close: () => {} }, { units: 100 });
  expect(units).toBeGreaterThanOrEqual(100);
  expect(units).toBeLessThan(130);
});

test('percentiles by nearest rank', () => {
  expect(percentiles([5, 1, 4, 2, 3])).toEqual({ p50_ms: 3, p99_ms: 5 });
  expect(percentiles([])).toEqual({ p50_ms: 0, p99_ms: 0 });
});
