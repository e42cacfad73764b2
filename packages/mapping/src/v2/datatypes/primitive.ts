/** v2 primitive types: ST, TX, FT, ID, NM, and dates with the elements FHIR adds to them. */
import type { Cell } from '../cell.ts';
import { type Atom, NULL } from '../source.ts';
import { toFhirDateTime } from './datetime.ts';

/** ST, ID, IS, and any composite whose first component is what matters. */
export function readString(cell: Cell): string | undefined {
  return cell.text('', 1);
}

/** TX, FT: everything the repetition holds, unneeded separators as the sender wrote them left out. */
export function readText(cell: Cell): string | undefined {
  let text = '';
  let first: Atom | undefined;
  for (const component of cell.repetition) {
    if (component === undefined) continue;
    for (const atom of component) {
      if (atom === undefined) continue;
      if (atom.value === NULL) {
        cell.consume(atom);
        continue;
      }
      if (atom.clean === '') continue;
      cell.mark(atom, '');
      if (first === undefined) {
        first = atom;
        text = atom.clean;
        continue;
      }
      if (first.place === cell.place) first.from = 0;
      if (atom.place === cell.place) atom.from = text.length + 1;
      text += ` ${atom.clean}`;
    }
  }
  return first === undefined ? undefined : text;
}

export function readAnnotation(cell: Cell): { text: string } | undefined {
  const text = readText(cell);
  return text === undefined ? undefined : { text };
}

/** HL7 table 0136. */
export function readBoolean(cell: Cell): boolean | undefined {
  const value = cell.peek(1)?.toUpperCase();
  if (value !== 'Y' && value !== 'N' && value !== '1' && value !== '0' && value !== 'YES' && value !== 'NO')
    return undefined;
  cell.text('', 1);
  return value === 'Y' || value === '1' || value === 'YES';
}

export function readDecimal(cell: Cell): number | undefined {
  return cell.number('', 1);
}

export function readInteger(cell: Cell): number | undefined {
  const value = cell.peek(1);
  if (value === undefined || !/^[+-]?\d{1,9}$/.test(value)) return undefined;
  return cell.number('', 1);
}

export function readPositiveInteger(cell: Cell): number | undefined {
  const value = cell.peek(1);
  if (value === undefined || !/^\+?0*[1-9]\d{0,8}$/.test(value)) return undefined;
  return cell.number('', 1);
}

/**
 * DTM of birth. The day goes to `birthDate`; a time of day to the standard extension, which the row's target
 * (`birthDate`) cannot hold, so that the caller sets it (see `segments/patient.ts`).
 */
export function readBirthDate(cell: Cell): string | undefined {
  return cell.date('', 1);
}

/** The dateTime of a value when it has a time of day. */
export function timeOfBirth(cell: Cell): string | undefined {
  const value = cell.peek(1);
  if (value === undefined || value.length <= 8) return undefined;
  const dateTime = toFhirDateTime(value, cell.run.zone).dateTime;
  return dateTime === undefined || dateTime.length <= 10 ? undefined : dateTime;
}
