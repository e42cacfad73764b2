/** What the walk over the segments knows: the facts that following segments belong to. */
import type { IdentityEvent } from '../../conversion.ts';
import type { Draft } from '../draft.ts';
import type { Run } from '../run.ts';
import type { Place, SourceSegment } from '../source.ts';
import { patientIdentity } from './patient.ts';

export interface State {
  readonly run: Run;
  /** MSH-9.1, e.g. `ADT`. */
  readonly code: string;
  /** MSH-9.2, e.g. `A01`. */
  readonly event: string;
  readonly segments: readonly SourceSegment[];
  readonly evn: SourceSegment | undefined;
  readonly identityEvents: IdentityEvent[];
  /** Index of the segment being handled. */
  index: number;
  patient: Draft | undefined;
  /** PID of the patient in hand. */
  patientSegment: SourceSegment | undefined;
  /** MRG that waits for the PV1 of the visit which goes on. */
  priorVisit: SourceSegment | undefined;
  encounter: Draft | undefined;
  /** The visit in hand is known by its visit number (PV1-19). */
  visitNumbered: boolean;
  account: Draft | undefined;
  /** TQ1 that came before the segment which says what is ordered. */
  timings: SourceSegment[];
  /** ORC that waits for the segment which says what is ordered. */
  orc: SourceSegment | undefined;
  request: Draft | undefined;
  report: Draft | undefined;
  /** Identity of the order in hand, part of every result's identity. */
  orderKey: string[];
  /** Statement time of the report in hand (OBR-22). */
  reportAsOf: string | undefined;
  /** OBR-25 withdraws the whole report. */
  reportWithdrawn: boolean;
  specimen: Draft | undefined;
  document: Draft | undefined;
  /** Its lines so far. */
  documentText: string | undefined;
  /** Where the document's encapsulated contents stand; text goes before them. */
  documentPlaces: Place[];
  procedure: Draft | undefined;
  medication: Draft | undefined;
  /** ORC of the order that the medication in hand belongs to. */
  medicationOrder: SourceSegment | undefined;
  immunization: Draft | undefined;
  appointment: Draft | undefined;
  /** The slot that is blocked or opened (SIU^S23, S24), in place of an appointment. */
  slot: Draft | undefined;
  coverage: Draft | undefined;
  allergy: Draft | undefined;
  problem: Draft | undefined;
  /** The pathway that goals belong to. */
  plan: Draft | undefined;
  /** The record of a master file in hand, and of a practitioner the role. */
  master: Draft | undefined;
  masterRole: Draft | undefined;
  /** MFE puts the record out of use. */
  masterRetired: boolean;
  /** What an NTE speaks of, and the element its text goes to. */
  noted: { draft: Draft; element: string } | undefined;
  /** What a ROL or PRT takes part in. */
  participated: Draft | undefined;
}

/** Carries one segment into the facts. */
export type SegmentHandler = (segment: SourceSegment, state: State) => void;

type Told = Pick<State, 'run' | 'code' | 'event' | 'segments' | 'evn'>;

/** @param told what holds for the whole message */
export function newState({ run, code, event, segments, evn }: Told): State {
  return {
    run,
    code,
    event,
    segments,
    evn,
    identityEvents: [],
    index: 0,
    patient: undefined,
    patientSegment: undefined,
    priorVisit: undefined,
    encounter: undefined,
    visitNumbered: false,
    account: undefined,
    timings: [],
    orc: undefined,
    request: undefined,
    report: undefined,
    orderKey: [],
    reportAsOf: undefined,
    reportWithdrawn: false,
    specimen: undefined,
    document: undefined,
    documentText: undefined,
    documentPlaces: [],
    procedure: undefined,
    medication: undefined,
    medicationOrder: undefined,
    immunization: undefined,
    appointment: undefined,
    slot: undefined,
    coverage: undefined,
    allergy: undefined,
    problem: undefined,
    plan: undefined,
    master: undefined,
    masterRole: undefined,
    masterRetired: false,
    noted: undefined,
    participated: undefined,
  };
}

/** Another patient's group begins: what belonged to the one before is not of this one. */
export function leavePatient(state: State): void {
  const { appointment } = state;
  const { identityEvents, index, patient, ...fresh } = newState(state);
  Object.assign(state, fresh, { appointment });
}

/** First sub-component of a field's component without marking; undefined when empty or `""`. */
export function peek(
  segment: SourceSegment | undefined,
  field: number,
  component = 1,
  repetition = 0,
): string | undefined {
  const value = segment?.fields[field]?.[repetition]?.[component]?.[1]?.clean;
  return value === undefined || value === '' || value === '""' ? undefined : value;
}

/** A reference to the patient in hand; a patient nobody named gets a data-absent reference. */
export function subjectOf(state: State): { reference: string } {
  return patientOf(state).reference;
}

/**
 * The patient in hand, or whom the first PID names where it comes later (after RF1, SCH); a message that speaks of a
 * patient without PID gets one that only this message knows.
 */
export function patientOf(state: State): Draft {
  const pid = state.patient === undefined ? state.segments.find(({ name }) => name === 'PID') : undefined;
  if (pid !== undefined) state.patient = state.run.draft('Patient', 'merge', ...patientIdentity(state.run, pid, true));
  if (state.patient === undefined) {
    state.patient = state.run.draft('Patient', 'merge', 'unidentified', state.run.context.messageUri);
    state.run.issue(
      'error',
      'required',
      'PID[1]',
      'There is no usable PID segment: the content is kept under a patient of its own until it is filed.',
    );
  }
  return state.patient;
}
