/**
 * The person that a query of the immunization guide (HL7 v2.5.1, release 1.5; QPD-3 to QPD-11 of Z34 and Z44) asks for, as a
 * Patient; and who of those in the record that is.
 */
import { normalizeString } from '@causeway/fhir';
import { isInvalidDateTime, parseDateTime, type Repetition, type Segment } from '@causeway/hl7v2';
import { compare, demographicsOf, prepare } from '@causeway/matching';
import type { Address, Patient } from '@medplum/fhirtypes';
import type { Domain, Domains } from './domains.ts';
import { isOf } from './domains.ts';
import { wrongIn } from './query.ts';

export interface AskedPerson {
  patient: Patient;
  /** The record numbers in QPD-3 whose domains are known. */
  numbers: { domain: Domain; value: string }[];
}

const motherUrl = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';
const genders: { [code: string]: Patient['gender'] } = { M: 'male', F: 'female', O: 'other', U: 'unknown' };

/** Reads QPD. @throws QueryError where it says too little of the person, or what cannot be read */
export function readPerson(qpd: Segment, domains: Domains): AskedPerson {
  const numbers = qpd.field(3).repetitions.flatMap((one) => {
    const value = one.component(1).text.trim();
    const authority = one.component(4);
    const domain = domains.find(authority) ?? domains.unregistered(authority);
    return value === '' || !domain ? [] : [{ domain, value }];
  });
  const name = qpd.field(4).first;
  const [family, given] = [name.component(1).text.trim(), name.component(2).text.trim()];
  const birthDate = dateOf(qpd.field(6).first.component(1).text);
  if (numbers.length === 0 && !(family && given && birthDate)) {
    const field = !family || !given ? 4 : 6;
    throw wrongIn(
      field,
      '101',
      'Give a record number with its authority, or family name, given name and date of birth',
    );
  }
  const sex = qpd.field(7).first.component(1).text.toUpperCase();
  const mother = qpd.field(5).first.component(1).text.trim();
  const address = addressOf(qpd.field(8).first);
  const phone = phoneOf(qpd.field(9).first);
  const multiple = qpd.field(10).first.component(1).text.toUpperCase();
  const middle = name.component(3).text.trim();
  return {
    numbers,
    patient: {
      resourceType: 'Patient',
      identifier: numbers.flatMap(({ domain, value }) => domain.systems.map((system) => ({ system, value }))),
      ...(family || given ? { name: [{ family, given: [given, middle].filter((part) => part !== '') }] } : {}),
      ...(birthDate ? { birthDate } : {}),
      ...(Object.hasOwn(genders, sex) ? { gender: genders[sex] } : {}),
      ...(address ? { address: [address] } : {}),
      ...(phone ? { telecom: [{ system: 'phone', value: phone }] } : {}),
      ...(mother ? { extension: [{ url: motherUrl, valueString: mother }] } : {}),
      ...(multiple === 'Y' || multiple === 'N' ? { multipleBirthBoolean: multiple === 'Y' } : {}),
    },
  };
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

function dateOf(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  const read = parseDateTime(text);
  if (!isInvalidDateTime(read)) return read.date;
  throw wrongIn(6, '102', `The date of birth cannot be read: ${read.reason}`);
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
