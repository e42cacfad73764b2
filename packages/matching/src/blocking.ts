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
  const traits = traitsOf(p);
  const keys = new Set<string>();
  for (const rule of RULES) {
    if (keys.size >= MAX_KEYS) break;
    for (const key of rule(p, traits)) keys.add(key);
  }
  return [...new Set([...keys].slice(0, MAX_KEYS).map(hash64))];
}

/** What several rules look at. */
interface Traits {
  days: string[];
  years: string[];
  birthdays: string[];
  familySounds: string[];
  givenSounds: string[];
  soundPairs: string[];
  initials: string[];
  houses: string[];
  places: string[];
}

type BlockingRule = (p: Prepared, traits: Traits) => string[];

const RULES: readonly BlockingRule[] = [
  (p) =>
    take(
      p.nationalIds.filter((id) => id.value.length > 4).map((id) => `n|${id.system}|${id.value}`),
      2,
    ),
  (_, { days, familySounds }) => join('ds', days, familySounds, 3),
  (_, { days, initials }) => join('di', days, initials, 3),
  (_, { years, soundPairs }) => join('py', years, soundPairs, 4),
  (_, { birthdays, soundPairs }) => join('pd', birthdays, soundPairs, 4),
  (p, { initials }) => join('ti', take(p.phones, 2), initials, 3),
  (p) =>
    take(
      p.emails.map((email) => `e|${email}`),
      1,
    ),
  (_, { houses, initials }) => join('hi', houses, initials, 3),
  (_, { places, days }) => join('zd', places, days, 2),
  (p) =>
    take(
      p.identifiers.map((id) => `i|${id.system}|${id.value}`),
      2,
    ),
  (p, { birthdays }) => join('td', p.phones, birthdays, 1),
  (_, { houses, years }) => join('hy', houses, years, 1),
  (_, { places, soundPairs }) => join('pz', places, soundPairs, 1),
  (p, { initials }) => join('si', streets(p), initials, 2),
  (p, { days }) => join('dn', days, houseNumbers(p), 1),
  (_, { places, years, givenSounds }) => join('gy', join('', places, years, 1), givenSounds, 1),
];

function traitsOf(p: Prepared): Traits {
  const days = daysOf(p);
  const familySounds = p.families.map((family) => family.soundex);
  const givenSounds = givenSoundsOf(p);
  return {
    days,
    years: p.birthDate === undefined ? [] : [`${p.birthDate.year}`],
    birthdays: days.map((day) => day.slice(5)),
    familySounds,
    givenSounds,
    soundPairs: soundPairsOf(givenSounds, familySounds),
    initials: initialsOf(p),
    houses: housesOf(p),
    places: placesOf(p),
  };
}

/** Every combination of the two, prefixed by the rule's name, the first `limit` in order. */
function join(rule: string, left: string[], right: string[], limit: number): string[] {
  return take(
    left.flatMap((a) => right.map((b) => `${rule}|${a}|${b}`)),
    limit,
  );
}

/** The distinct values in order, at most `limit`: the same whatever order a source lists them in. */
function take(values: string[], limit: number): string[] {
  return values.length < 2 ? values : [...new Set(values)].sort().slice(0, limit);
}

/** The birth date known to the day, written the same whether or not day and month are swapped. */
function daysOf(p: Prepared): string[] {
  if (p.birthDate?.day === undefined) return [];
  const { year, month, day } = p.birthDate;
  return [`${year}-${Math.min(month!, day)}-${Math.max(month!, day)}`];
}

/** First letters of given names and of the formal names they stand for; of family names where no given name is known. */
function initialsOf(p: Prepared): string[] {
  const letters = p.givens.flatMap((given) => [
    given.text.charAt(0),
    ...formalNames(given.text).map((name) => name.charAt(0)),
  ]);
  return take(letters.length > 0 ? letters : p.families.map((family) => family.text.charAt(0)), 3);
}

/** Sounds of a given and a family name, sorted: the same when both are swapped. */
function soundPairsOf(givens: string[], families: string[]): string[] {
  return take(
    givens.flatMap((given) => families.map((family) => (given < family ? `${given}${family}` : `${family}${given}`))),
    4,
  );
}

function givenSoundsOf(p: Prepared): string[] {
  return p.givens.flatMap((given) => [given.soundex, ...formalNames(given.text).map(soundex)]);
}

/** House number and street in their place. */
function housesOf(p: Prepared): string[] {
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
function placesOf(p: Prepared): string[] {
  return take(
    p.addresses.map((address) => address.postalCode || address.city).filter((place) => place !== ''),
    2,
  );
}
