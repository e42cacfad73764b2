/** The command line of `npm run bench:growth`. */
import { UsageError, wholeNumber } from './options.ts';

const partNames = ['people', 'ingest'] as const;

export interface GrowthOptions {
  only: (typeof partNames)[number][];
  /** Who the people are: of the region, or made here with two or three visits each, which load faster. */
  data: 'region' | 'stories';
  /** The fewer and the more people. */
  people: [few: number, many: number];
  /** How many resources are ingested, in how many parts. */
  resources: number;
  parts: number;
  /** How long each search and read is measured. */
  seconds: number;
  json: string | undefined;
}

const usage = `npm run bench:growth -- [--only people,ingest] [--data region|stories] [--people FEW,MANY] [--resources N] [--parts N] [--seconds N] [--json FILE]`;

/** Reads the words after the command. @throws UsageError with what would be right */
export function readGrowthOptions(words: string[]): GrowthOptions {
  const options: GrowthOptions = {
    only: [...partNames],
    data: 'region',
    people: [1_000, 10_000],
    resources: 300_000,
    parts: 20,
    seconds: 8,
    json: undefined,
  };
  const left = words.flatMap((word) => (/^--\w+=/.test(word) ? word.split(/=(.*)/s, 2) : [word]));
  while (left.length > 0) {
    const option = left.shift()!;
    const value = left.shift();
    if (value === undefined || value.startsWith('--')) throw new UsageError(`${option} needs a value.\n${usage}`);
    switch (option) {
      case '--only':
        options.only = value.split(',').map(partOf);
        break;
      case '--data':
        if (value !== 'region' && value !== 'stories') throw new UsageError(`The data ${value} is unknown.\n${usage}`);
        options.data = value;
        break;
      case '--people': {
        const sizes = value.split(',').map((size) => wholeNumber(option, size));
        if (sizes.length !== 2 || sizes[0]! >= sizes[1]!)
          throw new UsageError(`--people takes two numbers, the smaller first.\n${usage}`);
        options.people = sizes as [number, number];
        break;
      }
      case '--resources':
      case '--parts':
      case '--seconds':
        options[option.slice(2) as 'resources' | 'parts' | 'seconds'] = wholeNumber(option, value);
        break;
      case '--json':
        options.json = value;
        break;
      default:
        throw new UsageError(`The option ${option} is unknown.\n${usage}`);
    }
  }
  return options;
}

function partOf(word: string): GrowthOptions['only'][number] {
  const part = partNames.find((one) => one === word);
  if (!part) throw new UsageError(`The part ${word} is unknown.\n${usage}`);
  return part;
}
