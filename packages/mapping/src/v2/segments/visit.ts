/** PV1, PV2: the encounter, its identity and its state. */
import { Cell } from '../cell.ts';
import { readCoding } from '../datatypes/coded.ts';
import { addExtension } from '../datatypes/extension.ts';
import { peekAuthority, systemOf } from '../datatypes/identifier.ts';
import { readLocation } from '../datatypes/location.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { Run } from '../run.ts';
import type { SourceSegment } from '../source.ts';
import { ADT_EVENTS } from '../tables/events.ts';
import { PV1, PV2 } from '../tables/visit.ts';
import { conceptOf } from '../vocabularies.ts';
import { cellOf } from './patient.ts';
import { settlePriorVisit, UNKNOWN_CLASS } from './prior.ts';
import { patientOf, peek, type SegmentHandler, type State, subjectOf } from './state.ts';

const pv1Rows = compileRows(PV1);
const pv2Rows = compileRows(PV2);
const VISIT_EVENTS = new Set(['ADT', 'BAR', 'ACK']);

export const pv1: SegmentHandler = (segment, state) => {
  const run = state.run;
  const adt = VISIT_EVENTS.has(state.code);
  const draft = run.draft('Encounter', adt ? 'merge' : 'reference', ...visitIdentity(run, segment, state));
  state.encounter = draft;
  state.visitNumbered = peek(segment, 19) !== undefined;
  state.participated = draft;
  state.noted = undefined;
  draft.resource.subject = subjectOf(state);
  const known = episodesOf(draft).length;
  pv1Rows(segment, draft, run);
  for (const { reference } of episodesOf(draft).slice(known)) {
    const episode = run.referred(reference);
    if (episode) episode.resource.patient ??= subjectOf(state);
  }
  draft.adds.push('identifier');
  setClass(segment, draft, run);
  draft.require('class', UNKNOWN_CLASS);
  setStatus(segment, state);
  planned(draft, state);
  assignLocation(segment, draft.resource, state);
  settlePriorVisit(state);
  if (state.account === undefined) return;
  draft.resource.account = [state.account.reference];
  const account = cellOf(segment, 41, run)?.at({ draft: state.account, base: 'status' });
  const status = account?.peek(1)?.toLowerCase();
  if (status === 'active' || status === 'inactive' || status === 'on-hold') {
    state.account.resource.status = status;
    account?.text('', 1);
  }
};

export const pv2: SegmentHandler = (segment, state) => {
  const run = state.run;
  if (state.encounter === undefined) return;
  pv2Rows(segment, state.encounter, run);
};

/** NPU (A20): a bed and its status, apart from any patient. */
export const npu: SegmentHandler = (segment, state) => {
  const run = state.run;
  run.segment = segment;
  const place = cellOf(segment, 1, run);
  const bed = run.referred(place === undefined ? undefined : readLocation(place)?.reference);
  const status = cellOf(segment, 2, run);
  if (bed === undefined) return;
  bed.mode = 'merge';
  bed.clinical = true;
  const coding = status === undefined ? undefined : readCoding(status.at({ draft: bed, base: 'operationalStatus' }));
  if (coding !== undefined)
    bed.resource.operationalStatus = { system: 'http://terminology.hl7.org/CodeSystem/v2-0116', ...coding };
};

function episodesOf(encounter: Draft): Element[] {
  return (encounter.resource.episodeOfCare as Element[] | undefined) ?? [];
}

/** PV1-19, else PV1-50, else the account, else patient and admission time; else this message alone. */
function visitIdentity(run: Run, segment: SourceSegment, state: State): string[] {
  for (const field of [19, 50]) {
    const repetition = segment.fields[field]?.[0];
    if (repetition === undefined) continue;
    const cell = new Cell(repetition, run, '');
    const value = cell.peek(1);
    if (value !== undefined) return [systemOf(run, peekAuthority(cell.component(4)), cell.peek(5)), value];
  }
  if (state.account !== undefined) return ['account', state.account.id];
  const admitted = peek(segment, 44);
  return admitted === undefined
    ? ['message', patientOf(state).id, run.context.messageUri, String(segment.occurrence)]
    : ['admitted', patientOf(state).id, admitted];
}

function setClass(segment: SourceSegment, draft: Draft, run: Run): void {
  const cell = cellOf(segment, 2, run);
  const code = cell?.peek(1);
  if (cell === undefined || code === undefined) return;
  const known = conceptOf('encounterClass', code);
  draft.resource.class = known ?? {
    system: 'http://terminology.hl7.org/CodeSystem/v2-0004',
    code: code.replace(/\s+/g, ' '),
    ...(cell.peek(2) && { display: cell.peek(2) }),
  };
  const at = cell.at({ draft, base: 'class' });
  at.text('code', 1);
  if (known === undefined) at.text('display', 2);
  at.used(2);
  at.used(3);
}

/** The trigger event's state, else what PV1-45 and the patient class imply; an order or result says nothing of it. */
function setStatus(segment: SourceSegment, state: State): void {
  const draft = state.encounter!;
  const event = state.code === 'ADT' ? ADT_EVENTS[state.event] : undefined;
  if (event?.clears !== undefined) draft.clears.push(...event.clears);
  if (event?.status !== undefined) {
    draft.resource.status = event.status;
    if (
      event.clears?.includes('period.end') === true &&
      (draft.resource.period as Element | undefined)?.end !== undefined
    ) {
      delete (draft.resource.period as Element).end;
      cellOf(segment, 45, state.run)?.withdraw();
    }
    return;
  }
  const patientClass = peek(segment, 2)?.toUpperCase();
  if (peek(segment, 45) !== undefined) draft.resource.status = 'finished';
  else if (patientClass === 'P') draft.require('status', 'planned');
  else if (VISIT_EVENTS.has(state.code) && ['I', 'O', 'E'].includes(patientClass ?? '')) {
    draft.require('status', 'in-progress');
  } else draft.require('status', 'unknown');
}

/** EVN-3: when a pending admission, transfer or discharge is planned for; other events repeat what PV1 says. */
function planned(draft: Draft, state: State): void {
  const name = ADT_EVENTS[state.event]?.planned;
  const { evn } = state;
  if (name === undefined || evn === undefined || state.code !== 'ADT') return;
  const index = ((draft.resource.extension as Element[] | undefined) ?? []).length;
  const value = cellOf(evn, 3, state.run)
    ?.at({ draft, base: `extension[${index}].valueDateTime` })
    .dateTime('', 1);
  if (value === undefined) return;
  const url = `http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.${name}`;
  addExtension(draft.resource, url, 'valueDateTime', value);
}

/** The assigned location is where the patient is, or will be when the visit is planned. */
function assignLocation(segment: SourceSegment, resource: Element, state: State): void {
  if (segment.fields[3] === undefined) return;
  const first = (resource.location as Element[] | undefined)?.find((item) => item.status === undefined);
  if (first === undefined) return;
  const status = resource.status;
  const stated = state.code === 'ADT' ? ADT_EVENTS[state.event]?.location : undefined;
  if (stated !== undefined) first.status = stated;
  else first.status = status === 'planned' ? 'planned' : status === 'finished' ? 'completed' : 'active';
}
