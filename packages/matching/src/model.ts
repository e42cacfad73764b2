/**
 * The linkage model as data: for each field and level of agreement the probability `m` among pairs of the same person
 * and `u` among pairs of different people (Fellegi & Sunter 1969), and how common names are.
 */
import defaults from './default-model.json' with { type: 'json' };

export interface LevelWeight {
  /** Probability of the level among records of one person, given that both records have the field. */
  m: number;
  /** The same among records of two people. */
  u: number;
}

/** Share of people who bear a name. Keys are folded names as in `Prepared`. */
export interface NameFrequencies {
  shares: Record<string, number>;
  /** Share of a name that is not listed. */
  unlisted: number;
}

export interface Thresholds {
  /** Posterior bits from which a pair is linked without a human, guards permitting. */
  link: number;
  /** Posterior bits of name, birth date and sex from which nothing independent is asked for. */
  linkOnNameOnly: number;
  /** Posterior bits from which a pair is shown to a human. */
  review: number;
}

export interface Model {
  version: string;
  /** Log2 odds that two records taken at random are of one person; about −log2 of the number of people. */
  prior: number;
  thresholds: Thresholds;
  fields: Record<Field, Record<string, LevelWeight>>;
  frequencies: { family: NameFrequencies; given: NameFrequencies };
  /** Most bits that address, phone and email may give together: who shares a house shares them all. */
  contactLimit: number;
}

export type Field = (typeof FIELDS)[number]['field'];

/** The fields in the order in which they are shown, with the names of their levels, best first. */
export const FIELDS = [
  {
    field: 'family',
    label: 'Family name',
    levels: {
      exact: 'same',
      close: 'nearly the same spelling',
      part: 'one part of a compound name is the same',
      similar: 'similar spelling or sound',
      swapped: 'given and family name swapped',
      different: 'different',
    },
  },
  {
    field: 'given',
    label: 'Given name',
    levels: {
      exact: 'same',
      nickname: 'forms of one name',
      middle: "the other's middle name",
      close: 'nearly the same spelling, or the beginning of it',
      similar: 'similar spelling',
      swapped: 'given and family name swapped',
      initial: 'initial agrees',
      different: 'different',
    },
  },
  {
    field: 'middle',
    label: 'Middle name',
    levels: { same: 'same', initial: 'initial agrees', different: 'different' },
  },
  { field: 'suffix', label: 'Suffix', levels: { same: 'same', different: 'another generation' } },
  {
    field: 'birthDate',
    label: 'Birth date',
    levels: {
      exact: 'same',
      exactNewYear: 'same, but 1 January often stands for an unknown day',
      oneEdit: 'one keystroke apart',
      swapped: 'day and month swapped',
      twoParts: 'two of year, month and day agree',
      monthKnown: 'same as far as known (month)',
      yearKnown: 'same as far as known (year)',
      newYear: 'same year, one of them 1 January, which often stands for an unknown day',
      sameYear: 'only the year agrees',
      different: 'different',
    },
  },
  { field: 'sex', label: 'Sex', levels: { same: 'same', different: 'different' } },
  {
    field: 'address',
    label: 'Address',
    levels: {
      same: 'same',
      similar: 'nearly the same',
      postalCode: 'same postal code',
      city: 'same city',
      different: 'different',
    },
  },
  {
    field: 'phone',
    label: 'Phone',
    levels: { same: 'same', oneEdit: 'one keystroke apart', different: 'different' },
  },
  { field: 'email', label: 'Email', levels: { same: 'same', similar: 'similar', different: 'different' } },
  {
    field: 'nationalId',
    label: 'National identifier',
    levels: {
      same: 'same',
      oneEdit: 'one keystroke apart',
      lastFour: 'last four digits agree',
      different: 'different',
    },
  },
  {
    field: 'identifier',
    label: 'Record number of one organisation',
    levels: { same: 'same', different: 'different' },
  },
  {
    field: 'motherMaidenName',
    label: "Mother's maiden name",
    levels: { same: 'same', similar: 'similar', different: 'different' },
  },
] as const;

/** Weights learnt from generated people by `training/train.ts`; a sensible start for a region of some 100 000 people. */
export const defaultModel: Model = defaults;

/** The same model for an index of `people` people: the more people, the more chance agreements there are. */
export function withPopulation(model: Model, people: number): Model {
  return { ...model, prior: -Math.log2(Math.max(2, people)) };
}

/** Log2 of m/u: the evidence of a level, in bits. */
export function bitsOf({ m, u }: LevelWeight): number {
  return Math.log2(m / u);
}

/** Share of people who bear the name. */
export function shareOf(frequencies: NameFrequencies, name: string): number {
  return Object.hasOwn(frequencies.shares, name) ? frequencies.shares[name]! : frequencies.unlisted;
}
