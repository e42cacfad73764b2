/**
 * A person's demographics normalised once, so that comparison only looks things up. Plain data: may be stored as JSON.
 */
import { type PreparedAddress, prepareAddresses } from './addresses.ts';
import { type DateParts, prepareDate } from './dates.ts';
import type { Demographics } from './demographics.ts';
import { type PreparedIdentifier, prepareIdentifiers } from './identifiers.ts';
import { type FamilyName, type PreparedNames, prepareFamily, prepareNames } from './names.ts';
import { findPlaceholder } from './placeholder.ts';
import { digitsOf, distinct, MAX_TEXT } from './text.ts';

export interface Prepared extends PreparedNames {
  birthDate?: DateParts;
  sex?: 'male' | 'female';
  addresses: PreparedAddress[];
  /** National significant numbers, digits only, country code 1 removed. */
  phones: string[];
  /** Lower case. */
  emails: string[];
  nationalIds: PreparedIdentifier[];
  identifiers: PreparedIdentifier[];
  motherFamily?: FamilyName;
  deceased?: boolean;
  /** One of twins, triplets, …; undefined when not told. */
  multipleBirth?: boolean;
  /** Why the names identify nobody. */
  placeholder?: string;
}

/** Normalises demographics for comparison and blocking. Never throws on content. */
export function prepare(d: Demographics): Prepared {
  const { national, local } = prepareIdentifiers(d.identifiers);
  const birthDate = prepareDate(d.birthDate);
  const motherFamily = d.motherMaidenName === undefined ? undefined : prepareFamily(d.motherMaidenName);
  const placeholder = findPlaceholder(d.names);
  return {
    ...prepareNames(d.names),
    ...(birthDate === undefined ? {} : { birthDate }),
    ...(d.gender === 'male' || d.gender === 'female' ? { sex: d.gender } : {}),
    addresses: prepareAddresses(d.addresses),
    phones: distinct(d.phones.map(preparePhone), 8),
    emails: distinct(d.emails.map(prepareEmail), 8),
    nationalIds: national,
    identifiers: local,
    ...(motherFamily === undefined ? {} : { motherFamily }),
    ...(d.deceased === undefined ? {} : { deceased: d.deceased }),
    ...(d.multipleBirth === undefined ? {} : { multipleBirth: d.multipleBirth !== false && d.multipleBirth !== 0 }),
    ...(placeholder === undefined ? {} : { placeholder }),
  };
}

/** Why the record identifies nobody (John Doe, Baby Boy, Unknown, Test, no name); undefined when it may. */
export function placeholderReason(p: Prepared): string | undefined {
  return p.placeholder;
}

function preparePhone(written: string): string {
  const digits = digitsOf(written.replace(/(ext|x)\.?\s*\d+\s*$/i, ''));
  const national = digits.length === 11 && digits.startsWith('1') ? digits.slice(1) : digits.replace(/^0+/, '');
  const isFiller = national.length < 7 || /^(\d)\1+$/.test(national.slice(-7)) || national.endsWith('5551212');
  return isFiller ? '' : national.slice(-12);
}

function prepareEmail(written: string): string {
  const address = written.slice(0, MAX_TEXT).trim().toLowerCase();
  const isFiller = !/^[^@\s]+@[^@\s]+$/.test(address) || /^(none|no|unknown|test|na|noemail|donotreply)@/.test(address);
  return isFiller ? '' : address;
}
