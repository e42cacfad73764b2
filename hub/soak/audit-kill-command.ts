/**
 * `npm run soak:audit -- [--kills 20] [--fills 6] [--seed 1]`: the kill test of the audit log, result as JSON. Only root can
 * mount the small disk that is filled; for others `--fills 0` says that it is left out, else what was not run is no success.
 */
import { parseArgs } from 'node:util';
import { tellResult } from '../terminal.ts';
import { runAuditKillTest } from './audit-kill.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    fills: { type: 'string', default: '6' },
    seed: { type: 'string', default: '1' },
  },
});
const result = await runAuditKillTest({
  kills: Number(values.kills),
  fills: Number(values.fills),
  seed: Number(values.seed),
  say: (text) => console.error(text),
});
tellResult(result);
const isNotRun = Number(values.fills) > 0 && result.fills === undefined;
if (isNotRun) console.error('not run: the disk was not filled, since only root can mount a small one.');
const isWrong = result.unrecorded > 0 || result.wrong.length > 0 || result.answered === 0;
process.exit(isWrong || isNotRun ? 1 : 0);
