/** FHIR primitives and texts as v2 primitives. */
import type { RepetitionValue } from '@causeway/hl7v2';
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

/** DTM (v2.5.1 chapter 2A.22) of a FHIR date, dateTime or instant, as precise and in the zone as it is. */
export function dtm(time: string | undefined): string {
  if (!time) return '';
  const match = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(\.\d{1,4})?\d*(Z|[+-]\d\d:\d\d)?)?)?)?$/.exec(
    time,
  );
  if (!match) return '';
  const [, year, month = '', day = '', hour = '', minute = '', second = '', fraction = '', zone = ''] = match;
  const known = fraction.replace(/0+$/, '');
  return `${year}${month}${day}${hour}${minute}${second}${known.length > 1 ? known : ''}${zone === 'Z' ? '+0000' : zone.replace(':', '')}`;
}
