/** Identifier as CX, EI, EIP, DLN and plain ids, and systems as assigning authorities: the way back of `v2/datatypes/identifier.ts`. */
import type { ComponentValue, LeafValue, RepetitionValue } from '@causeway/hl7v2';
import { IDENTIFIER_KINDS } from '../../../v2/tables/codes.ts';
import { childOf, type Element, extensionOf, hasCode, listOf, textOf } from '../record.ts';
import { writeDateTime } from './primitives.ts';

const CHECK_DIGIT = 'http://hl7.org/fhir/StructureDefinition/identifier-checkDigit';
const CHECK_SCHEME = 'http://hl7.org/fhir/StructureDefinition/namingsystem-checkDigit';
const SSN = 'http://hl7.org/fhir/sid/us-ssn';

/** The parts of an identifier that CX, XCN and XON have in different places. */
export interface IdentifierParts {
  value: LeafValue;
  check: LeafValue;
  scheme: LeafValue;
  /** HD as sub-components. */
  authority: LeafValue[];
  type: LeafValue;
  /** HD as sub-components. */
  facility: LeafValue[];
  start: LeafValue;
  end: LeafValue;
  /** CWE as sub-components. */
  jurisdiction: LeafValue[];
  agency: LeafValue[];
}

export function identifierParts(identifier: unknown): IdentifierParts {
  const assigner = childOf(identifier, 'assigner');
  const assigned = childOf(assigner, 'identifier');
  const own = childOf(identifier, 'period');
  const { authority, rest } = authorityOf(identifier);
  const facility: LeafValue[] = [];
  const agency: LeafValue[] = [];
  const jurisdiction: LeafValue[] = [];
  for (const [index, word] of rest.entries()) {
    const coded = /^(.*) \(([^()]*)\)$/.exec(word);
    const place = agency.length === 0 ? agency : jurisdiction;
    if (coded !== null) place.push(coded[2], coded[1]);
    else if (index === 0) facility.push(word);
    else place.push('', word);
  }
  if (assigned?.system !== undefined)
    facility.splice(0, 3, facility[0] ?? '', ...universalOf(textOf(assigned, 'value')));
  return {
    value: textOf(identifier, 'value'),
    check: extensionText(identifier, CHECK_DIGIT),
    scheme: extensionText(identifier, CHECK_SCHEME),
    authority,
    type: typeCode(identifier),
    facility,
    start: writeDateTime(textOf(own, 'start')),
    end: writeDateTime(textOf(own, 'end')),
    jurisdiction,
    agency,
  };
}

/** CX. */
export function writeExtendedIdentifier(identifier: unknown): RepetitionValue {
  const { value, check, scheme, authority, type, facility, start, end, jurisdiction, agency } =
    identifierParts(identifier);
  return [value, check, scheme, authority, type, facility, start, end, jurisdiction, agency];
}

/** Whether an identifier is of one of the kinds that fields of their own give. */
export function isOfKind(identifier: unknown, kind: string): boolean {
  return textOf(childOf(identifier, 'type'), 'text') === IDENTIFIER_KINDS[kind]!.text;
}

/** EI; an identifier that is an OID or URI by itself as universal id alone. */
export function writeEntityIdentifier(identifier: unknown): LeafValue[] {
  const value = textOf(identifier, 'value');
  const name = textOf(childOf(identifier, 'assigner'), 'display');
  if (textOf(identifier, 'system') === 'urn:ietf:rfc:3986') return ['', name, ...universalOf(value)];
  return [value, ...authorityOf(identifier).authority];
}

/** EIP of identifiers of which some are the placer's (PLAC) and some the filler's (FILL). */
export function writePair(identifiers: readonly unknown[]): RepetitionValue {
  const of = (type: string) => identifiers.find((item) => hasCode(childOf(item, 'type'), type));
  const parts = ['PLAC', 'FILL'].map((type) => {
    const found = of(type);
    return found === undefined ? '' : writeEntityIdentifier(found);
  });
  return parts as ComponentValue[];
}

export function writePlainIdentifier(identifier: unknown): RepetitionValue {
  return textOf(identifier, 'value');
}

