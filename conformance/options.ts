/** The command line of `npm run conformance`. */
import { parseArgs } from 'node:util';

export interface Options {
  suites: string[];
  /** The folder of cases, when one was named. */
  cases?: string;
  /** File to write the results to. */
  json?: string;
  /** Size of the simulated region. */
  people: number;
  /** Whether that was asked for, so that suites which are content with fewer people take all. */
  takesAll: boolean;
}

/** People of the region that is meant where nothing else is said. */
const REGION = 2000;

/** Reads the arguments; a sentence when they are not understood. */
export function readOptions(args: string[], known: readonly string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        cases: { type: 'string' },
        json: { type: 'string' },
        people: { type: 'string' },
      },
    });
    const unknown = positionals.find((name) => !known.includes(name));
    if (unknown !== undefined) return `There is no suite ${unknown}; there are ${known.join(', ')}.`;
    const people = values.people === undefined || values.people === 'all' ? REGION : Number(values.people);
    if (!Number.isInteger(people) || people < 1) return "--people takes a whole number from 1, or 'all'.";
    return {
      suites: positionals.length > 0 ? positionals : [...known],
      cases: values.cases,
      json: values.json,
      people,
      takesAll: values.people !== undefined,
    };
  } catch (error) {
    return `${(error as Error).message} Usage: npm run conformance -- [SUITE …] [--cases DIR] [--json FILE] [--people N|all]`;
  }
}
