/** CX, EI, EIP, HD, DLN and plain ids to Identifier, and assigning authorities to systems (v2.9 chapter 2A.3.14, .28, .34). */
import type { Cell } from '../cell.ts';
import type { Element } from '../draft.ts';
import type { Run } from '../run.ts';
import type { SourceComponent } from '../source.ts';
import { NULL } from '../source.ts';
import { IDENTIFIER_KINDS, IDENTIFIER_TYPES } from '../tables/codes.ts';
import { addExtension } from './extension.ts';

const TYPE_SYSTEM = 'http://terminology.hl7.org/CodeSystem/v2-0203';

/** An assigning authority: namespace, universal id, type of universal id. */
export interface Authority {
  namespace: string | undefined;
  universal: string | undefined;
  universalType: string | undefined;
}

/** Reads an HD lying in one component (as sub-components). */
export function peekAuthority(component: SourceComponent | undefined): Authority {
  return { namespace: value(component, 1), universal: value(component, 2), universalType: value(component, 3) };
}

/** The FHIR system of an authority; without any, the sender's default authority. */
export function systemOf(run: Run, authority: Authority, type?: string): string {
  const { namespace, universal, universalType } = authority;
  const known = namespace === undefined ? undefined : run.context.identifierSystems?.[namespace];
  if (known !== undefined) return known;
  if (type === 'SS' || namespace === 'USSSA') return 'http://hl7.org/fhir/sid/us-ssn';
  if (type === 'NPI') return 'http://hl7.org/fhir/sid/us-npi';
  if (type === 'MB' && namespace === undefined && universal === undefined)
    return `urn:causeway:authority:${run.context.source}:member`;
  if (universal !== undefined) return universalSystem(universal, universalType);
  return `urn:causeway:authority:${run.context.source}:${namespace === undefined ? 'default' : encodePart(namespace)}`;
}

/** An OID, UUID or URI as FHIR writes it. */
export function universalSystem(universal: string, type: string | undefined): string {
  if (/^[0-2](\.(0|[1-9]\d*))+$/.test(universal)) return `urn:oid:${universal}`;
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(universal)) return `urn:uuid:${universal.toLowerCase()}`;
  if (/^(https?:|urn:)\S+$/i.test(universal)) return universal;
  return `urn:causeway:universal:${encodePart((type ?? 'unknown').toLowerCase())}:${encodePart(universal)}`;
}

