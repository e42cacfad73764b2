/** Values of search parameters as they are written (FHIR R4 §3.1.1.4): escapes, prefixes, dates, numbers, quantities. */
import { dateRange, type SearchParameter } from '@causeway/fhir';
import { wrong } from './wrong.ts';

export type Prefix = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le' | 'sa' | 'eb' | 'ap';

/** A range of values that is asked for; the comparison is between it and the ranges resources have. */
export interface AskedRange {
  prefix: Prefix;
  low: number;
  high: number;
}

/** Splits at a separator that is not escaped by a backslash; the escapes stay. */
export function splitAt(value: string, separator: ',' | '$' | '|'): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i < value.length; i++) {
    if (value[i] === '\\') i++;
    else if (value[i] === separator) {
      parts.push(value.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(value.slice(from));
  return parts;
}

/** A value without its escapes (§3.1.1.4.6: `\,` `\$` `\|` `\\`). */
export function unescaped(value: string): string {
  return value.includes('\\') ? value.replace(/\\([\\,$|])/g, '$1') : value;
}

/** A text as a value of one part. */
export function escaped(text: string): string {
  return text.replace(/[\\,$|]/g, '\\$&');
}

/** @throws RecordError 400 for what is no date */
export function readDate(parameter: SearchParameter, value: string): AskedRange {
  const prefix = prefixOf(value);
  const range = dateRange((prefix ? value.slice(2) : value).trim().replace(/(T.*) (\d\d:\d\d)$/, '$1+$2'));
  if (!range) {
    throw wrong(
      parameter.code,
      'needs a date such as 2026-01-31 or 2026-01-31T09:30:00Z, perhaps after eq, ne, gt, ge, lt, le, sa, eb or ap',
    );
  }
  return { prefix: prefix ?? 'eq', low: range.low, high: range.high };
}

/** @throws RecordError 400 for what is no number */
export function readNumber(parameter: SearchParameter, value: string): AskedRange {
  const prefix = prefixOf(value);
  const text = prefix ? value.slice(2) : value;
  const parts = /^[+-]?\d{1,30}(?:\.(\d{1,30}))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text.trim());
  const exact = Number(text);
  if (!parts || !Number.isFinite(exact)) throw wrong(parameter.code, 'needs a number, such as 5.4 or 1.0e-3');
  if (prefix !== undefined && prefix !== 'eq' && prefix !== 'ne') return { prefix, low: exact, high: exact };
  const half = 0.5 * 10 ** (Number(parts[2] ?? 0) - (parts[1]?.length ?? 0));
  return { prefix: prefix ?? 'eq', low: tidy(exact - half), high: tidy(exact + half) };
}

/** A quantity: number, and perhaps `|system|code` or `||code`. @throws RecordError 400 */
export function readQuantity(
  parameter: SearchParameter,
  value: string,
): AskedRange & { system: string | undefined; code: string | undefined } {
  const [number, ...unit] = splitAt(value, '|').map(unescaped) as [string, ...string[]];
  if (unit.length > 2) throw wrong(parameter.code, 'takes number, number|system|code or number||code');
  const [system, code] = unit.length === 1 ? [undefined, unit[0]] : unit;
  return { ...readNumber(parameter, number), system: system || undefined, code: code || undefined };
}

function prefixOf(value: string): Prefix | undefined {
  return /^(eq|ne|gt|ge|lt|le|sa|eb|ap)(?=[\d+-])/.exec(value)?.[1] as Prefix | undefined;
}

/** Without the dust of binary fractions: 5.35 instead of 5.3500000000000005. */
function tidy(value: number): number {
  return Number(value.toPrecision(14));
}
