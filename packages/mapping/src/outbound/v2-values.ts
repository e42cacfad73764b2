/** FHIR data types as HL7 v2.5.1 data types: the way back of `v2/datatypes`. */
import { type ComponentValue, type Repetitions, type RepetitionValue, repetitions } from '@causeway/hl7v2';
import type { CodeableConcept, Coding, HumanName, Identifier, Patient } from '@medplum/fhirtypes';

/** Names of HL7 table 0396. */
const systemNames: Record<string, string> = {
  'http://loinc.org': 'LN',
  'http://snomed.info/sct': 'SCT',
  'http://unitsofmeasure.org': 'UCUM',
  'http://hl7.org/fhir/sid/icd-10-cm': 'I10',
  'http://hl7.org/fhir/sid/icd-9-cm': 'I9',
  'http://hl7.org/fhir/sid/cvx': 'CVX',
  'http://hl7.org/fhir/sid/ndc': 'NDC',
  'http://www.nlm.nih.gov/research/umls/rxnorm': 'RXNORM',
  'http://www.ama-assn.org/go/cpt': 'C4',
  'urn:ietf:bcp:47': 'ISO639',
};

/** CWE (v2.5.1 chapter 2A.13): two codings, the sender's own first as it stood, and the text. */
export function cwe(concept: CodeableConcept | undefined, origin: string): RepetitionValue {
  if (!concept) return undefined;
  const codings = concept.coding ?? [];
  const named = codings.filter(({ system, code }) => system && code);
  const [first, second] = named.length > 0 ? named : codings;
  if (!first) return ['', concept.text];
  const coded = (coding: Coding | undefined): ComponentValue[] =>
    coding ? [coding.code, coding.display, codingSystem(coding.system, origin)] : ['', '', ''];
  return [...coded(first), ...coded(second), '', '', concept.text];
}

/** The name of a code system in v2; a site's own "L" is told apart from the receiver's by the site's key. */
export function codingSystem(system: string | undefined, origin: string): string {
  if (system === undefined) return '';
  const known = systemNames[system];
  if (known) return known;
  const table = /^http:\/\/terminology\.hl7\.org\/CodeSystem\/v2-(\d{4})$/.exec(system);
  if (table) return `HL7${table[1]}`;
  const local = /^urn:causeway:codesystem:[^:]*:(.+)$/.exec(system)?.[1];
  if (local === undefined) return system.replace(/^urn:oid:/, '');
  const name = decoded(local);
  return name.toUpperCase() === 'L' ? `99${origin.replace(/[^a-z0-9]/gi, '').toUpperCase()}` : name;
}

/** EI (v2.5.1 chapter 2A.28). */
export function ei(identifier: Identifier | undefined): RepetitionValue {
  return identifier?.value ? [identifier.value, ...authorityOf(identifier)] : undefined;
}

function authorityOf({ system, assigner }: Identifier): ComponentValue[] {
  const oid = system?.startsWith('urn:oid:') ? system.slice('urn:oid:'.length) : undefined;
  if (oid !== undefined) return [assigner?.display, oid, 'ISO'];
  const own = /^urn:causeway:authority:[^:]*:(.+)$/.exec(system ?? '')?.[1];
  if (own !== undefined) return own === 'default' ? [] : [decoded(own)];
  return system ? [assigner?.display, system, 'URI'] : [assigner?.display];
}

/** The identifier of a type of HL7 table 0203, such as PLAC or FILL. */
export function identifierOf(identifiers: readonly Identifier[] | undefined, type: string): Identifier | undefined {
  return identifiers?.find((identifier) => identifier.type?.coding?.some(({ code }) => code === type));
}

/** DTM (v2.5.1 chapter 2A.22) of a FHIR date, dateTime or instant, as precise and in the zone as it is. */
export function dtm(time: string | undefined): string {
  if (!time) return '';
  const match = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(\.\d{1,4})?\d*(Z|[+-]\d\d:\d\d)?)?)?)?$/.exec(
    time,
  );
  if (!match) return '';
  const [, year, month = '', day = '', hour = '', minute = '', second = '', fraction = '', zone = ''] = match;
  const known = fraction.replace(/0+$/, '');
  return `${year}${month}${day}${hour}${minute}${second}${known.length > 1 ? known : ''}${zone === 'Z' ? '+0000' : zone.replace(':', '')}`;
}

const sexes: Record<string, string> = { male: 'M', female: 'F', other: 'O', unknown: 'U' };

/** The fields of PID by which a destination finds its own patient: its number, and the person as it knows them. */
export function pid(
  patient: Patient,
  number: string,
  authority: { name?: string | undefined; system: string },
): Record<number, RepetitionValue | Repetitions> {
  const oid = authority.system.startsWith('urn:oid:') ? authority.system.slice('urn:oid:'.length) : undefined;
  const universal = oid === undefined ? [authority.system, 'URI'] : [oid, 'ISO'];
  return {
    1: '1',
    3: [number, '', '', [authority.name, ...universal], 'MR'],
    5: repetitions(...(patient.name ?? []).slice(0, 5).map(xpn)),
    7: dtm(patient.birthDate),
    8: sexes[patient.gender ?? ''] ?? '',
  };
}

function xpn(name: HumanName): RepetitionValue {
  const [given, ...more] = name.given ?? [];
  return [
    name.family,
    given,
    more.join(' '),
    name.suffix?.[0],
    name.prefix?.[0],
    '',
    name.use === 'maiden' ? 'M' : 'L',
  ];
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
