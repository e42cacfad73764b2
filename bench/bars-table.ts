/**
 * `npx causeway-node bench/bars-table.ts [FILE…]`: the demands beside the figures of committed runs, as the table in
 * README.md. Later files count before earlier ones; without files, the usual ones of `results/`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { growthBars, issueBars, judge, type Results } from './bars.ts';

const files = process.argv.slice(2);
const usual = ['bench-full.json', 'growth-region.json', 'growth-people.json', 'growth-ingest.json']
  .map((name) => join(import.meta.dirname, 'results', name))
  .filter(existsSync);
const results: Results = {};
for (const file of files.length > 0 ? files : usual) {
  const run = JSON.parse(readFileSync(file, 'utf8')) as { results: Results };
  Object.assign(results, run.results);
}
console.log('| | demanded | measured | held |\n|---|---|---|---|');
for (const { what, demand, figure, held } of judge(results, [...issueBars, ...growthBars])) {
  const verdict = held === undefined ? 'not measured' : held ? 'yes' : '**no**';
  console.log(`| ${what} | ${demand} | ${figure ?? ''} | ${verdict} |`);
}
