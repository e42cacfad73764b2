/**
 * Blocking: two records are compared only when they share a key. Each rule survives another kind of error (a misspelt
 * name, a changed family name, a wrong year, day and month swapped, a move), so that a true pair is missed only when
 * several things differ at once.
 */
import type { PreparedAddress } from './addresses.ts';
import { hash64 } from './hash.ts';
import { formalNames } from './nicknames.ts';
import { soundex } from './phonetic.ts';
import type { Prepared } from './prepare.ts';

/** Most keys per record. */
export const MAX_KEYS = 16;

/** The record's keys, the most telling first, signed 64-bit. Equal content gives equal keys, in any order of lists. */
export function blockingKeys(p: Prepared): bigint[] {
  const keys = new Set<string>();
  for (const rule of RULES) for (const key of rule(p)) keys.add(key);
  return [...new Set([...keys].slice(0, MAX_KEYS).map(hash64))];
}

type BlockingRule = (p: Prepared) => string[];

const RULES: readonly BlockingRule[] = [
  (p) =>
    take(
      p.nationalIds.filter((id) => id.value.length > 4).map((id) => `n|${id.system}|${id.value}`),
      2,
    ),
  (p) => join('ds', days(p), familySounds(p), 3),
  (p) => join('di', days(p), initials(p), 3),
  (p) => join('py', years(p), soundPairs(p), 4),
  (p) => join('pd', birthdays(p), soundPairs(p), 4),
  (p) => join('ti', take(p.phones, 2), initials(p), 3),
  (p) =>
    take(
      p.emails.map((email) => `e|${email}`),
      1,
    ),
  (p) => join('hi', houses(p), initials(p), 3),
  (p) => join('zd', places(p), days(p), 2),
  (p) =>
    take(
      p.identifiers.map((id) => `i|${id.system}|${id.value}`),
      2,
    ),
  (p) => join('td', p.phones, birthdays(p), 1),
  (p) => join('hy', houses(p), years(p), 1),
  (p) => join('pz', places(p), soundPairs(p), 1),
  (p) => join('si', streets(p), initials(p), 2),
  (p) => join('dn', days(p), houseNumbers(p), 1),
  (p) => join('gy', join('', places(p), years(p), 1), givenSounds(p), 1),
];

/** Every combination of the two, prefixed by the rule's name, the first `limit` in order. */
function join(rule: string, left: string[], right: string[], limit: number): string[] {
  return take(
    left.flatMap((a) => right.map((b) => `${rule}|${a}|${b}`)),
    limit,
  );
}

/** The distinct values in order, at most `limit`: the same whatever order a source lists them in. */
function take(values: string[], limit: number): string[] {
  return [...new Set(values)].sort().slice(0, limit);
}

/** The birth date known to the day, written the same whether or not day and month are swapped. */
function days(p: Prepared): string[] {
  if (p.birthDate?.day === undefined) return [];
  const { year, month, day } = p.birthDate;
  return [`${year}-${Math.min(month!, day)}-${Math.max(month!, day)}`];
}

function years(p: Prepared): string[] {
  return p.birthDate === undefined ? [] : [`${p.birthDate.year}`];
}

function birthdays(p: Prepared): string[] {
  return days(p).map((day) => day.slice(5));
}

function familySounds(p: Prepared): string[] {
  return p.families.map((family) => family.soundex);
}

/** First letters of given names and of the formal names they stand for; of family names where no given name is known. */
function initials(p: Prepared): string[] {
  const letters = p.givens.flatMap((given) => [
    given.text.charAt(0),
    ...formalNames(given.text).map((name) => name.charAt(0)),
  ]);
  return take(letters.length > 0 ? letters : p.families.map((family) => family.text.charAt(0)), 3);
}

/** Sounds of a given and a family name, sorted: the same when both are swapped. */
function soundPairs(p: Prepared): string[] {
  const givens = givenSounds(p);
  return take(
    givens.flatMap((given) =>
      familySounds(p).map((family) => (given < family ? `${given}${family}` : `${family}${given}`)),
    ),
    4,
  );
}

function givenSounds(p: Prepared): string[] {
  return p.givens.flatMap((given) => [given.soundex, ...formalNames(given.text).map(soundex)]);
}

/** House number and street in their place. */
function houses(p: Prepared): string[] {
  const located = p.addresses.filter(isHouse);
  return take(
    located.map((address) => `${streetOf(address)}|${address.postalCode || address.city}`),
    2,
  );
}

/** House number and street wherever it is: postal codes and cities are misspelt too. */
function streets(p: Prepared): string[] {
  return take(p.addresses.filter(isHouse).map(streetOf), 1);
}

function houseNumbers(p: Prepared): string[] {
  return take(
    p.addresses.filter(isHouse).map((address) => address.number),
    1,
  );
}

function isHouse(address: PreparedAddress): boolean {
  return address.number !== '' && address.street !== '';
}

function streetOf(address: PreparedAddress): string {
  return `${address.number}|${address.street.slice(0, 6)}`;
}

/** Postal code, or the city where no code is known. */
function places(p: Prepared): string[] {
  return take(
    p.addresses.map((address) => address.postalCode || address.city).filter((place) => place !== ''),
    2,
  );
}
