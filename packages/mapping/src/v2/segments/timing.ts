/** TQ1: when and how often the order in hand is to be carried out (v2.9 chapter 4.5.4). */
import { Cell } from '../cell.ts';
import { toFhirTime } from '../datatypes/datetime.ts';
import { readText } from '../datatypes/primitive.ts';
import { readQuantity } from '../datatypes/quantity.ts';
import type { Draft, Element } from '../draft.ts';
import type { SourceComponent, SourceRepetition, SourceSegment } from '../source.ts';
import { ucumOf } from '../units.ts';
import { lookup } from '../vocabularies.ts';
import { cellOf } from './patient.ts';
import { dosageOf } from './pharmacy.ts';
import type { SegmentHandler, State } from './state.ts';

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
  const words: string[] = [];
  for (const [field, repetitions] of segment.fields.entries()) {
    if (field < 2) continue;
    for (const repetition of repetitions ?? []) {
      if (repetition === undefined) continue;
      const cell = new Cell(repetition, state.run, `${segment.name}-${field}`, { draft, base: `note[${index}].text` });
      const text = readText(cell);
      if (text !== undefined) words.push(text);
    }
  }
  if (words.length > 0) draft.append('note', { text: `Further timing: ${words.join(', ')}` });
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

function timingOf(segment: SourceSegment, state: State, draft: Draft, base: string): Element | undefined {
  const run = state.run;
  const repeat: Element = {};
  const bounds: Element = {};
  const start = cellOf(segment, 7, run)
    ?.at({ draft, base: `${base}.repeat.boundsPeriod` })
    .dateTime('start', 1);
  const end = cellOf(segment, 8, run)
    ?.at({ draft, base: `${base}.repeat.boundsPeriod` })
    .dateTime('end', 1);
  if (start !== undefined) bounds.start = start;
  const until = end ?? (start === undefined ? undefined : endOf(segment, state, start));
  if (until !== undefined) bounds.end = until;
  if (start !== undefined || end !== undefined) repeat.boundsPeriod = bounds;
  else {
    const duration = cellOf(segment, 6, run)?.at({ draft, base: `${base}.repeat.boundsDuration` });
    const read = duration === undefined ? undefined : readQuantity(duration);
    if (read !== undefined) repeat.boundsDuration = read;
  }
  const times: string[] = [];
  for (const repetition of segment.fields[4] ?? []) {
    if (repetition === undefined) continue;
    const cell = new Cell(repetition, run, 'TQ1-4', { draft, base: `${base}.repeat.timeOfDay[${times.length}]` });
    const time = toFhirTime(cell.peek(1) ?? '');
    if (time === undefined) continue;
    cell.text('', 1);
    times.push(time);
  }
  if (times.length > 0) repeat.timeOfDay = times;
  const count = cellOf(segment, 14, run)?.at({ draft, base: `${base}.repeat.count` });
  if (/^0*[1-9]\d{0,5}$/.test(count?.peek(1) ?? '')) repeat.count = count?.number('', 1);
  duration(segment, state, draft, `${base}.repeat`, repeat);
  const timing: Element = {};
  const codes: Element[] = [];
  const words: string[] = [];
  const said = { draft, base: `${base}.code.text` };
  for (const repetition of segment.fields[3] ?? []) {
    const cell =
      repetition === undefined
        ? undefined
        : new Cell(repetition, run, 'TQ1-3', { draft, base: `${base}.code` }).inside(1);
    const code = cell?.text('coding', 1);
    if (cell === undefined || code === undefined) continue;
    const display = cell.text('coding', 2);
    const coding: Element = { system: 'http://terminology.hl7.org/CodeSystem/v2-0335', code };
    if (display !== undefined) coding.display = display;
    cell.used(3);
    frequency(new Cell(repetition!, run, 'TQ1-3', { draft, base: `${base}.repeat` }), repeat);
    codes.push(coding);
    words.push(display ?? code);
    const rest = remains(new Cell(repetition!, run, 'TQ1-3', said), [2, 8, 9, 10]);
    if (rest !== undefined) words.push(rest);
  }
  for (const field of [5, 6]) {
    const repetition = segment.fields[field]?.[0];
    const rest =
      repetition === undefined ? undefined : remains(new Cell(repetition, run, `TQ1-${field}`, said), [1, 2]);
    if (rest !== undefined) words.push(`${field === 5 ? 'relative time' : 'for'} ${rest}`);
  }
  if (Object.keys(repeat).length > 0) timing.repeat = repeat;
  if (codes.length > 0 || words.length > 0)
    timing.code = { ...(codes.length > 0 && { coding: codes }), text: words.join(', ') };
  return Object.keys(timing).length === 0 ? undefined : timing;
}

