/**
 * `npm run bench:exchange`: what one site learns reaches the others: how soon (`latency`), what many
 * waiting deliveries cost (`queue`, `waiting`), and what one site that is down costs the others (`isolation`). README.md says what is
 * measured.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isolation } from './exchange/isolation.ts';
import { cost, latency } from './exchange/latency.ts';
import { queue } from './exchange/queue.ts';
import { waiting } from './exchange/waiting.ts';
import { load, machine, versions } from './server/machine.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'latency' },
    'per-second': { type: 'string' },
    seconds: { type: 'string', default: '30' },
    minutes: { type: 'string', default: '1' },
    down: { type: 'string', default: 'refuses,silent,slow,fails' },
    messages: { type: 'string', default: '2000' },
    'under-way': { type: 'string', default: '24' },
    waiting: { type: 'string', default: '1000,100000,1000000' },
    profile: { type: 'string' },
    json: { type: 'string' },
  },
});

const parts: Record<string, () => Promise<object>> = {
  latency: () =>
    latency((values['per-second'] ?? '200').split(',').map(Number), Number(values.seconds), values.profile),
  cost: () => cost(Number(values.messages), Number(values.messages) / 2, Number(values['under-way']), values.profile),
  isolation: () => isolation(Number(values['per-second'] ?? 40), Number(values.minutes), values.down.split(',')),
  queue: () => queue(values.waiting.split(',').map(Number)),
  waiting: () => waiting(values.waiting.split(',').map(Number)),
};
const results: Record<string, object> = {};
for (const name of values.only.split(',')) {
  const part = parts[name];
  if (!part) throw new Error(`There is no part ${name}; there are ${Object.keys(parts).join(', ')}.`);
  const load_1min = load();
  results[name] = { ...rounded(await part()), load_1min };
  console.log(JSON.stringify({ [name]: results[name] }, null, 2));
}
if (values.json) {
  const written = { machine: machine(), versions: versions(undefined), date: new Date().toISOString(), results };
  writeFileSync(values.json, `${JSON.stringify(written, null, 2)}\n`);
}

/** The same with three digits behind the point at most. */
function rounded<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_, one) => (typeof one === 'number' ? Number(one.toFixed(3)) : one)));
}
