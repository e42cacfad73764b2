/** XCN, XON, HD and PL to the practitioners, organizations and locations they name; answers references to them. */
import type { Cell } from '../cell.ts';
import type { Draft, Element } from '../draft.ts';
import type { Place, SourceRepetition } from '../source.ts';
import { identifierType, peekAuthority, readIdentifierParts, systemOf, universalSystem } from './identifier.ts';
import { readLocation } from './location.ts';
import { displayOf, readHumanName, readNameParts, XCN } from './name.ts';

/** XCN to Reference(Practitioner): keyed by id and authority, or by name when there is no id. */
export function readPractitioner(cell: Cell): Element | undefined {
  const id = cell.peek(1);
  const family = cell.peek(2);
  const given = cell.peek(3);
  if (id === undefined && family === undefined && given === undefined) return undefined;
  const draft = practitionerDraft(cell, id, nameKey([family, given, cell.peek(4)]));
  const called = addName(cell, draft, (at) => readNameParts(at, XCN));
  const place = placeOf(draft);
  const identifier = readIdentifierParts(cell.at(place), {
    value: 1,
    check: 11,
    scheme: 12,
    authority: 9,
    type: 13,
    facility: 14,
    jurisdiction: 22,
    agency: 23,
  });
  if (identifier !== undefined) place.base = `identifier[${draft.append('identifier', identifier)}]`;
  return referenceTo(draft, called);
}

/** NDL and the like: the practitioner lies in the first component, as sub-components (CNN: id & family & given ...). */
export function readNestedPractitioner(cell: Cell): Element | undefined {
  if (isPlainName(cell)) return readPractitioner(cell);
  const person = readNestedPerson(cell);
  if (person === undefined || cell.repetition.length <= 2) return person;
  const role = cell.run.draft(
    'PractitionerRole',
    'reference',
    'observes',
    String(person.reference),
    ...[2, 3, 4, 5, 6, 7, 10, 11].map((component) => cell.peek(component) ?? ''),
  );
  role.clinical = false;
  role.resource.practitioner = person;
  const place = { draft: role, base: '' };
  const start = cell.at(place).dateTime('period.start', 2);
  const end = cell.at(place).dateTime('period.end', 3);
  if (start !== undefined || end !== undefined) role.resource.period = { ...(start && { start }), ...(end && { end }) };
  const shifted: SourceRepetition = [
    undefined,
    ...[4, 5, 6, 7, 8, 9, 10, 11].map((component) => cell.component(component)),
  ];
  const location = readLocation(cell.of(shifted));
  if (location !== undefined) role.resource.location = [location];
  return role.resource.location === undefined && role.resource.period === undefined ? person : { ...role.reference };
}

/** Many senders write XCN where NDL is asked for: then the second component is a family name and no time. */
function isPlainName(cell: Cell): boolean {
  const second = cell.peek(2);
  return (
    cell.peek(1, 2) === undefined && cell.peek(1, 3) === undefined && second !== undefined && !/^\d{4}/.test(second)
  );
}

function readNestedPerson(cell: Cell): Element | undefined {
  const inner = cell.inside(1);
  if (inner === undefined) return undefined;
  const id = inner.peek(1);
  const family = inner.peek(2);
  const given = inner.peek(3);
  if (id === undefined && family === undefined && given === undefined) return undefined;
  const authority = { namespace: inner.peek(9), universal: inner.peek(10), universalType: inner.peek(11) };
  const system = systemOf(cell.run, authority);
  const draft =
    id === undefined
      ? cell.run.draft('Practitioner', 'reference', 'name', nameKey([family, given]))
      : cell.run.draft('Practitioner', 'reference', system, id);
  draft.clinical = false;
  const called = addName(inner, draft, (at) =>
    readNameParts(at, {
      ...XCN,
      use: 99,
      range: 99,
      assembly: 99,
      representation: 99,
      start: 99,
      end: 99,
      professional: 99,
      calledBy: 99,
    }),
  );
  if (id !== undefined) {
    const place = placeOf(draft);
    const at = inner.at(place);
    const value = at.text('value', 1);
    const identifier: Element = { system, value };
    if (authority.namespace !== undefined) identifier.assigner = { display: at.text('assigner.display', 9) };
    if (authority.universal !== undefined) {
      at.text('system', 10);
      at.used(11);
    }
    place.base = `identifier[${draft.append('identifier', identifier)}]`;
  }
  return referenceTo(draft, called);
}

