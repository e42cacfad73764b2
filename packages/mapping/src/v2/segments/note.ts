/** NTE: a remark on what precedes it. */
import { Cell } from '../cell.ts';
import { readConcept } from '../datatypes/coded.ts';
import { addExtension } from '../datatypes/extension.ts';
import { readPractitioner } from '../datatypes/party.ts';
import { readText } from '../datatypes/primitive.ts';
import type { Draft, Element } from '../draft.ts';
import type { Place, SourceSegment } from '../source.ts';
import { cellOf } from './patient.ts';
import type { SegmentHandler, State } from './state.ts';

/** Resource types whose R4 definition has `note`. */
const NOTABLE = new Set([
  'Observation',
  'ServiceRequest',
  'Condition',
  'Procedure',
  'AllergyIntolerance',
  'Specimen',
  'MedicationRequest',
  'MedicationDispense',
  'Immunization',
  'ChargeItem',
  'Goal',
  'CarePlan',
  'MedicationAdministration',
]);

export const nte: SegmentHandler = (segment, state) => {
  const run = state.run;
  run.segment = segment;
  for (const atom of segment.fields[1]?.[0]?.[1] ?? []) if (atom !== undefined) atom.disposition = 'structural';
  const target = state.noted ?? lastNotable(state);
  if (target === undefined) return;
  const element = NOTABLE.has(target.draft.type) ? undefined : remarkElement(target.draft);
  const known = element === undefined ? undefined : target.draft.resource[element];
  const before = typeof known === 'string' ? `${known}\n` : '';
  const place = { draft: target.draft, base: '' };
  let text: string | undefined;
  for (const repetition of segment.fields[3] ?? []) {
    if (repetition === undefined) continue;
    const cell = new Cell(repetition, run, 'NTE-3', place);
    const line = readText(cell);
    if (line === undefined) continue;
    cell.shift(before.length + (text === undefined ? 0 : text.length + 1));
    text = text === undefined ? line : `${text}\n${line}`;
  }
  if (text === undefined) return;
  if (element !== undefined) {
    target.draft.resource[element] = before + text;
    place.base = element;
    remark(segment, target.draft, text, state);
    return;
  }
  const note: Element = { text };
  kindOf(segment, note, place, state);
  const author = cellOf(segment, 5, run);
  const reference = author === undefined ? undefined : readPractitioner(author);
  if (reference !== undefined) note.authorReference = reference;
  else sourceOf(segment, note, state);
  const time = cellOf(segment, 6, run)?.at(place).dateTime('time', 1);
  if (time !== undefined) note.time = time;
  target.draft.resource.note ??= [];
  const list = target.draft.resource.note as Element[];
  place.base = `note[${list.push(note) - 1}]`;
  for (const atom of segment.atoms) {
    if (atom.field === 3 && atom.disposition === 'mapped') atom.path = 'text';
  }
};

/** Where a resource that has no notes keeps remarks. */
function remarkElement({ type }: Draft): string {
  if (type === 'DiagnosticReport') return 'conclusion';
  return type === 'Appointment' || type === 'Slot' ? 'comment' : 'description';
}

/** NTE-2 where no author is named: which side remarked (HL7 table 0105). */
function sourceOf(segment: SourceSegment, note: Element, state: State): void {
  const cell = cellOf(segment, 2, state.run);
  const side = { L: 'Filler', P: 'Placer' }[cell?.peek(1)?.toUpperCase() ?? ''];
  if (side === undefined) return;
  note.authorString = side;
  cell?.used(1);
}

/** NTE-4: the kind of remark, as the standard extension of Annotation. */
function kindOf(segment: SourceSegment, note: Element, place: Place, state: State): void {
  const cell = cellOf(segment, 4, state.run)?.at(place);
  const concept = cell === undefined ? undefined : readConcept(cell);
  if (concept === undefined) return;
  for (const atom of segment.fields[4]?.[0]?.flat() ?? []) {
    if (atom?.disposition === 'mapped') atom.path = `extension[0].valueCodeableConcept.${atom.path}`;
  }
  addExtension(note, 'http://hl7.org/fhir/StructureDefinition/annotationType', 'valueCodeableConcept', concept);
}

/** Who remarked and when, where R4 has only a text: R5's note, as HL7's cross-version extension. */
function remark(segment: SourceSegment, draft: Draft, text: string, state: State): void {
  if (draft.type === 'DocumentReference' || draft.type === 'Slot') return;
  if (![4, 5, 6].some((field) => segment.fields[field] !== undefined)) return;
  const index = ((draft.resource.extension as Element[] | undefined) ?? []).length;
  const place = { draft, base: `extension[${index}].valueAnnotation` };
  const note: Element = {};
  kindOf(segment, note, place, state);
  const author = cellOf(segment, 5, state.run);
  const reference = author === undefined ? undefined : readPractitioner(author);
  if (reference !== undefined) note.authorReference = reference;
  const time = cellOf(segment, 6, state.run)?.at(place).dateTime('time', 1);
  if (time !== undefined) note.time = time;
  if (Object.keys(note).length === 0) return;
  note.text = text;
  const url = `http://hl7.org/fhir/5.0/StructureDefinition/extension-${draft.type}.note`;
  addExtension(draft.resource, url, 'valueAnnotation', note);
}

/** What a remark belongs to when the segment before it has no place for remarks. */
function lastNotable(state: State): State['noted'] {
  if (state.appointment !== undefined) return { draft: state.appointment, element: 'comment' };
  const draft = state.document ?? state.medication ?? state.request ?? state.report;
  return draft === undefined ? undefined : { draft, element: 'note' };
}
