/** Observations of what a patient segment states and Patient has no element for, see `tables/statements.ts`. */
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
    if (told.some((one) => one !== undefined && segment.fields[one] !== undefined))
      observe(segment, statement, state, focus);
  }
}

function observe(segment: SourceSegment, statement: Statement, state: State, focus: Draft | undefined): void {
  const run = state.run;
  const cell = cellOf(segment, statement.field, run);
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
  value(segment, statement, draft, state);
  period(segment, statement, draft, state);
  for (const part of statement.parts ?? []) component(segment, part, draft, state);
  if (!isStated) draft.resource.dataAbsentReason = { coding: [{ system: ABSENT, code: 'unknown' }] };
}

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
const ABSENT = 'http://terminology.hl7.org/CodeSystem/data-absent-reason';

function value(segment: SourceSegment, statement: Statement, draft: Draft, state: State): void {
  const cell = cellOf(segment, statement.field, state.run);
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
