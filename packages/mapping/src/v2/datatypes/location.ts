/** PL, and HD or ST naming a facility, to Location (v2.9 chapter 2A.3.53). */
import type { Cell } from '../cell.ts';
import type { Draft, Element } from '../draft.ts';
import type { Place } from '../source.ts';
import { peekAuthority, readEntityIdentifier, systemOf, universalSystem } from './identifier.ts';
import { readAuthorityOrganization, referenceTo } from './party.ts';

const PHYSICAL = 'http://terminology.hl7.org/CodeSystem/location-physical-type';
/** PL parts from the whole to the part, with the physical type each stands for. */
const PL_PARTS: readonly (readonly [number, string, string])[] = [
  [7, 'bu', 'Building'],
  [8, 'lvl', 'Level'],
  [1, 'wa', 'Ward'],
  [2, 'ro', 'Room'],
  [3, 'bd', 'Bed'],
];

/**
 * PL to Reference(Location): the location of the finest part given, which is part of that of the next coarser one, and so
 * on. Each is called by its parts from the whole on.
 */
export function readLocation(cell: Cell): Element | undefined {
  const parts = PL_PARTS.filter(
    ([component]) =>
      cell.component(component) !== undefined && (cell.peek(component) ?? cell.peek(component, 2)) !== undefined,
  );
  const facility = cell.peek(4) ?? cell.peek(4, 2);
  const whole = cell.peek(9) ?? facility ?? cell.peek(10);
  if (parts.length === 0 && whole === undefined) return undefined;
  const organization = facilityOf(cell);
  if (parts.length === 0) {
    const draft = locationDraft(cell, facility, [cell.peek(10) ?? cell.peek(9) ?? ''], organization);
    draft.resource.name = whole;
    return described(cell, draft);
  }
  const key = PL_PARTS.map(() => '');
  const names: string[] = [];
  let draft: Draft | undefined;
  for (const [component, code, display] of parts) {
    const name = cell.peek(component) ?? cell.peek(component, 2)!;
    key[PL_PARTS.findIndex(([other]) => other === component)] = name;
    names.push(name);
    const container: Draft | undefined = draft;
    draft = locationDraft(cell, facility, key, organization);
    draft.resource.name = names.join(' ');
    draft.resource.physicalType = { coding: [{ system: PHYSICAL, code, display }] };
    if (container !== undefined) draft.resource.partOf = container.reference;
    const at = cell.at({ draft, base: '' });
    at.text('name', component);
    readPartAuthority(at, component, draft);
  }
  return described(cell, draft!);
}

function locationDraft(
  cell: Cell,
  facility: string | undefined,
  key: readonly string[],
  organization: Element | undefined,
): Draft {
  const draft = cell.run.draft('Location', 'reference', facility ?? '', ...key);
  draft.clinical = false;
  draft.resource.mode = 'instance';
  if (organization !== undefined) draft.resource.managingOrganization = organization;
  return draft;
}

function facilityOf(cell: Cell): Element | undefined {
  const facility = cell.inside(4);
  return facility === undefined ? undefined : readAuthorityOrganization(facility);
}

function described(cell: Cell, draft: Draft): Element {
  describeLocation(cell.at({ draft, base: '' }), draft);
  return referenceTo(draft);
}

function readPartAuthority(at: Cell, component: number, draft: Draft): void {
  const universal = at.peek(component, 2);
  if (universal === undefined) return;
  const system = universalSystem(universal, at.peek(component, 3));
  const index = draft.append('identifier', { system, value: at.peek(component) ?? universal });
  at.text(`identifier[${index}].system`, component, 2);
  at.consume(at.atom(component, 3));
}

function describeLocation(at: Cell, draft: Draft): void {
  const state = (name: string, value: unknown, path: string, component: number) => {
    const place = { draft, base: '' };
    at.at(place).text(path, component);
    draft.state(name, value, place);
  };
  const description = at.peek(9);
  if (description !== undefined) state('description', description, 'description', 9);
  const status = at.peek(5);
  if (status !== undefined && /^[CHIKOU]$/i.test(status)) {
    const system = 'http://terminology.hl7.org/CodeSystem/v2-0116';
    state('operationalStatus', { system, code: status.toUpperCase() }, 'operationalStatus.code', 5);
  } else if (status !== undefined && /^(active|suspended|inactive)$/i.test(status)) {
    state('status', status.toLowerCase(), 'status', 5);
  }
  const type = at.peek(6);
  if (type !== undefined) {
    const coding = [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0305', code: type }];
    state('type', [{ coding }], 'type[0].coding[0].code', 6);
  }
  const whole = at.inside(10);
  const place = { draft, base: '' } as Place;
  const identifier = whole === undefined ? undefined : readEntityIdentifier(whole.at(place));
  if (identifier !== undefined) {
    assignedBy(at.inside(11)?.at(place), identifier);
    place.base = `identifier[${draft.append('identifier', identifier)}]`;
    return;
  }
  place.draft = undefined;
  assignedName(at, draft);
}

/** PL.11 beside PL.10: who assigned the identifier, as far as it does not say so itself. */
function assignedBy(authority: Cell | undefined, identifier: Element): void {
  const assigner = { ...(identifier.assigner as Element | undefined) };
  if (authority?.peek(1) !== undefined && assigner.display === undefined)
    assigner.display = authority.text('assigner.display', 1);
  const universal = authority?.peek(2);
  if (authority !== undefined && universal !== undefined && assigner.identifier === undefined) {
    authority.text('assigner.identifier.value', 2);
    authority.used(3);
    assigner.identifier = { system: 'urn:ietf:rfc:3986', value: universalSystem(universal, authority.peek(3)) };
  }
  if (Object.keys(assigner).length > 0) identifier.assigner = assigner;
}

/** PL.11 without PL.10: the authority by which the location's name identifies it. */
function assignedName(at: Cell, draft: Draft): void {
  const authority = at.inside(11);
  if (authority === undefined || draft.resource.name === undefined) return;
  const { namespace, universal, universalType } = peekAuthority(at.component(11));
  if (namespace === undefined && universal === undefined) return;
  const identifier: Element = {
    system: systemOf(at.run, { namespace, universal, universalType }),
    value: draft.resource.name,
    ...(namespace !== undefined && { assigner: { display: namespace } }),
  };
  const base = `identifier[${draft.append('identifier', identifier)}]`;
  const placed = authority.at({ draft, base });
  placed.text('assigner.display', 1);
  placed.text('system', 2);
  placed.used(3);
}

/** HD or ST naming a facility, to Reference(Location). */
export function readFacilityLocation(cell: Cell): Element | undefined {
  const name = cell.peek(1);
  const universal = cell.peek(2);
  if (name === undefined && universal === undefined) return undefined;
  const draft = cell.run.draft('Location', 'reference', 'facility', universal ?? name!);
  draft.clinical = false;
  const at = cell.at({ draft, base: '' } as Place);
  draft.resource.name = at.text('name', 1) ?? universal;
  if (universal !== undefined) {
    const index = draft.append('identifier', {
      system: 'urn:ietf:rfc:3986',
      value: universalSystem(universal, cell.peek(3)),
    });
    at.text(`identifier[${index}].value`, 2);
    at.used(3);
  }
  return referenceTo(draft);
}
