/** AL1, IAM, DG1, PRB, PR1: allergies, diagnoses, problems and procedures. */

import { codeSystemOf } from '../code-systems.ts';
import { absentConcept } from '../datatypes/extension.ts';
import { nameKey } from '../datatypes/party.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { Run } from '../run.ts';
import type { SourceSegment } from '../source.ts';
import { AL1, DG1, IAM, PR1, PRB } from '../tables/clinical.ts';
import { conceptOf, lookup } from '../vocabularies.ts';
import { cellOf } from './patient.ts';
import { orderIdentity } from './results.ts';
import { patientOf, peek, type SegmentHandler, type State, subjectOf } from './state.ts';

const al1Rows = compileRows(AL1);
const iamRows = compileRows(IAM);
const dg1Rows = compileRows(DG1);
const prbRows = compileRows(PRB);
const pr1Rows = compileRows(PR1);

const ALLERGY_CLINICAL = 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical';
const ALLERGY_VERIFICATION = 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification';
const CONDITION_CLINICAL = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
const CONDITION_VERIFICATION = 'http://terminology.hl7.org/CodeSystem/condition-ver-status';

export const al1: SegmentHandler = (segment, state) => {
  const draft = allergy(segment, state);
  if (draft === undefined) return;
  al1Rows(segment, draft, state.run);
  allergyKind(segment, draft, state);
  draft.require('clinicalStatus', coding(ALLERGY_CLINICAL, 'active'));
};

export const iam: SegmentHandler = (segment, state) => {
  const draft = allergy(segment, state, orderIdentity(state.run, segment, 7));
  if (draft === undefined) return;
  iamRows(segment, draft, state.run);
  relative(segment, draft, state);
  allergyKind(segment, draft, state);
  if (peek(segment, 6) === 'D') draft.resource.verificationStatus = coding(ALLERGY_VERIFICATION, 'entered-in-error');
  else {
    iamStatus(segment, draft, state);
    draft.require('clinicalStatus', coding(ALLERGY_CLINICAL, 'active'));
  }
};

/** IAM-14 with IAM-15: the relative who reported it. */
function relative(segment: SourceSegment, draft: Draft, state: State): void {
  const name = nameKey([peek(segment, 14), peek(segment, 14, 2)]);
  if (peek(segment, 15) === undefined || name === '') return;
  const person = state.run.draft('RelatedPerson', 'merge', patientOf(state).id, 'reporter', name);
  person.clinical = false;
  person.resource.patient = subjectOf(state);
  relativeRows(segment, person, state.run);
  draft.resource.asserter = person.reference;
}

const relativeRows = compileRows([
  ['IAM-14', 'name[]', 'HumanName'],
  ['IAM-15', 'relationship[]', 'CodeableConcept:relationship'],
]);

/** AllergyIntolerance by patient and what it is to (code, else text): the same allergy stated twice is one fact. */
function allergy(segment: SourceSegment, state: State, identity?: string[]): Draft | undefined {
  const substance = peek(segment, 3) ?? peek(segment, 3, 2) ?? peek(segment, 3, 4);
  if (substance === undefined && identity === undefined) return undefined;
  const system = peek(segment, 3) === undefined ? '' : (peek(segment, 3, 3) ?? '');
  const draft = state.run.draft(
    'AllergyIntolerance',
    'merge',
    patientOf(state).id,
    ...(identity ?? [system, (substance ?? '').toUpperCase()]),
  );
  draft.resource.patient = subjectOf(state);
  state.noted = { draft, element: 'note' };
  return draft;
}

/** Field 2: kind of allergen; field 4: severity, as criticality and as the reaction's severity. */
function allergyKind(segment: SourceSegment, draft: Draft, state: State): void {
  const kind = cellOf(segment, 2, state.run)?.at({ draft, base: 'category[0]' });
  const category = lookup('allergyCategory', kind?.peek(1));
  if (category !== undefined) {
    draft.resource.category = [category];
    draft.resource.type = 'allergy';
    kind?.text('', 1);
    kind?.used(2);
    kind?.used(3);
  } else if (kind?.peek(1)?.toUpperCase() === 'MC') draft.resource.type = 'allergy';
  const severity = cellOf(segment, 4, state.run)?.at({ draft, base: 'criticality' });
  const criticality = lookup('criticality', severity?.peek(1));
  if (criticality !== undefined) {
    draft.resource.criticality = criticality;
    severity?.text('', 1);
    severity?.used(2);
    severity?.used(3);
  }
  const grade = lookup('reactionSeverity', severity?.peek(1));
  const reaction = (draft.resource.reaction as Element[] | undefined)?.[0];
  if (reaction !== undefined && grade !== undefined) reaction.severity = grade;
}