/** A person known by name only (XPN). */
export function readNamedPractitioner(cell: Cell): Element | undefined {
  const key = nameKey([cell.peek(1), cell.peek(2), cell.peek(3)]);
  if (key === '') return undefined;
  const draft = cell.run.draft('Practitioner', 'reference', 'name', key);
  draft.clinical = false;
  return referenceTo(
    draft,
    addName(cell, draft, (at) => readHumanName(at)),
  );
}

function practitionerDraft(cell: Cell, id: string | undefined, name: string): Draft {
  const run = cell.run;
  const draft =
    id === undefined
      ? run.draft('Practitioner', 'reference', 'name', name)
      : run.draft('Practitioner', 'reference', systemOf(run, peekAuthority(cell.component(9)), cell.peek(13)), id);
  draft.clinical = false;
  return draft;
}

/** Adds the name that is stated; answers what the person is called by it. */
function addName(cell: Cell, draft: Draft, read: (at: Cell) => Element | Element[] | undefined): string | undefined {
  const place = placeOf(draft);
  const name = read(cell.at(place));
  if (name === undefined) {
    place.draft = undefined;
    return undefined;
  }
  const names = Array.isArray(name) ? name : [name];
  place.base = `name[${draft.append('name', names[0])}]`;
  for (const other of names.slice(1)) draft.append('name', other);
  return displayOf(names[0]!);
}

/** XON to Reference(Organization): keyed by id and authority, or by name. */
export function readOrganization(cell: Cell): Element | undefined {
  const name = cell.peek(1);
  const idComponent = cell.peek(10) === undefined ? 3 : 10;
  const id = cell.peek(idComponent);
  if (name === undefined && id === undefined) return undefined;
  const run = cell.run;
  const draft =
    id === undefined
      ? run.draft('Organization', 'reference', 'name', nameKey([name]))
      : run.draft('Organization', 'reference', systemOf(run, peekAuthority(cell.component(6)), cell.peek(7)), id);
  draft.clinical = false;
  addOrganizationName(cell, draft, 1);
  const place = placeOf(draft);
  const at = cell.at(place);
  const identifier = readIdentifierParts(at, {
    value: idComponent,
    check: 4,
    scheme: 5,
    authority: 6,
    type: 7,
    facility: 8,
  });
  if (identifier !== undefined) place.base = `identifier[${draft.append('identifier', identifier)}]`;
  if (idComponent === 10 && cell.peek(3) !== undefined) {
    const second = placeOf(draft);
    const value = cell.at(second).text('value', 3);
    second.base = `identifier[${draft.append('identifier', { system: systemOf(run, peekAuthority(cell.component(6))), value })}]`;
  }
  if (identifier === undefined) assignedName(cell, draft);
  const type = cell.peek(2);
  if (type === 'L' || type === 'D' || type === 'A') cell.used(2);
  if (cell.peek(9) === 'A') cell.used(9);
  return referenceTo(draft, cell.peek(1));
}

/** XON.6 and .7 without an id: the authority by which the organization's name identifies it, and as what. */
function assignedName(cell: Cell, draft: Draft): void {
  const authority = peekAuthority(cell.component(6));
  const { namespace, universal } = authority;
  if (namespace === undefined && universal === undefined) return;
  const type = cell.peek(7);
  const identifier: Element = {
    ...(type !== undefined && { type: identifierType(type) }),
    system: systemOf(cell.run, authority, type),
    value: draft.resource.name,
    ...(namespace !== undefined && { assigner: { display: namespace } }),
  };
  const at = cell.at({ draft, base: `identifier[${draft.append('identifier', identifier)}]` });
  at.text('type.coding[0].code', 7);
  at.text('assigner.display', 6);
  if (universal === undefined) return;
  at.text('system', 6, 2);
  at.used(6, 3);
}

