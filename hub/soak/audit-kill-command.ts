/** `npm run soak:audit -- [--kills 20] [--seed 1]`: the kill test of the audit log, result as JSON. */
import { parseArgs } from 'node:util';
import { runAuditKillTest } from './audit-kill.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
});
const result = await runAuditKillTest({
  kills: Number(values.kills),
  seed: Number(values.seed),
  say: (text) => console.error(text),
});
console.log(JSON.stringify(result));
process.exit(result.unrecorded > 0 || result.wrong.length > 0 || result.answered === 0 ? 1 : 0);
