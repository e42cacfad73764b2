/** References to practitioners, organizations, locations and devices as XCN, XON, PL, HD, EI: the way back of `v2/datatypes/party.ts`, `location.ts`. */
import type { ComponentValue, LeafValue, RepetitionValue } from '@causeway/hl7v2';
import { childOf, codingsOf, type Element, listOf, textOf, type Writing } from '../record.ts';
import { writeConcept } from './coded.ts';
import { authorityOf, identifierParts, typeCode, universalOf, writeEntityIdentifier } from './identifiers.ts';
import { nameParts, writeName } from './names.ts';
import { writeDateTime } from './primitives.ts';

/** The practitioner a reference leads to, through a role when it is one. */
export function practitionerOf(reference: unknown, { record }: Writing): Element | undefined {
  const found = record.resolve(reference);
  if (found?.resourceType === 'PractitionerRole') return record.resolve(found.practitioner);
  return found?.resourceType === 'Practitioner' ? found : undefined;
}

/** Whether a reference is to a person, be it known or only displayed. */
export function isPerson(reference: unknown, writing: Writing): boolean {
  if (practitionerOf(reference, writing) !== undefined) return true;
  const target = textOf(reference, 'reference');
  if (target !== undefined) return target.startsWith('Practitioner/') && textOf(reference, 'display') !== undefined;
  return textOf(reference, 'display') !== undefined && textOf(reference, 'type') !== 'Organization';
}

/** XCN. */
export function writePractitioner(reference: unknown, writing: Writing): ComponentValue[] {
  const person = practitionerOf(reference, writing);
  if (person === undefined) return ['', textOf(reference, 'display')];
  const name = nameParts(listOf(person, 'name')[0]);
  const id = identifierParts(listOf(person, 'identifier')[0]);
  const parts: ComponentValue[] = [];
  const put = (component: number, value: ComponentValue) => {
    parts[component - 1] = value;
  };
  put(1, id.value);
  put(2, name.family);
  put(3, name.given);
  put(4, name.further);
  put(5, name.suffix);
  put(6, name.prefix);
  put(7, name.degree);
  put(9, id.authority);
  put(10, name.use);
  put(11, id.check);
  put(12, id.scheme);
  put(13, id.type);
  put(14, id.facility);
  put(15, name.representation);
  put(18, name.assembly);
  put(19, name.start);
  put(20, name.end);
  put(21, name.professional);
  put(22, id.jurisdiction);
  put(23, id.agency);
  return Array.from(parts, (part) => part ?? '');
}

/** NDL: the person as CNN, when, and where (from a role that says so). */
export function writeNestedPractitioner(reference: unknown, writing: Writing): RepetitionValue {
  const person = writePractitioner(reference, writing);
  const [namespace, universal, type] = (person[8] ?? []) as LeafValue[];
  const leaf = (value: ComponentValue) => (Array.isArray(value) ? (value[0] as LeafValue) : (value as LeafValue));
  const name = [0, 1, 2, 3, 4, 5, 6, 7].map((index) => leaf(person[index]));
  const role = writing.record.resolve(reference);
  const location = role?.resourceType === 'PractitionerRole' ? listOf(role, 'location')[0] : undefined;
  const period = role?.resourceType === 'PractitionerRole' ? childOf(role, 'period') : undefined;
  const place = location === undefined ? [] : writeLocation(location, writing);
  const [point, room, bed, facility, status, , building, floor] = place;
  return [
    [...name, namespace, universal, type],
    writeDateTime(textOf(period, 'start')),
    writeDateTime(textOf(period, 'end')),
    point,
    room,
    bed,
    facility,
    status,
    '',
    building,
    floor,
  ];
}

/** XPN of a person known by name. */
export function writeNamedPractitioner(reference: unknown, writing: Writing): RepetitionValue {
  const person = practitionerOf(reference, writing);
  return person === undefined ? [textOf(reference, 'display')] : writeName(listOf(person, 'name')[0]);
}

/** The organization a reference leads to. */
export function organizationOf(reference: unknown, { record }: Writing): Element | undefined {
  const found = record.resolve(reference);
  return found?.resourceType === 'Organization' ? found : undefined;
}

/** XON; the identifier in XON.10, which took the place of XON.3. */
export function writeOrganization(reference: unknown, writing: Writing): RepetitionValue {
  const found = organizationOf(reference, writing);
  if (found === undefined) return [textOf(reference, 'display')];
  const id = identifierParts(listOf(found, 'identifier')[0]);
  const name = textOf(found, 'name');
  return [name === id.value ? '' : name, '', '', id.check, id.scheme, id.authority, id.type, id.facility, '', id.value];
}

/** The organization's name alone. */
export function writeNamedOrganization(reference: unknown, writing: Writing): RepetitionValue {
  const found = organizationOf(reference, writing);
  const name = textOf(found, 'name') ?? textOf(reference, 'display');
  return name === textOf(listOf(found, 'identifier')[0], 'value') ? '' : name;
}

/** CWE: the organization's code, name and authority. */
export function writeCodedOrganization(reference: unknown, writing: Writing): RepetitionValue {
  const found = organizationOf(reference, writing);
  if (found === undefined) return ['', textOf(reference, 'display')];
  const identifier = listOf(found, 'identifier')[0];
  const value = textOf(identifier, 'value');
  const name = textOf(found, 'name');
  return [value, name === value ? '' : name, authorityOf(identifier).authority[0]];
}

/** Whether an organization is known by a code, as CWE fields give it. */
export function isCodedOrganization(reference: unknown, writing: Writing): boolean {
  const found = organizationOf(reference, writing);
  const identifier = listOf(found, 'identifier')[0];
  return identifier !== undefined && typeCode(identifier) === undefined && listOf(found, 'address').length === 0;
}

