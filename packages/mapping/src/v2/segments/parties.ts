/** ROL, PRT, PRD, CTD: people, organizations and devices that take part in what precedes them. */
import { Cell } from '../cell.ts';
import { readAddress } from '../datatypes/address.ts';
import { readConcept } from '../datatypes/coded.ts';
import { readEntityIdentifier, readPractitionerNumber } from '../datatypes/identifier.ts';
import { readLocation } from '../datatypes/location.ts';
import { readNamedPractitioner, readOrganization, readPractitioner } from '../datatypes/party.ts';
import { readContactPoint } from '../datatypes/telecom.ts';
import type { Draft, Element } from '../draft.ts';
import type { SourceSegment } from '../source.ts';
import { ROLE_FIELDS, type RoleFields } from '../tables/roles.ts';
import { conceptOf } from '../vocabularies.ts';
import { cellOf } from './patient.ts';
import { peek, type SegmentHandler, type State, subjectOf } from './state.ts';

export const rol: SegmentHandler = (segment, state) => {
  participation(segment, state, ROLE_FIELDS.ROL);
};

export const prt: SegmentHandler = (segment, state) => {
  participation(segment, state, ROLE_FIELDS.PRT);
  device(segment, state);
};

/** PRD: a provider given by name (XPN), with address, location and phone. */
export const prd: SegmentHandler = (segment, state) => {
  provider(segment, state);
  participation(segment, state, ROLE_FIELDS.PRD, true);
};

/** PRD-7 (identifiers), -11 (the organization's address) and -13 (its phone) belong to the provider as well. */
function provider(segment: SourceSegment, state: State): void {
  const run = state.run;
  const cell = cellOf(segment, 2, run);
  const person = cell === undefined ? undefined : readNamedPractitioner(cell);
  const holder = run.referred(person?.reference);
  if (holder === undefined) return;
  for (const [field, element, read] of [
    [7, 'identifier', readPractitionerNumber],
    [11, 'address', readAddress],
    [13, 'telecom', (at: Cell) => readContactPoint(at, 'work')],
  ] as const) {
    for (const repetition of segment.fields[field] ?? []) {
      if (repetition === undefined) continue;
      const place = { draft: holder, base: '' };
      const found = read(new Cell(repetition, run, `${segment.name}-${field}`, place));
      if (found !== undefined) place.base = `${element}[${holder.append(element, found)}]`;
    }
  }
}

/** CTD: a contact by name. */
export const ctd: SegmentHandler = (segment, state) => {
  participation(segment, state, ROLE_FIELDS.CTD, true);
};

function participation(segment: SourceSegment, state: State, fields: RoleFields, byName = false): void {
  const run = state.run;
  run.segment = segment;
  markInstance(segment, fields);
  const cell = cellOf(segment, fields.person, run);
  const person = cell === undefined ? undefined : byName ? readNamedPractitioner(cell) : readPractitioner(cell);
  const organization = organizationOf(segment, fields, state);
  const role = peek(segment, fields.role) ?? peek(segment, fields.role, 2) ?? '';
  const place = cellOf(segment, fields.location, run);
  const location = place === undefined ? undefined : readLocation(place);
  if (person === undefined && organization === undefined && location === undefined) return;
  const about = state.participated;
  const draft = run.draft(
    'PractitionerRole',
    'merge',
    about?.id ?? '',
    role,
    String(person?.reference ?? ''),
    String(organization?.reference ?? ''),
    String(location?.reference ?? ''),
  );
  draft.clinical = false;
  if (person !== undefined) draft.resource.practitioner = person;
  if (organization !== undefined) draft.resource.organization = organization;
  if (location !== undefined) draft.resource.location = [location];
  const concept = conceptAt(segment, fields.role, draft, 'code', state, 'providerRole');
  conceptAt(segment, fields.specialty, draft, 'specialty', state, undefined);
  conceptAt(segment, fields.kind, draft, 'code', state, undefined);
  period(segment, fields, draft, state);
  contactDetails(segment, fields, draft, person, state);
  if (about !== undefined) attach(about, draft, concept);
}

function markInstance(segment: SourceSegment, fields: RoleFields): void {
  for (const atom of segment.atoms) {
    if (atom.field === fields.action || (atom.field === 1 && fields.role !== 1)) {
      atom.disposition = atom.field === 1 ? 'structural' : 'consumed';
      atom.rule = `${segment.name}-${atom.field}`;
    }
  }
}

function organizationOf(segment: SourceSegment, fields: RoleFields, state: State): Element | undefined {
  const cell = cellAt(segment, fields.organization, state);
  return cell === undefined ? undefined : readOrganization(cell);
}

function cellAt(segment: SourceSegment, field: number | undefined, { run }: State): Cell | undefined {
  return field === undefined ? undefined : cellOf(segment, field, run);
}

function conceptAt(
  segment: SourceSegment,
  field: number | undefined,
  draft: Draft,
  element: string,
  state: State,
  vocabulary: string | undefined,
): Element | undefined {
  let first: Element | undefined;
  for (const repetition of (field === undefined ? undefined : segment.fields[field]) ?? []) {
    if (repetition === undefined) continue;
    const place = { draft, base: '' };
    const cell = new Cell(repetition, state.run, `${segment.name}-${field}`, place);
    const concept = readConcept(cell, vocabulary === undefined ? undefined : conceptOf(vocabulary, cell.peek(1)));
    if (concept === undefined) continue;
    place.base = `${element}[${draft.append(element, concept)}]`;
    first ??= concept;
  }
  return first;
}

function period(segment: SourceSegment, fields: RoleFields, draft: Draft, state: State): void {
  const start = cellAt(segment, fields.start, state)?.at({ draft, base: 'period' }).dateTime('start', 1);
  const end = cellAt(segment, fields.end, state)?.at({ draft, base: 'period' }).dateTime('end', 1);
  if (start !== undefined || end !== undefined)
    draft.resource.period = { ...(start && { start }), ...(end && { end }) };
}