/** IAM-17 (table 0438): confirmed, suspected, erroneous and so on. */
function iamStatus(segment: SourceSegment, draft: Draft, state: State): void {
  const cell = cellOf(segment, 17, state.run)?.at({ draft, base: 'verificationStatus' });
  const status = VERIFICATION[cell?.peek(1)?.toUpperCase() ?? ''];
  if (cell === undefined || status === undefined) return;
  cell.text('', 1);
  cell.used(2);
  cell.used(3);
  draft.resource.verificationStatus = coding(ALLERGY_VERIFICATION, status);
}

const VERIFICATION: Record<string, string> = {
  C: 'confirmed',
  D: 'refuted',
  E: 'entered-in-error',
  P: 'unconfirmed',
  S: 'unconfirmed',
  U: 'unconfirmed',
};

export const dg1: SegmentHandler = (segment, state) => {
  const run = state.run;
  const code = peek(segment, 3) ?? peek(segment, 3, 2) ?? peek(segment, 4);
  const own = orderIdentity(run, segment, 20);
  if (code === undefined && own === undefined) return;
  const draft = run.draft(
    'Condition',
    'merge',
    patientOf(state).id,
    ...(own ?? [state.encounter?.id ?? '', (code ?? '').toUpperCase()]),
  );
  draft.resource.subject = subjectOf(state);
  if (state.encounter !== undefined) draft.resource.encounter = state.encounter.reference;
  dg1Rows(segment, draft, run);
  codingMethod(segment, draft, run);
  describe(segment, 4, draft, state);
  draft.require('code', absentConcept());
  draft.require('category', [
    coding('http://terminology.hl7.org/CodeSystem/condition-category', 'encounter-diagnosis'),
  ]);
  const action = cellOf(segment, 21, run)?.at({ draft, base: 'verificationStatus' });
  const deleted = action?.peek(1)?.toUpperCase() === 'D';
  if (deleted) {
    action?.text('', 1);
    draft.resource.verificationStatus = coding(CONDITION_VERIFICATION, 'entered-in-error');
  } else {
    action?.used(1);
    draft.require('clinicalStatus', coding(CONDITION_CLINICAL, 'active'));
  }
  if (!deleted) diagnosisOfEncounter(segment, draft, state);
  state.noted = { draft, element: 'note' };
};

/** DG1-2: the coding system of a code that does not name its own. */
function codingMethod(segment: SourceSegment, draft: Draft, run: Run): void {
  const cell = cellOf(segment, 2, run)?.at({ draft, base: 'code.coding[0].system' });
  const method = cell?.peek(1);
  const coding = ((draft.resource.code as Element | undefined)?.coding as Element[] | undefined)?.[0];
  if (cell === undefined || method === undefined || coding?.code === undefined) return;
  const system = codeSystemOf(run, method);
  if (coding.system === undefined) {
    coding.system = system;
    cell.text('', 1);
  } else if (coding.system === system) cell.used(1);
}

function diagnosisOfEncounter(segment: SourceSegment, condition: Draft, state: State): void {
  const encounter = state.encounter;
  if (encounter === undefined) return;
  const item: Element = { condition: condition.reference };
  const place = { draft: encounter, base: '' };
  const type = cellOf(segment, 6, state.run)?.at(place);
  const code = type?.peek(1);
  if (type !== undefined && code !== undefined) {
    const use = conceptOf('diagnosisUse', code);
    item.use = { coding: [use ?? { system: 'http://terminology.hl7.org/CodeSystem/v2-0052', code }] };
    type.text('use.coding[0].code', 1);
    type.used(2);
    type.used(3);
  }
  const rank = cellOf(segment, 15, state.run)?.at(place);
  if (/^0*[1-9]\d{0,5}$/.test(rank?.peek(1) ?? '')) item.rank = rank?.number('rank', 1);
  const index = encounter.append('diagnosis', item);
  place.base = `diagnosis[${index}]`;
  encounter.adds.push('diagnosis');
}

