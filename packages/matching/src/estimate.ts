/**
 * The model learnt from the records themselves, without labels. `u` is counted on random pairs; `m` by expectation
 * maximisation on the pairs of a training block (records that agree on some fields), for the fields that the block
 * does not fix, averaged over blocks (Fellegi & Sunter 1969; Winkler 1988; the training scheme of Splink).
 * The same records and seed give the same model.
 */
import { levelsOf } from './levels.ts';
import { defaultModel, FIELDS, type Field, type LevelWeight, type Model, type NameFrequencies } from './model.ts';
import type { Prepared } from './prepare.ts';
import { randomOf } from './random.ts';

export interface EstimateOptions {
  /** Any integer: the same seed draws the same random pairs. */
  seed: number;
  /** What is kept where the records say nothing, and where the thresholds come from. */
  base?: Model;
  /** Random pairs for `u`. Default 200 000. */
  randomPairs?: number;
  /** Most pairs looked at in one training block. Default 200 000. */
  blockPairs?: number;
  /** Most rounds of EM per block. Default 30. */
  rounds?: number;
}

/** A training block: records with an equal key are paired; `fixed` are the fields that the key decides. */
interface TrainingBlock {
  keyOf: (p: Prepared) => string | undefined;
  fixed: readonly Field[];
}

const TRAINING_BLOCKS: readonly TrainingBlock[] = [
  {
    keyOf: (p) => (p.birthDate?.day === undefined ? undefined : JSON.stringify(p.birthDate)),
    fixed: ['birthDate'],
  },
  {
    keyOf: (p) => (p.families[0] && p.givens[0] ? `${p.families[0].text}|${p.givens[0].text}` : undefined),
    fixed: ['family', 'given'],
  },
  { keyOf: (p) => p.phones[0], fixed: ['phone'] },
  {
    keyOf: (p) => {
      const home = p.addresses[0];
      return home?.street && home.number ? `${home.number}|${home.street}|${home.postalCode}` : undefined;
    },
    fixed: ['address'],
  },
];

/** Pattern of levels over all fields and how often it occurs. */
interface Pattern {
  levels: (string | null)[];
  count: number;
}

/** Learns weights, name frequencies and prior from the records. */
export function estimate(records: readonly Prepared[], options: EstimateOptions): Model {
  const base = options.base ?? defaultModel;
  if (records.length < 2) return base;
  const random = randomOf(options.seed);
  const u = countLevels(randomPatterns(records, options.randomPairs ?? 200_000, random));
  const start: Model = { ...base, fields: withU(base.fields, u), frequencies: frequenciesOf(records) };
  const learnt = new Map<Field, Map<string, number>[]>();
  let matches = 0;
  for (const block of TRAINING_BLOCKS) {
    const patterns = blockPatterns(records, block, options.blockPairs ?? 200_000);
    const trained = expectationMaximisation(patterns, start, block.fixed, options.rounds ?? 30);
    if (trained === undefined || isHousehold(trained.m)) continue;
    matches = Math.max(matches, trained.matches);
    for (const [field, shares] of trained.m) learnt.set(field, [...(learnt.get(field) ?? []), shares]);
  }
  const allPairs = (records.length * (records.length - 1)) / 2;
  return {
    ...start,
    version: `${base.version}+estimated`,
    prior: matches > 0 ? Math.log2(Math.min(0.5, matches / allPairs)) : base.prior,
    fields: withM(start.fields, learnt),
  };
}

/**
 * True when what EM took for one person is a household: records without duplicates pair up by family, and the names of
 * siblings or the birth dates of spouses differ in most of those pairs.
 */
function isHousehold(m: Counts): boolean {
  return (['given', 'birthDate'] as const).some((field) => {
    const byLevel = m.get(field);
    return byLevel !== undefined && (byLevel.get('different') ?? 0) > 0.25 * sumOf(byLevel);
  });
}

/** How common each name is among the records, as shares; an unlisted name counts as borne by half a record. */
export function frequenciesOf(records: Iterable<Prepared>): Model['frequencies'] {
  const family = new Map<string, number>();
  const given = new Map<string, number>();
  let people = 0;
  for (const record of records) {
    if (record.placeholder !== undefined) continue;
    people++;
    for (const name of record.families) family.set(name.text, (family.get(name.text) ?? 0) + 1);
    for (const name of record.givens) given.set(name.text, (given.get(name.text) ?? 0) + 1);
  }
  return { family: sharesOf(family, people), given: sharesOf(given, people) };
}

function sharesOf(counts: Map<string, number>, people: number): NameFrequencies {
  const total = Math.max(1, people);
  const floor = Math.max(0.5 / total, 0.00001);
  const listed = [...counts].filter(([, count]) => count > 1).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    shares: Object.fromEntries(listed.map(([name, count]) => [name, Math.max(floor, count / total)])),
    unlisted: Math.max(floor, 1 / total),
  };
}

function randomPatterns(records: readonly Prepared[], pairs: number, random: () => number): Pattern[] {
  const patterns = new Map<string, Pattern>();
  const wanted = Math.min(pairs, (records.length * (records.length - 1)) / 2);
  for (let drawn = 0; drawn < wanted; drawn++) {
    const i = Math.floor(random() * records.length);
    const j = Math.floor(random() * (records.length - 1));
    notePattern(patterns, records[i]!, records[j < i ? j : j + 1]!);
  }
  return [...patterns.values()];
}

