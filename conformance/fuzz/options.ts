/** The command line of `npm run fuzz`. */
import { parseArgs } from 'node:util';

export interface Options {
  seed: number;
  /** The first of the inputs, and the one after the last. */
  from: number;
  to: number;
  /** Only inputs of this target. */
  only: string | undefined;
  cases: string | undefined;
  /** Folder for the inputs that failed. */
  save: string;
}

const usage =
  'Usage: npm run fuzz -- [--inputs N] [--from M] [--seed N] [--only TARGET[:NUMBER]] [--cases DIR] [--save DIR]';

/** Reads the arguments; a sentence when they are not understood. */
export function readOptions(args: string[], known: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        inputs: { type: 'string', default: '1000000' },
        from: { type: 'string', default: '0' },
        seed: { type: 'string', default: '1' },
        only: { type: 'string' },
        cases: { type: 'string' },
        save: { type: 'string', default: 'fuzz-failures' },
      },
    });
    const [target, one] = values.only?.split(':') ?? [];
    if (target !== undefined && !known.includes(target)) {
      return `There is no target ${target}; there are ${known.join(', ')}.`;
    }
    const [inputs, from, seed] = [values.inputs, one ?? values.from, values.seed].map(Number) as [
      number,
      number,
      number,
    ];
    if (![inputs, from, seed].every((number) => Number.isSafeInteger(number) && number >= 0)) {
      return `--inputs, --from, --seed and the number of an input are whole numbers. ${usage}`;
    }
    const to = one === undefined ? from + inputs : from + 1;
    return { seed, from, to, only: target, cases: values.cases, save: values.save };
  } catch (error) {
    return `${(error as Error).message} ${usage}`;
  }
}
