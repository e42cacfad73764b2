/** SCH, RGS, AIS, AIG, AIL, AIP: an appointment, keyed by filler (else placer) appointment id. */
import type { Cell } from '../cell.ts';
import { readAddress } from '../datatypes/address.ts';
import { readConcept } from '../datatypes/coded.ts';
import { readLocation } from '../datatypes/location.ts';
import { readPractitioner } from '../datatypes/party.ts';
import { readContactPoint } from '../datatypes/telecom.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { SourceSegment } from '../source.ts';
import { AIG, AIL, AIP, AIS, SCH } from '../tables/scheduling.ts';
import { lookup } from '../vocabularies.ts';
import { cellOf } from './patient.ts';
import { orderIdentity } from './results.ts';
import { beginSlot, isOfSlot, slotResource } from './slot.ts';
import { patientOf, type SegmentHandler, type State } from './state.ts';

const schRows = compileRows(SCH);
const aisRows = compileRows(AIS);
const aigRows = compileRows(AIG);
const ailRows = compileRows(AIL);
const aipRows = compileRows(AIP);

/** What each trigger event makes of the appointment (v2.9 chapter 10.3). */
const EVENT_STATUS: Record<string, string> = {
  S12: 'booked',
  S13: 'booked',
  S14: 'booked',
  S15: 'cancelled',
  S16: 'cancelled',
  S17: 'entered-in-error',
  S18: 'booked',
  S19: 'booked',
  S20: 'booked',
  S21: 'booked',
  S22: 'booked',
  S26: 'noshow',
};
const DECISIVE = new Set(['S15', 'S16', 'S17', 'S26']);

export const sch: SegmentHandler = (segment, state) => {
  if (isOfSlot(state)) return beginSlot(segment, state);
  settleAppointment(state);
  const run = state.run;
  const identity = orderIdentity(run, segment, 2) ??
    orderIdentity(run, segment, 1) ?? ['message', run.context.messageUri];
  const draft = run.draft('Appointment', 'merge', ...identity);
  state.appointment = draft;
  state.noted = { draft, element: 'comment' };
  draft.resource.participant ??= [{ status: 'accepted' }];
  schRows(segment, draft, run);
  contactDetails(segment, state, 12, 13, 14);
  contactDetails(segment, state, 16, 17, 18);
  contactDetails(segment, state, 20, 21, 22);
  for (const field of [26, 27]) {
    const order = orderIdentity(run, segment, field);
    const cell = cellOf(segment, field, run);
    if (order === undefined || cell === undefined) continue;
    const index = draft.append('basedOn', {
      type: 'ServiceRequest',
      identifier: { system: order[0], value: order[1] },
    });
    cell.at({ draft, base: `basedOn[${index}].identifier` }).text('value', 1);
  }
  const stated = cellOf(segment, 25, run)?.at({ draft, base: 'status' });
  const status = lookup('appointmentStatus', stated?.peek(1));
  if (status !== undefined) {
    stated?.text('', 1);
    stated?.used(2);
    stated?.used(3);
  }
  const implied = EVENT_STATUS[state.event];
  if (DECISIVE.has(state.event) && implied !== undefined) draft.resource.status = implied;
  else if (status !== undefined || implied !== undefined) draft.resource.status = status ?? implied;
  else draft.require('status', 'proposed');
  times(segment, draft, state);
};

/** Phone and address of a contact person, who is a Practitioner by then. */
function contactDetails(
  segment: SourceSegment,
  state: State,
  personField: number,
  phoneField: number,
  addressField: number,
): void {
  const run = state.run;
  const person = cellOf(segment, personField, run);
  const reference = person === undefined ? undefined : readPractitioner(person);
  const holder = run.referred(reference?.reference);
  if (holder === undefined) return;
  const phone = cellOf(segment, phoneField, run);
  if (phone !== undefined) {
    const place = { draft: holder, base: '' };
    const point = readContactPoint(phone.at(place), 'work');
    if (point !== undefined) place.base = `telecom[${holder.append('telecom', point)}]`;
  }
  contactLocation(segment, state, holder, addressField === 22 ? 22 : addressField + 1);
  if (addressField === 22) return;
  const address = cellOf(segment, addressField, run);
  if (address === undefined) return;
  const place = { draft: holder, base: '' };
  const read = readAddress(address.at(place));
  if (read !== undefined) place.base = `address[${holder.append('address', read)}]`;
}

