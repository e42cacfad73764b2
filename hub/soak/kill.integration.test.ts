import { expect, it } from 'vitest';
import { runKillTest } from './kill.ts';

it('has every acknowledged message exactly once and processed, though the hub was killed while it took them', async () => {
  const result = await runKillTest({ messages: 300, kills: 3, seed: 11 });
  expect(result).toMatchObject({ acknowledged: 300, missing: [], doubled: [], unprocessed: [], wrongFacts: [] });
}, 180_000);
