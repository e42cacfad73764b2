/**
 * The level at which each field of two people agrees. Null means no evidence: one side does not have the field. Where
 * a person has several values the best level counts.
 */
import { compareAddresses } from './addresses.ts';
import { compareDates, writeDate } from './dates.ts';
import { jaroWinkler, withinOneEdit } from './distance.ts';
import { compareNationalIds } from './identifiers.ts';
import { FIELDS, type Field } from './model.ts';
import type { FamilyName, GivenName } from './names.ts';
import { areNicknames, nicknameGroups } from './nicknames.ts';
import { metaphone } from './phonetic.ts';
import type { Prepared } from './prepare.ts';

/** A level with the two values it was found on, as written in `Prepared`. */
export interface FieldLevel {
  level: string;
  a: string;
  b: string;
}

export type Levels = Record<Field, FieldLevel | null>;

/** Names of the levels of each field, best first. */
const ORDER = Object.fromEntries(FIELDS.map(({ field, levels }) => [field, Object.keys(levels)])) as Record<
  Field,
  string[]
>;

/** Compares all fields. Symmetric but for the values shown. */
export function levelsOf(a: Prepared, b: Prepared): Levels {
  const isNamed = a.placeholder === undefined && b.placeholder === undefined;
  const names = isNamed ? nameLevels(a, b) : { family: null, given: null };
  return {
    ...names,
    middle: isNamed ? middleLevel(a, b, names.given?.level) : null,
    suffix: suffixLevel(a, b),
    birthDate: birthDateLevel(a, b),
    sex:
      a.sex === undefined || b.sex === undefined
        ? null
        : { level: a.sex === b.sex ? 'same' : 'different', a: a.sex, b: b.sex },
    address: best('address', a.addresses, b.addresses, compareAddresses, (address) => address.shown),
    phone: best('phone', a.phones, b.phones, comparePhones, itself),
    email: best('email', a.emails, b.emails, compareEmails, itself),
    nationalId: best('nationalId', a.nationalIds, b.nationalIds, compareNationalIds, (id) => id.value),
    identifier: best(
      'identifier',
      a.identifiers,
      b.identifiers,
      (x, y) => (x.system === y.system ? (x.value === y.value ? 'same' : 'different') : null),
      (id) => id.value,
    ),
    motherMaidenName: best(
      'motherMaidenName',
      a.motherFamily === undefined ? [] : [a.motherFamily],
      b.motherFamily === undefined ? [] : [b.motherFamily],
      (x, y) => (x.text === y.text ? 'same' : isAlike(x.text, y.text, 0.88) ? 'similar' : 'different'),
      (name) => name.text,
    ),
  };
}

function nameLevels(a: Prepared, b: Prepared): { family: FieldLevel | null; given: FieldLevel | null } {
  const family = best('family', a.families, b.families, compareFamilies, (name) => name.text);
  const compareWithMiddles = (x: GivenName, y: GivenName) => compareGivens(x, y, a.middles, b.middles);
  const given = best('given', a.givens, b.givens, compareWithMiddles, (name) => name.text);
  const isOdd = (level: FieldLevel | null) =>
    level === null || level.level === 'different' || level.level === 'initial';
  if (!isOdd(family) || !isOdd(given)) return { family, given };
  let swapped: { family: FieldLevel; given: FieldLevel } | undefined;
  for (const familyA of a.families) {
    for (const givenA of a.givens) {
      for (const familyB of b.families) {
        for (const givenB of b.givens) {
          if (!isGivenAs(familyA.text, givenB) || !isGivenAs(familyB.text, givenA)) continue;
          const pair = {
            family: { level: 'swapped', a: familyA.text, b: familyB.text },
            given: { level: 'swapped', a: givenA.text, b: givenB.text },
          };
          if (!swapped || isBefore(pair.family, swapped.family)) swapped = pair;
        }
      }
    }
  }
  if (swapped) return swapped;
  return { family, given };
}

/** What stands as family name is a form of the given name. */
function isGivenAs(family: string, given: GivenName): boolean {
  return isAlike(family, given.text, 0.92) || areNicknames(nicknameGroups(family), given.nicknames);
}

function compareFamilies(a: FamilyName, b: FamilyName): string {
  if (a.text === b.text) return 'exact';
  if (isAlike(a.text, b.text, 0.92)) return 'close';
  const partsOfA = a.parts.length > 0 ? a.parts : [a.text];
  const partsOfB = b.parts.length > 0 ? b.parts : [b.text];
  if ((a.parts.length > 0 || b.parts.length > 0) && partsOfA.some((part) => partsOfB.includes(part))) return 'part';
  if (jaroWinkler(a.text, b.text) >= 0.88) return 'similar';
  const isSameSound = a.soundex === b.soundex && metaphone(a.text) === metaphone(b.text);
  return isSameSound && a.soundex !== '' ? 'similar' : 'different';
}