/** SCH-15, -19 and -22: where a contact person is found, as that person's role there. */
function contactLocation(segment: SourceSegment, state: State, person: Draft, field: number): void {
  const cell = cellOf(segment, field, state.run);
  const location = cell === undefined ? undefined : readLocation(cell);
  if (location === undefined || person.type !== 'Practitioner') return;
  const role = state.run.draft('PractitionerRole', 'reference', 'contact', person.id, String(location.reference));
  role.clinical = false;
  role.resource.practitioner = person.reference;
  role.resource.location = [location];
}

/** SCH-11 (TQ: start in component 4, end in 5), SCH-9/10 duration. */
function times(segment: SourceSegment, draft: Draft, state: State): void {
  const run = state.run;
  const timing = cellOf(segment, 11, run)?.at({ draft, base: '' });
  const start = timing?.dateTime('start', 4);
  if (start !== undefined && start.length > 10) draft.resource.start = start;
  const end = timing?.dateTime('end', 5);
  if (end !== undefined && end.length > 10) draft.resource.end = end;
  const minutes = minutesOf(segment, 9, 10, draft, state);
  if (minutes !== undefined) draft.resource.minutesDuration = minutes;
}

function minutesOf(
  segment: SourceSegment,
  field: number,
  unitField: number,
  draft: Draft,
  state: State,
): number | undefined {
  const minutes = minutesIn(segment, field, unitField, state);
  if (minutes !== undefined) cellOf(segment, field, state.run)?.at({ draft, base: 'minutesDuration' }).text('', 1);
  return minutes;
}

/** A duration and its unit in two fields, as minutes; both are told as used. */
export function minutesIn(segment: SourceSegment, field: number, unitField: number, state: State): number | undefined {
  const cell = cellOf(segment, field, state.run);
  const amount = cell?.peek(1);
  if (cell === undefined || amount === undefined || !/^\d{1,6}$/.test(amount)) return undefined;
  const unit = cellOf(segment, unitField, state.run);
  const factor = MINUTES[(unit?.peek(1) ?? 'min').toLowerCase()];
  if (factor === undefined) return undefined;
  const minutes = Math.round(Number(amount) * factor);
  if (minutes < 1) return undefined;
  cell.used(1);
  for (const component of [1, 2, 3]) unit?.used(component);
  return minutes;
}

const MINUTES: Record<string, number> = {
  min: 1,
  m: 1,
  minute: 1,
  minutes: 1,
  s: 1 / 60,
  sec: 1 / 60,
  h: 60,
  hr: 60,
  hour: 60,
  hours: 60,
  d: 1440,
};

/** Ends the appointment's account: the patient takes part first (the place is kept from the beginning on), and start and end stand together or not at all. */
export function settleAppointment(state: State): void {
  const draft = state.appointment;
  if (draft === undefined) return;
  const [first, ...others] = draft.resource.participant as Element[];
  draft.resource.participant = [{ actor: patientOf(state).reference, ...first }, ...others];
  const start = draft.resource.start as string | undefined;
  if (start !== undefined && draft.resource.end === undefined) {
    const minutes = (draft.resource.minutesDuration as number | undefined) ?? 0;
    draft.resource.end =
      minutes === 0 ? start : new Date(Date.parse(start) + minutes * 60_000).toISOString().replace('.000Z', 'Z');
  }
  if (start === undefined) delete draft.resource.end;
  const status = String(draft.resource.status);
  if (start === undefined && !['proposed', 'cancelled', 'waitlist'].includes(status)) {
    draft.resource.status = status === 'noshow' || status === 'entered-in-error' ? 'cancelled' : 'proposed';
  }
  state.appointment = undefined;
}

export const ais: SegmentHandler = (segment, state) => {
  if (state.slot !== undefined) return slotResource(segment, state);
  const draft = state.appointment;
  if (draft === undefined) return;
  aisRows(segment, draft, state.run);
  serviceStatus(segment, draft, state);
  resourceTimes(segment, draft, state, 4, 7, 8);
};

/** AIS-10: the service's own status; it says nothing new when it is what the appointment already is. */
function serviceStatus(segment: SourceSegment, draft: Draft, state: State): void {
  const cell = cellOf(segment, 10, state.run)?.at({ draft, base: 'status' });
  const status = lookup('appointmentStatus', cell?.peek(1));
  if (cell === undefined || status === undefined || draft.resource.status !== status) return;
  for (const component of [1, 2, 3]) cell.used(component);
}

