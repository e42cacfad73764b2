/** Observations of what a patient segment states and Patient has no element for, see `tables/statements.ts`. */
import { Cell } from '../cell.ts';
import { readConcept } from '../datatypes/coded.ts';
import { readBoolean, readText } from '../datatypes/primitive.ts';
import type { Draft, Element } from '../draft.ts';
import { isNullField, type SourceSegment } from '../source.ts';
import type { Statement } from '../tables/statements.ts';
import { component } from './incident.ts';
import { cellOf } from './patient.ts';
import { patientOf, peek, type State, subjectOf } from './state.ts';

/**
 * Carries the statements of one segment; `""` withdraws what was stated.
 * @param focus whom they are about, when that is not the patient
 */
export function statements(segment: SourceSegment, table: readonly Statement[], state: State, focus?: Draft): void {
  for (const statement of table) {
    const { field, since, parts = [] } = statement;
    const told = [field, since, ...parts.map((part) => part.field)];
    if (!told.some((one) => one !== undefined && segment.fields[one] !== undefined)) continue;
    const repetitions = Math.max(1, segment.fields[field]?.length ?? 1);
    for (let index = 0; index < repetitions; index++) observe(segment, statement, state, focus, index);
  }
}

/** @param index which repetition of the field: each states something of its own */
function observe(
  segment: SourceSegment,
  statement: Statement,
  state: State,
  focus: Draft | undefined,
  index: number,
): void {
  const run = state.run;
  const cell = repetitionOf(segment, statement.field, index, state);
  const withdrawn = isNullField(segment.fields[statement.field]);
  const isStated = cell !== undefined && [1, 2, 4, 9].some((component) => cell.peek(component) !== undefined);
  const others = [statement.since, ...(statement.parts ?? []).map((part) => part.field)];
  if (!withdrawn && !isStated && !others.some((field) => field !== undefined && peek(segment, field) !== undefined))
    return;
  const about = focus === undefined ? [] : [focus.id];
  const draft = run.draft(
    'Observation',
    'replace',
    patientOf(state).id,
    ...about,
    `${segment.name}-${statement.field}`,
    ...(index === 0 ? [] : [String(index + 1)]),
  );
  if (focus !== undefined) draft.resource.focus = [focus.reference];
  Object.assign(draft.resource, {
    status: withdrawn ? 'entered-in-error' : 'final',
    category: [{ coding: [{ system: CATEGORY, code: 'social-history', display: 'Social History' }] }],
    code: { text: statement.text },
    subject: subjectOf(state),
  });
  if (withdrawn) {
    cell?.consume(cell.atom(1));
    draft.resource.dataAbsentReason = { coding: [{ system: ABSENT, code: 'unknown' }] };
    return;
  }
  value(statement, draft, cell);
  period(segment, statement, draft, state);
  for (const part of statement.parts ?? []) component(segment, part, draft, state);
  if (!isStated) draft.resource.dataAbsentReason = { coding: [{ system: ABSENT, code: 'unknown' }] };
}

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
const ABSENT = 'http://terminology.hl7.org/CodeSystem/data-absent-reason';

function repetitionOf(segment: SourceSegment, field: number, index: number, { run }: State): Cell | undefined {
  const repetition = segment.fields[field]?.[index];
  return repetition === undefined ? undefined : new Cell(repetition, run, `${segment.name}-${field}`);
}

function value(statement: Statement, draft: Draft, cell: Cell | undefined): void {
  if (statement.boolean === true) {
    const stated = cell === undefined ? undefined : readBoolean(cell.at({ draft, base: 'valueBoolean' }));
    if (stated !== undefined) {
      draft.resource.valueBoolean = stated;
      return;
    }
  }
  if (statement.name === true) {
    const text = cell === undefined ? undefined : readText(cell.at({ draft, base: 'valueString' }));
    if (text !== undefined) draft.resource.valueString = text;
    return;
  }
  const concept = cell === undefined ? undefined : readConcept(cell.at({ draft, base: 'valueCodeableConcept' }));
  if (concept === undefined) return;
  const first = (concept.coding as Element[] | undefined)?.[0];
  if (first !== undefined) first.system ??= `http://terminology.hl7.org/CodeSystem/v2-${statement.table}`;
  draft.resource.valueCodeableConcept = concept;
}

function period(segment: SourceSegment, statement: Statement, draft: Draft, state: State): void {
  const { since, until } = statement;
  if (since === undefined) return;
  const from = cellOf(segment, since, state.run)?.at({ draft, base: '' });
  if (until === undefined) {
    const start = from?.dateTime('effectiveDateTime', 1);
    if (start !== undefined) draft.resource.effectiveDateTime = start;
    return;
  }
  const start = from?.dateTime('effectivePeriod.start', 1);
  const end = cellOf(segment, until, state.run)?.at({ draft, base: '' }).dateTime('effectivePeriod.end', 1);
  if (start !== undefined || end !== undefined)
    draft.resource.effectivePeriod = { ...(start && { start }), ...(end && { end }) };
}
