/**
 * `npm run conformance`: runs cases that others wrote, and the simulated region, through the packages, and counts.
 * `npm run conformance -- [SUITE …] [--cases DIR] [--json FILE] [--people N|all]`
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readOptions } from './options.ts';
import { failuresOf, tableOf } from './print.ts';
import { type Results, runApart, runHere, SUITES, withoutCases } from './suites.ts';

const DEFAULT_CASES = '../shared/cases';

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = readOptions(args, Object.keys(SUITES));
  if (typeof options === 'string') {
    console.error(options);
    return 2;
  }
  const { suites } = options;
  const cases = resolve(options.cases ?? join(import.meta.dirname, '..', DEFAULT_CASES));
  if (suites.some((name) => !withoutCases.has(name)) && !existsSync(cases)) {
    console.log(`There is no folder of cases at ${cases}; name one with --cases DIR.`);
    if (options.cases !== undefined) return 2;
    console.log('0 passed, 0 failed');
    return 0;
  }
  const rest = ['--cases', cases, ...(options.takesAll ? ['--people', String(options.people)] : [])];
  const [only, ...others] = suites;
  const results: Results =
    others.length === 0 ? { [only!]: await runHere(only!, cases, options) } : await runApart(suites, rest);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
  return report(results);
}

function report(results: Readonly<Results>): number {
  let [passed, failed] = [0, 0];
  for (const [name, result] of Object.entries(results)) {
    passed += result.passed;
    failed += result.failed;
    if (result.failed > 0) console.log(`${failuresOf(name, result)}\n`);
  }
  console.log(`${tableOf(results)}\n`);
  for (const result of Object.values(results))
    if (typeof result.summary === 'string') console.log(`${result.summary}\n`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}
