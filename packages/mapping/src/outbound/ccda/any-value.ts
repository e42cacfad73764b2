/** `value[x]` of any FHIR type as `value` of the CDA type that says the same. */
import type { CodeableConcept, Period, Quantity, Range, Ratio } from '@medplum/fhirtypes';
import { type CdaElement, el } from './element.ts';
import { type CodeOptions, code, period, quantity, range, ratio, ts } from './values.ts';

/** The member `stem[x]` of a resource, with its type. */
export function choice(holder: object, stem: string): { type: string; value: unknown } | undefined {
  for (const key in holder) {
    if (!key.startsWith(stem) || key.length === stem.length) continue;
    const type = key.slice(stem.length);
    const value = (holder as Record<string, unknown>)[key];
    if (value !== undefined && /^[A-Z]/.test(type)) return { type, value };
  }
  return undefined;
}

/** A `value` element; undefined where the type has no counterpart. */
export function anyValue(
  { type, value }: { type: string; value: unknown },
  options: CodeOptions = {},
): CdaElement | undefined {
  switch (type) {
    case 'CodeableConcept':
      return code('value', value as CodeableConcept, { ...options, type: 'CD' });
    case 'Quantity':
    case 'Age':
    case 'Duration':
      return quantity('value', value as Quantity, 'PQ');
    case 'Range':
      return range('value', value as Range, { 'xsi:type': 'IVL_PQ' });
    case 'Ratio':
      return ratio('value', value as Ratio, { 'xsi:type': 'RTO_PQ_PQ' });
    case 'Integer':
      return el('value', { 'xsi:type': 'INT', value: String(value) });
    case 'Boolean':
      return el('value', { 'xsi:type': 'BL', value: String(value) });
    case 'DateTime':
    case 'Date':
    case 'Instant':
      return el('value', { 'xsi:type': 'TS', value: ts(String(value)) });
    case 'Period':
      return period('value', value as Period, { 'xsi:type': 'IVL_TS' });
    case 'String':
    case 'Time':
    case 'Markdown':
      return el('value', { 'xsi:type': 'ST' }, String(value));
    default:
      return undefined;
  }
}

/** The same for a reader. */
export function wordsOf({ type, value }: { type: string; value: unknown }): string {
  switch (type) {
    case 'CodeableConcept': {
      const { text, coding } = value as CodeableConcept;
      return text ?? coding?.find(({ display }) => display !== undefined)?.display ?? coding?.[0]?.code ?? '';
    }
    case 'Quantity':
    case 'Age':
    case 'Duration':
      return quantityWords(value as Quantity);
    case 'Range': {
      const { low, high } = value as Range;
      if (low === undefined) return high === undefined ? '' : `≤ ${quantityWords(high)}`;
      return high === undefined ? `≥ ${quantityWords(low)}` : `${low.value ?? ''} – ${quantityWords(high)}`;
    }
    case 'Ratio': {
      const { numerator = {}, denominator = {} } = value as Ratio;
      return `${quantityWords(numerator)} / ${quantityWords(denominator)}`;
    }
    case 'DateTime':
    case 'Date':
    case 'Instant':
      return dayWords(String(value));
    case 'Period': {
      const { start, end } = value as Period;
      return periodWords(start, end);
    }
    default:
      return typeof value === 'object' ? '' : String(value);
  }
}

export function quantityWords({ comparator, value, unit, code: unitCode }: Quantity): string {
  const shown = unit ?? unitCode;
  return [comparator, value, shown === '1' ? undefined : shown].filter((part) => part !== undefined).join(' ');
}

/** A time to the minute, as it was stated. */
export function dayWords(value: string | undefined): string {
  return value === undefined ? '' : value.replace('T', ' ').replace(/^(.{16}).*$/, '$1');
}

export function periodWords(start: string | undefined, end: string | undefined): string {
  if (start === undefined && end === undefined) return '';
  if (end === undefined) return `since ${dayWords(start)}`;
  return start === undefined ? `until ${dayWords(end)}` : `${dayWords(start)} – ${dayWords(end)}`;
}
