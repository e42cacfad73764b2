/**
 * Makes `src/default-model.json`: weights learnt by `estimate` from generated people, starting from
 * `start-model.json` (expert weights, rough shares of common US names, thresholds).
 * Run: `npx causeway-node packages/matching/training/train.ts`.
 */
import { writeFileSync } from 'node:fs';
import { estimate } from '../src/estimate.ts';
import type { Model } from '../src/model.ts';
import { prepare } from '../src/prepare.ts';
import { randomOf } from '../src/random.ts';
import { recordedTwice } from './population.ts';
import startModel from './start-model.json' with { type: 'json' };

const SEED = 20261122;
const PEOPLE = 30_000;

const start: Model = startModel;
const records = recordedTwice(PEOPLE, start.frequencies, randomOf(SEED)).map(prepare);
const learnt = estimate(records, { seed: SEED, base: start, randomPairs: 1_000_000 });
const model: Model = {
  ...learnt,
  version: start.version,
  prior: start.prior,
  thresholds: start.thresholds,
  frequencies: start.frequencies,
};
const rounded = JSON.stringify(
  model,
  (_, value) => (typeof value === 'number' ? Number(value.toPrecision(3)) : value),
  2,
);
writeFileSync(new URL('../src/default-model.json', import.meta.url), `${rounded}\n`);
