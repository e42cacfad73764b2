/** The bench's command line. */
import { existsSync } from 'node:fs';
import { fhirNames } from './client/operations.ts';
import { syntheaArchive } from './data/synthea.ts';

/** In the order in which they are measured: what leaves work behind comes last. */
export const names = [
  ...fhirNames,
  'start',
  'mllp_record',
  'mllp_ack',
  'v2_to_fhir',
  'ccda_to_fhir',
  'match',
  'delivery',
  'stored_texts',
  'copy_ceiling',
] as const;
export type Name = (typeof names)[number];

export interface Options {
  quick: boolean;
  only: Name[];
  /** How many clients at once; each FHIR operation is measured with each. */
  clients: number[];
  data: 'none' | 'stories' | { synthea: string } | { region: number };
  /** How long each measurement runs, where not as long as usual. */
  seconds: number | undefined;
  base: string | undefined;
  token: string | undefined;
  json: string | undefined;
  /** A folder for CPU profiles of the hub. */
  profile: string | undefined;
}

export class UsageError extends Error {}

const usage = `npm run bench -- [--quick] [--only NAME,…] [--clients 1,8,32] [--seconds N]
  [--data stories|synthea[:FILE]|region:PEOPLE|none] [--base URL [--token T]] [--json FILE] [--profile DIR]
NAMEs: ${names.join(', ')}`;

/** Reads the words after the command. @throws UsageError with what would be right */
export function readOptions(words: string[]): Options {
  const options: Options = {
    quick: false,
    only: [],
    clients: [],
    data: 'stories',
    seconds: undefined,
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
      case '--clients':
        options.clients = value(word)
          .split(',')
          .map((one) => wholeNumber(word, one));
        break;
      case '--seconds':
        options.seconds = wholeNumber(word, value(word));
        break;
      case '--data':
        options.data = dataOf(value(word));
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
  const possible: readonly Name[] = options.base === undefined ? names : fhirNames;
  if (options.only.length === 0) options.only = [...possible];
  const impossible = options.only.find((name) => !possible.includes(name));
  if (impossible) throw new UsageError(`${impossible} cannot be measured with --base, only ${fhirNames.join(', ')}.`);
  if (options.data === 'none' && options.base === undefined)
    throw new UsageError('--data none asks for a server that has data: name it with --base.');
  if (options.clients.length === 0) options.clients = options.quick ? [8] : [1, 8, 32];
  return options;
}

/** A whole number greater than zero. @throws UsageError */
export function wholeNumber(option: string, word: string): number {
  if (!/^[1-9]\d{0,8}$/.test(word))
    throw new UsageError(`${option} takes whole numbers greater than zero, not ${word}.`);
  return Number(word);
}

function nameOf(word: string): Name {
  const name = names.find((one) => one === word);
  if (!name) throw new UsageError(`The name ${word} is unknown.\n${usage}`);
  return name;
}

function dataOf(word: string): Options['data'] {
  if (word === 'stories' || word === 'none') return word;
  const synthea = /^synthea(?::(.+))?$/.exec(word);
  if (synthea) {
    const archive = synthea[1] ?? syntheaArchive;
    if (existsSync(archive)) return { synthea: archive };
    throw new UsageError(`--data synthea reads ${archive}, which is not there; name the archive: synthea:FILE.`);
  }
  const people = /^region:(.*)$/.exec(word)?.[1];
  if (people === undefined) throw new UsageError(`The data ${word} is unknown.\n${usage}`);
  return { region: wholeNumber('--data region:', people) };
}
