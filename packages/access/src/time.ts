/** Moments that dates of a consent stand for. A date without a zone is one of the network's time zone. */

/** Milliseconds since 1970; `to` is not included. */
export interface Interval {
  from: number;
  to: number;
}

const day = 24 * 3600 * 1000;

/**
 * From the beginning of `start` to the end of `end`; what is left out has no end.
 * @param zone an IANA name
 * @returns undefined where one of them is no FHIR date or dateTime
 */
export function interval(start: string | undefined, end: string | undefined, zone: string): Interval | undefined {
  const from = start === undefined ? { from: Number.NEGATIVE_INFINITY } : span(start, zone);
  const to = end === undefined ? { to: Number.POSITIVE_INFINITY } : span(end, zone);
  return from && to && { from: from.from, to: to.to };
}

const form =
  /^(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01])(?:T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?$/;

/** What one date or dateTime stands for. */
function span(date: string, zone: string): Interval | undefined {
  const parts = form.exec(date);
  if (!parts) return undefined;
  const [, year, month, dayOfMonth, hour, , , fraction] = parts;
  if (hour !== undefined) {
    const at = Date.parse(date);
    if (Number.isNaN(at)) return undefined;
    return { from: at, to: at + (fraction === undefined ? 1_000 : 1) };
  }
  const [y, m, d] = [Number(year), Number(month ?? 1) - 1, Number(dayOfMonth ?? 1)];
  const begins = Date.UTC(y, m, d);
  if (new Date(begins).getUTCDate() !== d) return undefined;
  const ends =
    month === undefined ? Date.UTC(y + 1, 0, 1) : dayOfMonth === undefined ? Date.UTC(y, m + 1, 1) : begins + day;
  return { from: local(begins, zone), to: local(ends, zone) };
}

/** The moment at which clocks of a zone show what clocks of UTC show at `wall`; the first where they show it twice. */
function local(wall: number, zone: string): number {
  const before = wall - offset(wall - day, zone);
  const after = wall - offset(wall + day, zone);
  const shown = [before, after].filter((at) => at + offset(at, zone) === wall);
  // Clocks that jump over midnight jump at it.
  return shown.length > 0 ? Math.min(...shown) : before;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds by which a zone's clocks are ahead of UTC. */
function offset(at: number, zone: string): number {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const wall = Date.UTC(parts.year!, parts.month! - 1, parts.day!, parts.hour!, parts.minute!, parts.second!);
  return wall - Math.floor(at / 1000) * 1000;
}
