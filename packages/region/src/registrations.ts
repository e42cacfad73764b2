/**
 * What each site's desk wrote down about a person: its record number and its version of the demographics, with the
 * slips that real desks make. README.md lists the rates.
 */

import { ageAt, DAY_MS } from './calendar.ts';
import type { Address, Person } from './people.ts';
import type { Random } from './random.ts';
import { randomFrom } from './random.ts';
import { type SiteKey, siteOf } from './sites.ts';

export type Slip =
  | 'misspelt family name'
  | 'misspelt given name'
  | 'nickname'
  | 'names swapped'
  | 'wrong digit in birth date'
  | 'day and month swapped'
  | 'no phone'
  | 'no middle name'
  | 'no suffix'
  | 'misspelt street'
  | 'wrong sex';

export interface Demographics {
  family: string;
  given: string;
  middle?: string;
  suffix?: string;
  /** `YYYY-MM-DD`, or nothing where the desk does not know it. */
  birthDate?: string;
  sex: 'F' | 'M' | 'U';
  address?: Address;
  phone?: string;
  mobile?: string;
  email?: string;
}

export interface Registration {
  site: SiteKey;
  number: string;
  since: number;
  slips: Slip[];
  /** When the desk corrected its slips, if it ever did. */
  correctedAt?: number;
  /** Whether it asked for a mobile number and for an e-mail address. */
  asksMobile: boolean;
  asksEmail: boolean;
  /** Whether moves and new names reach this desk. */
  followsChanges: boolean;
  /** Registered under a stand-in name until `namedAt` (never, when absent). */
  placeholder?: {
    family: string;
    given: string;
    birthDate?: string;
    address?: Address;
    phone?: string;
    namedAt?: number;
  };
  /** The number that took its place. */
  mergedInto?: string;
  mergedAt?: number;
}

/** The record number the site gives; `copy` numbers a second record of the same person. Unique per site and region. */
export function recordNumber(person: Person, site: SiteKey, copy = 0): string {
  const base = person.ordinal * 2 + copy;
  switch (site) {
    case 'harbor-hospital':
      return String(10_000_000 + ((base * 7_368_787 + 1_234_577) % 10_000_000));
    case 'millbrook-practice':
      return `MFP${String((base * 3_141_593 + 271_829) % 10_000_000).padStart(7, '0')}`;
    case 'ellery-lab':
      return `L${String((base * 5_772_157 + 602_213) % 10_000_000).padStart(7, '0')}`;
    case 'corner-pharmacy':
      return `CP-${String((base * 1_618_033 + 161_807) % 10_000_000).padStart(7, '0')}`;
  }
}

/** A fresh registration with its slips drawn at the usual rates. */
export function register(person: Person, site: SiteKey, since: number, seed: number, copy = 0): Registration {
  const random = randomFrom(seed, 'register', site, person.ordinal, copy);
  const slips = drawSlips(random, person, site);
  return {
    site,
    number: recordNumber(person, site, copy),
    since,
    slips,
    correctedAt: slips.length > 0 && random.chance(0.25) ? since + random.int(60, 700) * DAY_MS : undefined,
    followsChanges: random.chance(0.72),
    asksMobile: site !== 'ellery-lab' && random.chance(0.65),
    asksEmail: site !== 'ellery-lab' && random.chance(0.45),
  };
}

/** What this site would write about the person in a message sent at this time. */
export function demographicsAt(person: Person, registration: Registration, at: number): Demographics {
  const { placeholder, slips } = registration;
  if (placeholder && (placeholder.namedAt === undefined || at < placeholder.namedAt)) {
    const { family, given, birthDate, address, phone } = placeholder;
    return { family, given, birthDate, address, phone, sex: person.sex };
  }
  const asOf = registration.followsChanges ? at : Math.min(at, registration.since);
  const adult = ageAt(person.birthDate, at) >= 16;
  const known: Demographics = {
    family: person.maidenName && person.marriedAt && asOf < person.marriedAt ? person.maidenName : person.family,
    given: person.given,
    middle: person.middle,
    suffix: person.suffix,
    birthDate: person.birthDate,
    sex: person.sex,
    address: person.formerAddress && person.movedAt && asOf < person.movedAt ? person.formerAddress : person.address,
    phone: person.formerPhone && person.movedAt && asOf < person.movedAt ? person.formerPhone : person.phone,
    mobile: adult && registration.asksMobile ? person.mobile : undefined,
    email: adult && registration.asksEmail ? person.email : undefined,
  };
  const corrected = registration.correctedAt !== undefined && at >= registration.correctedAt;
  if (!corrected) for (const slip of slips) applySlip(known, slip, person);
  return known;
}

