/**
 * Business days of the information blocking rule (45 CFR 171.102): Monday to Friday, without the legal public holidays of
 * 5 U.S.C. 6103. Days that are declared by order in single years are not known here.
 */

const dayMs = 86_400_000;

/** The day so many business days after another. @param from YYYY-MM-DD, which does not count itself @param count at least 1 */
export function businessDaysAfter(from: string, count: number): string {
  let at = Date.parse(`${from}T00:00:00Z`);
  for (let left = count; left > 0; ) {
    at += dayMs;
    if (isBusinessDay(at)) left--;
  }
  return dayOf(at);
}

function isBusinessDay(at: number): boolean {
  const weekday = new Date(at).getUTCDay();
  return weekday !== 0 && weekday !== 6 && !isObserved(at);
}

/** A holiday on a Saturday is kept on the Friday before, one on a Sunday on the Monday after (5 U.S.C. 6103(b), E.O. 11582). */
function isObserved(at: number): boolean {
  const weekday = new Date(at).getUTCDay();
  if (isHoliday(at)) return true;
  return (weekday === 5 && isHoliday(at + dayMs)) || (weekday === 1 && isHoliday(at - dayMs));
}

/** The days of the month that are a holiday whatever weekday they are: month and day. */
const fixed = new Set(['01-01', '06-19', '07-04', '11-11', '12-25']);
/** The others: month, weekday, and which of the month, the last being -1. */
const floating: [month: number, weekday: number, which: number][] = [
  [1, 1, 3],
  [2, 1, 3],
  [5, 1, -1],
  [9, 1, 1],
  [10, 1, 2],
  [11, 4, 4],
];

function isHoliday(at: number): boolean {
  const date = new Date(at);
  if (fixed.has(dayOf(at).slice(5))) return true;
  const [month, weekday, day] = [date.getUTCMonth() + 1, date.getUTCDay(), date.getUTCDate()];
  const isLast = new Date(at + 7 * dayMs).getUTCMonth() + 1 !== month;
  return floating.some(
    ([inMonth, on, which]) =>
      inMonth === month && on === weekday && (which === -1 ? isLast : Math.ceil(day / 7) === which),
  );
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
