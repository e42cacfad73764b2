/** FHIR primitives and texts as v2 primitives. */
import type { RepetitionValue } from '@causeway/hl7v2';
import { dtm } from '../../v2-values.ts';
import { textOf } from '../record.ts';

export function writeText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** HL7 table 0136. */
export function writeBoolean(value: unknown): string {
  return value === true ? 'Y' : value === false ? 'N' : '';
}

export function writeDateTime(value: unknown): string {
  return typeof value === 'string' ? dtm(value) : '';
}

/** TM: HHMM[SS[.S]]. */
export function writeTime(value: unknown): string {
  return typeof value === 'string' ? value.replace(/:/g, '') : '';
}

export function writeAnnotation(value: unknown): string {
  return textOf(value, 'text') ?? '';
}

/** DR. */
export function writePeriod(value: unknown): RepetitionValue {
  return [writeDateTime(textOf(value, 'start')), writeDateTime(textOf(value, 'end'))];
}