/** HD of an organization: name, universal id and its type. */
export function writeAuthority(organization: Element | undefined): LeafValue[] {
  const identifier = listOf(organization, 'identifier').find(({ system }) => system === 'urn:ietf:rfc:3986');
  const name = textOf(organization, 'name');
  const universal = universalOf(textOf(identifier, 'value'));
  return [name === universal[0] ? '' : name, ...universal];
}

const LEVELS = ['bu', 'lvl', 'wa', 'ro', 'bd'];
/** PL components of the levels: building, floor, point of care, room, bed. */
const LEVEL_COMPONENT = [7, 8, 1, 2, 3];

/**
 * PL. A Location is named by its parts from the whole to the finest, whose kind is known: the last word is the finest
 * part, the words before it stand for the parts above, and the coarsest takes what is left.
 */
export function writeLocation(reference: unknown, writing: Writing): ComponentValue[] {
  const location = writing.record.resolve(reference);
  if (location?.resourceType !== 'Location') return ['', '', '', '', '', '', '', '', textOf(reference, 'display')];
  const parts: ComponentValue[] = [];
  const put = (component: number, value: ComponentValue) => {
    parts[component - 1] = value;
  };
  const description = textOf(location, 'description');
  const facility = writing.record.resolve(location.managingOrganization);
  const finest = LEVELS.indexOf(textOf(codingsOf(location.physicalType)[0], 'code') ?? '');
  const named = [...listOf(location, 'identifier')];
  for (const [level, word] of namedLevels(location, finest)) {
    const component = LEVEL_COMPONENT[level]!;
    const own = named.findIndex(
      (item) => item.value === word && /^urn:(oid|uuid|causeway:universal)/.test(textOf(item, 'system') ?? ''),
    );
    put(component, own < 0 ? word : [word, ...universalOf(textOf(named[own], 'system'))]);
    if (own >= 0) named.splice(own, 1);
  }
  if (facility !== undefined) put(4, writeAuthority(facility));
  const status = childOf(location, 'operationalStatus');
  put(5, status === undefined ? textOf(location, 'status') : textOf(status, 'code'));
  put(6, textOf(codingsOf(listOf(location, 'type')[0])[0], 'code'));
  put(9, description);
  const whole = named[0];
  if (whole !== undefined && whole.value === location.name) put(11, authorityOf(whole).authority);
  else if (whole !== undefined) put(10, writeEntityIdentifier(whole));
  return Array.from(parts, (part) => part ?? '');
}

/**
 * A location's name taken apart into as many parts as it was joined of: each of the last is a word, or what an identifier
 * of the location calls by name, and the first takes what is left.
 */
export function partsOfName(location: Element, count: number): string[] {
  const words = wordsOfName(location);
  const last = words.splice(Math.max(1, words.length - count + 1));
  return [words.join(' '), ...last];
}

function wordsOfName(location: Element): string[] {
  const names = listOf(location, 'identifier').flatMap(({ value }) => (typeof value === 'string' ? [value] : []));
  const words: string[] = [];
  for (let rest = textOf(location, 'name') ?? ''; rest !== ''; ) {
    const known = names.find((name) => rest === name || rest.startsWith(`${name} `));
    const word = known ?? rest.split(' ', 1)[0]!;
    words.push(word);
    rest = rest.slice(word.length + 1);
  }
  return words;
}

/** The levels down to the finest and what each is called; point of care and above are one where the name is no longer. */
function namedLevels(location: Element, finest: number): [level: number, word: string][] {
  if (finest < 0 || location.name === undefined) return [];
  const count = Math.min(Math.max(finest - 1, 1), wordsOfName(location).length);
  const parts = partsOfName(location, count);
  return parts.map((part, index) => [finest - parts.length + 1 + index, part]);
}

/** HD naming a facility. */
export function writeFacility(reference: unknown, { record }: Writing): RepetitionValue {
  const location = record.resolve(reference);
  const identifier = listOf(location, 'identifier')[0];
  const universal = universalOf(textOf(identifier, 'value'));
  const name = textOf(location, 'name') ?? textOf(reference, 'display');
  return [name === universal[0] ? '' : name, ...universal];
}

/** CWE of a location known by code and name. */
export function writeCodedLocation(reference: unknown, { record }: Writing): RepetitionValue {
  const location = record.resolve(reference);
  const code = textOf(listOf(location, 'identifier')[0], 'value');
  const name = textOf(location, 'name') ?? textOf(reference, 'display');
  return [code, name === code ? '' : name];
}

/** DLD. */
export function writeDischargeLocation(reference: unknown, writing: Writing): RepetitionValue {
  const location = writing.record.resolve(reference);
  const type = listOf(location, 'type')[0];
  return [type === undefined ? [textOf(location, 'name')] : writeConcept(type, writing)];
}

/** EI of a device, and of those that contain it. */
export function writeDevices(reference: unknown, writing: Writing): RepetitionValue[] {
  const written: RepetitionValue[] = [];
  const seen = new Set<Element>();
  for (let at = writing.record.resolve(reference); at !== undefined && !seen.has(at); ) {
    seen.add(at);
    const identifier = listOf(at, 'identifier')[0];
    const name = textOf(listOf(at, 'deviceName')[0], 'name');
    written.push(identifier === undefined ? ['', name] : writeEntityIdentifier(identifier));
    at = writing.record.resolve(at.parent);
  }
  return written;
}

/** CWE of a device known by its type. */
export function writeCodedDevice(reference: unknown, writing: Writing): RepetitionValue {
  const device = writing.record.resolve(reference);
  if (device === undefined) return ['', textOf(reference, 'display')];
  return writeConcept(device.type, writing);
}