/** Keeps a sender's own name legible in a URI: only what a URI cannot hold is escaped. */
export function encodePart(text: string): string {
  return text.replace(/[\s<>"{}|\\^`%]/g, (character) => encodeURIComponent(character));
}

/** CX. */
export function readExtendedIdentifier(cell: Cell): Element | undefined {
  return readIdentifierParts(cell, {
    value: 1,
    check: 2,
    scheme: 3,
    authority: 4,
    type: 5,
    facility: 6,
    start: 7,
    end: 8,
    jurisdiction: 9,
    agency: 10,
  });
}

/** CX of a field that gives identifiers of one kind, see `IDENTIFIER_KINDS`. */
export function identifierReader(name: string): (cell: Cell) => Element | undefined {
  const kind = IDENTIFIER_KINDS[name];
  if (kind === undefined) throw new Error(`Identifiers of kind '${name}' are unknown`);
  const { text, code } = kind;
  return (cell) => {
    const identifier = readExtendedIdentifier(cell);
    if (identifier === undefined) return undefined;
    const { type = code === undefined ? undefined : identifierType(code), ...rest } = identifier;
    return { type: { ...(type as Element | undefined), text }, ...rest };
  };
}

interface IdentifierParts {
  value: number;
  check: number;
  scheme: number;
  authority: number;
  type: number;
  facility?: number;
  start?: number;
  end?: number;
  jurisdiction?: number;
  agency?: number;
}

/** Reads an identifier from the components of CX, XCN or XON; `path` is where it lies below the cell's place. */
export function readIdentifierParts(cell: Cell, parts: IdentifierParts, path = ''): Element | undefined {
  const below = (rel: string) => (path === '' ? rel : `${path}.${rel}`);
  const id = cell.text(below('value'), parts.value);
  if (id === undefined) return undefined;
  const identifier: Element = {};
  const type = cell.text(below('type.coding[0].code'), parts.type);
  if (type !== undefined) identifier.type = identifierType(type);
  identifier.system = systemOf(cell.run, peekAuthority(cell.component(parts.authority)), type);
  identifier.value = id;
  markAuthority(cell, parts.authority, identifier, below);
  const start = parts.start === undefined ? undefined : cell.dateTime(below('period.start'), parts.start);
  const end = parts.end === undefined ? undefined : cell.dateTime(below('period.end'), parts.end);
  if (start !== undefined || end !== undefined) identifier.period = { ...(start && { start }), ...(end && { end }) };
  const check = cell.text(below('extension'), parts.check);
  if (check !== undefined)
    addExtension(identifier, 'http://hl7.org/fhir/StructureDefinition/identifier-checkDigit', 'valueString', check);
  const scheme = cell.text(below('extension'), parts.scheme);
  if (scheme !== undefined)
    addExtension(identifier, 'http://hl7.org/fhir/StructureDefinition/namingsystem-checkDigit', 'valueString', scheme);
  assigner(cell, parts, identifier, below);
  return identifier;
}

/**
 * Facility (HD), agency and jurisdiction (CWE) say by whom and where the identifier was assigned: the assigner is called
 * by them beside its authority's name; the facility's universal id identifies it when nothing else does.
 */
function assigner(cell: Cell, parts: IdentifierParts, identifier: Element, below: (rel: string) => string): void {
  const { facility, agency, jurisdiction } = parts;
  if ([facility, agency, jurisdiction].every((at) => at === undefined || cell.component(at) === undefined)) return;
  const known = identifier.assigner as Element | undefined;
  const display = below('assigner.display');
  const starts = new Map<string, number>();
  let names = '';
  const startOf = (name: string): number => {
    const start = starts.get(name) ?? (names === '' ? 0 : names.length + 2);
    if (start >= names.length) names = names === '' ? name : `${names}, ${name}`;
    starts.set(name, start);
    return start;
  };
  if (typeof known?.display === 'string') startOf(known.display);
  const own = names;
  const place = facility === undefined ? undefined : cell.peek(facility);
  if (place !== undefined) cell.textPart(display, startOf(place), facility!);
  for (const component of [agency, jurisdiction]) {
    if (component === undefined) continue;
    const [code, text] = [cell.peek(component), cell.peek(component, 2)];
    if (text === undefined && code === undefined) continue;
    const start = startOf(text === undefined || code === undefined ? (text ?? code)! : `${text} (${code})`);
    cell.textPart(display, start, component, 2);
    cell.textPart(display, text === undefined ? start : start + text.length + 2, component);
  }
  if (names !== own) {
    const authority = cell.atom(parts.authority);
    if (own !== '' && authority?.place === cell.place) authority.from = 0;
    identifier.assigner = { ...known, display: names };
  }
  if (facility === undefined || known?.identifier !== undefined) return;
  const universal = cell.peek(facility, 2);
  if (universal === undefined) return;
  cell.text(below('assigner.identifier.value'), facility, 2);
  cell.used(facility, 3);
  identifier.assigner = {
    ...(identifier.assigner as Element | undefined),
    identifier: { system: 'urn:ietf:rfc:3986', value: universalSystem(universal, cell.peek(facility, 3)) },
  };
}

/** A type of table 0203 as CodeableConcept; a local type keeps its code without claiming the table. */
export function identifierType(code: string): Element {
  return IDENTIFIER_TYPES.has(code) ? { coding: [{ system: TYPE_SYSTEM, code }] } : { coding: [{ code }] };
}

function markAuthority(cell: Cell, component: number, identifier: Element, below: (rel: string) => string): void {
  const found = cell.component(component);
  if (found === undefined) return;
  const { namespace, universal } = peekAuthority(found);
  if (namespace !== undefined) {
    identifier.assigner = { display: namespace };
    cell.mark(found[1], below('assigner.display'));
  }
  if (universal !== undefined) {
    const system = String(identifier.system);
    if (system.toLowerCase().includes(encodePart(universal).toLowerCase())) cell.mark(found[2], below('system'));
    else if (identifier.assigner === undefined) {
      identifier.assigner = { identifier: { value: universal } };
      cell.mark(found[2], below('assigner.identifier.value'));
    } else {
      (identifier.assigner as Element).identifier = { value: universal };
      cell.mark(found[2], below('assigner.identifier.value'));
    }
    cell.consume(found[3]);
  }
}

/** EI in a repetition of its own: id ^ namespace ^ universal id ^ type. */
export function readEntityIdentifier(cell: Cell): Element | undefined {
  const id = cell.text('value', 1);
  const authority: Authority = { namespace: cell.peek(2), universal: cell.peek(3), universalType: cell.peek(4) };
  if (id === undefined) {
    if (authority.universal === undefined) return undefined;
    cell.text('value', 3);
    cell.used(4);
    const bare: Element = {
      system: 'urn:ietf:rfc:3986',
      value: universalSystem(authority.universal, authority.universalType),
    };
    const namespace = cell.text('assigner.display', 2);
    if (namespace !== undefined) bare.assigner = { display: namespace };
    return bare;
  }
  const identifier: Element = { system: systemOf(cell.run, authority), value: id };
  if (authority.namespace !== undefined) {
    identifier.assigner = { display: authority.namespace };
    cell.mark(cell.atom(2), 'assigner.display');
  }
  if (authority.universal !== undefined) {
    if (String(identifier.system).toLowerCase().includes(encodePart(authority.universal).toLowerCase()))
      cell.mark(cell.atom(3), 'system');
    else {
      identifier.assigner = {
        ...(identifier.assigner as Element | undefined),
        identifier: { value: authority.universal },
      };
      cell.mark(cell.atom(3), 'assigner.identifier.value');
    }
    cell.used(4);
  }
  return identifier;
}

/** EIP: placer- and filler-assigned identifiers in two components. */
export function readPairIdentifiers(cell: Cell): Element[] | undefined {
  const identifiers: Element[] = [];
  for (const [component, code] of [
    [1, 'PLAC'],
    [2, 'FILL'],
  ] as const) {
    const part = cell.inside(component);
    const identifier = part === undefined ? undefined : readEntityIdentifier(part);
    if (identifier === undefined) continue;
    if (identifiers.length > 0)
      for (const atom of cell.component(component)!)
        if (atom?.disposition === 'mapped') atom.path = `+${identifiers.length}.${atom.path}`;
    identifiers.push({ type: identifierType(code), ...identifier });
  }
  return identifiers.length === 0 ? undefined : identifiers;
}

/** ORC-4: the group number, of which v2.7 and later give the placer's and the filler's (EIP); the placer's first. */
export function readGroupIdentifier(cell: Cell): Element | undefined {
  if (!isPair(cell)) return readEntityIdentifier(cell);
  const placer = cell.inside(1);
  return placer === undefined ? undefined : readEntityIdentifier(placer);
}

/** The filler's group number, where ORC-4 gives it beside the placer's. */
export function readFillerGroupIdentifier(cell: Cell): Element | undefined {
  const filler = isPair(cell) ? cell.inside(2) : undefined;
  const identifier = filler === undefined ? undefined : readEntityIdentifier(filler);
  return identifier === undefined ? undefined : { type: identifierType('FGN'), ...identifier };
}

/** EIP and EI begin alike: sub-components tell them apart. */
function isPair(cell: Cell): boolean {
  return [1, 2].some((component) => [2, 3].some((sub) => cell.peek(component, sub) !== undefined));
}

/** An id of type ST, in the sender's default authority. */
export function readPlainIdentifier(cell: Cell): Element | undefined {
  const id = cell.text('value', 1);
  return id === undefined ? undefined : { system: systemOf(cell.run, NO_AUTHORITY), value: id };
}

/** A coded thing (CWE) used as an identifier: code, its system and its text. */
export function readCodedIdentifier(cell: Cell): Element | undefined {
  const id = cell.text('value', 1);
  const text = cell.text('type.text', 2);
  if (id === undefined && text === undefined) return undefined;
  const identifier: Element = {};
  if (text !== undefined) identifier.type = { text };
  if (id !== undefined) {
    identifier.system = systemOf(cell.run, { ...NO_AUTHORITY, namespace: cell.peek(3) });
    identifier.value = id;
    if (cell.peek(3) !== undefined) {
      identifier.assigner = { display: cell.peek(3) };
      cell.text('assigner.display', 3);
    }
  } else identifier.value = text;
  return identifier;
}

const NO_AUTHORITY: Authority = { namespace: undefined, universal: undefined, universalType: undefined };

/** DLN / PLN-like: number ^ issuing state or type ^ expiry. */
export function readLicence(cell: Cell): Element | undefined {
  const id = cell.text('value', 1);
  if (id === undefined) return undefined;
  const identifier: Element = {
    type: identifierType('DL'),
    system: systemOf(cell.run, { ...NO_AUTHORITY, namespace: `DL-${cell.peek(2) ?? 'default'}` }),
    value: id,
  };
  const issuer = cell.text('assigner.display', 2);
  if (issuer !== undefined) identifier.assigner = { display: issuer };
  const end = cell.dateTime('period.end', 3);
  if (end !== undefined) identifier.period = { end };
  return identifier;
}

/** PLN: a number, its type (table 0338) and until when it is valid. */
export function readPractitionerNumber(cell: Cell): Element | undefined {
  const value = cell.text('value', 1);
  if (value === undefined) return undefined;
  const type = cell.text('type.coding[0].code', 2);
  const end = cell.dateTime('period.end', 4);
  return {
    ...(type && { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0338', code: type }] } }),
    value,
    ...(end && { period: { end } }),
  };
}

/** A US social security number in a field of its own. */
export function readSsn(cell: Cell): Element | undefined {
  const id = cell.text('value', 1);
  return id === undefined
    ? undefined
    : { type: identifierType('SS'), system: 'http://hl7.org/fhir/sid/us-ssn', value: id };
}

function value(component: SourceComponent | undefined, sub: number): string | undefined {
  const text = component?.[sub]?.clean;
  return text === undefined || text === '' || text === NULL ? undefined : text;
}
