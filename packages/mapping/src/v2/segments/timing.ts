/** TQ1: when and how often the order in hand is to be carried out (v2.9 chapter 4.5.4). */
import { Cell } from '../cell.ts';
import { readText } from '../datatypes/primitive.ts';
import { readQuantity } from '../datatypes/quantity.ts';
import type { Draft, Element } from '../draft.ts';
import type { SourceComponent, SourceRepetition, SourceSegment } from '../source.ts';
import { lookup } from '../vocabularies.ts';
import { cellOf } from './patient.ts';
import { dosageOf } from './pharmacy.ts';
import type { SegmentHandler, State } from './state.ts';
import { DAYS, timeUnit, timingOf } from './timing-repeat.ts';

/** A timing that precedes the order's content waits for it. */
export const tq1: SegmentHandler = (segment, state) => {
  if (state.orc !== undefined) state.timings.push(segment);
  else timing(segment, state);
};

/** Carries the timings that came before the order's content; called once that is known. */
export function settleTimings(state: State): void {
  const waiting = state.timings;
  if (waiting.length === 0) return;
  state.timings = [];
  for (const segment of waiting) timing(segment, state);
}

function timing(segment: SourceSegment, state: State): void {
  const run = state.run;
  run.segment = segment;
  for (const atom of segment.fields[1]?.[0]?.[1] ?? []) if (atom !== undefined) atom.disposition = 'structural';
  const scheduled = state.appointment ?? state.slot;
  if (scheduled !== undefined) {
    appointmentTime(segment, scheduled, state);
    return;
  }
  const draft = state.medication ?? state.request;
  if (draft === undefined || (draft.type !== 'ServiceRequest' && draft.type !== 'MedicationRequest')) return;
  const place = placeOfTiming(draft);
  const read = timingOf(segment, state, draft, place.base);
  if (read !== undefined) {
    const same = place.known.indexOf(JSON.stringify(read));
    if (same >= 0 || place.full) {
      if (same >= 0) point(segment, draft, place.base, baseOf(draft, same));
      else {
        takeBack(segment, draft);
        furtherTiming(segment, draft, state);
      }
      return;
    }
    if (draft.type === 'MedicationRequest') dosageAt(draft, place.known.length).timing = read;
    else {
      draft.resource.occurrenceTiming = read;
      draft.withdraw('occurrenceDateTime');
    }
  } else if (place.known.length > 0) return;
  describe(segment, state, draft, place.known.length);
}

/** TQ1 after SCH, in place of SCH-11: when the appointment begins and ends, or how long it lasts. */
function appointmentTime(segment: SourceSegment, draft: Draft, state: State): void {
  for (const [field, name] of [
    [7, 'start'],
    [8, 'end'],
  ] as const) {
    const cell = cellOf(segment, field, state.run)?.at({ draft, base: '' });
    const time = cell?.peek(1) === undefined ? undefined : cell.readDateTime(1)?.dateTime;
    if (time === undefined || time.length <= 10) continue;
    draft.resource[name] ??= time;
    if (draft.resource[name] === time) cell?.dateTime(name, 1);
  }
  const cell = cellOf(segment, 6, state.run)?.at({ draft, base: '' });
  const days = cell === undefined ? undefined : DAYS[timeUnit(cell, 2) ?? ''];
  const minutes = Math.round(Number(cell?.peek(1) ?? Number.NaN) * (days ?? Number.NaN) * 1440);
  if (cell === undefined || !(minutes > 0) || draft.type !== 'Appointment') return;
  draft.resource.minutesDuration ??= minutes;
  if (draft.resource.minutesDuration === minutes) for (const component of [1, 2]) cell.used(component);
}

/** Where the next timing goes: a medicine has a dosage for each, a service has one occurrence. */
function placeOfTiming(draft: Draft): { base: string; known: string[]; full: boolean } {
  if (draft.type === 'ServiceRequest') {
    const timing = draft.resource.occurrenceTiming;
    const known = timing === undefined ? [] : [JSON.stringify(timing)];
    return { base: 'occurrenceTiming', known, full: known.length > 0 };
  }
  const list = (draft.resource.dosageInstruction as Element[] | undefined) ?? [];
  const known = list.filter((item) => item.timing !== undefined).map((item) => JSON.stringify(item.timing));
  return { base: baseOf(draft, known.length), known, full: false };
}

function baseOf(draft: Draft, index: number): string {
  return draft.type === 'MedicationRequest' ? `dosageInstruction[${index}].timing` : 'occurrenceTiming';
}

