/**
 * Who is asked for: `@PID.5.1^SMITH` and the like (QPD-3 of Q22; IHE ITI TF-2, section 3.21.4.1.2.3) as a search of Patients
 * and a check of each Patient that it finds. Without case and accents a value has to be the same; with `*` behind it, it
 * is how the patient's begins.
 */
import { normalizeString } from '@causeway/fhir';
import { isInvalidDateTime, type Message, parseDateTime } from '@causeway/hl7v2';
import type { Address, Identifier, Patient } from '@medplum/fhirtypes';
import type { Domain, Domains } from './domains.ts';
import { QueryError, wrongIn } from './query.ts';

/** A search and what it may find. */
export interface Criteria {
  /** Parameters of a search of Patients, all of which hold. */
  parameters: [string, string][];
  /** Whether a Patient that the search finds is one that is asked for. */
  fits(patient: Patient): boolean;
}

interface Criterion {
  parameter?: [string, string];
  check?: (patient: Patient) => boolean;
  tells: 'identifier' | 'name' | 'other';
}

interface Asked {
  field: string;
  value: string;
  repetition: number;
}

const most = 20;
const motherUrl = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';
/** HL7 table 0001. */
const genders: { [code: string]: string } = {
  M: 'male',
  F: 'female',
  O: 'other',
  A: 'other',
  U: 'unknown',
  N: 'other',
};

/** Fields that may be asked for, by their paths without a trailing `.1`. */
const rules: { [field: string]: (value: string, asked: Asked) => Criterion } = {
  'PID.5': (value) => nameCriterion('family', value, ({ name }) => list(name).map(({ family }) => family)),
  'PID.5.2': (value) => nameCriterion('given', value, ({ name }) => list(name).flatMap(({ given }) => given)),
  'PID.5.3': (value) => nameCriterion('given', value, ({ name }) => list(name).flatMap(({ given }) => given)),
  'PID.6': (value) => ({
    check: (patient) => list(patient.extension).some((one) => one.url === motherUrl && hasWord(one.valueString, value)),
    tells: 'other',
  }),
  'PID.7': (value, asked) => ({ parameter: ['birthdate', dateOf(value, asked)], tells: 'other' }),
  'PID.8': (value, asked) => ({ parameter: ['gender', genderOf(value, asked)], tells: 'other' }),
  'PID.11': (value) => addressCriterion('address', value, ({ line }) => line ?? []),
  'PID.11.3': (value) => addressCriterion('address-city', value, ({ city }) => [city]),
  'PID.11.4': (value) => addressCriterion('address-state', value, ({ state }) => [state]),
  'PID.11.5': (value) => addressCriterion('address-postalcode', value, ({ postalCode }) => [postalCode]),
  'PID.11.6': (value) => addressCriterion('address-country', value, ({ country }) => [country]),
  'PID.13': (value, asked) => phoneCriterion(value, asked),
  'PID.18': (value) => ({ parameter: ['_has:Account:patient:identifier', escaped(value)], tells: 'identifier' }),
  'PID.19': (value) => ({
    parameter: ['identifier', `http://hl7.org/fhir/sid/us-ssn|${escaped(value)}`],
    tells: 'identifier',
  }),
};

/** Reads QPD-3 of a Q22. @throws QueryError where it cannot be searched by, or says too little */
export function readCriteria(message: Message, domains: Domains): Criteria {
  const repetitions = message.segment('QPD')!.field(3).repetitions;
  if (repetitions.length > most) throw wrongIn(3, '104', `A query takes ${most} criteria`);
  const asked = repetitions.flatMap((one, i): Asked[] => {
    const [path, value] = [one.component(1).text, one.component(2).text.trim()];
    if (path === '' && value === '') return [];
    if (value === '') throw wrongIn(3, '101', 'The criterion has no value', { repetition: i + 1, component: 2 });
    return [{ field: fieldOf(path), value, repetition: i + 1 }];
  });
  const identifier = identifierOf(asked, domains);
  const others = asked.filter(({ field }) => !field.startsWith('PID.3')).map((one) => criterionOf(one));
  return criteriaOf(identifier ? [identifier, ...others] : others);
}

/** The people who have one of these identifiers. */
export function byIdentifier(domain: Domain, value: string): Criteria {
  return criteriaOf([identifierCriterion(domain, value)]);
}

/** The people of this name and these other traits. */
export function byTraits(traits: { family?: string; given?: string; birthDate?: string }): Criteria {
  const { family, given, birthDate } = traits;
  return criteriaOf([
    ...(family ? [rules['PID.5']!(family, unplaced)] : []),
    ...(given ? [rules['PID.5.2']!(given, unplaced)] : []),
    ...(birthDate ? [{ parameter: ['birthdate', birthDate], tells: 'other' } as Criterion] : []),
  ]);
}

const unplaced: Asked = { field: '', value: '', repetition: 1 };

/** A query that says too little would list whoever happens to be there. */
function criteriaOf(criteria: Criterion[]): Criteria {
  const tells = criteria.map((one) => one.tells);
  if (!tells.includes('identifier') && !(tells.includes('name') && tells.length >= 2)) {
    const message = 'This says too little of whom is asked for: give an identifier, or a name and something beside it';
    throw wrongIn(3, '101', message);
  }
  const checks = criteria.flatMap(({ check }) => check ?? []);
  return {
    parameters: criteria.flatMap(({ parameter }) => (parameter ? [parameter] : [])),
    fits: (patient) => checks.every((check) => check(patient)),
  };
}