/** The identifier as truth and FHIR name it. */
export function identifierOf(registration: Registration): { system: string; value: string } {
  return { system: siteOf(registration.site).identifierSystem, value: registration.number };
}

function drawSlips(random: Random, person: Person, site: SiteKey): Slip[] {
  const slips: Slip[] = [];
  if (random.chance(0.02)) slips.push('misspelt family name');
  if (random.chance(0.02)) slips.push('misspelt given name');
  if (person.nickname && random.chance(site === 'corner-pharmacy' ? 0.15 : 0.08)) slips.push('nickname');
  if (random.chance(0.006)) slips.push('names swapped');
  const birthDate = random.next();
  if (birthDate < 0.012) slips.push('wrong digit in birth date');
  else if (birthDate < 0.017 && swapsIntoDate(person.birthDate)) slips.push('day and month swapped');
  if (random.chance(0.08)) slips.push('no phone');
  if (random.chance(site === 'harbor-hospital' ? 0.2 : 0.5)) slips.push('no middle name');
  if (person.suffix && random.chance(0.45)) slips.push('no suffix');
  if (random.chance(0.03)) slips.push('misspelt street');
  if (random.chance(0.003)) slips.push('wrong sex');
  const forced = person.scenario === 'wrong birth date' && person.isSubject && site === 'ellery-lab';
  if (forced && !slips.includes('wrong digit in birth date')) slips.push('wrong digit in birth date');
  return person.scenario === 'showcase' && person.isSubject ? [] : slips;
}

function applySlip(known: Demographics, slip: Slip, person: Person): void {
  switch (slip) {
    case 'misspelt family name':
      known.family = misspell(known.family, person.ordinal);
      break;
    case 'misspelt given name':
      known.given = misspell(known.given, person.ordinal + 1);
      break;
    case 'nickname':
      known.given = person.nickname ?? known.given;
      break;
    case 'names swapped':
      [known.family, known.given] = [known.given, known.family];
      break;
    case 'wrong digit in birth date':
      known.birthDate = wrongDigit(person.birthDate, person.ordinal);
      break;
    case 'day and month swapped':
      known.birthDate = `${person.birthDate.slice(0, 4)}-${person.birthDate.slice(8)}-${person.birthDate.slice(5, 7)}`;
      break;
    case 'no phone':
      known.phone = undefined;
      known.mobile = undefined;
      break;
    case 'no middle name':
      known.middle = undefined;
      break;
    case 'no suffix':
      known.suffix = undefined;
      break;
    case 'misspelt street':
      known.address = known.address && { ...known.address, line: misspell(known.address.line, person.ordinal) };
      break;
    case 'wrong sex':
      known.sex = person.sex === 'F' ? 'M' : 'F';
      break;
  }
}

const SOUND_ALIKES: readonly (readonly [string, string])[] = [
  ['ph', 'f'],
  ['ie', 'ei'],
  ['son', 'sen'],
  ['ck', 'k'],
  ['ll', 'l'],
  ['nn', 'n'],
  ['tt', 't'],
  ['y', 'i'],
  ['z', 's'],
  ['c', 'k'],
];

/** A sound-alike spelling, a doubled letter or two letters the wrong way round; never the same text. */
function misspell(text: string, choice: number): string {
  if (choice % 3 === 0) {
    const rule = SOUND_ALIKES.find(([written]) => text.toLowerCase().indexOf(written) > 0);
    if (rule) {
      const at = text.toLowerCase().indexOf(rule[0]);
      return text.slice(0, at) + rule[1] + text.slice(at + rule[0].length);
    }
  }
  const at = 1 + (choice % Math.max(1, text.length - 2));
  const here = text[at] ?? 'e';
  const next = text[at + 1] ?? here;
  if (choice % 3 === 1 || here === next) return text.slice(0, at) + here + text.slice(at);
  return text.slice(0, at) + next + here + text.slice(at + 2);
}

/** The date with one digit off by one, kept a date that exists and has passed. */
function wrongDigit(date: string, choice: number): string {
  const year = Number(date.slice(0, 4));
  const leapDay = date.endsWith('02-29');
  if (choice % 2 === 0 && !leapDay) return `${year - 1}${date.slice(4)}`;
  const day = Number(date.slice(8));
  const other = day === 30 ? 20 : day === 1 || day % 10 === 0 ? day + 1 : day - 1;
  return `${date.slice(0, 8)}${String(other).padStart(2, '0')}`;
}

function swapsIntoDate(date: string): boolean {
  const day = Number(date.slice(8));
  return day <= 12 && date.slice(8) !== date.slice(5, 7);
}
