/** `npm run soak:kill -- [--messages 2000] [--kills 20] [--seed 1]`: the kill test at full length, result as JSON. */
import { parseArgs } from 'node:util';
import { tellResult } from '../terminal.ts';
import { runKillTest } from './kill.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '2000' },
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
});
const { missing, doubled, unprocessed, wrongFacts, ...figures } = await runKillTest({
  messages: Number(values.messages),
  kills: Number(values.kills),
  seed: Number(values.seed),
  say: (text) => console.error(text),
});
tellResult({ ...figures, missing, doubled, unprocessed, wrongFacts });
process.exit(missing.length + doubled.length + unprocessed.length + wrongFacts.length > 0 ? 1 : 0);
