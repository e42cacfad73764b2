/**
 * Dates of the region. An instant is a number of milliseconds since 1970 UTC; a birth date is `YYYY-MM-DD`. The town
 * keeps UTC-05:00 the whole year, so that local times need no time-zone tables.
 */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const YEAR_MS = 365.25 * DAY_MS;

/** The offset of the town from UTC, as ISO 8601 and as HL7 v2 write it. */
export const ISO_OFFSET = '-05:00';
export const V2_OFFSET = '-0500';

const OFFSET_MS = -5 * HOUR_MS;

/** The instant of a local calendar day at 00:00; the date is `YYYY-MM-DD`. */
export function instantOf(date: string): number {
  const year = Number(date.slice(0, 4));
  return Date.UTC(year, Number(date.slice(5, 7)) - 1, Number(date.slice(8, 10))) - OFFSET_MS;
}

/** The local calendar day of an instant, `YYYY-MM-DD`. */
export function isoDate(at: number): string {
  return new Date(at + OFFSET_MS).toISOString().slice(0, 10);
}

/** The instant with the town's offset: `2025-03-04T09:30:00-05:00`. */
export function isoLocal(at: number): string {
  return new Date(at + OFFSET_MS).toISOString().slice(0, 19) + ISO_OFFSET;
}

/** The instant in UTC: `2025-03-04T14:30:00.000Z`. */
export function isoInstant(at: number): string {
  return new Date(at).toISOString();
}

/** The local day as HL7 writes it, `YYYYMMDD`. */
export function compactDate(at: number): string {
  return compact(new Date(at + OFFSET_MS).toISOString(), 10);
}

/** The local time as HL7 writes it, `YYYYMMDDHHMMSS`, without an offset. */
export function compactTime(at: number): string {
  return compact(new Date(at + OFFSET_MS).toISOString(), 19);
}

/** Local midnight of the day the instant falls in. */
export function dayOf(at: number): number {
  return Math.floor((at + OFFSET_MS) / DAY_MS) * DAY_MS - OFFSET_MS;
}

/** The first working-hours instant (local, 08:00 to 16:59) at or after the day of `at`, skipping weekends. */
export function officeHours(at: number, minuteOfDay: number): number {
  let day = dayOf(at);
  while (isWeekend(day)) day += DAY_MS;
  return day + 8 * HOUR_MS + (minuteOfDay % 540) * MINUTE_MS;
}

/** Whole years between a birth date and an instant. */
export function ageAt(birthDate: string, at: number): number {
  const today = isoDate(at);
  const years = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4));
  return today.slice(5) < birthDate.slice(5) ? years - 1 : years;
}

function isWeekend(day: number): boolean {
  const weekday = new Date(day + OFFSET_MS).getUTCDay();
  return weekday === 0 || weekday === 6;
}

function compact(iso: string, length: number): string {
  return iso.slice(0, length).replace(/[-:T]/g, '');
}