function compareGivens(a: GivenName, b: GivenName, middlesA: string[], middlesB: string[]): string {
  if (a.text === b.text) return 'exact';
  if (a.joined === b.text || b.joined === a.text || (a.joined !== '' && a.joined === b.joined)) return 'close';
  const isInitial = a.text.length === 1 || b.text.length === 1;
  if (!isInitial) {
    if (areNicknames(a.nicknames, b.nicknames)) return 'nickname';
    if (isAlike(a.text, b.text, 0.92) || isShortMisspelling(a.text, b.text)) return 'close';
    if (isShortForm(a.text, b.text) || isShortForm(b.text, a.text)) return 'close';
    if (middlesB.includes(a.text) || middlesA.includes(b.text)) return 'middle';
    if (jaroWinkler(a.text, b.text) >= 0.88) return 'similar';
    if (a.joined !== '' && isAlike(a.joined, b.text, 0.92)) return 'similar';
    if (b.joined !== '' && isAlike(b.joined, a.text, 0.92)) return 'similar';
    return 'different';
  }
  return a.text.charAt(0) === b.text.charAt(0) ? 'initial' : 'different';
}

/** Middle names; no evidence where one of them already explained the given name. */
function middleLevel(a: Prepared, b: Prepared, given: string | undefined): FieldLevel | null {
  if (given === 'middle') return null;
  return best('middle', a.middles, b.middles, compareMiddles, itself);
}

function compareMiddles(a: string, b: string): string {
  if (a.length === 1 || b.length === 1) return a.charAt(0) === b.charAt(0) ? 'initial' : 'different';
  return isAlike(a, b, 0.92) ? 'same' : 'different';
}

function suffixLevel(a: Prepared, b: Prepared): FieldLevel | null {
  if (a.suffix === undefined || b.suffix === undefined) return null;
  return { level: a.suffix === b.suffix ? 'same' : 'different', a: String(a.suffix), b: String(b.suffix) };
}

function birthDateLevel(a: Prepared, b: Prepared): FieldLevel | null {
  const level = compareDates(a.birthDate, b.birthDate);
  return level === null ? null : { level, a: writeDate(a.birthDate!), b: writeDate(b.birthDate!) };
}

/** Numbers agree when one ends with the other's seven or more digits (area code left out). */
function comparePhones(a: string, b: string): string {
  const length = Math.min(a.length, b.length);
  if (a.slice(-length) === b.slice(-length)) return 'same';
  return length >= 9 && withinOneEdit(a, b) ? 'oneEdit' : 'different';
}

function compareEmails(a: string, b: string): string {
  if (a === b) return 'same';
  return withinOneEdit(a, b) || jaroWinkler(a, b) >= 0.95 ? 'similar' : 'different';
}

/** Jaro–Winkler at or above the bound, or one edit in a text of four or more characters. */
function isAlike(a: string, b: string, bound: number): boolean {
  if (a === b) return true;
  if (a.length < 2 || b.length < 2) return false;
  return (Math.max(a.length, b.length) >= 4 && withinOneEdit(a, b)) || jaroWinkler(a, b) >= bound;
}

/** The beginning of the other name, three letters or more, at least two short of it (`BEA` and `BEATRIX`). */
function isShortForm(short: string, long: string): boolean {
  return short.length >= 3 && long.length >= short.length + 2 && long.startsWith(short);
}

/** One edit between short given names (`DN` and `DAN`). */
function isShortMisspelling(a: string, b: string): boolean {
  return Math.max(a.length, b.length) === 3 && withinOneEdit(a, b);
}

function itself(value: string): string {
  return value;
}

/**
 * The best level over all pairs of values; null when no pair can be compared. Of equally good pairs the first by their
 * texts counts, so that neither the order of values nor of people matters.
 */
function best<T>(
  field: Field,
  as: T[],
  bs: T[],
  compare: (a: T, b: T) => string | null,
  show: (value: T) => string,
): FieldLevel | null {
  const order = ORDER[field];
  let rank = order.length;
  let found: FieldLevel | null = null;
  for (const a of as) {
    for (const b of bs) {
      const level = compare(a, b);
      if (level === null) continue;
      const at = order.indexOf(level);
      if (at > rank) continue;
      const pair = { level, a: show(a), b: show(b) };
      if (at < rank || found === null || isBefore(pair, found)) found = pair;
      rank = at;
    }
  }
  return found;
}

/** An order of pairs in which a pair and its mirror image are equal. */
function isBefore(one: FieldLevel, other: FieldLevel): boolean {
  const [low, high] = one.a < one.b ? [one.a, one.b] : [one.b, one.a];
  const [otherLow, otherHigh] = other.a < other.b ? [other.a, other.b] : [other.b, other.a];
  return low === otherLow ? high < otherHigh : low < otherLow;
}