/** TQ1-6 beside a start without an end: the end is so much later. */
function endOf(segment: SourceSegment, state: State, start: string): string | undefined {
  const cell = cellOf(segment, 6, state.run);
  const days = cell === undefined ? undefined : DAYS[timeUnit(cell, 2) ?? ''];
  const amount = Number(cell?.peek(1) ?? Number.NaN);
  if (cell === undefined || days === undefined || !(amount > 0)) return undefined;
  for (const sub of [1, 2, 3]) cell.used(2, sub);
  cell.used(1);
  return later(start, amount * days);
}

const DAYS: Record<string, number> = { s: 1 / 86_400, min: 1 / 1440, h: 1 / 24, d: 1, wk: 7 };

/** So many days later, with the precision and the offset of the start. */
function later(start: string, days: number): string | undefined {
  const [, date = '', time = '', zone = ''] = /^(\d{4}-\d{2}-\d{2})(T[\d:.]+)?(Z|[+-]\d{2}:\d{2})?$/.exec(start) ?? [];
  if (date === '' || (time === '' && !Number.isInteger(days))) return undefined;
  const moved = new Date(Date.parse(`${date}${time || 'T00:00:00'}Z`) + days * 86_400_000).toISOString();
  return time === '' ? moved.slice(0, 10) : `${moved.slice(0, 19)}${zone}`;
}

/** What of a timing has no element beside what is stated already, for the schedule's own text. */
function remains(cell: Cell, components: readonly number[]): string | undefined {
  const words: string[] = [];
  for (const component of components) {
    for (const sub of [1, 2]) {
      const atom = cell.atom(component, sub);
      const isFree =
        atom !== undefined && atom.disposition === 'kept' && (sub === 1 || cell.peek(component) === undefined);
      const text = isFree ? cell.text('', component, sub) : undefined;
      if (text !== undefined) words.push(text);
    }
  }
  return words.length === 0 ? undefined : words.join(' ');
}

/** Units of time that FHIR allows in a timing. */
const TIME_UNITS = new Set(['s', 'min', 'h', 'd', 'wk', 'mo', 'a']);

/** RPT.5 / .6: every so many; RPT.8 to .10: how long before or after an event of daily life. */
function frequency(cell: Cell, repeat: Element): void {
  const unit = timeUnit(cell, 6);
  const period = cell.peek(5);
  if (unit !== undefined && period !== undefined && /^\d+(\.\d+)?$/.test(period) && repeat.period === undefined) {
    repeat.period = cell.number('period', 5);
    repeat.periodUnit = unit;
    repeat.frequency = 1;
    cell.text('periodUnit', 6);
    for (const sub of [2, 3]) cell.used(6, sub);
  }
  const event = cell.peek(8)?.toUpperCase();
  if (event === undefined || !DAILY_EVENTS.has(event) || repeat.timeOfDay !== undefined) return;
  repeat.when = [event];
  cell.text('when[0]', 8);
  const offset = Number(cell.peek(9) ?? Number.NaN);
  const factor = MINUTES_PER[timeUnit(cell, 10) ?? ''];
  if (factor === undefined || !(offset > 0)) return;
  repeat.offset = Math.round(offset * factor);
  cell.used(9);
  for (const sub of [1, 2, 3]) cell.used(10, sub);
}

const DAILY_EVENTS = new Set([
  'HS',
  'WAKE',
  'C',
  'CM',
  'CD',
  'CV',
  'AC',
  'ACM',
  'ACD',
  'ACV',
  'PC',
  'PCM',
  'PCD',
  'PCV',
]);
const MINUTES_PER: Record<string, number> = { s: 1 / 60, min: 1, h: 60, d: 1440 };

function timeUnit(cell: Cell, component: number): string | undefined {
  const unit = ucumOf(cell.peek(component) ?? cell.peek(component, 2) ?? '');
  return unit !== undefined && TIME_UNITS.has(unit) ? unit : undefined;
}

/** TQ1-13: how long each occurrence lasts. */
function duration(segment: SourceSegment, state: State, draft: Draft, base: string, repeat: Element): void {
  const cell = cellOf(segment, 13, state.run)?.at({ draft, base });
  const unit = cell === undefined ? undefined : timeUnit(cell, 2);
  if (cell === undefined || unit === undefined) return;
  const value = cell.number('duration', 1);
  if (value === undefined) return;
  repeat.duration = value;
  repeat.durationUnit = unit;
  cell.text('durationUnit', 2);
  for (const sub of [2, 3]) cell.used(2, sub);
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
