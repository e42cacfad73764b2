/** Readings that only one or two fields need. */
import { type Cell, Words } from '../cell.ts';
import type { Element } from '../draft.ts';
import { readAddress } from './address.ts';
import { readConcept } from './coded.ts';
import {
  peekAuthority,
  readEntityIdentifier,
  readExtendedIdentifier,
  readPairIdentifiers,
  systemOf,
} from './identifier.ts';
import { referenceTo } from './party.ts';
import { readText } from './primitive.ts';

/** PID-6: the mother's maiden name as one string. */
export function readMaidenName(cell: Cell): string | undefined {
  const words = new Words('');
  for (const component of [2, 3, 1]) words.add(cell, component);
  const type = cell.peek(7);
  if (type !== undefined && /^[LM]$/i.test(type)) cell.used(7);
  return words.text === '' ? undefined : words.text;
}

/** DLD: where a patient was discharged to, as a Location keyed by its code. */
export function readDischargeLocation(cell: Cell): Element | undefined {
  const code = cell.inside(1);
  if (code === undefined) return undefined;
  const name = code.peek(2) ?? code.peek(1);
  if (name === undefined) return undefined;
  const draft = cell.run.draft('Location', 'reference', 'discharge', code.peek(1) ?? name);
  draft.clinical = false;
  const place = { draft, base: 'type[0]' };
  const type = readConcept(code.at(place));
  if (type !== undefined) draft.resource.type = [type];
  draft.resource.name = name;
  return referenceTo(draft);
}

/** NM of days as Duration. */
export function readDays(cell: Cell): Element | undefined {
  const value = cell.number('value', 1);
  return value === undefined ? undefined : { value, unit: 'd', system: 'http://unitsofmeasure.org', code: 'd' };
}

/** Free text as CodeableConcept. */
export function readTextConcept(cell: Cell): Element | undefined {
  const text = cell.text('text', 1);
  return text === undefined ? undefined : { text };
}

/** ST or CWE: a lone first component is text, anything more is a coded concept. */
export function readTextOrConcept(cell: Cell): Element | undefined {
  return cell.repetition.length <= 2 ? readTextConcept(cell) : readConcept(cell);
}

/** A coded remark as Annotation: all it holds as text. */
export function readConceptNote(cell: Cell): Element | undefined {
  const text = readText(cell);
  return text === undefined ? undefined : { text };
}

/**
 * OBX-18: the instrument, and after it the ones that contain it, from the most specific on (v2.9 chapter 7.4.2.18): each
 * is the parent of the one before. Answers the reference to the first.
 */
export function readDevices(cells: Cell[]): Element | undefined {
  const references: Element[] = [];
  for (const cell of cells) {
    const reference = readDevice(cell);
    const previous = references.at(-1);
    if (reference === undefined || references.some((item) => item.reference === reference.reference)) continue;
    const contained = cell.run.referred(previous?.reference);
    if (contained !== undefined && contained.resource.parent === undefined)
      contained.resource.parent = { reference: reference.reference };
    references.push(reference);
  }
  return references[0];
}

/** EI of an instrument, to Reference(Device). */
export function readDevice(cell: Cell): Element | undefined {
  const universal = cell.peek(3);
  const id = cell.peek(1) ?? universal ?? cell.peek(2);
  if (id === undefined) return undefined;
  const draft = cell.run.draft('Device', 'reference', universal ?? cell.peek(2) ?? '', id);
  draft.clinical = false;
  const place = { draft, base: '' };
  const identifier = readEntityIdentifier(cell.at(place));
  if (identifier === undefined) {
    draft.resource.deviceName = [{ name: id, type: 'user-friendly-name' }];
    cell.at({ draft, base: 'deviceName[0].name' }).text('', 2);
    return referenceTo(draft);
  }
  place.base = `identifier[${draft.append('identifier', identifier)}]`;
  return referenceTo(draft);
}

/** SPS (OBR-15 before v2.5): the specimen's type, with its source text. */
export function readSpecimenSource(cell: Cell): Element | undefined {
  const source = cell.inside(1);
  const concept = source === undefined ? undefined : readConcept(source);
  return concept;
}

/** SPM-3: the parent specimen by its identifiers. */
export function readSpecimenReference(cell: Cell): Element | undefined {
  for (const component of [2, 1]) {
    const inner = cell.inside(component);
    const identifier = inner === undefined ? undefined : readEntityIdentifier(inner);
    if (identifier !== undefined) return { type: 'Specimen', identifier };
  }
  return undefined;
}

/** A coded text (CWE) as plain text. */
export function readConceptText(cell: Cell): string | undefined {
  return readText(cell);
}

/** A location as a coded value (CWE). */
export function readCodedLocation(cell: Cell): Element | undefined {
  const code = cell.peek(1);
  const name = cell.peek(2) ?? code;
  if (name === undefined) return undefined;
  const draft = cell.run.draft('Location', 'reference', 'coded', code ?? name);
  draft.clinical = false;
  const at = cell.at({ draft, base: '' });
  draft.resource.name = name;
  if (cell.peek(2) !== undefined) at.text('name', 2);
  const index = code === undefined ? undefined : draft.append('identifier', { value: code });
  if (index !== undefined) at.text(`identifier[${index}].value`, 1);
  return referenceTo(draft);
}

/** A place that is known by its address (XAD). */
export function readAddressLocation(cell: Cell): Element | undefined {
  const parts = [1, 2, 3, 4, 5, 6].map((component) => cell.peek(component)?.toUpperCase() ?? '');
  if (parts.join('') === '') return undefined;
  const draft = cell.run.draft('Location', 'reference', 'address', ...parts);
  draft.clinical = false;
  draft.resource.address = readAddress(cell.at({ draft, base: 'address' }));
  return { ...draft.reference };
}

/** PV1-54: the episode of care a visit belongs to, known by its identifier; its patient is set by the visit. */
export function readEpisodeOfCare(cell: Cell): Element | undefined {
  const value = cell.peek(1);
  if (value === undefined) return undefined;
  const draft = cell.run.draft(
    'EpisodeOfCare',
    'reference',
    systemOf(cell.run, peekAuthority(cell.component(4)), cell.peek(5)),
    value,
  );
  const place = { draft, base: '' };
  const identifier = readExtendedIdentifier(cell.at(place));
  if (identifier !== undefined) place.base = `identifier[${draft.append('identifier', identifier)}]`;
  draft.resource.status = 'active';
  return { ...draft.reference };
}

/** EIP of a parent order: the requests it names by placer and filler number. */
export function readParentRequests(cell: Cell): Element[] | undefined {
  const identifiers = readPairIdentifiers(cell);
  if (identifiers === undefined) return undefined;
  for (const component of cell.repetition) {
    for (const atom of component ?? [])
      if (atom?.disposition === 'mapped') atom.path = atom.path.replace(/^(\+\d+\.)?/, '$1identifier.');
  }
  return identifiers.map((identifier) => ({ type: 'ServiceRequest', identifier }));
}

/** A device as a coded value (CWE): keyed by its code, what it is as its type. */
export function readCodedDevice(cell: Cell): Element | undefined {
  const code = cell.peek(1) ?? cell.peek(2);
  if (code === undefined) return undefined;
  const draft = cell.run.draft('Device', 'reference', 'coded', code);
  draft.clinical = false;
  const type = readConcept(cell.at({ draft, base: 'type' }));
  if (type !== undefined) draft.resource.type = type;
  return { ...draft.reference, display: cell.peek(2) ?? code };
}