export const aip: SegmentHandler = (segment, state) => {
  if (state.slot !== undefined) return slotResource(segment, state);
  aipRows(segment, patientOf(state), state.run);
  participant(segment, state, 3, 4, 12, readPractitioner, { start: 6, duration: 9, units: 10 });
};

export const ail: SegmentHandler = (segment, state) => {
  if (state.slot !== undefined) return slotResource(segment, state);
  ailRows(segment, patientOf(state), state.run);
  participant(segment, state, 3, 4, 12, readLocation, { start: 6, duration: 9, units: 10 });
};

export const aig: SegmentHandler = (segment, state) => {
  if (state.slot !== undefined) return slotResource(segment, state);
  aigRows(segment, patientOf(state), state.run);
  participant(segment, state, 3, 4, 14, equipment, { start: 8, duration: 11, units: 12 });
};

/** A general resource (CWE) as a Device known by its code. */
export function equipment(cell: Cell): Element | undefined {
  const code = cell.peek(1) ?? cell.peek(2);
  if (code === undefined) return undefined;
  const draft = cell.run.draft('Device', 'reference', 'resource', code);
  draft.clinical = false;
  const type = readConcept(cell.at({ draft, base: 'type' }));
  if (type !== undefined) draft.resource.type = type;
  return { ...draft.reference, display: cell.peek(2) ?? code };
}

interface TimeFields {
  start: number;
  duration: number;
  units: number;
}

function participant(
  segment: SourceSegment,
  state: State,
  actorField: number,
  typeField: number,
  statusField: number,
  read: (cell: Cell) => Element | undefined,
  fields: TimeFields,
): void {
  const draft = state.appointment;
  if (draft === undefined) return;
  const run = state.run;
  const list = (draft.resource.participant as Element[] | undefined) ?? [];
  draft.resource.participant = list;
  const base = `participant[${list.length}]`;
  const item: Element = {};
  const type = cellOf(segment, typeField, run)?.at({ draft, base: `${base}.type[0]` });
  const concept = type === undefined ? undefined : readConcept(type);
  if (concept !== undefined) item.type = [concept];
  const actor = cellOf(segment, actorField, run);
  const reference = actor === undefined ? undefined : read(actor);
  if (reference !== undefined) item.actor = reference;
  if (Object.keys(item).length === 0) return;
  const status = cellOf(segment, statusField, run)?.at({ draft, base: `${base}.status` });
  const known = lookup('appointmentStatus', status?.peek(1));
  item.status =
    known === 'cancelled' ? 'declined' : known === 'pending' || known === 'proposed' ? 'tentative' : 'accepted';
  if (known !== undefined) {
    status?.text('', 1);
    status?.used(2);
    status?.used(3);
  }
  const start = cellOf(segment, fields.start, run)?.at({ draft, base }).dateTime('period.start', 1);
  if (start !== undefined) item.period = { start };
  list.push(item);
  resourceTimes(segment, draft, state, fields.start, fields.duration, fields.units);
}

/** AIx start and duration stand in for the appointment's own when SCH has none. */
function resourceTimes(
  segment: SourceSegment,
  draft: Draft,
  state: State,
  start: number,
  duration: number,
  units: number,
): void {
  const cell = cellOf(segment, start, state.run)?.at({ draft, base: '' });
  const time = cell?.peek(1) === undefined ? undefined : cell.readDateTime(1)?.dateTime;
  if (time !== undefined && time.length > 10 && draft.resource.start === undefined) {
    draft.resource.start = time;
    cell?.dateTime('start', 1);
  } else if (time !== undefined && time === draft.resource.start) cell?.dateTime('start', 1);
  const known = draft.resource.minutesDuration;
  const minutes = minutesOf(segment, duration, units, draft, state);
  if (minutes === undefined) return;
  if (known === undefined) draft.resource.minutesDuration = minutes;
  else if (known !== minutes) {
    for (const field of [duration, units]) {
      for (const atom of segment.fields[field]?.[0]?.[1] ?? []) if (atom !== undefined) atom.disposition = 'kept';
    }
  }
}

/** RGS only groups what follows. */
export const rgs: SegmentHandler = (segment) => {
  for (const atom of segment.atoms) {
    if (atom.field > 2) continue;
    atom.disposition = 'structural';
    atom.rule = 'RGS';
  }
};
