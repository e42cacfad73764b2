/**
 * The comparison of two people: Fellegi–Sunter weights in bits, summed, with common names counted for less, then
 * limited by the guards. Every bit is explained.
 */
import { type Guard, type GuardId, guardsOf, type Outcome } from './guards.ts';
import { type FieldLevel, type Levels, levelsOf } from './levels.ts';
import { bitsOf, defaultModel, FIELDS, type Field, type Model, shareOf } from './model.ts';
import { isNickname } from './nicknames.ts';
import type { Prepared } from './prepare.ts';

export interface Explanation {
  field: Field;
  /** For people: `Family name`. */
  label: string;
  /** The values compared, normalised; null where a side has none. */
  a: string | null;
  b: string | null;
  /** Name of the level, or `missing`. */
  level: string;
  /** The level in words. */
  meaning: string;
  /** Bits for (positive) or against (negative) being one person. */
  weight: number;
}

export interface Comparison {
  /** Sum of the evidence in bits, without the prior. */
  weight: number;
  /** `weight` and the model's prior: log2 odds of being one person. Does not saturate as `probability` does. */
  posterior: number;
  /** Probability of being one person. */
  probability: number;
  outcome: Outcome;
  explanation: Explanation[];
  /** Guards that limit the outcome. */
  guards: GuardId[];
  /** A guard says that these are two people (twins, generations), whatever agrees: not merely too little evidence. */
  contradiction: boolean;
}

const CONTACT_FIELDS: ReadonlySet<Field> = new Set(['address', 'phone', 'email']);

/** Share of people from which a spelling is a name rather than a misspelling. */
const NAME_SHARE = 0.0005;

/** Compares two people. Symmetric but for `a` and `b` in the explanation. Never throws on content. */
export function compare(a: Prepared, b: Prepared, model: Model = defaultModel): Comparison {
  const levels = levelsOf(a, b);
  const explanation = explain(levels, model);
  let weight = 0;
  for (const line of explanation) weight += line.weight;
  const posterior = weight + model.prior;
  const { thresholds } = model;
  const guards = guardsOf(a, b, levels, {
    isNameEnough: model.prior + bitsWithout(CONTACT_FIELDS, explanation) >= thresholds.linkOnNameOnly,
    isGivenName: (name) => isNickname(name) || shareOf(model.frequencies.given, name) >= NAME_SHARE,
  });
  const scored = posterior >= thresholds.link ? 'link' : posterior >= thresholds.review ? 'review' : 'different';
  return {
    weight,
    posterior,
    probability: 1 / (1 + 2 ** -posterior),
    outcome: limited(scored, guards),
    explanation,
    guards: guards.map((guard) => guard.id),
    contradiction: guards.some((guard) => guard.limit === 'different'),
  };
}

/** What the other fields give: that somebody has moved does not make the name rarer or more common. */
function bitsWithout(fields: ReadonlySet<Field>, explanation: Explanation[]): number {
  return explanation.reduce((sum, line) => (fields.has(line.field) ? sum : sum + line.weight), 0);
}

/** One line per field, in the order of `FIELDS`. */
function explain(levels: Levels, model: Model): Explanation[] {
  let contact = 0;
  return FIELDS.map(({ field, label, levels: meanings }) => {
    const found: FieldLevel | null = levels[field];
    if (found === null) return { field, label, a: null, b: null, level: 'missing', meaning: 'no evidence', weight: 0 };
    let weight = weightOf(field, found, model);
    if (CONTACT_FIELDS.has(field)) {
      weight = Math.min(weight, model.contactLimit - contact);
      contact += Math.max(0, weight);
    }
    const meaning = (meanings as Record<string, string>)[found.level] ?? found.level;
    return { field, label, a: found.a, b: found.b, level: found.level, meaning, weight };
  });
}

function weightOf(field: Field, found: FieldLevel, model: Model): number {
  const level = model.fields[field][found.level];
  if (level === undefined) return 0;
  if ((field === 'family' || field === 'given') && (found.level === 'exact' || found.level === 'nickname')) {
    const table = model.frequencies[field];
    const share = Math.max(shareOf(table, found.a), shareOf(table, found.b));
    return Math.log2(level.m / (found.level === 'exact' ? share : Math.max(share, level.u)));
  }
  return bitsOf(level);
}

function limited(scored: Outcome, guards: Guard[]): Outcome {
  if (scored === 'different' || guards.some((guard) => guard.limit === 'different')) return 'different';
  return guards.length > 0 ? 'review' : scored;
}
