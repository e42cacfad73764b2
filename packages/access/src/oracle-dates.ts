/** Dates of a Consent for the oracle of tests, by arithmetic of its own: docs/access.md, 3 Consent. */

export interface Period {
  start?: string;
  end?: string;
}

/** Whether its dates are some, in their order. */
export function isPeriod(period: Period | undefined, zone: string): boolean {
  const start = period?.start === undefined ? undefined : moments(period.start, zone);
  const end = period?.end === undefined ? undefined : moments(period.end, zone);
  if ((period?.start !== undefined && !start) || (period?.end !== undefined && !end)) return false;
  return start === undefined || end === undefined || start.from < end.to;
}

/** Whether a moment, milliseconds since 1970, is in a period. */
export function holds(period: Period | undefined, zone: string, now: number): boolean {
  if (period?.start !== undefined && now < moments(period.start, zone)!.from) return false;
  return period?.end === undefined || now < moments(period.end, zone)!.to;
}

/** The first and the last day of a date that may leave out day or month; undefined where the calendar has none such. */
export function calendar(date: string): { first: string; last: string } | undefined {
  const [, year, month, day] = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(date) ?? [];
  if (year === undefined) return undefined;
  const isLeap = Number(year) % 4 === 0 && (Number(year) % 100 !== 0 || Number(year) % 400 === 0);
  const lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  const length = lengths[Number(month ?? '12') - 1];
  if (length === undefined || (day !== undefined && (Number(day) < 1 || Number(day) > length))) return undefined;
  return { first: `${year}-${month ?? '01'}-${day ?? '01'}`, last: `${year}-${month ?? '12'}-${day ?? length}` };
}

/** The milliseconds that a date or dateTime may mean, `to` not included. */
export function moments(text: string, zone: string): { from: number; to: number } | undefined {
  const [day, time] = text.split('T');
  const days = calendar(day!);
  if (days === undefined) return undefined;
  if (time === undefined) {
    return { from: beginning(days.first, zone), to: beginning(dayAfter(days.last), zone) };
  }
  if (!/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{3})?(Z|[+-]\d\d:\d\d)$/.test(time)) return undefined;
  const from = Date.parse(text);
  return { from, to: from + (time.includes('.') ? 1 : 1000) };
}

function dayAfter(day: string): string {
  return new Date(Date.parse(day) + 24 * 3600_000).toISOString().slice(0, 10);
}

const formats = new Map<string, Intl.DateTimeFormat>();
const beginnings = new Map<string, number>();

/** The first millisecond at which clocks of a zone show that day, or a later one: found by halving. */
function beginning(day: string, zone: string): number {
  const known = beginnings.get(`${day} ${zone}`);
  if (known !== undefined) return known;
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' });
  formats.set(zone, format);
  let before = Date.parse(day) - 48 * 3600_000;
  let from = Date.parse(day) + 48 * 3600_000;
  while (from - before > 1) {
    const middle = Math.floor((before + from) / 2);
    if (format.format(middle) >= day) from = middle;
    else before = middle;
  }
  beginnings.set(`${day} ${zone}`, from);
  return from;
}
