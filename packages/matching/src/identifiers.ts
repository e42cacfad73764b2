/**
 * Identifiers made comparable. A national identifier names one human wherever it is used (social security number,
 * passport, driver's license, Medicare number); any other names a person only within its own system.
 */
import type { PersonIdentifier } from './demographics.ts';
import { withinOneEdit } from './distance.ts';
import { digitsOf, fold } from './text.ts';

export interface PreparedIdentifier {
  system: string;
  value: string;
}

/** Levels of agreement, best first. */
export type NationalIdLevel = 'same' | 'oneEdit' | 'lastFour' | 'different';

const MAX_IDENTIFIERS = 24;
/** Systems of the US social security number. */
const SSN_SYSTEMS = new Set([
  'http://hl7.org/fhir/sid/us-ssn',
  'urn:oid:2.16.840.1.113883.4.1',
  '2.16.840.1.113883.4.1',
]);
const OTHER_NATIONAL_SYSTEMS = new Set([
  'http://hl7.org/fhir/sid/us-medicare',
  'http://hl7.org/fhir/sid/us-mbi',
  'urn:oid:2.16.840.1.113883.4.572',
  'urn:oid:2.16.840.1.113883.4.927',
]);
/** HL7 table 0203: social security, national unique, passport, driver's license, Medicare, tax numbers. */
const NATIONAL_TYPES = new Set(['SS', 'NI', 'NNUSA', 'PPN', 'DL', 'MC', 'TAX', 'SB']);

/** Splits a person's identifiers into national ones and those of one organisation, fillers left out. */
export function prepareIdentifiers(identifiers: PersonIdentifier[]): {
  national: PreparedIdentifier[];
  local: PreparedIdentifier[];
} {
  const national = new Map<string, PreparedIdentifier>();
  const local = new Map<string, PreparedIdentifier>();
  for (const { system, value, type } of identifiers.slice(0, MAX_IDENTIFIERS)) {
    const trimmed = system.trim();
    if (SSN_SYSTEMS.has(trimmed) || type === 'SS') {
      const isUs = SSN_SYSTEMS.has(trimmed) || trimmed === '';
      const number = isUs ? digitsOf(value) : fold(value).replaceAll(' ', '');
      if (isUs ? isSsn(number) : isTelling(number)) national.set(`ssn|${number}`, { system: 'ssn', value: number });
      continue;
    }
    const number = fold(value).replaceAll(' ', '');
    if (!isTelling(number)) continue;
    if (OTHER_NATIONAL_SYSTEMS.has(trimmed) || (type !== undefined && NATIONAL_TYPES.has(type))) {
      const key = trimmed === '' ? (type ?? '') : trimmed;
      national.set(`${key}|${number}`, { system: key, value: number });
    } else if (trimmed !== '') {
      local.set(`${trimmed}|${number}`, { system: trimmed, value: number });
    }
  }
  return { national: [...national.values()], local: [...local.values()] };
}

/** The level at which two national identifiers of the same system agree; null for different systems. Symmetric. */
export function compareNationalIds(a: PreparedIdentifier, b: PreparedIdentifier): NationalIdLevel | null {
  if (a.system !== b.system) return null;
  if (a.value === b.value) return a.value.length <= 4 ? 'lastFour' : 'same';
  if (a.value.length === 4 || b.value.length === 4) {
    return a.value.slice(-4) === b.value.slice(-4) ? 'lastFour' : 'different';
  }
  return withinOneEdit(a.value, b.value) ? 'oneEdit' : 'different';
}

/** A US social security number that may have been issued, or its last four digits. */
function isSsn(digits: string): boolean {
  if (digits.length === 4) return digits !== '0000' && digits !== '9999';
  if (digits.length !== 9 || /^(\d)\1+$/.test(digits) || digits === '123456789' || digits === '078051120') return false;
  return !/^(000|666)/.test(digits) && digits.slice(3, 5) !== '00' && digits.slice(5) !== '0000';
}

/** False for empty values, one character repeated, and counted-up fillers. */
function isTelling(value: string): boolean {
  return (
    value.length >= 3 && !/^(.)\1*$/u.test(value) && value !== '123456789' && !/^(UNKNOWN|NONE|NA|TEST)$/.test(value)
  );
}
