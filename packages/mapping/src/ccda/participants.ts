/**
 * Participations → Practitioner, Organization, RelatedPerson, Device, Location, Specimen. One resource for one
 * practitioner, whoever names it and how often.
 */
import type { XmlElement } from '@causeway/ccda';
import { identifier } from './data-types.ts';
import type { Draft } from './draft.ts';
import { applyRows } from './engine.ts';
import type { Json } from './fhir-path.ts';
import { address, contactPoint } from './names.ts';
import type { Run } from './run.ts';
import type { Row } from './table.ts';
import {
  DEVICE,
  DEVICE_PLACE,
  EXTERNAL_DOCUMENT,
  LOCATION,
  ORGANIZATION,
  PRACTITIONER,
  RELATED_PERSON,
  SPECIMEN,
  SPECIMEN_COLLECTION,
} from './tables/common.ts';
import { UDI } from './tables/devices.ts';
import { SaidItems } from './unify.ts';

const ROLES = [
  'assignedAuthor',
  'assignedEntity',
  'assignedCustodian',
  'associatedEntity',
  'relatedEntity',
  'intendedRecipient',
  'participantRole',
  'healthCareFacility',
  'encompassingEncounter',
];
const PERSONS = ['assignedPerson', 'associatedPerson', 'relatedPerson', 'informationRecipient', 'playingEntity'];
const ORGANIZATIONS = [
  'representedOrganization',
  'representedCustodianOrganization',
  'receivedOrganization',
  'scopingOrganization',
  'scopingEntity',
  'serviceProviderOrganization',
];
/** Role classes of people who stand to the patient rather than to a provider. */
const PERSONAL_ROLES = new Set([
  'PRS',
  'NOK',
  'ECON',
  'CAREGIVER',
  'GUARD',
  'AGNT',
  'DEPEN',
  'POLHOLD',
  'QUAL',
  'CON',
  'CIT',
]);

/** A participation (`author`, `performer`, …) or the role inside it → the one who takes part. */
export function participant(run: Run, element: XmlElement): Draft | undefined {
  const role = roleOf(element);
  if (role === undefined) return undefined;
  const known = run.owners.get(role);
  if (known !== undefined) return known;
  const draft = makeParticipant(run, role);
  if (draft !== undefined) run.owners.set(role, draft);
  return draft;
}

/** The organization on whose behalf a participant acts. */
export function organizationOf(run: Run, element: XmlElement): Draft | undefined {
  const role = roleOf(element);
  if (role === undefined) return undefined;
  for (const name of ORGANIZATIONS) {
    const child = role.child(name);
    if (child !== undefined) return organization(run, child);
  }
  return undefined;
}

export function organization(run: Run, element: XmlElement): Draft | undefined {
  return entity(run, element, 'Organization', ORGANIZATION);
}

export function location(run: Run, element: XmlElement): Draft | undefined {
  return entity(run, element, 'Location', LOCATION);
}

export function specimen(run: Run, element: XmlElement): Draft | undefined {
  const rows = element.name === 'procedure' ? SPECIMEN_COLLECTION : SPECIMEN;
  const draft = entity(run, element, 'Specimen', rows);
  if (draft !== undefined) draft.resource.subject ??= run.referenceTo(run.patient);
  return draft;
}

/** A device of or for the patient, or the software that wrote the document. */
export function device(
  run: Run,
  element: XmlElement,
  ofPatient: boolean,
  rows: readonly Row[] = DEVICE,
): Draft | undefined {
  const draft = entity(run, element, 'Device', rows);
  if (draft === undefined) return undefined;
  if (ofPatient) draft.resource.patient ??= run.referenceTo(run.patient);
  for (const version of (draft.resource.version as Json[] | undefined) ?? []) version.value ??= '';
  return draft;
}

/** A document elsewhere to which a statement refers. */
export function externalDocument(run: Run, element: XmlElement): Draft | undefined {
  const draft = entity(run, element, 'DocumentReference', EXTERNAL_DOCUMENT);
  if (draft === undefined) return undefined;
  const { resource } = draft;
  resource.status ??= 'current';
  resource.subject ??= run.referenceTo(run.patient);
  resource.content ??= [{ attachment: { title: 'not sent' } }];
  return draft;
}

/** The device that a UDI Organizer describes: one already named by the same identifier, or a new one. */
export function udiDevice(run: Run, element: XmlElement): Draft | undefined {
  const ids = element.all('id').map((id) => {
    const value = identifier(run, id, { draft: run.patient, path: '' });
    return value && run.byIdentifier.get(`Device|${value.system}|${value.value}`);
  });
  const known = ids.find((one) => one !== undefined);
  for (const id of element.all('id')) run.account.reopen(id);
  if (known === undefined) {
    const draft = device(run, element, true, [['id', 'identifier[]', 'identifier'], ...UDI]);
    completeDevice(draft?.resource);
    return draft;
  }
  const rule = run.account.rule;
  applyRows(run, element, known, UDI, 'UDI');
  run.account.rule = rule;
  for (const id of element.all('id')) run.account.consumeBelow(id, 'names the device');
  completeDevice(known.resource);
  return known;
}

