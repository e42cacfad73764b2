/**
 * FHIR dates as ranges of time (https://hl7.org/fhir/R4/search.html#date): a date covers all that its precision leaves
 * open. Times without a zone are read as UTC.
 */

/** The first millisecond of year 1, and the one after the last of year 9999: what R4 dates can name. */
export const DATE_MIN: number = Date.parse('0001-01-01T00:00:00Z');
export const DATE_MAX: number = Date.UTC(10000, 0, 1);

/** A range in milliseconds since 1970; `low` inclusive, `high` exclusive. */
export interface DateRange {
  low: number;
  high: number;
}

const DATE = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;

/**
 * The range of a `date`, `dateTime` or `instant`, also without seconds as searches may write it; undefined for what is
 * no date of the calendar.
 */
export function dateRange(text: string): DateRange | undefined {
  const parts = DATE.exec(text);
  if (parts === null) return undefined;
  const year = Number(parts[1]);
  if (year === 0) return undefined;
  if (parts[2] === undefined) return { low: utc(year, 0, 1), high: utc(year + 1, 0, 1) };
  const month = Number(parts[2]) - 1;
  if (month < 0 || month > 11) return undefined;
  if (parts[3] === undefined) return { low: utc(year, month, 1), high: utc(year, month + 1, 1) };
  const day = Number(parts[3]);
  if (day < 1 || (day > 28 && day > daysIn(year, month))) return undefined;
  const midnight = utc(year, month, day);
  if (parts[4] === undefined) return { low: midnight, high: midnight + 86_400_000 };
  const hour = Number(parts[4]);
  const minute = Number(parts[5]);
  const second = parts[6] === undefined ? 0 : Number(parts[6]);
  if (hour > 24 || minute > 59 || second > 60 || (hour === 24 && minute + second > 0)) return undefined;
  const zone = zoneMinutes(parts[8]);
  if (zone === undefined) return undefined;
  let low = midnight + ((hour * 60 + minute - zone) * 60 + Math.min(second, 59)) * 1000;
  if (parts[6] === undefined) return { low, high: low + 60_000 };
  const fraction = parts[7];
  if (fraction === undefined) return { low, high: low + 1000 };
  low += Number(fraction.slice(0, 3).padEnd(3, '0'));
  return { low, high: low + (fraction.length === 1 ? 100 : fraction.length === 2 ? 10 : 1) };
}

function utc(year: number, month: number, day: number): number {
  return year > 99 ? Date.UTC(year, month, day) : new Date(0).setUTCFullYear(year, month, day);
}

/** Days in a month counted from 0. */
function daysIn(year: number, month: number): number {
  if (month === 1) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 3 || month === 5 || month === 8 || month === 10 ? 30 : 31;
}

function zoneMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 14 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