/** Phones go to the role; an address to the person, since a role has none. */
function contactDetails(
  segment: SourceSegment,
  fields: RoleFields,
  draft: Draft,
  person: Element | undefined,
  state: State,
): void {
  const run = state.run;
  for (const repetition of segment.fields[fields.phone] ?? []) {
    if (repetition === undefined) continue;
    const place = { draft, base: '' };
    const point = readContactPoint(new Cell(repetition, run, `${segment.name}-${fields.phone}`, place), undefined);
    if (point !== undefined) place.base = `telecom[${draft.append('telecom', point)}]`;
  }
  if (segment.name === 'CTD' || segment.name === 'PRD') preferred(segment, draft, state);
  const location = (draft.resource.location as Element[] | undefined)?.[0];
  const owner = person ?? (draft.resource.organization as Element | undefined);
  const holder = run.referred(owner?.reference ?? location?.reference);
  if (holder === undefined) return;
  if (holder.type === 'Location') {
    const cell = cellOf(segment, fields.address, run)?.at({ draft: holder, base: 'address' });
    const address = cell === undefined ? undefined : readAddress(cell);
    if (address !== undefined) holder.resource.address = address;
    return;
  }
  for (const repetition of segment.fields[fields.address] ?? []) {
    if (repetition === undefined) continue;
    const place = { draft: holder, base: '' };
    const address = readAddress(new Cell(repetition, run, `${segment.name}-${fields.address}`, place));
    if (address !== undefined) place.base = `address[${holder.append('address', address)}]`;
  }
}

/** CTD-6, PRD-6: the way of contact that is preferred (HL7 table 0185) is the first in rank. */
function preferred(segment: SourceSegment, draft: Draft, state: State): void {
  const cell = cellOf(segment, 6, state.run);
  const wanted = PREFERRED[cell?.peek(1)?.toUpperCase() ?? ''];
  if (cell === undefined || wanted === undefined) return;
  const points = (draft.resource.telecom as Element[] | undefined) ?? [];
  const point = points.find((one) => one.use === wanted || one.system === wanted);
  if (point === undefined) return;
  point.rank ??= 1;
  for (const component of [1, 2, 3]) cell.used(component);
}

const PREFERRED: Record<string, string> = { O: 'work', H: 'home', C: 'mobile', B: 'pager', E: 'email', F: 'fax' };

/** Where each kind of fact lists those who take part in it. */
function attach(about: Draft, role: Draft, concept: Element | undefined): void {
  const reference = role.reference;
  switch (about.type) {
    case 'Encounter':
      about.append('participant', { ...(concept && { type: [concept] }), individual: reference });
      break;
    case 'Procedure':
      about.append('performer', { ...(concept && { function: concept }), actor: reference });
      break;
    case 'Patient':
      if (PRIMARY.has(codeOf(concept))) about.append('generalPractitioner', reference);
      break;
    case 'ServiceRequest':
    case 'Observation':
      about.append('performer', reference);
      break;
    default:
  }
}

const PRIMARY = new Set(['PP', 'FHCP']);

function codeOf(concept: Element | undefined): string {
  return String((concept?.coding as Element[] | undefined)?.[0]?.code ?? '');
}

/** PRT-10 and PRT-16 to 21: the device used, with its UDI. */
function device(segment: SourceSegment, state: State): void {
  const run = state.run;
  const id = peek(segment, 10) ?? peek(segment, 10, 3) ?? peek(segment, 16) ?? peek(segment, 20);
  if (id === undefined) return;
  const draft = run.draft('Device', 'merge', 'participant', id, peek(segment, 20) ?? '');
  draft.clinical = false;
  if (state.patient !== undefined) draft.resource.patient = subjectOf(state);
  draft.require('status', 'active');
  const at = cellOf(segment, ROLE_FIELDS.PRT.location, run);
  const location = at === undefined ? undefined : readLocation(at);
  if (location !== undefined) draft.resource.location ??= location;
  for (const repetition of segment.fields[10] ?? []) {
    if (repetition === undefined) continue;
    const place = { draft, base: '' };
    const identifier = readEntityIdentifier(new Cell(repetition, run, 'PRT-10', place));
    if (identifier !== undefined) place.base = `identifier[${draft.append('identifier', identifier)}]`;
  }
  const udi = cellOf(segment, 16, run)?.at({ draft, base: 'udiCarrier[0]' });
  if (udi?.peek(1) !== undefined) {
    const carrier: Element = { carrierHRF: udi.text('carrierHRF', 1) };
    const issuer = udi.peek(3);
    if (issuer !== undefined) {
      carrier.issuer = /^[0-2](\.\d+)+$/.test(issuer) ? `urn:oid:${issuer}` : issuer;
      udi.text('issuer', 3);
      udi.used(4);
    }
    draft.resource.udiCarrier = [carrier];
  }
  for (const [field, element] of [
    [17, 'manufactureDate'],
    [18, 'expirationDate'],
    [19, 'lotNumber'],
    [20, 'serialNumber'],
  ] as const) {
    const at = { draft, base: element };
    const cell = cellOf(segment, field, run)?.at(at);
    const value = field < 19 ? cell?.dateTime('', 1) : cell?.text('', 1);
    if (value !== undefined) draft.state(element, value, at);
  }
  const distinct = cellOf(segment, 21, run);
  const place = { draft, base: '' };
  const identifier = distinct === undefined ? undefined : readEntityIdentifier(distinct.at(place));
  if (identifier !== undefined) place.base = `identifier[${draft.append('identifier', identifier)}]`;
}
