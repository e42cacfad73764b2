/**
 * HL7 v2 times (DT, DTM, TS: `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`, v2.8 chapter 2A, section 2A.3.22) as
 * FHIR R4 `date`, `dateTime` and `instant`, keeping the precision the sender knew. Dates that do not exist are refused
 * with the reason.
 */
import { offsetMinutes } from './time-zone.ts';

export type DateTimePrecision = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'fraction';

export interface DateTime {
  readonly kind: 'date-time';
  readonly precision: DateTimePrecision;
  /** FHIR `date`: `2024`, `2024-02` or `2024-02-29`. */
  readonly date: string;
  /**
   * FHIR `dateTime`. FHIR knows no time without seconds and zone: minutes and seconds not sent are zero (see
   * `precision`), and without any zone only the date is given (see `zone`).
   */
  readonly dateTime: string;
  /** FHIR `instant`, when sent to the second and the zone is known. */
  readonly instant?: string;
  /** Whence the zone: in the value, from the sender's setting, or `unknown`; `none` when there is no time of day. */
  readonly zone: 'stated' | 'sender' | 'unknown' | 'none';
}

export interface InvalidDateTime {
  readonly kind: 'invalid-date-time';
  readonly code: 'empty' | 'format' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'offset';
  /** Why it is no time; safe to show and log. */
  readonly reason: string;
}

export interface DateTimeOptions {
  /** The sender's own zone for values that state none: IANA name (`America/Chicago`) or offset (`-06:00`). */
  readonly timeZone?: string;
}

const pattern =
  /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,9}))?)?)?)?)?)?(?:([+-])(\d{2})(\d{2}))?$/;

/**
 * Reads a DT, DTM or the first component of a TS.
 *
 * @throws RangeError when `options.timeZone` is no zone: that is our setting, not the sender's content
 */
export function parseDateTime(text: string, options: DateTimeOptions = {}): DateTime | InvalidDateTime {
  const trimmed = text.trim();
  if (trimmed === '') {
    return invalid('empty', 'There is no date');
  }
  const match = pattern.exec(trimmed);
  if (match === null) {
    return invalid('format', 'It is not written YYYY[MM[DD[HH[MM[SS[.SSSS]]]]]][+/-ZZZZ]');
  }
  return checkRanges(match) ?? toFhir(match, options);
}

/** A time as a DTM in UTC to the second: `20240229134500+0000`. */
export function formatDateTime(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace(/[-:T]/g, '')}+0000`;
}

/** True when {@link parseDateTime} refused. */
export function isInvalidDateTime(value: DateTime | InvalidDateTime): value is InvalidDateTime {
  return value.kind === 'invalid-date-time';
}

function invalid(code: InvalidDateTime['code'], reason: string): InvalidDateTime {
  return { kind: 'invalid-date-time', code, reason };
}

function checkRanges(match: RegExpExecArray): InvalidDateTime | undefined {
  const [year, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((digits) => (digits === undefined ? undefined : Number(digits)));
  if (year === 0) return invalid('format', 'There is no year 0000');
  if (month < 1 || month > 12) return invalid('month', `There is no month ${month}`);
  const days = new Date(Date.UTC(2000 + (year! % 400), month, 0)).getUTCDate();
  if (day < 1 || day > days) {
    return invalid('day', `Month ${month} of that year has no day ${day}; it has ${days} days`);
  }
  if (hour > 23) return invalid('hour', `There is no hour ${hour}; hours go from 00 to 23`);
  if (minute > 59) return invalid('minute', `There is no minute ${minute}`);
  if (second > 59) return invalid('second', `There is no second ${second}`);
  const [offsetHours, offsetMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  if (offsetHours > 14 || offsetMinute > 59) {
    return invalid('offset', 'The offset from UTC is beyond +/-1459');
  }
  return undefined;
}

function toFhir(match: RegExpExecArray, options: DateTimeOptions): DateTime {
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHours, offsetMinute] = match;
  const date = [year, month, day].filter((part) => part !== undefined).join('-');
  const precision = precisionOf(match);
  if (hour === undefined) {
    return { kind: 'date-time', precision, date, dateTime: date, zone: 'none' };
  }
  const time = `${hour}:${minute ?? '00'}:${second ?? '00'}${fraction === undefined ? '' : `.${fraction}`}`;
  if (sign === undefined && options.timeZone === undefined) {
    return { kind: 'date-time', precision, date, dateTime: date, zone: 'unknown' };
  }
  const offset =
    sign === undefined
      ? offsetText(offsetMinutes(`${date}T${hour}:${minute ?? '00'}:${second ?? '00'}Z`, options.timeZone!))
      : offsetText((sign === '-' ? -1 : 1) * (Number(offsetHours) * 60 + Number(offsetMinute)));
  const dateTime = `${date}T${time}${offset}`;
  const zone = sign === undefined ? 'sender' : 'stated';
  return { kind: 'date-time', precision, date, dateTime, zone, ...(second === undefined ? {} : { instant: dateTime }) };
}

function precisionOf(match: RegExpExecArray): DateTimePrecision {
  const names: DateTimePrecision[] = ['year', 'month', 'day', 'hour', 'minute', 'second', 'fraction'];
  let last = 0;
  while (last < 6 && match[last + 2] !== undefined) last++;
  return names[last]!;
}

function offsetText(minutes: number): string {
  const [sign, size] = minutes < 0 ? ['-', -minutes] : ['+', minutes];
  const two = (value: number) => String(value).padStart(2, '0');
  return minutes === 0 ? 'Z' : `${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
