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
}

/** Reads the arguments; a sentence when they are not understood. */
export function readOptions(args: string[], known: readonly string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        cases: { type: 'string' },
        json: { type: 'string' },
        people: { type: 'string', default: '2000' },
      },
    });
    const unknown = positionals.find((name) => !known.includes(name));
    if (unknown !== undefined) return `There is no suite ${unknown}; there are ${known.join(', ')}.`;
    const people = Number(values.people);
    if (!Number.isInteger(people) || people < 1) return '--people takes a whole number from 1.';
    return {
      suites: positionals.length > 0 ? positionals : [...known],
      cases: values.cases,
      json: values.json,
      people,
    };
  } catch (error) {
    return `${(error as Error).message} Usage: npm run conformance -- [SUITE …] [--cases DIR] [--json FILE] [--people N]`;
  }
}
