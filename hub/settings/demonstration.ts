/** The simulated region. */
import type { Setting } from './settings.ts';

export const demonstration: readonly Setting[] = [
  {
    key: 'demo',
    option: 'demo',
    variable: 'CAUSEWAY_DEMO',
    kind: 'flag',
    fallback: true,
    says: 'load the simulated region at the first start (--no-demo: do not)',
  },
  {
    key: 'people',
    option: 'people',
    variable: 'CAUSEWAY_PEOPLE',
    kind: 'integer',
    fallback: 200,
    least: 1,
    most: 1_000_000,
    says: 'people in the simulated region',
  },
  {
    key: 'seed',
    option: 'seed',
    variable: 'CAUSEWAY_SEED',
    kind: 'integer',
    fallback: 1,
    least: 0,
    most: 4_294_967_295,
    says: 'seed the simulated region grows from',
  },
  {
    key: 'region',
    option: 'region',
    variable: 'CAUSEWAY_REGION',
    kind: 'choice',
    fallback: 'town',
    choices: ['town', 'neighbour'],
    says: 'which network of the simulated region: town, or neighbour, which knows some of its people',
  },
];