function dosageAt(draft: Draft, index: number): Element {
  const first = dosageOf(draft);
  if (index === 0) return first;
  const list = draft.resource.dosageInstruction as Element[];
  list[index] ??= { sequence: index + 1 };
  first.sequence ??= 1;
  return list[index]!;
}

/** A timing stated twice is one: its values stand where the first put them. */
function point(segment: SourceSegment, draft: Draft, from: string, to: string): void {
  for (const { place } of segment.atoms) {
    if (place?.draft === draft && place.base.startsWith(from)) place.base = to + place.base.slice(from.length);
  }
}

function takeBack(segment: SourceSegment, draft: Draft): void {
  for (const atom of segment.atoms) {
    if (atom.place?.draft !== draft) continue;
    atom.disposition = 'kept';
    atom.place = undefined;
  }
}

/** A service has one timing: what a second says of when else it is to be done is a remark. */
function furtherTiming(segment: SourceSegment, draft: Draft, state: State): void {
  const index = ((draft.resource.note as Element[] | undefined) ?? []).length;
  const introduction = 'Further timing: ';
  let text = introduction;
  for (const [field, repetitions] of segment.fields.entries()) {
    if (field < 2) continue;
    for (const repetition of repetitions ?? []) {
      if (repetition === undefined) continue;
      const cell = new Cell(repetition, state.run, `${segment.name}-${field}`, { draft, base: `note[${index}].text` });
      const words = readText(cell);
      if (words === undefined) continue;
      const before = text === introduction ? text : `${text}, `;
      cell.shift(before.length);
      text = before + words;
    }
  }
  if (text !== introduction) draft.append('note', { text });
}

/** TQ1-2 quantity, TQ1-9 priority, TQ1-10 condition, TQ1-11 instruction. */
function describe(segment: SourceSegment, state: State, draft: Draft, index: number): void {
  const run = state.run;
  const medicine = draft.type === 'MedicationRequest';
  const priority = cellOf(segment, 9, run)?.at({ draft, base: 'priority' });
  const urgency = lookup('requestPriority', priority?.peek(1));
  if (urgency !== undefined) {
    draft.resource.priority ??= urgency;
    if (draft.resource.priority === urgency) {
      priority?.text('', 1);
      priority?.used(2);
      priority?.used(3);
    }
  }
  for (const field of [10, 11]) {
    const place = { draft, base: 'note' };
    const text = cellOf(segment, field, run)?.at(place).text('text', 1);
    if (text !== undefined) place.base = `note[${draft.append('note', { text })}]`;
  }
  const quantity = cellOf(segment, 2, run)?.at({
    draft,
    base: medicine ? `dosageInstruction[${index}].doseAndRate[0].doseQuantity` : 'quantityQuantity',
  });
  if (quantity === undefined) return;
  if (medicine && dosageAt(draft, index).doseAndRate !== undefined) return;
  const amount = readQuantity(quantity);
  if (amount === undefined) return;
  if (medicine) dosageAt(draft, index).doseAndRate = [{ doseQuantity: amount }];
  else draft.resource.quantityQuantity = amount;
}

/**
 * TQ (v2.5 and before: ORC-7, OBR-27, RXE-1), read as the TQ1 that took its place: quantity, interval (code and explicit
 * times), duration, start, end, priority, condition, text and total occurrences.
 */
export function quantityTiming(segment: SourceSegment, field: number, state: State): void {
  for (const repetition of segment.fields[field] ?? []) {
    if (repetition === undefined) continue;
    const fields: SourceSegment['fields'] = [];
    for (const [component, to, nested] of TQ_PARTS) {
      const found = repetition[component];
      if (found === undefined) continue;
      fields[to] = [nested ? unnested(found) : [undefined, found]];
    }
    const interval = repetition[2];
    if (interval?.[1] !== undefined) fields[3] = [[undefined, [undefined, interval[1]]]];
    if (interval?.[2] !== undefined) fields[4] = [[undefined, [undefined, interval[2]]]];
    const atoms = repetition.flatMap((component) => component ?? []).filter((atom) => atom !== undefined);
    timing({ name: segment.name, occurrence: segment.occurrence, fields, atoms }, state);
  }
}

/** TQ component, TQ1 field, whether its sub-components are that field's components. */
const TQ_PARTS: readonly (readonly [number, number, boolean])[] = [
  [1, 2, true],
  [4, 7, false],
  [5, 8, false],
  [6, 9, false],
  [7, 10, false],
  [8, 11, false],
  [12, 14, false],
];

function unnested(component: SourceComponent): SourceRepetition {
  return component.map((atom) => (atom === undefined ? undefined : [undefined, atom]));
}
