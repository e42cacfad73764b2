/** `npm run soak:exchange -- [--results 20000] [--kills 100] [--seed 1]`: the kill test of what goes out, result as JSON. */
import { parseArgs } from 'node:util';
import { tellResult } from '../terminal.ts';
import { runExchangeKillTest } from './exchange.ts';

const { values } = parseArgs({
  options: {
    results: { type: 'string', default: '20000' },
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
  },
});
const { faults, ...figures } = await runExchangeKillTest({
  results: Number(values.results),
  kills: Number(values.kills),
  seed: Number(values.seed),
  say: (text) => console.error(text),
});
tellResult({ ...figures, faults: faults.length, first: faults.slice(0, 20) });
process.exit(faults.length > 0 ? 1 : 0);
