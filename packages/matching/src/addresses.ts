/**
 * Postal addresses made comparable, after the habits of USPS Publication 28: street types and directions
 * abbreviated, the unit apart, PO boxes recognised, nine-digit ZIP codes cut to five.
 */
import type { PersonAddress } from './demographics.ts';
import { jaroWinkler, withinOneEdit } from './distance.ts';
import { digitsOf, fold, foldedWords } from './text.ts';

export interface PreparedAddress {
  /** House number or box number; may be empty. */
  number: string;
  /** Street name without type and direction. */
  street: string;
  unit: string;
  city: string;
  state: string;
  /** First five characters. */
  postalCode: string;
  /** One line, for the person who reviews. */
  shown: string;
}

/** Levels of agreement, best first. */
export type AddressLevel = 'same' | 'similar' | 'postalCode' | 'city' | 'different';

const MAX_ADDRESSES = 6;
/** Street types and directions: both spellings of each are left out of the street's name. */
const TYPES = new Set(
  `STREET ST STR AVENUE AVE AV ROAD RD DRIVE DR LANE LN COURT CT BOULEVARD BLVD PLACE PL CIRCLE CIR TERRACE TER TRAIL
   TRL PARKWAY PKWY HIGHWAY HWY WAY SQUARE SQ CRESCENT CRES CLOSE LOOP ALLEY ALY PIKE ROW WALK NORTH N SOUTH S EAST E
   WEST W NE NW SE SW NORTHEAST NORTHWEST SOUTHEAST SOUTHWEST`.split(/\s+/),
);
const UNITS = new Set(['APT', 'APARTMENT', 'UNIT', 'STE', 'SUITE', 'LOT', 'RM', 'ROOM', 'FL', 'FLOOR', 'BLDG', 'TRLR']);
/** Written where there is no address. */
const NO_ADDRESS =
  /\b(UNKNOWN|HOMELESS|NO FIXED|NFA|GENERAL DELIVERY|UNDOMICILED|TRANSIENT|NOT PROVIDED|BAD ADDRESS|RETURNED MAIL|NONE)\b/;

/** Prepares the addresses that say something. */
export function prepareAddresses(addresses: PersonAddress[]): PreparedAddress[] {
  const prepared = new Map<string, PreparedAddress>();
  for (const address of addresses.slice(0, MAX_ADDRESSES)) {
    const one = prepareAddress(address);
    if (one !== undefined) prepared.set(one.shown, one);
  }
  return [...prepared.values()];
}

/** The level at which two addresses agree; null when they have nothing in common to compare. Symmetric. */
export function compareAddresses(a: PreparedAddress, b: PreparedAddress): AddressLevel | null {
  const postalCode = agreement(a.postalCode, b.postalCode);
  const city = agreement(a.city, b.city);
  if (a.street !== '' && b.street !== '') {
    const elsewhere = postalCode === false && city !== true;
    const number = a.number === b.number;
    if (!elsewhere && number && a.street === b.street) {
      if (a.unit !== '' && b.unit !== '' && a.unit !== b.unit) return 'similar';
      return postalCode !== null || city !== null ? 'same' : 'similar';
    }
    if (!elsewhere && (postalCode || city)) {
      if (number && jaroWinkler(a.street, b.street) >= 0.88) return 'similar';
      if (a.street === b.street && a.number !== '' && b.number !== '' && withinOneEdit(a.number, b.number)) {
        return 'similar';
      }
    }
  }
  if (postalCode === true) return 'postalCode';
  if (city === true && agreement(a.state, b.state) !== false) return 'city';
  return postalCode === null && city === null && (a.street === '' || b.street === '') ? null : 'different';
}

/** True or false when both are known, null otherwise. */
function agreement(a: string, b: string): boolean | null {
  return a === '' || b === '' ? null : a === b;
}

function prepareAddress(address: PersonAddress): PreparedAddress | undefined {
  const lines = address.line.slice(0, 4).map(fold).join(' ').trim();
  const city = fold(address.city ?? '');
  if (NO_ADDRESS.test(lines) || NO_ADDRESS.test(city)) return undefined;
  const postalCode = preparePostalCode(address.postalCode ?? '');
  const state = fold(address.state ?? '');
  const shown = [lines, city, state, postalCode].filter((part) => part !== '').join(', ');
  if (lines === '' && city === '' && postalCode === '') return undefined;
  return { ...prepareStreet(lines), city: city.replaceAll(' ', ''), state, postalCode, shown };
}

function prepareStreet(lines: string): { number: string; street: string; unit: string } {
  const box = /\b(?:P ?O ?BOX|POST OFFICE BOX|BOX) ?(\w+)/.exec(lines);
  if (box !== null) return { number: box[1]!, street: 'POBOX', unit: '' };
  const words = lines === '' ? [] : lines.split(' ');
  const numberAt = words.findIndex((word) => /^\d/.test(word));
  const number = numberAt >= 0 && numberAt <= 1 ? words.splice(numberAt, 1)[0]! : '';
  let unit = '';
  const unitAt = words.findIndex((word, index) => index > 0 && UNITS.has(word));
  if (unitAt > 0) {
    unit = words.slice(unitAt + 1).join('');
    words.length = unitAt;
  }
  const name = words.filter((word) => !TYPES.has(word));
  const street = (name.length > 0 ? name : words).join('');
  return { number, street, unit };
}

function preparePostalCode(written: string): string {
  const digits = digitsOf(written);
  if (/\p{L}/u.test(written) || digits.length < 4) return foldedWords(written).join('').slice(0, 10);
  const code = digits.length === 4 || digits.length === 8 ? `0${digits}` : digits;
  return /^(0+|9+)$/.test(code) ? '' : code.slice(0, 5);
}
