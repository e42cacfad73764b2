/**
 * `npm run fuzz`: puts mutated messages, documents and resources through the parsers and converters.
 * `npm run fuzz -- [--inputs N] [--from M] [--seed N] [--only TARGET[:NUMBER]] [--cases DIR] [--save DIR]`
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readOptions } from './options.ts';
import { plan } from './plan.ts';
import { fuzz, type RunResult } from './run.ts';
import { collectSeeds, type Seeds } from './seeds.ts';
import { targets } from './targets.ts';

const usual = join(import.meta.dirname, '../../../shared/cases');

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = readOptions(
    args,
    targets.map(({ name }) => name),
  );
  if (typeof options === 'string') {
    console.error(options);
    return 2;
  }
  const { seed, only, save } = options;
  const cases = options.cases ?? usual;
  if (options.cases !== undefined && !existsSync(cases)) {
    console.error(`There is no folder of cases at ${cases}.`);
    return 2;
  }
  const seeds = collectSeeds(existsSync(cases) ? resolve(cases) : undefined);
  const counts = Object.entries(seeds).map(([format, { length }]) => `${length} ${format}`);
  console.log(`Seed ${seed}, inputs ${options.from} to ${options.to - 1}, made from ${counts.join(', ')}.`);
  let told = 0;
  const onProgress = (done: number) => {
    if (done - told < 50_000) return;
    told = done;
    console.log(`${done} done`);
  };
  const result = await fuzz({ seed, from: options.from, to: options.to, ...(only ? { only } : {}), seeds, onProgress });
  report(result);
  keep(result, seed, seeds, save);
  return result.failures.length > 0 ? 1 : 0;
}

function report({ tallies, failures, peakMib, seconds }: RunResult): void {
  const rows = Object.entries(tallies).map(([target, { count, accepted, longestMs, longestNumber }]) => ({
    target,
    inputs: count,
    accepted,
    'longest, CPU ms': Math.round(longestMs),
    'its number': longestNumber,
  }));
  console.table(rows.sort((a, b) => (a.target < b.target ? -1 : 1)));
  const total = rows.reduce((sum, { inputs }) => sum + inputs, 0);
  const longest = Math.max(0, ...rows.map((row) => row['longest, CPU ms']));
  console.log(
    `${total} inputs in ${Math.round(seconds)} s, the longest ${longest} ms of CPU time; at most ${peakMib} MiB.`,
  );
  console.log(`${failures.length} failed`);
}

/** Writes each failure's input and what became of it, and says how to see it again. */
function keep({ failures }: RunResult, seed: number, seeds: Seeds, save: string): void {
  if (failures.length === 0) return;
  mkdirSync(save, { recursive: true });
  for (const failure of failures) {
    const { kind, target, number, message } = failure;
    const name = join(save, `${target}-${seed}-${number}`);
    writeFileSync(`${name}.bin`, plan(seed, number, targets, seeds).input);
    writeFileSync(`${name}.json`, `${JSON.stringify({ seed, ...failure }, null, 2)}\n`);
    console.log(`\n${target} ${kind}: ${message.split('\n').slice(0, 4).join('\n')}`);
    console.log(`  npm run fuzz -- --seed ${seed} --only ${target}:${number}   (${name}.bin)`);
  }
}
