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

/** What an identifier is: its type in words, a shortened system, or plainly `Identifier`. */
export function identifierLabel(identifier: Identifier): string {
  const type = identifier.type?.text ?? identifier.type?.coding?.[0]?.display ?? identifier.type?.coding?.[0]?.code;
  return TYPE_WORDS[type ?? ''] ?? type ?? 'Identifier';
}

/** Who gave an identifier, in words: the assigner's name, else the system shortened. */
export function identifierAssigner(identifier: { system?: string | null; assigner?: { display?: string } }): string {
  if (identifier.assigner?.display) return identifier.assigner.display;
  return shortSystem(identifier.system);
}

/** The same where there is no room for what only machines read: nothing of an OID or a host. */
export function identifierAssignerWords(identifier: Parameters<typeof identifierAssigner>[0]): string {
  const isAddress = /^(?:urn:oid:|https?:)/.test(identifier.system ?? '') && shortSystem(identifier.system) !== 'SSN';
  return !identifier.assigner?.display && isAddress ? '' : identifierAssigner(identifier);
}

/** `urn:oid:1.2.3` stays readable, of a URL its host is told. */
export function shortSystem(system: string | undefined | null): string {
  if (!system) return '';
  if (system === 'http://hl7.org/fhir/sid/us-ssn') return 'SSN';
  if (system.startsWith('urn:oid:')) return `OID ${system.slice(8)}`;
  if (/^https?:/.test(system)) return system.split('/')[2] ?? system;
  return system.split(':').filter(Boolean).at(-1) ?? system;
}

const TYPE_WORDS: Record<string, string> = {
  MR: 'Record number',
  PI: 'Patient number',
  PT: 'Patient number',
  SS: 'SSN',
  DL: 'Driver’s licence',
  AN: 'Account number',
  MB: 'Member number',
};