function criterionOf(asked: Asked): Criterion {
  const rule = Object.hasOwn(rules, asked.field) ? rules[asked.field] : undefined;
  if (rule) return rule(asked.value, asked);
  throw wrongIn(3, '103', `${asked.field} is not searched by: PID-3, 5, 6, 7, 8, 11, 13, 18 and 19 are`, {
    repetition: asked.repetition,
    component: 1,
  });
}

/** `@PID.5.1.1` as `PID.5`: the first component, and the first of its parts, are meant where none is named. */
function fieldOf(path: string): string {
  return path
    .replace(/^@/, '')
    .slice(0, 20)
    .replace(/(\.1)+$/, '');
}

/** PID.3.1 with its authority (PID.3.4) in parts. @throws QueryError for a number without authority */
function identifierOf(asked: readonly Asked[], domains: Domains): Criterion | undefined {
  const of = (...fields: string[]) => asked.find(({ field }) => fields.includes(field));
  const number = of('PID.3');
  const unknown = asked.find(({ field }) => /^PID\.3\.(?!4$|4\.2$|4\.3$|5$)/.test(field));
  if (unknown) throw wrongIn(3, '103', `${unknown.field} is not searched by`, { repetition: unknown.repetition });
  if (!number) {
    const lone = asked.find(({ field }) => field.startsWith('PID.3'));
    if (lone)
      throw wrongIn(3, '101', 'An authority (PID.3.4) needs its number (PID.3.1)', { repetition: lone.repetition });
    return undefined;
  }
  if (asked.filter(({ field }) => field === 'PID.3').length > 1) {
    throw wrongIn(3, '100', 'One number (PID.3.1) may be asked for at a time', { repetition: number.repetition });
  }
  const parts = [of('PID.3.4'), of('PID.3.4.2'), of('PID.3.4.3')];
  if (parts.every((part) => part === undefined)) {
    const reason = 'A number (PID.3.1) needs the authority that gave it (PID.3.4)';
    throw wrongIn(3, '101', reason, { repetition: number.repetition });
  }
  const authority = { sub: (n: number) => parts[n - 1]?.value ?? '' };
  const domain = domains.find(authority) ?? domains.unregistered(authority);
  if (!domain) {
    throw new QueryError({
      errorCode: '204',
      message: 'The authority of the number is not known here',
      segment: 'QPD',
      field: 3,
      repetition: parts.find((part) => part !== undefined)!.repetition,
    });
  }
  return identifierCriterion(domain, number.value, of('PID.3.5')?.value);
}

function identifierCriterion({ systems }: Domain, value: string, type?: string): Criterion {
  const isOfType = (identifier: Identifier) =>
    type === undefined || list(identifier.type?.coding).some(({ code }) => code === type);
  return {
    parameter: ['identifier', systems.map((system) => `${escaped(system)}|${escaped(value)}`).join(',')],
    check: ({ identifier }) =>
      list(identifier).some((one) => one.value === value && systems.includes(one.system ?? '') && isOfType(one)),
    tells: 'identifier',
  };
}

function nameCriterion(parameter: string, value: string, of: (patient: Patient) => (string | undefined)[]): Criterion {
  return textCriterion(parameter, value, of, 'name');
}

function addressCriterion(
  parameter: string,
  value: string,
  of: (address: Address) => (string | undefined)[],
): Criterion {
  return textCriterion(parameter, value, ({ address }) => list(address).flatMap(of), 'other');
}

function textCriterion(
  parameter: string,
  value: string,
  of: (patient: Patient) => (string | undefined)[],
  tells: Criterion['tells'],
): Criterion {
  const isBeginning = value.endsWith('*');
  const wanted = normalizeString(value.replace(/\*+$/, '').trim());
  if (wanted.length < (isBeginning ? 2 : 1)) {
    throw wrongIn(3, '102', 'A value is at least a letter, and two letters before a *');
  }
  return {
    parameter: [parameter, escaped(value.replace(/\*+$/, '').trim())],
    check: (patient) =>
      of(patient).some((one) => {
        const known = normalizeString(one ?? '');
        return isBeginning ? known.startsWith(wanted) : known === wanted;
      }),
    tells,
  };
}

/** A telephone number is the same by its last digits: countries and areas are written or not. */
function phoneCriterion(value: string, { repetition }: Asked): Criterion {
  const wanted = value.replace(/\D/g, '');
  if (wanted.length < 7) throw wrongIn(3, '102', 'A telephone number has at least seven digits', { repetition });
  return {
    check: ({ telecom }) =>
      list(telecom).some(({ system, value: known }) => system !== 'email' && isSameNumber(known, wanted)),
    tells: 'other',
  };
}

function isSameNumber(known: string | undefined, wanted: string): boolean {
  const digits = (known ?? '').replace(/\D/g, '');
  return digits.length >= 7 && (digits.endsWith(wanted) || wanted.endsWith(digits));
}

function hasWord(text: string | undefined, value: string): boolean {
  const wanted = normalizeString(value);
  return (
    text !== undefined && (normalizeString(text) === wanted || normalizeString(text).split(/[ ,]+/).includes(wanted))
  );
}

function dateOf(value: string, { repetition }: Asked): string {
  const read = parseDateTime(value);
  if (!isInvalidDateTime(read)) return read.date;
  throw wrongIn(3, '102', `The date of birth cannot be read: ${read.reason}`, { repetition, component: 2 });
}

function genderOf(value: string, { repetition }: Asked): string {
  const code = value.toUpperCase();
  if (Object.hasOwn(genders, code)) return genders[code]!;
  throw wrongIn(3, '103', 'The sex is none of HL7 table 0001', { repetition, component: 2 });
}

/** A value as searches take it: what separates values and parts is text here. */
function escaped(value: string): string {
  return value.replace(/[\\,$|]/g, '\\$&');
}

function list<T>(values: T[] | undefined): T[] {
  return values ?? [];
}
