/** References to practitioners, organizations and devices as XCN, XON, HD, EI: the way back of `v2/datatypes/party.ts`. */
import type { ComponentValue, LeafValue, RepetitionValue } from '@causeway/hl7v2';
import { displayOf } from '../../../v2/datatypes/name.ts';
import { childOf, type Element, listOf, textOf, textsOf, type Writing } from '../record.ts';
import { writeConcept } from './coded.ts';
import { authorityOf, identifierParts, typeCode, writeEntityIdentifier } from './identifiers.ts';
import { writeLocation } from './locations.ts';
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
  const name = nameParts(nameIn(reference, person, writing));
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

/** The name by which a person is referred to, maybe through a role; else the first. */
function nameIn(reference: unknown, person: Element, { record }: Writing): Element | undefined {
  const names = listOf(person, 'name');
  const role = record.resolve(reference);
  const display = textOf(role?.resourceType === 'PractitionerRole' ? role.practitioner : reference, 'display');
  return names.find((name) => displayOf(name) === display) ?? names[0];
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
  return person === undefined ? [textOf(reference, 'display')] : writeName(nameIn(reference, person, writing));
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
  const name = calledIn(reference, found);
  const isOwnName = name === id.value;
  return [name, '', '', id.check, id.scheme, id.authority, id.type, id.facility, '', isOwnName ? '' : id.value];
}

/** What an organization is called where it is referred to, which may be an alias. */
function calledIn(reference: unknown, organization: Element): string | undefined {
  const display = textOf(reference, 'display');
  return display !== undefined && textsOf(organization, 'alias').includes(display)
    ? display
    : textOf(organization, 'name');
}

/** The organization's name alone. */
export function writeNamedOrganization(reference: unknown, writing: Writing): RepetitionValue {
  const found = organizationOf(reference, writing);
  const name = found === undefined ? textOf(reference, 'display') : calledIn(reference, found);
  return name === textOf(listOf(found, 'identifier')[0], 'value') ? '' : name;
}

/** CWE: the organization's code, name and authority. */
export function writeCodedOrganization(reference: unknown, writing: Writing): RepetitionValue {
  const found = organizationOf(reference, writing);
  if (found === undefined) return ['', textOf(reference, 'display')];
  const identifier = listOf(found, 'identifier')[0];
  const value = textOf(identifier, 'value');
  const name = calledIn(reference, found);
  return [value, name === value ? '' : name, authorityOf(identifier).authority[0]];
}

/** Whether an organization is known by a code, as CWE fields give it. */
export function isCodedOrganization(reference: unknown, writing: Writing): boolean {
  const found = organizationOf(reference, writing);
  const identifier = listOf(found, 'identifier')[0];
  return identifier !== undefined && typeCode(identifier) === undefined && listOf(found, 'address').length === 0;
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
