/**
 * Names, addresses, telecoms and identifiers of a Patient as words.
 */
import type { Address, ContactPoint, HumanName, Identifier, Patient } from '@medplum/fhirtypes';
import { absentReason, primitiveExtension } from './absent.ts';
import { formatDate } from './dates.ts';

/** `Given Middle FAMILY`-free plain form: `Ana Maria Lopez, MD`; `''` for a name without parts. */
export function nameText(name: HumanName | undefined): string {
  if (!name) return '';
  const parts = [...(name.prefix ?? []), ...(name.given ?? []), name.family, ...(name.suffix ?? [])].filter(Boolean);
  return parts.length > 0 ? parts.join(' ') : (name.text ?? absentReason(name));
}

/** The name a person goes by: usual, official, any other that is not old or maiden; then whatever there is. */
export function preferredName(names: HumanName[] | undefined): HumanName | undefined {
  const inUse = (names ?? []).filter((name) => nameText(name) !== '');
  const chosen =
    inUse.find((name) => name.use === 'official' && !name.period?.end) ??
    inUse.find((name) => name.use === 'usual' && !name.period?.end) ??
    inUse.find((name) => name.use !== 'old' && name.use !== 'maiden' && !name.period?.end) ??
    inUse[0];
  // Some systems write capitals only: where another source has the same name in mixed case, that reads better.
  const letters = nameText(chosen);
  if (letters !== letters.toUpperCase()) return chosen;
  return inUse.find((name) => nameText(name).toUpperCase() === letters && nameText(name) !== letters) ?? chosen;
}

/** A patient's name in words; says so when the record has none. */
export function patientName(patient: Patient | undefined): string {
  return nameText(preferredName(patient?.name)) || 'Name not recorded';
}

/** The other names on record, each once, with what they are: `Ana Silva (maiden)`. */
export function otherNames(patient: Patient): string[] {
  const preferred = nameText(preferredName(patient.name)).toLowerCase();
  const seen = new Map<string, string>();
  for (const name of patient.name ?? []) {
    const text = nameText(name);
    const use = name.use === 'maiden' || name.use === 'old' || name.use === 'nickname' ? ` (${name.use})` : '';
    if (text && text.toLowerCase() !== preferred && !seen.has(text.toLowerCase())) {
      seen.set(text.toLowerCase(), text + use);
    }
  }
  return [...seen.values()];
}

/** The birth date in words, or why there is none. */
export function birthDateText(patient: Patient): string {
  return formatDate(patient.birthDate) || absentReason(primitiveExtension(patient, 'birthDate')) || 'not recorded';
}

/** Administrative sex in words. */
export function genderText(gender: string | undefined | null): string {
  return gender ? gender[0]!.toUpperCase() + gender.slice(1) : 'Sex not recorded';
}

/** One line; the period and use are left to the caller. */
export function addressText(address: Address | undefined): string {
  if (!address) return '';
  const town = [address.city, [address.state, address.postalCode].filter(Boolean).join(' ')].filter(Boolean).join(', ');
  const lines = [...(address.line ?? []), town, address.country].filter(Boolean);
  return lines.length > 0 ? lines.join(', ') : (address.text ?? '');
}

/** The address in use: home before others, old and ended ones last. */
export function currentAddress(addresses: Address[] | undefined): Address | undefined {
  const known = (addresses ?? []).filter((address) => addressText(address) !== '');
  const current = known.filter((address) => address.use !== 'old' && !address.period?.end);
  return current.find((address) => address.use === 'home') ?? current[0] ?? known[0];
}

/** `555 0100 (home)`; each contact point once, the ones no longer in use left out. */
export function telecomTexts(telecoms: ContactPoint[] | undefined): string[] {
  const seen = new Map<string, string>();
  for (const telecom of telecoms ?? []) {
    if (!telecom.value || telecom.use === 'old' || telecom.period?.end) continue;
    const digits = telecom.value.replaceAll(/\D/g, '');
    const key = digits.length >= 10 && !telecom.value.includes('@') ? digits.slice(-10) : telecom.value.toLowerCase();
    if (!seen.has(key)) seen.set(key, telecom.use ? `${telecom.value} (${telecom.use})` : telecom.value);
  }
  return [...seen.values()];
}

/** As much of an identifier as is looked at: not all that tell one give all of a FHIR Identifier. */
export type NumberedBy = Pick<Identifier, 'type' | 'assigner'> & { system?: string | null; value?: string | null };

/** What an identifier is: its type in words, or plainly `Identifier`. */
export function identifierLabel(identifier: Pick<NumberedBy, 'type'>): string {
  const type = identifier.type?.text ?? identifier.type?.coding?.[0]?.display ?? identifier.type?.coding?.[0]?.code;
  return TYPE_WORDS[type ?? ''] ?? type ?? 'Identifier';
}

/** Who gave an identifier, in words, by the systems that are known (`../parts/identifier.tsx`); `''` where nobody knows. */
export function identifierAssigner(
  identifier: Pick<NumberedBy, 'system' | 'assigner'>,
  names: SystemNames = {},
): string {
  const system = identifier.system ?? '';
  if (Object.hasOwn(names, system)) return names[system]!;
  if (Object.hasOwn(KNOWN_SYSTEMS, system)) return KNOWN_SYSTEMS[system]!;
  // Of a v2 message that is the namespace of the number, such as HGHMRN.
  if (identifier.assigner?.display) return identifier.assigner.display;
  // Of a name that people gave, its last part says something; of an OID or an address nothing does.
  if (system === '' || /^(?:urn:(?:oid|uuid):|https?:)/.test(system)) return '';
  return system.split(':').filter(Boolean).at(-1) ?? '';
}

/**
 * Whose an identifier is and its value, where records are held against each other: a system that nobody knows is told as it
 * is, since equal values of two of them are no agreement.
 */
export function identifierText(identifier: NumberedBy, names: SystemNames): string {
  const whose = identifierAssigner(identifier, names) || identifier.system || identifierLabel(identifier);
  return `${whose} ${identifier.value ?? ''}`.trim();
}

/** Whose record numbers a FHIR system is. */
export type SystemNames = Readonly<Record<string, string>>;

/** FHIR R4, identifier registry. */
const KNOWN_SYSTEMS: SystemNames = {
  'http://hl7.org/fhir/sid/us-ssn': 'SSN',
  'urn:oid:2.16.840.1.113883.4.1': 'SSN',
  'http://hl7.org/fhir/sid/us-npi': 'NPI',
  'urn:oid:2.16.840.1.113883.4.6': 'NPI',
  'http://hl7.org/fhir/sid/us-medicare': 'Medicare',
  'http://hl7.org/fhir/sid/us-mbi': 'Medicare',
};

const TYPE_WORDS: Record<string, string> = {
  MR: 'Record number',
  PI: 'Patient number',
  PT: 'Patient number',
  SS: 'SSN',
  DL: 'Driver’s licence',
  AN: 'Account number',
  MB: 'Member number',
};
