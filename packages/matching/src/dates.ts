/**
 * Birth dates as parts, with what is known to be a filler left out, and the levels at which two agree.
 */
import { withinOneEdit } from './distance.ts';

export interface DateParts {
  year: number;
  /** 1 to 12. */
  month?: number;
  /** 1 to 31; only with a month. */
  day?: number;
}

/** Levels of agreement, best first. The last three of the agreeing ones are for dates not known to the day. */
export type DateLevel =
  | 'exact'
  | 'exactNewYear'
  | 'oneEdit'
  | 'swapped'
  | 'twoParts'
  | 'monthKnown'
  | 'yearKnown'
  | 'newYear'
  | 'sameYear'
  | 'different';

/** Dates that stand for "unknown" in real systems. */
const FILLERS = new Set([
  '1900-01-01',
  '1901-01-01',
  '1800-01-01',
  '1899-12-30',
  '1899-12-31',
  '1111-11-11',
  '2000-00-00',
]);

/** Reads a FHIR date (or `YYYYMMDD`); undefined when it says nothing. Impossible months and days are left out. */
export function prepareDate(written: string | undefined): DateParts | undefined {
  const found = /^\s*(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?/.exec(written ?? '');
  if (found === null) return undefined;
  const [, yearText, monthText = '00', dayText = '00'] = found;
  const year = Number(yearText);
  if (year === 0 || year === 9999 || FILLERS.has(`${yearText}-${monthText}-${dayText}`)) return undefined;
  const month = Number(monthText);
  const day = Number(dayText);
  if (month < 1 || month > 12) return { year };
  if (day < 1 || day > 31) return { year, month };
  return { year, month, day };
}

/** The level at which two dates agree; null when one is missing. Symmetric. */
export function compareDates(a: DateParts | undefined, b: DateParts | undefined): DateLevel | null {
  if (a === undefined || b === undefined) return null;
  if (a.day === undefined || b.day === undefined) return comparePartial(a, b);
  const year = a.year === b.year;
  const month = a.month === b.month;
  const day = a.day === b.day;
  if (year && month && day) return isNewYear(a) ? 'exactNewYear' : 'exact';
  if (year && a.month === b.day && a.day === b.month) return 'swapped';
  if (withinOneEdit(dateDigits(a), dateDigits(b))) return 'oneEdit';
  if (year && (month || day) && !isNewYear(a) && !isNewYear(b)) return 'twoParts';
  if (month && day && Math.abs(a.year - b.year) <= 12) return 'twoParts';
  if (!year) return 'different';
  return isNewYear(a) || isNewYear(b) ? 'newYear' : 'sameYear';
}

/** `YYYY-MM-DD` as far as known. */
export function writeDate(date: DateParts): string {
  const parts = [String(date.year).padStart(4, '0')];
  if (date.month !== undefined) parts.push(String(date.month).padStart(2, '0'));
  if (date.day !== undefined) parts.push(String(date.day).padStart(2, '0'));
  return parts.join('-');
}

/** `YYYYMMDD`; zeros for unknown parts. */
export function dateDigits(date: DateParts): string {
  const digits = date.year * 10000 + (date.month ?? 0) * 100 + (date.day ?? 0);
  return String(digits).padStart(8, '0');
}

/** 1 January is written for an unknown day. */
function isNewYear(date: DateParts): boolean {
  return date.month === 1 && date.day === 1;
}

function comparePartial(a: DateParts, b: DateParts): DateLevel {
  if (a.year !== b.year) return 'different';
  if (a.month === undefined || b.month === undefined) return 'yearKnown';
  return a.month === b.month ? 'monthKnown' : 'sameYear';
}