/** An identifier of the sender's default authority that says nothing beside its value and type. */
export function isPlain(identifier: unknown): boolean {
  return /^urn:causeway:authority:[^:]*:default$/.test(textOf(identifier, 'system') ?? '') && !hasAssigner(identifier);
}

/** CWE: code, text of its type, and authority. */
export function writeCodedIdentifier(identifier: unknown): RepetitionValue {
  const text = textOf(childOf(identifier, 'type'), 'text');
  const value = textOf(identifier, 'value');
  return [value === text ? '' : value, text, authorityOf(identifier).authority[0]];
}

/** DLN. */
export function writeLicence(identifier: unknown): RepetitionValue {
  const end = writeDateTime(textOf(childOf(identifier, 'period'), 'end'));
  return [textOf(identifier, 'value'), textOf(childOf(identifier, 'assigner'), 'display'), end];
}

export function isLicence(identifier: unknown): boolean {
  const system = textOf(identifier, 'system') ?? '';
  return hasCode(childOf(identifier, 'type'), 'DL') && /^urn:causeway:authority:[^:]*:DL-/.test(system);
}

/** A social security number that nothing more is said of. */
export function isBareSsn(identifier: unknown): boolean {
  if (textOf(identifier, 'system') !== SSN || hasAssigner(identifier)) return false;
  return listOf(identifier, 'extension').length === 0 && childOf(identifier, 'period') === undefined;
}

export function typeCode(identifier: unknown): string | undefined {
  return textOf(listOf(childOf(identifier, 'type'), 'coding')[0], 'code');
}

/** HD of an identifier's system, and the names of its assigner that are not the authority's. */
export function authorityOf(identifier: unknown): { authority: LeafValue[]; rest: string[] } {
  const system = textOf(identifier, 'system');
  const assigner = childOf(identifier, 'assigner');
  const words = (textOf(assigner, 'display') ?? '').split(', ').filter((word) => word !== '');
  const assigned = childOf(assigner, 'identifier');
  const own = /^urn:causeway:authority:[^:]*:(.+)$/.exec(system ?? '')?.[1];
  const unnamed = own === 'default' || own === 'member';
  const local = own === undefined || unnamed ? undefined : decoded(own);
  const namespace = unnamed ? undefined : (words.shift() ?? local);
  if (assigned !== undefined && assigned.system === undefined)
    return { authority: [namespace, ...universalOf(textOf(assigned, 'value'))], rest: words };
  if (own !== undefined || system === undefined || NAMED_BY_TYPE.has(system))
    return { authority: [namespace], rest: words };
  return { authority: [namespace, ...universalOf(system)], rest: words };
}

/** Systems that the identifier's type tells (SS, NPI). */
const NAMED_BY_TYPE = new Set([SSN, 'http://hl7.org/fhir/sid/us-npi']);

/** Universal id and its type of a URI. */
export function universalOf(uri: string | undefined): [LeafValue, LeafValue] | [] {
  if (uri === undefined || uri === '') return [];
  if (uri.startsWith('urn:oid:')) return [uri.slice('urn:oid:'.length), 'ISO'];
  if (uri.startsWith('urn:uuid:')) return [uri.slice('urn:uuid:'.length), 'UUID'];
  const other = /^urn:causeway:universal:([^:]*):(.+)$/.exec(uri);
  if (other !== null) return [decoded(other[2]!), other[1] === 'unknown' ? '' : decoded(other[1]!).toUpperCase()];
  if (/^[0-2](\.\d+)+$/.test(uri)) return [uri, 'ISO'];
  return /^(https?:|urn:)/i.test(uri) ? [uri, 'URI'] : [uri, ''];
}

/** HD of an organization: name, universal id and its type. */
export function writeAuthority(organization: Element | undefined): LeafValue[] {
  const identifier = listOf(organization, 'identifier').find(({ system }) => system === 'urn:ietf:rfc:3986');
  const name = textOf(organization, 'name');
  const universal = universalOf(textOf(identifier, 'value'));
  return [name === universal[0] ? '' : name, ...universal];
}

/** A part of a URI as its sender wrote it. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function hasAssigner(identifier: unknown): boolean {
  return childOf(identifier, 'assigner') !== undefined;
}

function extensionText(element: unknown, url: string): string | undefined {
  const value = extensionOf(element as Element, url);
  return typeof value === 'string' ? value : undefined;
}
