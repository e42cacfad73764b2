/** ACC and PDA: an accident the visit is about, and a death, as Observations. */
import { Cell } from '../cell.ts';
import { readConcept } from '../datatypes/coded.ts';
import { readPractitioner } from '../datatypes/party.ts';
import { readBoolean, readText } from '../datatypes/primitive.ts';
import { readPeriod } from '../datatypes/quantity.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { SourceSegment } from '../source.ts';
import { ACCIDENT_PARTS, DEATH_PARTS, type IncidentPart } from '../tables/incidents.ts';
import { cellOf } from './patient.ts';
import { patientOf, peek, type SegmentHandler, type State, subjectOf } from './state.ts';

const accRows = compileRows([
  ['ACC-1', 'effectiveDateTime', 'dateTime'],
  ['ACC-8', 'valueString', 'text'],
  ['ACC-13', 'identifier[]', 'EntityIdentifier'],
]);
const pdaRows = compileRows([['PDA-1', 'valueCodeableConcept', 'CodeableConcept']]);

/** One accident for a patient and time; without a time, for the visit. */
export const acc: SegmentHandler = (segment, state) => {
  const identity = peek(segment, 1) ?? state.encounter?.id ?? state.run.context.messageUri;
  const draft = incident(segment, 'Accident', identity, state);
  accRows(segment, draft, state.run);
  reporter(segment, 7, draft, state);
  for (const part of ACCIDENT_PARTS) component(segment, part, draft, state);
};

/** PDA: what a patient died of, and what is told of the death. */
export const pda: SegmentHandler = (segment, state) => {
  const draft = incident(segment, 'Cause of death', 'death', state);
  pdaRows(segment, draft, state.run);
  reporter(segment, 5, draft, state);
  for (const part of DEATH_PARTS) component(segment, part, draft, state);
};

function incident(segment: SourceSegment, text: string, identity: string, state: State): Draft {
  const draft = state.run.draft('Observation', 'replace', patientOf(state).id, segment.name, identity);
  Object.assign(draft.resource, { status: 'final', code: { text }, subject: subjectOf(state) });
  if (state.encounter !== undefined) draft.resource.encounter = state.encounter.reference;
  state.noted = { draft, element: 'note' };
  return draft;
}

function reporter(segment: SourceSegment, field: number, draft: Draft, state: State): void {
  const cell = cellOf(segment, field, state.run);
  const performer = cell === undefined ? undefined : readPractitioner(cell);
  if (performer !== undefined) draft.resource.performer = [performer];
}

/** A part of an observation that stands as a component of its own. */
export function component(segment: SourceSegment, part: IncidentPart, draft: Draft, state: State): void {
  const repetition = segment.fields[part.field]?.[0];
  if (repetition === undefined) return;
  const list = (draft.resource.component as Element[] | undefined) ?? [];
  const place = { draft, base: `component[${list.length}]` };
  const cell = new Cell(repetition, state.run, `${segment.name}-${part.field}`, place);
  const item = partValue(cell, part);
  if (item === undefined) return;
  list.push({ code: { text: part.text }, ...item });
  draft.resource.component = list;
}

function partValue(cell: Cell, part: IncidentPart): Element | undefined {
  const base = cell.place.base;
  const at = (name: string) => cell.at({ draft: cell.place.draft, base: `${base}.${name}` });
  if (part.kind === 'boolean') {
    const valueBoolean = readBoolean(at('valueBoolean'));
    if (valueBoolean !== undefined) return { valueBoolean };
  }
  if (part.kind === 'concept') {
    const valueCodeableConcept = readConcept(at('valueCodeableConcept'));
    return valueCodeableConcept === undefined ? undefined : { valueCodeableConcept };
  }
  if (part.kind === 'period') {
    const valuePeriod = readPeriod(at('valuePeriod'));
    return valuePeriod === undefined ? undefined : { valuePeriod };
  }
  const valueString = readText(at('valueString'));
  return valueString === undefined ? undefined : { valueString };
}
