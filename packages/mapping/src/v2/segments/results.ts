/**
 * ORC and OBR: orders, reports and results. Each observation is a fact of its own, keyed by authority,
 * filler order, OBR-4, OBX-3 and OBX-4, so that a correction revises what it corrects and leaves the rest.
 *
 * The report is a `merge` whose `result` list is added to: a message that corrects one analyte names only that one, and
 * the others stay members of the report. Its other elements are what the newest message says. The statement time of a
 * report and of its results is OBR-22 (results reported / status change) when it has a time of day, else MSH-7: a
 * message sent again keeps its OBR-22, so it cannot overwrite a later correction.
 */
import { Cell } from '../cell.ts';
import { readAddress } from '../datatypes/address.ts';
import { toFhirDateTime } from '../datatypes/datetime.ts';
import { absentConcept } from '../datatypes/extension.ts';
import { systemOf } from '../datatypes/identifier.ts';
import { readOrganization, readPractitioner } from '../datatypes/party.ts';
import { readContactPoint } from '../datatypes/telecom.ts';
import { type Draft, dropDoubles, type Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { Run } from '../run.ts';
import type { SourceSegment } from '../source.ts';
import { OBR_REPORT, OBR_REQUEST, ORC_FILLER_GROUP, ORC_REQUEST } from '../tables/results.ts';
import { lookup } from '../vocabularies.ts';
import { cellOf } from './patient.ts';
import { collectedSpecimen } from './specimen.ts';
import { patientOf, peek, type SegmentHandler, type State, subjectOf } from './state.ts';
import { quantityTiming, settleTimings } from './timing.ts';

const orcRows = compileRows([...ORC_REQUEST, ...ORC_FILLER_GROUP]);
const requestRows = compileRows(OBR_REQUEST);
const plannedRows = compileRows([
  ['OBR-7', 'occurrenceDateTime', 'dateTime', { when: 'not OBR-6 valued' }],
  ['OBR-32', 'performer[]', 'NestedPractitioner'],
]);
const reportRows = compileRows(OBR_REPORT);

/** Messages whose OBR reports results; in all others it asks for them. */
const REPORTING = new Set(['ORU', 'OUL', 'OPU', 'MDM', 'ORF', 'OSU']);

/** Messages that place orders: there OBR-25 says how far the order is, and reports nothing. */
const ORDERING = new Set(['ORM', 'OML', 'OMG', 'OMI', 'OMP', 'OMS', 'ORR', 'ORL', 'ORG', 'RDE', 'RDS', 'RAS', 'SIU']);

export const orc: SegmentHandler = (segment, state) => {
  if (followsRequest(state)) {
    fillRequest(state.request!, segment, undefined, state);
    quantityTiming(segment, 7, state);
    return;
  }
  settleOrder(state);
  state.orc = segment;
  state.request = undefined;
  state.report = undefined;
  state.specimen = undefined;
  state.medication = undefined;
  state.medicationOrder = undefined;
  state.immunization = undefined;
  state.noted = undefined;
};

/** In OUL the ORC comes after the OBR whose order it is (v2.9 chapter 7.3.4 to 7.3.7). */
function followsRequest({ code, request, segments, index }: State): boolean {
  return code === 'OUL' && request !== undefined && segments[index - 1]?.name === 'OBR';
}

/** An ORC that no OBR or RX segment follows still is an order. */
export function settleOrder(state: State): void {
  const segment = state.orc;
  if (segment === undefined) return;
  state.orc = undefined;
  const identity = orderIdentity(state.run, segment, 2) ?? orderIdentity(state.run, segment, 3);
  if (identity === undefined) return;
  const draft = state.run.draft('ServiceRequest', 'merge', ...identity, '');
  state.request = draft;
  fillRequest(draft, segment, undefined, state);
  settleTimings(state);
}

export const obr: SegmentHandler = (segment, state) => {
  const run = state.run;
  const ordered = state.orc;
  state.orc = undefined;
  const reporting = REPORTING.has(state.code) || (peek(segment, 25) !== undefined && !ORDERING.has(state.code));
  const filler = orderIdentity(run, segment, 3) ?? orderIdentity(run, ordered, 3);
  const placer = orderIdentity(run, segment, 2) ?? orderIdentity(run, ordered, 2);
  const service = peek(segment, 4) ?? peek(segment, 4, 2) ?? peek(segment, 4, 4) ?? '';
  const order = filler ?? placer ?? ['unnumbered', patientOf(state).id, peek(segment, 7) ?? run.context.messageUri];
  state.orderKey = [...order, service];
  state.specimen = undefined;
  state.report = undefined;
  state.reportWithdrawn = false;
  const stated = statementTime(segment, run);
  state.reportAsOf = stated;
  const request = run.draft('ServiceRequest', 'merge', ...(placer ?? order), service);
  if (!reporting) plannedRows(segment, request, run);
  state.request = request;
  fillRequest(request, ordered, segment, state);
  if (reporting) fillReport(segment, request, state, stated);
  copies(segment, request, state);
  settleTimings(state);
  quantityTiming(segment, 27, state);
  if (ordered !== undefined) quantityTiming(ordered, 7, state);
  startOfTiming(segment, request, run);
  if (request.resource.occurrenceTiming !== undefined) request.withdraw('occurrenceDateTime');
  collectedSpecimen(segment, state);
  state.noted = { draft: reporting ? state.report! : request, element: reporting ? 'note' : 'note' };
  state.participated = request;
};

/** OBR-28: to whom the results are to be sent as well. */
function copies(segment: SourceSegment, request: Draft, state: State): void {
  const run = state.run;
  const recipients = (segment.fields[28] ?? []).flatMap((repetition) => {
    const person = repetition === undefined ? undefined : readPractitioner(new Cell(repetition, run, 'OBR-28'));
    return person ?? [];
  });
  if (recipients.length === 0) return;
  const draft = run.draft('CommunicationRequest', 'merge', request.id, 'copies');
  Object.assign(draft.resource, {
    status: 'active',
    category: [{ text: 'Copies of results' }],
    subject: subjectOf(state),
    basedOn: [request.reference],
    recipient: recipients,
  });
}

/** OBR-6 beside a timing that does not say when it begins: the timing begins then. */
function startOfTiming(segment: SourceSegment, request: Draft, run: Run): void {
  const timing = request.resource.occurrenceTiming as Element | undefined;
  const repeat = timing?.repeat as Element | undefined;
  if (timing === undefined || (repeat !== undefined && Object.keys(repeat).some((name) => name.startsWith('bounds'))))
    return;
  const cell = cellOf(segment, 6, run);
  const atom = cell?.atom(1);
  if (cell === undefined || atom === undefined) return;
  if (atom.disposition === 'mapped') atom.disposition = 'kept';
  const start = cell.at({ draft: request, base: 'occurrenceTiming.repeat.boundsPeriod' }).dateTime('start', 1);
  if (start !== undefined) timing.repeat = { ...repeat, boundsPeriod: { start } };
}

/** What OBR-25 says of the order (HL7 table 0123) where ORC does not say it. */
const RESULT_REACHED: Record<string, string> = {
  O: 'active',
  I: 'active',
  S: 'active',
  A: 'active',
  P: 'active',
  R: 'active',
  F: 'completed',
  C: 'completed',
  X: 'revoked',
};

function fillRequest(
  draft: Draft,
  ordered: SourceSegment | undefined,
  segment: SourceSegment | undefined,
  state: State,
): void {
  const run = state.run;
  if (ordered !== undefined) orcRows(ordered, draft, run);
  if (segment !== undefined) {
    const before = (draft.resource.identifier as unknown[] | undefined)?.length ?? 0;
    requestRows(segment, draft, run);
    dropDoubles(draft, 'identifier', before, segment);
  }
  if (ordered !== undefined) orderingFacility(ordered, draft, state);
  draft.adds.push('identifier');
  draft.resource.subject = subjectOf(state);
  if (state.encounter !== undefined) draft.resource.encounter = state.encounter.reference;
  const control = ordered === undefined ? undefined : peek(ordered, 1);
  const status =
    lookup('requestStatus', peek(ordered, 5)) ?? (control === 'RE' ? undefined : lookup('orderControl', control));
  if (ordered !== undefined && status !== undefined) {
    const cell = cellOf(ordered, 5, run);
    if (lookup('requestStatus', peek(ordered, 5)) !== undefined) cell?.at({ draft, base: 'status' }).text('', 1);
    draft.resource.status = status;
  }
  const result = segment === undefined || draft.resource.status !== undefined ? undefined : cellOf(segment, 25, run);
  const reached = RESULT_REACHED[result?.peek(1)?.toUpperCase() ?? ''];
  if (reached !== undefined && !REPORTING.has(state.code)) result?.used(1);
  draft.require('status', reached ?? 'active');
  draft.require('intent', 'order');
  const priority = cellOf(segment ?? ordered!, 5, run);
  const urgency = segment === undefined ? undefined : lookup('requestPriority', priority?.peek(1));
  if (urgency !== undefined) {
    draft.resource.priority = urgency;
    priority?.at({ draft, base: 'priority' }).text('', 1);
  }
}

/**
 * ORC-21 to ORC-24: the ordering facility. With an ordering provider both stand together in a PractitionerRole, which
 * is what FHIR lets a request be requested by.
 */
export function orderingFacility(ordered: SourceSegment, draft: Draft, state: State): void {
  const run = state.run;
  const cell = cellOf(ordered, 21, run);
  const facility = cell === undefined ? undefined : readOrganization(cell);
  if (facility === undefined) return;
  const organization = run.referred(facility.reference);
  const address = cellOf(ordered, 22, run);
  const phone = cellOf(ordered, 23, run);
  const provider = cellOf(ordered, 24, run);
  if (organization !== undefined && address !== undefined) {
    const place = { draft: organization, base: '' };
    const read = readAddress(address.at(place));
    if (read !== undefined) place.base = `address[${organization.append('address', read)}]`;
  }
  if (organization !== undefined && phone !== undefined) {
    const place = { draft: organization, base: '' };
    const read = readContactPoint(phone.at(place), 'work');
    if (read !== undefined) place.base = `telecom[${organization.append('telecom', read)}]`;
  }
  const requester = draft.resource.requester as Element | undefined;
  if (requester === undefined) {
    draft.resource.requester = facility;
    return;
  }
  const practitioner = run.referred(requester.reference);
  if (practitioner?.type !== 'Practitioner') return;
  const role = run.draft('PractitionerRole', 'merge', 'orders', practitioner.id, String(facility.reference));
  role.clinical = false;
  role.resource.practitioner = requester;
  role.resource.organization = facility;
  draft.resource.requester = role.reference;
  if (provider === undefined) return;
  const place = { draft: practitioner, base: '' };
  const read = readAddress(provider.at(place));
  if (read !== undefined) place.base = `address[${practitioner.append('address', read)}]`;
}

function fillReport(segment: SourceSegment, request: Draft, state: State, stated: string | undefined): void {
  const run = state.run;
  const report = run.draft('DiagnosticReport', 'merge', ...state.orderKey);
  state.report = report;
  if (stated !== undefined) report.asOf = stated;
  reportRows(segment, report, run);
  report.resource.subject = subjectOf(state);
  if (state.encounter !== undefined) report.resource.encounter = state.encounter.reference;
  report.resource.basedOn = [request.reference];
  report.adds.push('result', 'identifier', 'specimen');
  const code = cellOf(segment, 25, run);
  const status = lookup('reportStatus', code?.peek(1));
  if (status === undefined) report.require('status', 'unknown');
  else {
    report.resource.status = status;
    code?.at({ draft: report, base: 'status' }).text('', 1);
  }
  state.reportWithdrawn = status === 'cancelled';
  report.require('code', absentConcept());
}

/** OBR-22 with a time of day, as the report's statement time. */
function statementTime(segment: SourceSegment, run: Run): string | undefined {
  const value = peek(segment, 22);
  if (value === undefined) return undefined;
  const dateTime = toFhirDateTime(value, run.zone).dateTime;
  if (dateTime === undefined || dateTime.length <= 10) return undefined;
  return Date.parse(dateTime) > Date.parse(run.context.receivedAt) + 86_400_000 ? undefined : dateTime;
}

/** EI of an order as identity; the field may be ORC-2/3 or OBR-2/3. */
export function orderIdentity(run: Run, segment: SourceSegment | undefined, field: number): string[] | undefined {
  const repetition = segment?.fields[field]?.[0];
  if (repetition === undefined) return undefined;
  const cell = new Cell(repetition, run, '');
  const id = cell.peek(1);
  if (id === undefined) return undefined;
  return [systemOf(run, { namespace: cell.peek(2), universal: cell.peek(3), universalType: cell.peek(4) }), id];
}