function blockPatterns(records: readonly Prepared[], block: TrainingBlock, limit: number): Pattern[] {
  const members = new Map<string, Prepared[]>();
  for (const record of records) {
    const key = record.placeholder === undefined ? block.keyOf(record) : undefined;
    if (key === undefined) continue;
    const group = members.get(key);
    if (group === undefined) members.set(key, [record]);
    else group.push(record);
  }
  const patterns = new Map<string, Pattern>();
  let pairs = 0;
  for (const group of members.values()) {
    if (group.length > 50) continue;
    for (let i = 1; i < group.length && pairs < limit; i++) {
      for (let j = 0; j < i; j++, pairs++) notePattern(patterns, group[i]!, group[j]!);
    }
  }
  return [...patterns.values()];
}

function notePattern(patterns: Map<string, Pattern>, a: Prepared, b: Prepared): void {
  const found = levelsOf(a, b);
  const levels = FIELDS.map(({ field }) => found[field]?.level ?? null);
  const key = levels.join('|');
  const known = patterns.get(key);
  if (known === undefined) patterns.set(key, { levels, count: 1 });
  else known.count++;
}

type Counts = Map<Field, Map<string, number>>;

/** Share of each level among the pairs that have the field. */
function countLevels(patterns: Pattern[], weightOf: (pattern: Pattern) => number = (pattern) => pattern.count): Counts {
  const counts: Counts = new Map();
  for (const pattern of patterns) {
    const weight = weightOf(pattern);
    for (const [at, { field }] of FIELDS.entries()) {
      const level = pattern.levels[at];
      if (level === null || level === undefined) continue;
      const byLevel = counts.get(field) ?? new Map<string, number>();
      byLevel.set(level, (byLevel.get(level) ?? 0) + weight);
      counts.set(field, byLevel);
    }
  }
  return counts;
}

/** EM for `m` and the share of matches in one block; undefined when the block holds too few matches to learn from. */
function expectationMaximisation(
  patterns: Pattern[],
  start: Model,
  fixed: readonly Field[],
  rounds: number,
): { m: Counts; matches: number } | undefined {
  const total = patterns.reduce((sum, pattern) => sum + pattern.count, 0);
  if (total < 20) return undefined;
  let fields = start.fields;
  let share = 0.3;
  let matched: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const odds = Math.log2(share / (1 - share));
    matched = patterns.map((pattern) => pattern.count / (1 + 2 ** -(odds + bitsOfPattern(pattern, fields, fixed))));
    const matches = matched.reduce((sum, count) => sum + count, 0);
    const next = Math.min(0.999, Math.max(1e-6, matches / total));
    const weights = new Map(patterns.map((pattern, at) => [pattern, matched[at]!]));
    fields = withM(
      start.fields,
      asLists(
        countLevels(patterns, (pattern) => weights.get(pattern)!),
        fixed,
      ),
    );
    if (Math.abs(next - share) < 1e-6) break;
    share = next;
  }
  const matches = matched.reduce((sum, count) => sum + count, 0);
  if (matches < 20) return undefined;
  const weights = new Map(patterns.map((pattern, at) => [pattern, matched[at]!]));
  const m = countLevels(patterns, (pattern) => weights.get(pattern)!);
  for (const field of fixed) m.delete(field);
  return { m, matches };
}

function bitsOfPattern(pattern: Pattern, fields: Model['fields'], fixed: readonly Field[]): number {
  let bits = 0;
  for (const [at, { field }] of FIELDS.entries()) {
    const level = pattern.levels[at];
    const weight = level === null || level === undefined || fixed.includes(field) ? undefined : fields[field][level];
    if (weight !== undefined) bits += Math.log2(weight.m / weight.u);
  }
  return bits;
}

function asLists(
  counts: Counts,
  fixed: readonly Field[],
): Map<Field, Counts extends Map<Field, infer V> ? V[] : never> {
  return new Map([...counts].filter(([field]) => !fixed.includes(field)).map(([field, byLevel]) => [field, [byLevel]]));
}

/** `u` from counts; the base where the level is too rare to be counted on this many pairs. */
function withU(fields: Model['fields'], counts: Counts): Model['fields'] {
  return adjusted(fields, (field, level, weight) => {
    const byLevel = counts.get(field);
    if (byLevel === undefined) return weight;
    const count = byLevel.get(level) ?? 0;
    const total = sumOf(byLevel);
    if (count >= 5) return { m: weight.m, u: count / total };
    return { m: weight.m, u: Math.min(weight.u, (count + 5) / total) };
  });
}

/** `m` from the counts of each training block, drawn towards the base where counts are small, averaged. */
function withM(fields: Model['fields'], learnt: ReadonlyMap<Field, Map<string, number>[]>): Model['fields'] {
  return adjusted(fields, (field, level, weight) => {
    const sessions = learnt.get(field);
    if (sessions === undefined) return weight;
    let sum = 0;
    for (const byLevel of sessions) {
      const share = ((byLevel.get(level) ?? 0) + PSEUDO_COUNT * weight.m) / (sumOf(byLevel) + PSEUDO_COUNT);
      sum += Math.max(share, weight.m / 5);
    }
    return { m: sum / sessions.length, u: weight.u };
  });
}

/** Pairs' worth of trust in the base model's `m`. */
const PSEUDO_COUNT = 20;

/** Levels whose shares depend on how precisely sources record the field rather than on who is who: kept as they are. */
const KEPT_LEVELS = new Set(['monthKnown', 'yearKnown', 'lastFour']);

function sumOf(byLevel: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of byLevel.values()) sum += count;
  return sum;
}

function adjusted(
  fields: Model['fields'],
  adjust: (field: Field, level: string, weight: LevelWeight) => LevelWeight,
): Model['fields'] {
  const entries = FIELDS.map(({ field }) => [
    field,
    Object.fromEntries(
      Object.entries(fields[field]).map(([level, weight]) => [
        level,
        KEPT_LEVELS.has(level) ? weight : adjust(field, level, weight),
      ]),
    ),
  ]);
  return Object.fromEntries(entries) as Model['fields'];
}
