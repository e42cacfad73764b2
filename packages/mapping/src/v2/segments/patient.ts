/** PID and PD1: the patient, and what the source says about identities. */
import { Cell } from '../cell.ts';
import { peekAuthority, readExtendedIdentifier, systemOf } from '../datatypes/identifier.ts';
import { readAuthorityOrganization } from '../datatypes/party.ts';
import { timeOfBirth } from '../datatypes/primitive.ts';
import type { Draft } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { Run } from '../run.ts';
import type { SourceField, SourceSegment } from '../source.ts';
import { ADT_EVENTS } from '../tables/events.ts';
import { PD1, PID } from '../tables/patient.ts';
import { PD1_STATEMENTS, PID_STATEMENTS } from '../tables/statements.ts';
import { patientOf, type SegmentHandler, type State, subjectOf } from './state.ts';
import { statements } from './statements.ts';

const pidRows = compileRows(PID);
const pd1Rows = compileRows(PD1);

export const pid: SegmentHandler = (segment, state) => {
  const run = state.run;
  const identity = patientIdentity(run, segment);
  const draft = run.draft('Patient', 'merge', ...identity);
  const previous = state.patient;
  state.patient = draft;
  state.patientSegment = segment;
  state.participated = draft;
  state.noted = undefined;
  pidRows(segment, draft, run);
  draft.adds.push('identifier');
  birthTime(segment, draft, run);
  const event = state.code === 'ADT' ? ADT_EVENTS[state.event] : undefined;
  if (event?.retires === true) draft.resource.active = false;
  accountOf(segment, state);
  mother(segment, state);
  recordUpdate(segment, draft, state);
  statements(segment, PID_STATEMENTS, state);
  if (event?.identity !== undefined && previous !== undefined && previous !== draft) {
    state.identityEvents.push({
      kind: event.identity,
      a: `Patient/${previous.id}`,
      b: `Patient/${draft.id}`,
      at: run.asOf,
    });
  }
};

export const pd1: SegmentHandler = (segment, state) => {
  pd1Rows(segment, patientOf(state), state.run);
  duplicates(segment, state);
  statements(segment, PD1_STATEMENTS, state);
};

/** PD1-10: records of the same person under other identifiers, which the sender only suspects or keeps apart. */
function duplicates(segment: SourceSegment, state: State): void {
  const patient = patientOf(state);
  for (const repetition of segment.fields[10] ?? []) {
    if (repetition === undefined) continue;
    const place = { draft: patient, base: '' };
    const identifier = readExtendedIdentifier(new Cell(repetition, state.run, 'PD1-10', place));
    if (identifier === undefined) continue;
    const index = patient.append('link', { other: { type: 'Patient', identifier }, type: 'seealso' });
    place.base = `link[${index}].other.identifier`;
    patient.adds.push('link');
  }
}

/** Identifier types that name something other than the patient record (table 0203). */
const NOT_PATIENT_IDS = new Set([
  'SS',
  'DL',
  'AN',
  'VN',
  'PPN',
  'MC',
  'MA',
  'MB',
  'PN',
  'BC',
  'BA',
  'NI',
  'NIIP',
  'EI',
  'TAX',
  'ACC',
]);

/** Whether an identifier of this type (table 0203) names a patient record. */
export function isPatientIdentifier(type: string | undefined): boolean {
  return type === undefined || !NOT_PATIENT_IDS.has(type);
}

/**
 * What makes the patient this patient within the source: the first medical record number (PID-3 of type MR), else PI
 * or PT, else the first identifier that is not of another kind, else PID-2; without any, the message itself, since a
 * name does not identify anybody.
 */
export function patientIdentity(run: Run, segment: SourceSegment, quietly = false): string[] {
  const found = identityOf(run, segment.fields[3]) ?? identityOf(run, segment.fields[2]);
  if (found !== undefined) return found;
  const unidentified = ['unidentified', run.context.messageUri, String(segment.occurrence)];
  if (quietly) return unidentified;
  run.issue(
    'error',
    'required',
    `PID[${segment.occurrence}]-3`,
    'There is no patient identifier (PID-3): the content is kept under a patient of its own until it is filed.',
  );
  return unidentified;
}