function addOrganizationName(cell: Cell, draft: Draft, component: number): void {
  const name = cell.peek(component);
  if (name === undefined) return;
  const at = cell.at(placeOf(draft));
  if (draft.resource.name === undefined || draft.resource.name === name) {
    draft.resource.name = name;
    at.text('name', component);
  } else {
    at.text(`alias[${draft.append('alias', name)}]`, component);
  }
}

/** An organization given by name only (ST). */
export function readNamedOrganization(cell: Cell): Element | undefined {
  const name = cell.peek(1);
  if (name === undefined) return undefined;
  const draft = cell.run.draft('Organization', 'reference', 'name', nameKey([name]));
  draft.clinical = false;
  addOrganizationName(cell, draft, 1);
  return referenceTo(draft, name);
}

/** An organization as a coded value (CWE): code, name, coding system. */
export function readCodedOrganization(cell: Cell): Element | undefined {
  const code = cell.peek(1);
  const name = cell.peek(2);
  if (code === undefined && name === undefined) return undefined;
  const run = cell.run;
  const draft =
    code === undefined
      ? run.draft('Organization', 'reference', 'name', nameKey([name]))
      : run.draft(
          'Organization',
          'reference',
          systemOf(run, { namespace: cell.peek(3), universal: undefined, universalType: undefined }),
          code,
        );
  draft.clinical = false;
  addOrganizationName(cell, draft, 2);
  if (code !== undefined) {
    const place = placeOf(draft);
    const at = cell.at(place);
    const identifier: Element = {
      system: systemOf(run, {
        namespace: at.text('assigner.display', 3),
        universal: undefined,
        universalType: undefined,
      }),
      value: at.text('value', 1),
    };
    if (at.peek(3) !== undefined) identifier.assigner = { display: at.peek(3) };
    place.base = `identifier[${draft.append('identifier', identifier)}]`;
    if (draft.resource.name === undefined) draft.resource.name = code;
  }
  return referenceTo(draft, name);
}

/** HD naming a facility, to Reference(Organization). */
export function readAuthorityOrganization(cell: Cell): Element | undefined {
  const namespace = cell.peek(1);
  const universal = cell.peek(2);
  if (namespace === undefined && universal === undefined) return undefined;
  const run = cell.run;
  const draft =
    universal === undefined
      ? run.draft('Organization', 'reference', 'name', nameKey([namespace]))
      : run.draft('Organization', 'reference', 'urn:ietf:rfc:3986', universalSystem(universal, cell.peek(3)));
  draft.clinical = false;
  addOrganizationName(cell, draft, 1);
  if (universal !== undefined) {
    const place = placeOf(draft);
    const at = cell.at(place);
    at.text('value', 2);
    at.used(3);
    place.base = `identifier[${draft.append('identifier', { system: 'urn:ietf:rfc:3986', value: universalSystem(universal, cell.peek(3)) })}]`;
    if (draft.resource.name === undefined) draft.resource.name = universal;
  }
  return referenceTo(draft, namespace);
}

/** Upper-cased, blanks folded: how names are compared for identity. */
export function nameKey(parts: (string | undefined)[]): string {
  return parts
    .map((part) => (part ?? '').toUpperCase().replace(/\s+/g, ' ').trim())
    .join('^')
    .replace(/\^+$/, '');
}

/** Reference with what the resource is called (there), for readers that do not follow it. */
export function referenceTo(draft: Draft, called = nameOf(draft.resource)): Element {
  return called === undefined ? { ...draft.reference } : { ...draft.reference, display: called };
}

function nameOf({ name }: Element): string | undefined {
  if (typeof name === 'string') return name;
  const first = Array.isArray(name) ? (name[0] as Element | undefined) : undefined;
  return first === undefined ? undefined : displayOf(first);
}

function placeOf(draft: Draft): Place {
  return { draft, base: '' };
}
