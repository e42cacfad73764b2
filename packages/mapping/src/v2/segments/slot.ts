/** SIU^S23 and S24: times of a resource that are blocked or open again, as a Slot of its Schedule; no patient is meant. */
import type { Cell } from '../cell.ts';
import { readLocation } from '../datatypes/location.ts';
import { readPractitioner } from '../datatypes/party.ts';
import type { Draft, Element } from '../draft.ts';
import { compileRows } from '../engine.ts';
import type { SourceSegment } from '../source.ts';
import { AIS, SCH_SLOT } from '../tables/scheduling.ts';
import { cellOf } from './patient.ts';
import { orderIdentity } from './results.ts';
import { equipment, minutesIn } from './scheduling.ts';
import type { State } from './state.ts';

const schRows = compileRows(SCH_SLOT);
const aisRows = compileRows(AIS);

const STATUS: Record<string, string> = { S23: 'busy-unavailable', S24: 'free' };

/** Whether the message is about times of a resource, and not about an appointment. */
export function isOfSlot(state: State): boolean {
  return state.code === 'SIU' && STATUS[state.event] !== undefined;
}

export function beginSlot(segment: SourceSegment, state: State): void {
  const run = state.run;
  const identity = orderIdentity(run, segment, 2) ??
    orderIdentity(run, segment, 1) ?? ['message', run.context.messageUri];
  const draft = run.draft('Slot', 'merge', ...identity);
  const schedule = run.draft('Schedule', 'merge', ...identity);
  schedule.clinical = false;
  draft.resource.schedule = schedule.reference;
  draft.resource.status = STATUS[state.event];
  schRows(segment, draft, run);
  draft.adds.push('identifier');
  state.slot = draft;
  state.noted = { draft, element: 'comment' };
  const timing = cellOf(segment, 11, run)?.at({ draft, base: '' });
  setTimes(draft, timing, 4, 5, minutesIn(segment, 9, 10, state));
}

/** AIS, AIG, AIL, AIP: what is blocked, and when. */
export function slotResource(segment: SourceSegment, state: State): void {
  const run = state.run;
  run.segment = segment;
  const draft = state.slot!;
  const schedule = run.referred((draft.resource.schedule as Element).reference)!;
  const fields = FIELDS[segment.name]!;
  for (const field of [1, 2]) {
    for (const atom of segment.fields[field]?.[0]?.[1] ?? []) {
      if (atom !== undefined) atom.disposition = field === 1 ? 'structural' : 'consumed';
    }
  }
  if (segment.name === 'AIS') aisRows(segment, draft, run);
  else {
    const cell = cellOf(segment, 3, run);
    const read = segment.name === 'AIP' ? readPractitioner : segment.name === 'AIL' ? readLocation : equipment;
    const actor = cell === undefined ? undefined : read(cell);
    if (actor !== undefined) schedule.append('actor', actor);
  }
  const start = cellOf(segment, fields.start, run)?.at({ draft, base: '' });
  setTimes(draft, start, 1, 99, minutesIn(segment, fields.duration, fields.duration + 1, state));
}

const FIELDS: Record<string, { start: number; duration: number }> = {
  AIS: { start: 4, duration: 7 },
  AIG: { start: 8, duration: 11 },
  AIL: { start: 6, duration: 9 },
  AIP: { start: 6, duration: 9 },
};

function setTimes(draft: Draft, cell: Cell | undefined, start: number, end: number, minutes: number | undefined): void {
  const from = cell?.peek(start) === undefined ? undefined : cell.readDateTime(start)?.dateTime;
  if (from === undefined || from.length <= 10) return;
  if (draft.resource.start !== undefined && draft.resource.start !== from) return;
  draft.resource.start = cell!.dateTime('start', start);
  const until = cell!.peek(end) === undefined ? undefined : cell!.readDateTime(end)?.dateTime;
  if (until !== undefined && until.length > 10) draft.resource.end = cell!.dateTime('end', end);
  else if (minutes !== undefined)
    draft.resource.end ??= new Date(Date.parse(from) + minutes * 60_000).toISOString().replace('.000Z', 'Z');
}

/** FHIR requires a time and an actor: what the message does not tell is said to be unknown. */
export function settleSlot(state: State): void {
  const draft = state.slot;
  if (draft === undefined) return;
  const unknown = { extension: [{ url: ABSENT, valueCode: 'unknown' }] };
  for (const name of ['start', 'end']) if (draft.resource[name] === undefined) draft.resource[`_${name}`] = unknown;
  const schedule = state.run.referred((draft.resource.schedule as Element).reference)!;
  schedule.require('actor', [{ display: state.run.context.source }]);
  state.slot = undefined;
}

const ABSENT = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
