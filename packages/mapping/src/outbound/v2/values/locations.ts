/** References to locations as PL, HD, CWE and DLD: the way back of `v2/datatypes/location.ts`. */
import type { ComponentValue, RepetitionValue } from '@causeway/hl7v2';
import { childOf, codingsOf, type Element, listOf, type OutboundRecord, textOf, type Writing } from '../record.ts';
import { writeConcept } from './coded.ts';
import { authorityOf, universalOf, writeAuthority, writeEntityIdentifier } from './identifiers.ts';

/** Components of PL by the kind of place. */
const LEVELS: Readonly<Record<string, number | undefined>> = { bu: 7, lvl: 8, wa: 1, ro: 2, bd: 3 };

/** PL: a location with those it is part of, each in the component of its kind. */
export function writeLocation(reference: unknown, writing: Writing): ComponentValue[] {
  const location = writing.record.resolve(reference);
  if (location?.resourceType !== 'Location') return ['', '', '', '', '', '', '', '', textOf(reference, 'display')];
  const parts: ComponentValue[] = [];
  const put = (component: number, value: ComponentValue) => {
    parts[component - 1] = value;
  };
  const places = placesFrom(location, writing.record);
  for (const [component, place] of places) put(component, writePlace(place, writing.record));
  const facility = writing.record.resolve(location.managingOrganization);
  if (facility !== undefined) put(4, writeAuthority(facility));
  const status = childOf(location, 'operationalStatus');
  put(5, status === undefined ? textOf(location, 'status') : textOf(status, 'code'));
  put(6, textOf(codingsOf(listOf(location, 'type')[0])[0], 'code'));
  put(9, textOf(location, 'description'));
  const whole = listOf(location, 'identifier').find((item) => !isOfPart(item, location, writing.record));
  if (whole !== undefined && whole.value === location.name) put(11, authorityOf(whole).authority);
  else if (whole !== undefined) put(10, writeEntityIdentifier(whole));
  return Array.from(parts, (part) => part ?? '');
}

/** What a location is called within the one it is part of, whose name its own begins with. */
export function nameWithin(location: Element, record: OutboundRecord): string | undefined {
  const name = textOf(location, 'name');
  const container = textOf(record.resolve(location.partOf), 'name');
  return container !== undefined && name?.startsWith(`${container} `) === true
    ? name.slice(container.length + 1)
    : name;
}

/** The location and those it is part of, by the component of their kind. */
function placesFrom(location: Element, record: OutboundRecord): Map<number, Element> {
  const places = new Map<number, Element>();
  for (let place: Element | undefined = location; place !== undefined; place = record.resolve(place.partOf)) {
    const component = LEVELS[textOf(codingsOf(place.physicalType)[0], 'code') ?? ''];
    if (component === undefined || places.has(component)) break;
    places.set(component, place);
  }
  return places;
}

/** HD of one part. */
function writePlace(place: Element, record: OutboundRecord): ComponentValue {
  const name = nameWithin(place, record);
  const own = listOf(place, 'identifier').find((item) => isOfPart(item, place, record));
  if (own === undefined) return name;
  const universal = universalOf(textOf(own, 'system'));
  return [name === universal[0] ? '' : name, ...universal];
}

/** Whether an identifier is that of the place within the one it is part of, which no authority's name is told with. */
function isOfPart(identifier: Element, place: Element, record: OutboundRecord): boolean {
  if (identifier.assigner !== undefined || identifier.value !== nameWithin(place, record)) return false;
  return /^urn:(oid|uuid|causeway:universal)/.test(textOf(identifier, 'system') ?? '');
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
