/**
 * `npm run bench:turns`: the same operations by hubs of several checkouts of this repository, in turns, so that what else
 * the machine does is the same for all of them. README.md says what is told.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type FhirName, fhirNames } from './client/operations.ts';
import { type Client, startClient } from './client/start.ts';
import { syntheaSize } from './data/bundle.ts';
import { type Figures, fhirTarget, measureFhir, type Subject } from './measure.ts';
import { rounded } from './report.ts';
import { type BenchHub, startHub } from './server/hub.ts';
import { load, machine, versions } from './server/machine.ts';

const { values } = parseArgs({
  options: {
    code: { type: 'string', default: '.' },
    only: { type: 'string', default: 'read,create' },
    clients: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '8' },
    people: { type: 'string', default: '20' },
    words: { type: 'string', default: '' },
    unaudited: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const names = values.only.split(',').map((name) => {
  const known = fhirNames.find((one) => one === name);
  if (!known) throw new RangeError(`The name ${name} is unknown; there are ${fhirNames.join(', ')}.`);
  return known;
});
const told = ['cpu_ms_per_op', 'hub_cpu_ms_per_op', 'postgres_cpu_ms_per_op', 'p50_ms', 'rate_per_s'] as const;
const effort = { seconds: Number(values.seconds), warmSeconds: Math.min(1, Number(values.seconds) / 3) };

/** A hub of some code, filled, and whom of it the client asks for. */
interface Turn {
  code: string;
  hub: BenchHub;
  subject: Subject;
  known: Awaited<ReturnType<typeof sampleOf>>;
  figures: Record<string, Figures[]>;
}

const client = startClient();
const turns: Turn[] = [];
const written = { machine: machine(), versions: versions(undefined), date: new Date().toISOString() };
try {
  for (const one of values.code.split(',')) {
    turns.push(await begun(client, one, false));
    if (values.unaudited) turns.push(await begun(client, one, true));
  }
  for (let round = 0; round < Number(values.rounds); round++) {
    // Whoever comes first in one round comes last in the next.
    const order = round % 2 === 0 ? turns : turns.toReversed();
    for (const name of names) for (const turn of order) await measured(client, turn, name);
  }
} finally {
  client.stop();
  await Promise.all(turns.map(({ hub }) => hub.stop()));
}
for (const name of names) for (const turn of turns) console.log(line(name, turn));
if (values.json) {
  const options = { ...values, code: undefined, json: undefined };
  const results = turns.map(({ code, figures }) => ({
    code,
    ...Object.fromEntries(names.map((name) => [name, { ...quartiles(figures[name]!), rounds: figures[name] }])),
  }));
  writeFileSync(
    values.json,
    `${JSON.stringify({ ...written, options, load_1min_at_end: load(), results: rounded(results) }, undefined, 2)}\n`,
  );
}

/** @param named a folder, or NAME=FOLDER; without a name the code is called by its commit */
async function begun(client: Client, named: string, unaudited: boolean): Promise<Turn> {
  const [, name, folder] = /^(?:(\w+)=)?(.+)$/.exec(named)!;
  const root = folder === '.' ? join(import.meta.dirname, '..') : resolve(folder!);
  const describe = ['-C', root, 'describe', '--always', '--dirty'];
  const commit = name ?? execFileSync('git', describe, { encoding: 'utf8' }).trim();
  const words = values.words.split(' ').filter((word) => word !== '');
  const hub = await startHub({ root, words, ...(unaudited ? { insteadOfRecording: 'nothing' } : {}) });
  const subject: Subject = { base: hub.base, token: hub.token, run: `t${turns.length}${Date.now().toString(36)}`, hub };
  const turn = { code: `${commit}${unaudited ? ', reads not recorded' : ''}`, hub, subject, figures: {} };
  return { ...turn, known: await sampleOf(client, subject) };
}

async function sampleOf(client: Client, subject: Subject) {
  const people = Number(values.people);
  const stories = { kind: 'stories', people, from: 0, visits: syntheaSize, namesakes: 100 } as const;
  const { patients, namesakes } = await client.call('fill', fhirTarget(subject), stories);
  return client.call('sample', fhirTarget(subject), patients, people, namesakes);
}

async function measured(client: Client, { code, subject, known, figures }: Turn, name: FhirName): Promise<void> {
  const clients = [Number(values.clients)];
  const one = await measureFhir({ name, clients, known, synthea: undefined }, client, subject, effort);
  figures[name] ??= [];
  figures[name].push(one);
  console.error(line(name, { code, figures: { [name]: [one] } }));
}

/** Of each figure the lower quartile, of rates the upper one: what else the machine does only adds to what a turn costs. */
function quartiles(all: readonly Figures[]): Record<(typeof told)[number], number> {
  const quartile = (numbers: number[], share: number) =>
    numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) * share)]!;
  return Object.fromEntries(
    told.map((key) => [
      key,
      quartile(
        all.map((one) => one[key]!),
        key === 'rate_per_s' ? 0.75 : 0.25,
      ),
    ]),
  ) as never;
}

function line(name: string, { code, figures }: Pick<Turn, 'code' | 'figures'>): string {
  const shown = quartiles(figures[name]!);
  const cells = told.map((key) => `${key} ${shown[key].toPrecision(4).padStart(7)}`);
  return `${name.padEnd(24)} ${code.padEnd(34)} ${cells.join('  ')}`;
}
