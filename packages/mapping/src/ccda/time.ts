/**
 * HL7 V3 time stamps (`YYYYMMDDHHMMSS.UUUU+ZZzz`, cut at their precision) as FHIR dateTime, date and instant.
 */

export type TimeResult = { ok: true; value: string; assumedZone: boolean } | { ok: false; reason: string };

const TS = /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,9}))?)?)?)?)?)?([+-]\d{4}|Z)?$/;
const ISO = /^(\d{4})-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?)?([+-]\d{2}:?\d{2}|Z)?$/;

/**
 * A dateTime with the precision the source gives; a time without offset is taken to be in `zone` (IANA name).
 * @example fhirDateTime('201208061130-0500', 'UTC') // 2012-08-06T11:30:00-05:00
 */
export function fhirDateTime(text: string, zone: string): TimeResult {
  const match = TS.exec(text) ?? ISO.exec(text);
  if (match === null) return { ok: false, reason: 'not a time stamp of the form YYYYMMDDHHMMSS+ZZzz' };
  const [, year, month, day, hour, minute = '00', second = '00', fraction, offset] = match;
  if (!isCalendar(year!, month, day)) return { ok: false, reason: 'no day of the calendar since 1800' };
  if (month === undefined) return { ok: true, value: year!, assumedZone: false };
  if (day === undefined) return { ok: true, value: `${year}-${month}`, assumedZone: false };
  const date = `${year}-${month}-${day}`;
  if (hour === undefined) return { ok: true, value: date, assumedZone: false };
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60)
    return { ok: false, reason: 'no such time of day' };
  const clock = `${hour}:${minute}:${second === '60' ? '59' : second}`;
  const time = fraction === undefined ? clock : `${clock}.${fraction}`;
  if (offset !== undefined) return { ok: true, value: `${date}T${time}${writeOffset(offset)}`, assumedZone: false };
  return { ok: true, value: `${date}T${time}${zoneOffset(zone, `${date}T${clock}Z`)}`, assumedZone: true };
}

/** An instant for comparison and for `asOf`: a day without a time counts from its beginning. */
export function instantOf(text: string, zone: string): string | undefined {
  const time = fhirDateTime(text, zone);
  if (!time.ok) return undefined;
  const { value } = time;
  if (value.includes('T')) return value;
  const day = value.length === 4 ? `${value}-01-01` : value.length === 7 ? `${value}-01` : value;
  return `${day}T00:00:00${zoneOffset(zone, `${day}T00:00:00Z`)}`;
}

function isCalendar(year: string, month?: string, day?: string): boolean {
  // Systems write their zero date (0001, 1601) for "none".
  if (Number(year) < 1800) return false;
  if (month === undefined) return true;
  const m = Number(month);
  if (m < 1 || m > 12) return false;
  if (day === undefined) return true;
  const d = Number(day);
  return d >= 1 && d <= new Date(Date.UTC(Number(year), m, 0)).getUTCDate();
}

function writeOffset(offset: string): string {
  if (offset === 'Z' || offset === '-0000') return 'Z';
  return offset.includes(':') ? offset : `${offset.slice(0, 3)}:${offset.slice(3)}`;
}

const FORMATS = new Map<string, Intl.DateTimeFormat | undefined>();

/** The offset of a zone at a wall-clock time, e.g. `-05:00`. An unknown zone counts as UTC. */
function zoneOffset(zone: string, wallClock: string): string {
  if (zone === 'UTC') return 'Z';
  const format = formatOf(zone);
  const asUtc = Date.parse(wallClock);
  if (format === undefined || Number.isNaN(asUtc)) return 'Z';
  const first = offsetAt(format, asUtc);
  const minutes = offsetAt(format, asUtc - first * 60_000);
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  if (!FORMATS.has(zone)) {
    try {
      FORMATS.set(zone, new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' }));
    } catch {
      FORMATS.set(zone, undefined);
    }
  }
  return FORMATS.get(zone);
}

function offsetAt(format: Intl.DateTimeFormat, time: number): number {
  const name = format.formatToParts(time).find((part) => part.type === 'timeZoneName')?.value ?? '';
  const match = /GMT([+-])(\d{2}):(\d{2})/.exec(name);
  return match === null ? 0 : (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}
