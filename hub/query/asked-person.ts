/**
 * The person whose immunizations are asked for (QPD of Z34 and Z44 in the guide for HL7 v2.5.1, release 1.5; QRD and QRF of
 * VXQ), as a Patient; and who of those in the record that is.
 */
import { normalizeString } from '@causeway/fhir';
import {
  type Condition,
  isInvalidDateTime,
  type Message,
  parseDateTime,
  type Repetition,
  type Segment,
} from '@causeway/hl7v2';
import { compare, demographicsOf, prepare } from '@causeway/matching';
import type { Address, Patient } from '@medplum/fhirtypes';
import { type Domain, type Domains, isOf, socialSecurity } from './domains.ts';
import { QueryError, wrongIn } from './query.ts';

export interface AskedPerson {
  patient: Patient;
  /** The numbers whose domains are known. */
  numbers: { domain: Domain; value: string }[];
}

const motherUrl = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';
const genders: { [code: string]: Patient['gender'] } = { M: 'male', F: 'female', O: 'other', U: 'unknown' };

/** What a query says of the person. */
interface Said {
  numbers: AskedPerson['numbers'];
  family: string;
  given: string;
  middle?: string;
  birthDate: string | undefined;
  /** HL7 table 0001. */
  sex?: string;
  mother?: string;
  address?: Address | undefined;
  phone?: string | undefined;
  /** HL7 table 0136. */
  multiple?: string;
}

const tooLittle = 'Give a record number with its authority, or family name, given name and date of birth';

/** Reads QPD. @throws QueryError where it says too little of the person, or what cannot be read */
export function readPerson(qpd: Segment, domains: Domains): AskedPerson {
  const numbers = qpd.field(3).repetitions.flatMap((one) => numberOf(one, 4, domains));
  const name = qpd.field(4).first;
  const text = (field: number) => qpd.field(field).first.component(1).text.trim();
  const [family, given] = [name.component(1).text.trim(), name.component(2).text.trim()];
  const birthDate = dateOf(text(6), { segment: 'QPD', field: 6 });
  if (numbers.length === 0 && !(family && given && birthDate)) {
    throw wrongIn(!family || !given ? 4 : 6, '101', tooLittle);
  }
  return askedPerson({
    numbers,
    family,
    given,
    middle: name.component(3).text.trim(),
    birthDate,
    sex: text(7),
    mother: text(5),
    address: addressOf(qpd.field(8).first),
    phone: phoneOf(qpd.field(9).first),
    multiple: text(10),
  });
}

/**
 * Reads QRD-8 and QRF-5 of a VXQ (HL7 v2.3.1, section 4.11): number or name; by their position social security number, date
 * of birth and the mother's maiden name. @throws QueryError
 */
export function readSubject(message: Message, domains: Domains): AskedPerson {
  const who = message.segment('QRD')!.field(8).first;
  const key = (n: number) => message.segment('QRF')?.field(5).repetitions[n - 1]?.component(1).text.trim() ?? '';
  const digits = key(1).replace(/\D/g, '');
  const written = digits.length === 9 ? [digits, digits.replace(/^(...)(..)/, '$1-$2-')] : [];
  const numbers = [
    ...(who.component(9).isEmpty ? ownNumber(who, domains) : numberOf(who, 9, domains)),
    ...written.map((value) => ({ domain: socialSecurity, value })),
  ];
  const [family, given] = [who.component(2).text.trim(), who.component(3).text.trim()];
  const birthDate = dateOf(key(2), { segment: 'QRF', field: 5, repetition: 2 });
  if (numbers.length === 0 && !(family && given && birthDate)) {
    throw new QueryError({ errorCode: '101', message: tooLittle, segment: 'QRD', occurrence: 1, field: 8 });
  }
  return askedPerson({ numbers, family, given, middle: who.component(4).text.trim(), birthDate, mother: key(7) });
}