function completeDevice(resource: Json | undefined): void {
  for (const name of (resource?.deviceName as Json[] | undefined) ?? []) name.type ??= 'user-friendly-name';
  const property = resource?.property as Json[] | undefined;
  if (property !== undefined && resource !== undefined) {
    resource.property = property.filter((one) => one.type !== undefined);
  }
}

function roleOf(element: XmlElement): XmlElement | undefined {
  if (ROLES.includes(element.name)) return element;
  for (const name of ROLES) {
    const child = element.child(name);
    if (child !== undefined) return child;
  }
  return undefined;
}

function makeParticipant(run: Run, role: XmlElement): Draft | undefined {
  if (role.child('assignedAuthoringDevice') !== undefined || role.child('playingDevice') !== undefined) {
    const author = device(run, role, false);
    const place = role.child('addr') && entity(run, role, 'Location', DEVICE_PLACE);
    if (author !== undefined && place !== undefined) author.resource.location ??= run.referenceTo(place);
    return author;
  }
  if (isPatient(run, role)) return run.patient;
  const person = PERSONS.map((name) => role.child(name)).find((child) => child !== undefined);
  const works = organizationOf(run, role);
  if (person === undefined && works !== undefined && !hasOwnId(role)) {
    addContacts(run, role, works);
    return works;
  }
  if (role.name === 'relatedEntity' || PERSONAL_ROLES.has(role.attr('classCode') ?? '')) {
    const draft = entity(run, role, 'RelatedPerson', RELATED_PERSON);
    if (draft !== undefined) draft.resource.patient ??= run.referenceTo(run.patient);
    return draft;
  }
  return entity(run, role, 'Practitioner', PRACTITIONER) ?? works;
}

/** Where an organization is reached in a role, for one that is told of without a person. */
function addContacts(run: Run, role: XmlElement, draft: Draft): void {
  const rule = run.account.rule;
  run.account.rule = draft.type;
  for (const [child, name, read] of CONTACTS) {
    const list = (draft.resource[name] as unknown[] | undefined) ?? [];
    const said = new SaidItems(list);
    for (const element of role.all(child)) {
      const value = read(run, element, { draft, path: `${name}[${list.length}]` });
      if (value === undefined) continue;
      const same = said.find(value);
      if (same === -1) {
        said.add(value);
        continue;
      }
      run.account.reopen(element);
      read(run, element, { draft, path: `${name}[${same}]` });
    }
    if (list.length > 0) draft.resource[name] = list;
  }
  run.account.rule = rule;
}

const CONTACTS = [
  ['telecom', 'telecom', contactPoint],
  ['addr', 'address', address],
] as const;

function hasOwnId(role: XmlElement): boolean {
  return role.all('id').some((id) => id.attr('extension') !== undefined);
}

/** Whether a role carries one of the patient's own identifiers: the patient speaks for herself. */
function isPatient(run: Run, role: XmlElement): boolean {
  for (const id of role.all('id')) {
    const root = id.attr('root');
    const extension = id.attr('extension');
    if (root === undefined || extension === undefined) continue;
    if (!run.patientIds.has(`${root}|${extension}`)) continue;
    run.account.consumeBelow(role, 'the patient as participant');
    return true;
  }
  return false;
}

/** Builds the resource, and gives back the one already known when they share an identifier or say the same. */
function entity(run: Run, element: XmlElement, type: string, rows: readonly Row[]): Draft | undefined {
  const known = run.owners.get(element);
  if (known?.type === type) return known;
  // Senders repeat an author with each entry, letter by letter: what became of the first became of them all.
  const words = `${type} ${run.document.xml.source.slice(element.start, element.end)}`;
  const said = run.entities.get(words);
  if (said !== undefined) {
    run.account.repeat(said.order, element);
    run.owners.set(element, said.draft);
    return said.draft;
  }
  const rule = run.account.rule;
  run.account.rule = type;
  const draft = run.draft(type, [], 'reference');
  applyRows(run, element, draft, rows, type);
  run.account.rule = rule;
  const { resourceType: _, id: __, ...content } = draft.resource;
  if (Object.keys(content).length === 0) return undefined;
  const identifiers = ((draft.resource.identifier as Json[] | undefined) ?? []).map(
    (one) => `${type}|${one.system}|${one.value}`,
  );
  const other = identifiers.map((one) => run.byIdentifier.get(one)).find((one) => one !== undefined);
  let result = draft;
  if (other?.absorb(draft)) result = other;
  else {
    const national = identifiers.find((one) => one.includes('/sid/')) ?? identifiers[0];
    draft.identify(
      national !== undefined && other === undefined ? national.split('|').slice(1) : [JSON.stringify(content)],
    );
    if (national === undefined || other !== undefined) draft.key = `${type}|content|${draft.id}`;
    result = run.admit(draft, element);
  }
  for (const one of identifiers) if (!run.byIdentifier.has(one)) run.byIdentifier.set(one, result);
  run.owners.set(element, result);
  run.entities.set(words, { order: element.order, draft: result });
  return result;
}
