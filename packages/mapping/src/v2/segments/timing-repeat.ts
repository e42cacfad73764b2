/** TQ1 as a FHIR Timing: bounds, times of day, repeat patterns, and in words what has no element. */
import { Cell, Words } from '../cell.ts';
import { toFhirTime } from '../datatypes/datetime.ts';
import { readQuantity } from '../datatypes/quantity.ts';
import type { Draft, Element } from '../draft.ts';
import type { SourceSegment } from '../source.ts';
import { ucumOf } from '../units.ts';
import { cellOf } from './patient.ts';
import type { State } from './state.ts';

/** When and how often, as a Timing; `base` is where it will stand. */
export function timingOf(segment: SourceSegment, state: State, draft: Draft, base: string): Element | undefined {
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
  const words = new Words('', ', ');
  const said = { draft, base: `${base}.code.text` };
  for (const repetition of segment.fields[3] ?? []) {
    const cell =
      repetition === undefined
        ? undefined
        : new Cell(repetition, run, 'TQ1-3', { draft, base: `${base}.code` }).inside(1);
    const code = cell?.text(`coding[${codes.length}].code`, 1);
    if (cell === undefined || code === undefined) continue;
    const display = cell.text(`coding[${codes.length}].display`, 2);
    const coding: Element = { system: 'http://terminology.hl7.org/CodeSystem/v2-0335', code };
    if (display !== undefined) coding.display = display;
    cell.used(3);
    frequency(new Cell(repetition!, run, 'TQ1-3', { draft, base: `${base}.repeat` }), repeat);
    codes.push(coding);
    words.say(display ?? code);
    remains(new Cell(repetition!, run, 'TQ1-3', said), [2, 8, 9, 10], words);
  }
  for (const field of [5, 6]) {
    const repetition = segment.fields[field]?.[0];
    if (repetition === undefined) continue;
    remains(new Cell(repetition, run, `TQ1-${field}`, said), [1, 2], words, field === 5 ? 'relative time' : 'for');
  }
  if (Object.keys(repeat).length > 0) timing.repeat = repeat;
  if (words.text !== '') timing.code = { ...(codes.length > 0 && { coding: codes }), text: words.text };
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

/** Days of a unit of time. */
export const DAYS: Record<string, number> = { s: 1 / 86_400, min: 1 / 1440, h: 1 / 24, d: 1, wk: 7 };

/** So many days later, with the precision and the offset of the start. */
function later(start: string, days: number): string | undefined {
  const [, date = '', time = '', zone = ''] = /^(\d{4}-\d{2}-\d{2})(T[\d:.]+)?(Z|[+-]\d{2}:\d{2})?$/.exec(start) ?? [];
  if (date === '' || (time === '' && !Number.isInteger(days))) return undefined;
  const moved = new Date(Date.parse(`${date}${time || 'T00:00:00'}Z`) + days * 86_400_000).toISOString();
  return time === '' ? moved.slice(0, 10) : `${moved.slice(0, 19)}${zone}`;
}

/** What of a timing has no element beside what is stated already, for the schedule's own text. */
function remains(cell: Cell, components: readonly number[], words: Words, introduction?: string): void {
  let said = false;
  for (const component of components) {
    for (const sub of [1, 2]) {
      if (cell.atom(component, sub)?.disposition !== 'kept' || cell.peek(component, sub) === undefined) continue;
      if (sub === 2 && cell.peek(component) !== undefined) continue;
      if (!said && introduction !== undefined) words.say(introduction);
      words.add(cell, component, sub, said || introduction !== undefined ? ' ' : ', ');
      said = true;
    }
  }
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

/** A unit of time that FHIR allows in a timing. */
export function timeUnit(cell: Cell, component: number): string | undefined {
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
