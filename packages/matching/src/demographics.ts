/**
 * What record linkage looks at in a person, and how it is taken from a FHIR R4 Patient
 * (https://hl7.org/fhir/R4/patient.html).
 */
import type { Patient } from '@medplum/fhirtypes';

export interface PersonName {
  family: string;
  given: string[];
  /** FHIR NameUse: `official`, `usual`, `maiden`, `old`, … */
  use?: string;
  /** Generation suffix as written: `Jr`, `III`. */
  suffix?: string;
}

export interface PersonAddress {
  line: string[];
  city?: string;
  state?: string;
  postalCode?: string;
  use?: string;
}

export interface PersonIdentifier {
  system: string;
  value: string;
  /** Code of HL7 table 0203: `MR`, `SS`, `DL`, … */
  type?: string;
}

export interface Demographics {
  names: PersonName[];
  /** FHIR date: `1970`, `1970-05` or `1970-05-23`. */
  birthDate?: string;
  gender?: 'male' | 'female' | 'other' | 'unknown';
  addresses: PersonAddress[];
  phones: string[];
  emails: string[];
  identifiers: PersonIdentifier[];
  deceased?: boolean;
  /** FHIR multipleBirth[x]: true, or the position in the birth order. */
  multipleBirth?: boolean | number;
  motherMaidenName?: string;
}

/** Extension by which FHIR carries the mother's maiden name. */
const MOTHERS_MAIDEN_NAME = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';

/** Takes the linkage demographics out of a Patient. Content of the wrong shape is left out, never thrown on. */
export function demographicsOf(patient: Patient): Demographics {
  const telecom = list(patient.telecom);
  const multipleBirth = patient.multipleBirthInteger ?? patient.multipleBirthBoolean;
  const deceased = patient.deceasedBoolean ?? (patient.deceasedDateTime === undefined ? undefined : true);
  const mother = list(patient.extension).find((extension) => extension.url === MOTHERS_MAIDEN_NAME)?.valueString;
  return {
    names: list(patient.name).map((name) => {
      const family = text(name.family);
      const given = list(name.given).filter((part) => typeof part === 'string');
      const written = family === '' && given.length === 0 ? splitText(text(name.text)) : { family, given };
      return { ...written, use: name.use, suffix: list(name.suffix).filter(isText).join(' ') || undefined };
    }),
    birthDate: optionalText(patient.birthDate),
    gender: patient.gender,
    addresses: list(patient.address).map((address) => ({
      line: list(address.line).filter(isText),
      city: optionalText(address.city),
      state: optionalText(address.state),
      postalCode: optionalText(address.postalCode),
      use: address.use,
    })),
    phones: telecom
      .filter((point) => (point.system === 'phone' || point.system === 'sms') && isText(point.value))
      .map((point) => text(point.value)),
    emails: telecom
      .filter((point) => point.system === 'email' && isText(point.value))
      .map((point) => text(point.value)),
    identifiers: list(patient.identifier)
      .filter((identifier) => isText(identifier.value))
      .map((identifier) => ({
        system: text(identifier.system),
        value: text(identifier.value),
        type: list(identifier.type?.coding).find((coding) => isText(coding.code))?.code,
      })),
    ...(deceased === undefined ? {} : { deceased }),
    ...(multipleBirth === undefined ? {} : { multipleBirth }),
    ...(isText(mother) ? { motherMaidenName: mother } : {}),
  };
}

/** `HumanName.text` alone: "Family, Given Middle" or "Given Middle Family". */
function splitText(written: string): { family: string; given: string[] } {
  const comma = written.indexOf(',');
  if (comma >= 0) return { family: written.slice(0, comma), given: words(written.slice(comma + 1)) };
  const parts = words(written);
  return { family: parts.at(-1) ?? '', given: parts.slice(0, -1) };
}

function words(written: string): string[] {
  return written.split(/\s+/).filter((word) => word !== '');
}

function list<T>(value: T[] | undefined): T[] {
  return Array.isArray(value) ? value.filter((entry) => entry !== null && entry !== undefined) : [];
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function text(value: unknown): string {
  return isText(value) ? value : '';
}

function optionalText(value: unknown): string | undefined {
  return isText(value) ? value : undefined;
}