/** What an identifier list identifies: see `patientIdentity`. */
export function identityOf(run: Run, field: SourceField | undefined): string[] | undefined {
  if (field === undefined) return undefined;
  let best: string[] | undefined;
  let bestRank = 9;
  for (const repetition of field) {
    if (repetition === undefined) continue;
    const cell = new Cell(repetition, run, '');
    const value = cell.peek(1);
    if (value === undefined) continue;
    const type = cell.peek(5) ?? '';
    const rank =
      type === 'MR' ? 0 : type === 'PI' || type === 'PT' ? 1 : type === '' ? 2 : NOT_PATIENT_IDS.has(type) ? 8 : 3;
    if (rank < bestRank && rank < 8) {
      bestRank = rank;
      best = [systemOf(run, peekAuthority(cell.component(4)), type), value];
    }
  }
  return best;
}

/** PID-7 with a time of day: the standard birthTime extension beside birthDate. */
export function birthTime(segment: SourceSegment, draft: Draft, run: Run, field = 7): void {
  const cell = cellOf(segment, field, run);
  const time = cell === undefined ? undefined : timeOfBirth(cell);
  if (time === undefined || draft.resource.birthDate === undefined) return;
  draft.resource._birthDate = {
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-birthTime', valueDateTime: time }],
  };
}

/** PID-33 and PID-34: when and where the patient's record was last changed, as a Provenance of its own. */
function recordUpdate(segment: SourceSegment, patient: Draft, state: State): void {
  const run = state.run;
  const time = cellOf(segment, 33, run);
  const when = time?.peek(1) === undefined ? undefined : time.readDateTime(1)?.dateTime;
  if (time === undefined || when === undefined || when.length <= 10) return;
  const draft = run.draft('Provenance', 'replace', 'record', patient.id);
  draft.clinical = false;
  const facility = cellOf(segment, 34, run);
  const who = facility === undefined ? undefined : readAuthorityOrganization(facility);
  draft.resource.target = [patient.reference];
  draft.resource.recorded = time.at({ draft, base: 'recorded' }).dateTime('', 1);
  draft.resource.agent = [{ who: who ?? { display: run.context.source } }];
}

/** PID-18: the account that charges and coverage hang on. */
function accountOf(segment: SourceSegment, state: State): void {
  const run = state.run;
  const cell = cellOf(segment, 18, run);
  const value = cell?.peek(1);
  if (cell === undefined || value === undefined) return;
  const draft = run.draft('Account', 'merge', systemOf(run, peekAuthority(cell.component(4)), cell.peek(5)), value);
  accountRows(segment, draft, run);
  draft.clinical = false;
  draft.resource.subject = [subjectOf(state)];
  draft.adds.push('identifier');
  if (state.code === 'BAR' && ENDS_ACCOUNT.has(state.event)) draft.resource.status = 'inactive';
  draft.require('status', 'active');
  state.account = draft;
}

/** BAR: purges (P02) and ends (P06) an account. */
const ENDS_ACCOUNT = new Set(['P02', 'P06']);

/** BLG-3: the account an order is charged to. */
export const blg: SegmentHandler = (segment, state) => {
  const run = state.run;
  const cell = cellOf(segment, 3, run);
  const value = cell?.peek(1);
  if (cell === undefined || value === undefined) return;
  const draft = run.draft('Account', 'merge', systemOf(run, peekAuthority(cell.component(4)), cell.peek(5)), value);
  billingRows(segment, draft, run);
  draft.clinical = false;
  draft.resource.subject = [subjectOf(state)];
  draft.adds.push('identifier');
  draft.require('status', 'active');
};

const billingRows = compileRows([['BLG-3', 'identifier[]', 'Identifier']]);
const accountRows = compileRows([['PID-18', 'identifier[]', 'Identifier']]);

/** PID-21: the mother, as a related person known by identifier. */
function mother(segment: SourceSegment, state: State): void {
  const run = state.run;
  const id = identityOf(run, segment.fields[21]);
  if (id === undefined) return;
  const draft = run.draft('RelatedPerson', 'merge', patientOf(state).id, ...id);
  draft.resource.patient = subjectOf(state);
  draft.resource.relationship = [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'MTH', display: 'mother' }] },
  ];
  motherRows(segment, draft, run);
}

const motherRows = compileRows([['PID-21', 'identifier[]', 'Identifier']]);

/** The first repetition of a field as a cell. */
export function cellOf(segment: SourceSegment, field: number, run: Run): Cell | undefined {
  const repetition = segment.fields[field]?.[0];
  return repetition === undefined ? undefined : new Cell(repetition, run, `${segment.name}-${field}`);
}