/** A description beside a code: text of the concept when it has none, else consumed only when it says the same. */
function describe(segment: SourceSegment, field: number, draft: Draft, state: State): void {
  const cell = cellOf(segment, field, state.run)?.at({ draft, base: 'code.text' });
  const text = cell?.peek(1);
  if (cell === undefined || text === undefined) return;
  draft.resource.code ??= {};
  const code = draft.resource.code as Element;
  if (code.text === undefined) {
    code.text = text;
    cell.text('', 1);
  } else if (code.text === text) cell.text('', 1);
}

export const prb: SegmentHandler = (segment, state) => {
  const run = state.run;
  const own = orderIdentity(run, segment, 4);
  const code = peek(segment, 3) ?? peek(segment, 3, 2);
  if (own === undefined && code === undefined) return;
  const draft = run.draft(
    'Condition',
    'merge',
    patientOf(state).id,
    ...(own ?? ['problem', (code ?? '').toUpperCase()]),
  );
  draft.resource.subject = subjectOf(state);
  prbRows(segment, draft, run);
  draft.require('code', absentConcept());
  draft.require('category', [coding('http://terminology.hl7.org/CodeSystem/condition-category', 'problem-list-item')]);
  const action = peek(segment, 1)?.toUpperCase();
  if (action === 'DE' || action === 'D')
    draft.resource.verificationStatus = coding(CONDITION_VERIFICATION, 'entered-in-error');
  else if (draft.resource.abatementDateTime !== undefined)
    draft.resource.clinicalStatus = coding(CONDITION_CLINICAL, 'resolved');
  else draft.require('clinicalStatus', coding(CONDITION_CLINICAL, 'active'));
  state.problem = draft;
  state.noted = { draft, element: 'note' };
};

export const pr1: SegmentHandler = (segment, state) => {
  const run = state.run;
  const own = orderIdentity(run, segment, 19);
  const code = peek(segment, 3) ?? peek(segment, 3, 2) ?? peek(segment, 4);
  if (own === undefined && code === undefined) return;
  const key = own ?? [state.encounter?.id ?? '', (code ?? '').toUpperCase(), peek(segment, 5) ?? ''];
  const draft = run.draft('Procedure', 'merge', patientOf(state).id, ...key);
  draft.resource.subject = subjectOf(state);
  if (state.encounter !== undefined) draft.resource.encounter = state.encounter.reference;
  pr1Rows(segment, draft, run);
  describe(segment, 4, draft, state);
  performed(segment, draft, state);
  const action = peek(segment, 20)?.toUpperCase();
  if (action === 'D') draft.resource.status = 'entered-in-error';
  else draft.require('status', 'completed');
  const parent = orderIdentity(run, segment, 25);
  if (parent !== undefined) {
    const cell = cellOf(segment, 25, run)?.at({ draft, base: 'partOf[0].identifier' });
    draft.resource.partOf = [{ type: 'Procedure', identifier: { system: parent[0], value: parent[1] } }];
    cell?.text('value', 1);
  }
  state.procedure = draft;
  state.participated = draft;
  state.noted = { draft, element: 'note' };
};

/** PR1-5 with PR1-7 minutes as a period, alone as a dateTime. */
function performed(segment: SourceSegment, draft: Draft, state: State): void {
  const start = cellOf(segment, 5, state.run)?.at({ draft, base: '' });
  const dateTime = start?.dateTime('performedDateTime', 1);
  if (dateTime === undefined) return;
  const minutes = cellOf(segment, 7, state.run)?.at({ draft, base: 'performedPeriod.end' });
  const length = Number(minutes?.peek(1) ?? Number.NaN);
  if (dateTime.length > 10 && length > 0 && length < 100_000) {
    minutes?.used(1);
    const end = new Date(Date.parse(dateTime) + length * 60_000).toISOString().replace('.000Z', 'Z');
    draft.resource.performedPeriod = { start: dateTime, end };
    return;
  }
  draft.resource.performedDateTime = dateTime;
}

function coding(system: string, code: string): Element {
  return { coding: [{ system, code }] };
}
