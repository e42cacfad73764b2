/** The bench's command line. */
import { fhirNames } from './client/fhir-work.ts';

/** In the order in which they are measured: what leaves work behind comes last. */
export const names = [
  ...fhirNames,
  'mllp_record',
  'mllp_ack',
  'v2_to_fhir',
  'ccda_to_fhir',
  'match',
  'delivery',
] as const;
export type Name = (typeof names)[number];

export interface Options {
  quick: boolean;
  only: Name[];
  base: string | undefined;
  token: string | undefined;
  json: string | undefined;
  /** A folder for CPU profiles of the hub. */
  profile: string | undefined;
}

export class UsageError extends Error {}

const usage = `npm run bench -- [--quick] [--only NAME,…] [--base URL [--token T]] [--json FILE] [--profile DIR]
NAMEs: ${names.join(', ')}`;

/** Reads the words after the command. @throws UsageError with what would be right */
export function readOptions(words: string[]): Options {
  const options: Options = {
    quick: false,
    only: [],
    base: undefined,
    token: undefined,
    json: undefined,
    profile: undefined,
  };
  const left = words.flatMap((word) =>
    /^--\w+=/.test(word) ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] : [word],
  );
  const value = (option: string): string => {
    const next = left.shift();
    if (next === undefined || next.startsWith('--')) throw new UsageError(`${option} needs a value.\n${usage}`);
    return next;
  };
  while (left.length > 0) {
    const word = left.shift()!;
    switch (word) {
      case '--quick':
        options.quick = true;
        break;
      case '--only':
        options.only = value(word).split(',').map(nameOf);
        break;
      case '--base':
        options.base = value(word).replace(/\/$/, '');
        break;
      case '--token':
      case '--json':
      case '--profile':
        options[word.slice(2) as 'token' | 'json' | 'profile'] = value(word);
        break;
      default:
        throw new UsageError(`The option ${word} is unknown.\n${usage}`);
    }
  }
  const possible = options.base === undefined ? names : fhirNames;
  if (options.only.length === 0) options.only = [...possible];
  const impossible = options.only.find((name) => !(possible as readonly Name[]).includes(name));
  if (impossible) throw new UsageError(`${impossible} cannot be measured with --base, only ${fhirNames.join(', ')}.`);
  return options;
}

function nameOf(word: string): Name {
  const name = names.find((one) => one === word);
  if (!name) throw new UsageError(`The name ${word} is unknown.\n${usage}`);
  return name;
}
