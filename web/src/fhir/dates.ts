/**
 * FHIR dates as people read them. FHIR dates may be partial (`1962`, `1962-04`) and are shown exactly as precise as
 * they are; a time with a zone is shown in the reader's own zone (FHIR R4 §2.24.0.1, date and dateTime).
 */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `1962` → `1962`, `1962-04` → `Apr 1962`, `1962-04-09` or any dateTime → `9 Apr 1962`; what is no date stays as it is. */
export function formatDate(value: string | undefined | null): string {
  if (!value) return '';
  const parts = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?/.exec(value.length > 10 ? localIso(value) : value);
  if (!parts) return value;
  const [, year, month, day] = parts;
  const monthName = month ? MONTHS[Number(month) - 1] : undefined;
  if (!monthName) return year!;
  return day ? `${Number(day)} ${monthName} ${year}` : `${monthName} ${year}`;
}

/** As `formatDate`, with the time of day to the minute when the value has one: `9 Apr 2026, 14:05`. */
export function formatDateTime(value: string | undefined | null): string {
  if (!value) return '';
  if (value.length <= 10) return formatDate(value);
  return `${formatDate(value)}, ${localIso(value).slice(11, 16)}`;
}

/** A period in words: `3 Mar 2026 – 9 Mar 2026`, `since 3 Mar 2026`, `until 9 Mar 2026`; one day is said once. */
export function formatPeriod(period: { start?: string; end?: string } | undefined): string {
  const start = formatDate(period?.start);
  const end = formatDate(period?.end);
  if (start && end) return start === end ? start : `${start} – ${end}`;
  if (start) return `since ${start}`;
  return end ? `until ${end}` : '';
}

/**
 * Age at `now` in the unit a clinician would use: days to 4 weeks, months to 2 years, else years. A birth date known to
 * the year or month only gives `about`; none, or one in the future, gives `''`.
 */
export function ageAt(birthDate: string | undefined | null, now: Date): string {
  const parts = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?/.exec(birthDate ?? '');
  if (!parts) return '';
  const [year, month, day] = [Number(parts[1]), parts[2] && Number(parts[2]), parts[3] && Number(parts[3])];
  const months =
    (now.getFullYear() - year) * 12 + (month ? now.getMonth() + 1 - month : 0) - (day && now.getDate() < day ? 1 : 0);
  if (months < 0 || year > now.getFullYear()) return '';
  const about = day ? '' : 'about ';
  if (months >= 24 || !month) return `${about}${Math.floor(months / 12)} y`;
  if (months >= 1 || !day) return `${about}${months} mo`;
  const days = Math.floor((now.getTime() - new Date(year, month - 1, day).getTime()) / 86_400_000);
  return `${Math.max(0, days)} d`;
}

/** The instant a FHIR date stands for in milliseconds, the beginning of the period it names; NaN when it is no date. */
export function instantOf(value: string | undefined | null): number {
  if (!value) return Number.NaN;
  if (value.length > 10) return Date.parse(value);
  const parts = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(value);
  return parts ? new Date(Number(parts[1]), Number(parts[2] ?? 1) - 1, Number(parts[3] ?? 1)).getTime() : Number.NaN;
}

/** Order for sorting newest first; facts without a date come last. */
export function newestFirst(a: string | undefined, b: string | undefined): number {
  const [left, right] = [instantOf(a), instantOf(b)];
  if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : 1;
  return Number.isNaN(right) ? -1 : right - left;
}

function localIso(value: string): string {
  const instant = new Date(value);
  if (Number.isNaN(instant.getTime())) return value;
  const two = (part: number) => String(part).padStart(2, '0');
  const date = `${instant.getFullYear()}-${two(instant.getMonth() + 1)}-${two(instant.getDate())}`;
  return `${date}T${two(instant.getHours())}:${two(instant.getMinutes())}:${two(instant.getSeconds())}`;
}