function askedPerson(said: Said): AskedPerson {
  const { numbers, family, given, birthDate, mother, address, phone } = said;
  const sex = said.sex?.toUpperCase() ?? '';
  const multiple = said.multiple?.toUpperCase();
  return {
    numbers,
    patient: {
      resourceType: 'Patient',
      identifier: numbers.flatMap(({ domain, value }) => domain.systems.map((system) => ({ system, value }))),
      ...(family || given
        ? { name: [{ family, given: [given, said.middle ?? ''].filter((part) => part !== '') }] }
        : {}),
      ...(birthDate ? { birthDate } : {}),
      ...(Object.hasOwn(genders, sex) ? { gender: genders[sex] } : {}),
      ...(address ? { address: [address] } : {}),
      ...(phone ? { telecom: [{ system: 'phone', value: phone }] } : {}),
      ...(mother ? { extension: [{ url: motherUrl, valueString: mother }] } : {}),
      ...(multiple === 'Y' || multiple === 'N' ? { multipleBirthBoolean: multiple === 'Y' } : {}),
    },
  };
}

/** A number and its domain, as far as it is known. @param authority the component that names it */
function numberOf(field: Repetition, authority: number, domains: Domains): AskedPerson['numbers'] {
  const value = field.component(1).text.trim();
  const named = field.component(authority);
  const domain = domains.find(named) ?? domains.unregistered(named);
  return value === '' || !domain ? [] : [{ domain, value }];
}

function ownNumber(field: Repetition, domains: Domains): AskedPerson['numbers'] {
  const [value, domain] = [field.component(1).text.trim(), domains.own()];
  return value === '' || !domain ? [] : [{ domain, value }];
}

/**
 * How a person of the record answers to the one asked for, the surest first. `number`: the record number is theirs and
 * nothing contradicts it; `same`: name, date of birth and sex are the same and nothing contradicts; `linked`: the person index
 * would join the two; `candidate`: they may be the same, which a human has to say.
 */
export type Likeness = 'number' | 'same' | 'linked' | 'candidate' | 'other';

/** How a person of the record answers to the one asked for. */
export function likeness({ patient: asked, numbers }: AskedPerson, patient: Patient): Likeness {
  const hasNumber = numbers.some(({ domain, value }) =>
    (patient.identifier ?? []).some((one) => one.value === value && isOf(one, [domain])),
  );
  if (hasNumber) return contradicts(asked, patient) ? 'other' : 'number';
  const { outcome } = compare(prepare(demographicsOf(asked)), prepare(demographicsOf(patient)));
  if (outcome === 'different') return 'other';
  if (isSame(asked, patient)) return 'same';
  return outcome === 'link' ? 'linked' : 'candidate';
}

/** Another date of birth, or another name altogether: the number was mistyped, or is somebody else's. */
function contradicts(asked: Patient, patient: Patient): boolean {
  if (asked.birthDate && patient.birthDate && !agree(asked.birthDate, patient.birthDate)) return true;
  const [name] = asked.name ?? [];
  if (!name || !patient.name?.length) return false;
  const { family, given = [] } = name;
  return !patient.name.some(
    (known) => isEqual(known.family, family) || (known.given ?? []).some((one) => isEqual(one, given[0])),
  );
}

function isSame(asked: Patient, patient: Patient): boolean {
  const [name] = asked.name ?? [];
  const isNamed = (patient.name ?? []).some(
    (known) => isEqual(known.family, name?.family) && isEqual(known.given?.[0], name?.given?.[0]),
  );
  const isOfSex = !asked.gender || !patient.gender || asked.gender === patient.gender;
  return isNamed && isOfSex && asked.birthDate?.length === 10 && asked.birthDate === patient.birthDate;
}

/** As far as both are known. */
function agree(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

function isEqual(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== '' && normalizeString(a) === normalizeString(b);
}

function dateOf(text: string, at: Pick<Condition, 'segment' | 'field' | 'repetition'>): string | undefined {
  if (text === '') return undefined;
  const read = parseDateTime(text);
  if (!isInvalidDateTime(read)) return read.date;
  const message = `The date of birth cannot be read: ${read.reason}`;
  throw new QueryError({ errorCode: '102', message, occurrence: 1, ...at });
}

function addressOf(field: Repetition): Address | undefined {
  const part = (n: number) => field.component(n).text.trim() || undefined;
  const line = [part(1), part(2)].filter((one) => one !== undefined);
  const address = { line, city: part(3), state: part(4), postalCode: part(5), country: part(6) };
  return line.length > 0 || address.city || address.postalCode ? address : undefined;
}

/** XTN: the number whole (12, before v2.7 component 1), or area code and number. */
function phoneOf(field: Repetition): string | undefined {
  const part = (n: number) => field.component(n).text.trim();
  return part(12) || `${part(6)}${part(7)}` || part(1) || undefined;
}
