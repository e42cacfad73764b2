/** GOL, PTH, VAR (PPR, PGL, PPP): goals and pathways for the problem in hand, and how they were departed from. */
import { Cell } from '../cell.ts';
import { absentConcept } from '../datatypes/extension.ts';
import { readPractitioner } from '../datatypes/party.ts';
import { readText } from '../datatypes/primitive.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { SourceSegment } from '../source.ts';
import { GOL, PTH } from '../tables/care.ts';
import { cellOf } from './patient.ts';
import { orderIdentity } from './results.ts';
import { patientOf, peek, type SegmentHandler, type State, subjectOf } from './state.ts';

const golRows = compileRows(GOL);
const pthRows = compileRows(PTH);

/** Life cycle as senders word it (tables 0063 and 0410 are suggested, not fixed). */
const GOAL_STATUS: Record<string, string> = {
  ACTIVE: 'active',
  INACTIVE: 'on-hold',
  COMPLETE: 'completed',
  COMPLETED: 'completed',
  RESOLVED: 'completed',
  CANCELLED: 'cancelled',
  CANCELED: 'cancelled',
  PLANNED: 'planned',
  PROPOSED: 'proposed',
};
const PLAN_STATUS: Record<string, string> = { ...GOAL_STATUS, CANCELLED: 'revoked', CANCELED: 'revoked' };

export const gol: SegmentHandler = (segment, state) => {
  const draft = begun(segment, state, 'Goal', 4, 3);
  golRows(segment, draft, state.run);
  draft.require('description', absentConcept());
  status(segment, draft, state, 18, 'lifecycleStatus', GOAL_STATUS);
  if (state.problem !== undefined) {
    draft.append('addresses', state.problem.reference);
    draft.adds.push('addresses');
  }
  if (state.plan === undefined) return;
  state.plan.append('goal', draft.reference);
  state.plan.adds.push('goal');
};

export const pth: SegmentHandler = (segment, state) => {
  const draft = begun(segment, state, 'CarePlan', 3, 2);
  state.plan = draft;
  pthRows(segment, draft, state.run);
  draft.resource.intent = 'plan';
  status(segment, draft, state, 5, 'status', PLAN_STATUS);
  if (state.encounter !== undefined) draft.resource.encounter = state.encounter.reference;
  if (state.problem === undefined) return;
  draft.append('addresses', state.problem.reference);
  draft.adds.push('addresses');
};

/** Keyed by its instance id, else by what it is. */
function begun(segment: SourceSegment, state: State, type: string, instance: number, kind: number): Draft {
  const identity = orderIdentity(state.run, segment, instance) ?? [
    'kind',
    peek(segment, kind) ?? peek(segment, kind, 2) ?? '',
  ];
  const draft = state.run.draft(type, 'merge', patientOf(state).id, ...identity);
  draft.resource.subject = subjectOf(state);
  draft.adds.push('identifier');
  state.noted = { draft, element: 'note' };
  state.participated = draft;
  return draft;
}

/** The action DE takes it back; else the life cycle that is stated. */
function status(
  segment: SourceSegment,
  draft: Draft,
  state: State,
  field: number,
  element: string,
  words: Record<string, string>,
): void {
  if (peek(segment, 1)?.toUpperCase() === 'DE') {
    draft.resource[element] = 'entered-in-error';
    return;
  }
  const cell = cellOf(segment, field, state.run);
  const known = words[(cell?.peek(1) ?? '').toUpperCase()] ?? words[(cell?.peek(2) ?? '').toUpperCase()];
  if (known === undefined) {
    draft.require(element, 'active');
    return;
  }
  for (const component of [1, 2, 3]) cell?.used(component);
  draft.resource[element] = known;
}

/** VAR: a remark, with who made it and when, on the goal, pathway or problem it departs from. */
export const variance: SegmentHandler = (segment, state) => {
  const run = state.run;
  run.segment = segment;
  const draft = state.noted?.draft;
  if (draft === undefined || !['Goal', 'CarePlan', 'Condition'].includes(draft.type)) return;
  const list = (draft.resource.note as Element[] | undefined) ?? [];
  const place = { draft, base: `note[${list.length}]` };
  const lines = (segment.fields[6] ?? []).flatMap((repetition) => {
    const cell =
      repetition === undefined ? undefined : new Cell(repetition, run, 'VAR-6', { draft, base: `${place.base}.text` });
    return (cell && readText(cell)) ?? [];
  });
  if (lines.length === 0) return;
  const note: Element = { text: lines.join('\n') };
  const time = cellOf(segment, 2, run)?.at(place).dateTime('time', 1);
  if (time !== undefined) note.time = time;
  const who = cellOf(segment, 4, run);
  const author = who === undefined ? undefined : readPractitioner(who);
  if (author !== undefined) note.authorReference = author;
  list.push(note);
  draft.resource.note = list;
};
