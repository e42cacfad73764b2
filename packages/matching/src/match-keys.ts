/**
 * Match keys: combinations of what identifies somebody, each strong enough to stand for one person by itself. Two hubs that
 * may not tell each other demographics compare keyed hashes of them (statistical linkage keys; nothing but equality can be
 * compared then). Each combination survives another kind of error or change; none is without a given name.
 */
import type { PreparedAddress } from './addresses.ts';
import { formalNames } from './nicknames.ts';
import { soundex } from './phonetic.ts';
import type { Prepared } from './prepare.ts';

/** Most keys of one record. */
export const mostMatchKeys = 48;

/** The keys of a record, as texts that say all that they are made of; none for who is a placeholder, or too little known. */
export function matchKeys(p: Prepared): string[] {
  const { birthDate, sex = '' } = p;
  if (p.placeholder !== undefined || birthDate === undefined || p.givens.length === 0) return [];
  const { year, month, day } = birthDate;
  const born = month === undefined || day === undefined ? [] : [`${year}-${month}-${day}`];
  const families = distinct(p.families.map(({ text }) => text));
  const givens = distinct(p.givens.flatMap(({ text }) => [text, ...formalNames(text)]));
  const initials = distinct(givens.map((given) => given.charAt(0)));
  const reaches = distinct([...p.phones, ...p.emails, ...p.addresses.filter(isHouse).map(houseOf)]);
  const places = distinct(
    p.addresses.map(({ postalCode, city }) => postalCode || city).filter((place) => place !== ''),
  );
  const sounds = {
    families: distinct(p.families.map((family) => family.soundex)),
    givens: distinct(givens.map(soundex)),
  };
  const ids = (list: Prepared['identifiers']) => list.map(({ system, value }) => `${system} ${value}`);
  const combinations = [
    ...joined('national', ids(p.nationalIds), born, initials),
    ...joined('identifier', ids(p.identifiers), born, initials),
    ...joined('named', families, givens, born, places),
    ...joined('reached', families, givens, born, reaches),
    // The family name changed.
    ...joined('kept', givens, born, [sex], reaches),
    // They are misspelt; twins have names that sound alike.
    ...(p.multipleBirth ? [] : joined('heard', sounds.families, sounds.givens, born, [sex], reaches)),
    ...(p.multipleBirth ? [] : joined('placed', sounds.families, sounds.givens, born, [sex], places)),
    // Month or day is wrong.
    ...joined('year', families, givens, [String(year)], [sex], reaches),
  ];
  return distinct(combinations).slice(0, mostMatchKeys);
}

/** Every combination of one of each, named by its kind. Of long lists only the first count. */
function joined(kind: string, ...lists: readonly (readonly string[])[]): string[] {
  return lists.reduce<string[]>(
    (keys, list) => keys.flatMap((key) => list.slice(0, 4).map((one) => `${key}|${one}`)),
    [kind],
  );
}

/** In an order of their own, whatever that of the source is. */
function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

function isHouse(address: PreparedAddress): boolean {
  return address.number !== '' && address.street !== '';
}

function houseOf({ number, street, postalCode, city }: PreparedAddress): string {
  return `${number} ${street.slice(0, 6)} ${postalCode || city}`;
}
