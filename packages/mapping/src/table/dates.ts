/** Days and times as tables write them, to FHIR. The order of day and month is never guessed. */
import { type DateTimeResult, toFhirDateTime, type Zone } from '../v2/datatypes/datetime.ts';

const yearFirst = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(.+))?$/;
const yearLast = /^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[T ]+(.+))?$/;
const compact = /^\d{4}(?:\d{2}){0,5}$/;
const timeOfDay = /^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?\s*([ap]\.?m\.?)?\s*(Z|[+-]\d{2}:?\d{2}|[+-]\d{2})?$/i;

/** @param order of a form that has the year last */
export function readDate(text: string, order: 'MDY' | 'DMY' | undefined, zone: Zone): DateTimeResult {
  // Of six digits nobody knows which are the year; eight that begin with no year of a living person are another order.
  if (compact.test(text) && text.length !== 6 && /^(1[89]|2[01])/.test(text)) return toFhirDateTime(text, zone);
  const first = yearFirst.exec(text);
  if (first) return joined(first[1]!, first[2]!, first[3]!, first[4], zone);
  const last = yearLast.exec(text);
  if (!last) return { problem: 'it is no day or time such as 2026-01-31, 01/31/2026 14:30 or 202601311430' };
  if (order === undefined) {
    return { problem: 'the map does not say in which order day and month stand (dates: MDY or DMY)' };
  }
  const [month, day] = order === 'MDY' ? [last[1]!, last[2]!] : [last[2]!, last[1]!];
  return joined(last[3]!, month, day, last[4], zone);
}

/** Whether a value has the year last, so that the order of day and month has to be told; what it shows of that order. */
export function orderShownBy(text: string): 'MDY' | 'DMY' | 'either' | undefined {
  const found = yearLast.exec(text.trim());
  if (!found) return undefined;
  const [a, b] = [Number(found[1]), Number(found[2])];
  return a > 12 ? 'DMY' : b > 12 ? 'MDY' : 'either';
}

function joined(year: string, month: string, day: string, time: string | undefined, zone: Zone): DateTimeResult {
  const date = `${year}${month.padStart(2, '0')}${day.padStart(2, '0')}`;
  if (time === undefined) return toFhirDateTime(date, zone);
  const found = timeOfDay.exec(time.trim());
  if (!found) return { problem: 'its time of day is none such as 14:30, 02:30 PM or 14:30:00+01:00' };
  const [, hour, minute, second = '00', fraction = '', half, offset = ''] = found;
  const twelve = Number(hour);
  if (half !== undefined && (twelve < 1 || twelve > 12)) return { problem: 'its hour is from 1 to 12 with AM or PM' };
  const hours = half === undefined ? twelve : (twelve % 12) + (/^p/i.test(half) ? 12 : 0);
  const zoned = offset === '' || /^z$/i.test(offset) ? offset.toUpperCase() : offset.replace(':', '').padEnd(5, '0');
  return toFhirDateTime(`${date}${String(hours).padStart(2, '0')}${minute}${second}${fraction}${zoned}`, zone);
}
