/**
 * v2 DTM / TS / DT / TM to FHIR dateTime, date, instant and time (v2.9 chapter 2A.3.21, FHIR R4 §2.24.0.1).
 * Precision is kept; a time of day without an offset takes the zone of the message or of its sender.
 */

/** Offset in force for times that carry none: a fixed offset (`+02:00`) or an IANA zone. */
export interface Zone {
  offset?: string;
  name: string;
}

export interface DateTimeResult {
  /** `2024`, `2024-03`, `2024-03-05` or `2024-03-05T08:30:00.5+01:00`. */
  dateTime?: string;
  /** What is wrong, without the value. */
  problem?: string;
}

const DTM = /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(\.\d{1,9})?)?)?)?)?)?([+-]\d{4}|Z)?$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** @param value as in the message, e.g. `202403050830+0100` */
export function toFhirDateTime(value: string, zone: Zone): DateTimeResult {
  const found = DTM.exec(value);
  if (found === null) return { problem: 'a date/time (DTM) is YYYY[MM[DD[HH[MM[SS[.S]]]]]][+/-ZZZZ]' };
  const [, year, month, day, hour, minute, second, fraction, offset] = found;
  if (year === '0000') return { problem: 'there is no year 0000' };
  if (month === undefined) return { dateTime: year };
  const m = Number(month);
  if (m < 1 || m > 12) return { problem: 'the month is from 01 to 12' };
  if (day === undefined) return { dateTime: `${year}-${month}` };
  const d = Number(day);
  const limit = m === 2 && isLeap(Number(year)) ? 29 : DAYS[m - 1]!;
  if (d < 1 || d > limit) return { problem: 'that month has no such day' };
  if (hour === undefined) return { dateTime: `${year}-${month}-${day}` };
  if (Number(hour) > 23 || Number(minute ?? 0) > 59 || Number(second ?? 0) > 59) {
    return { problem: 'a time of day is from 000000 to 235959' };
  }
  const local = `${year}-${month}-${day}T${hour}:${minute ?? '00'}:${second ?? '00'}${fraction ?? ''}`;
  if (offset === 'Z') return { dateTime: `${local}Z` };
  if (offset !== undefined) {
    if (Number(offset.slice(1, 3)) > 14 || Number(offset.slice(3)) > 59)
      return { problem: 'an offset is at most 14 hours' };
    return { dateTime: `${local}${offset.slice(0, 3)}:${offset.slice(3)}` };
  }
  return { dateTime: local + offsetOf(zone, `${year}-${month}-${day}T${hour}:${minute ?? '00'}`) };
}

/** v2 TM (`HHMM[SS]`) or a written `HH:MM[:SS]` as FHIR time. */
export function toFhirTime(value: string): string | undefined {
  const found = /^(\d{2}):?(\d{2})(?::?(\d{2})(\.\d+)?)?([+-]\d{4})?$/.exec(value);
  if (found === null || Number(found[1]) > 23 || Number(found[2]) > 59 || Number(found[3] ?? 0) > 59) return undefined;
  return `${found[1]}:${found[2]}:${found[3] ?? '00'}${found[4] ?? ''}`;
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** By zone, then by the hour. */
const offsets = new Map<string, Map<string, string>>();
const formatters = new Map<string, Intl.DateTimeFormat | undefined>();
const OFFSETS_KEPT = 4096;
const ZONES_KEPT = 64;

function offsetOf(zone: Zone, localMinute: string): string {
  if (zone.offset !== undefined) return zone.offset;
  if (zone.name === 'UTC') return 'Z';
  const hour = localMinute.slice(0, 13);
  const known = offsets.get(zone.name)?.get(hour);
  if (known !== undefined) return known;
  const offset = computeOffset(zone.name, localMinute);
  let ofZone = offsets.get(zone.name);
  if (ofZone === undefined || ofZone.size >= OFFSETS_KEPT) {
    if (offsets.size >= ZONES_KEPT) offsets.clear();
    ofZone = new Map();
    offsets.set(zone.name, ofZone);
  }
  ofZone.set(hour, offset);
  return offset;
}

function computeOffset(name: string, localMinute: string): string {
  let formatter = formatters.get(name);
  if (!formatters.has(name)) {
    formatter = formatterOf(name);
    formatters.set(name, formatter);
  }
  if (formatter === undefined) return 'Z';
  const asUtc = Date.parse(`${localMinute}:00Z`);
  const first = offsetAt(formatter, asUtc);
  const minutes = offsetAt(formatter, asUtc - first * 60_000);
  if (minutes === 0) return 'Z';
  const absolute = Math.abs(minutes);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
}

function formatterOf(name: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  } catch {
    return undefined;
  }
}

function offsetAt(formatter: Intl.DateTimeFormat, instant: number): number {
  const part = formatter.formatToParts(instant).find((item) => item.type === 'timeZoneName')?.value ?? 'GMT';
  const found = /([+-])(\d{2}):(\d{2})/.exec(part);
  if (found === null) return 0;
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  return found[1] === '-' ? -minutes : minutes;
}
