/**
 * How the columns of a table (a CSV file, the rows of a query) fill the fields of what it tells. A map is data, kept with
 * the sender; conversion by it is a pure function of the row.
 */
import { fieldsOf, type TableKind, tableKinds } from './fields.ts';

/** What a column is for. One of which nothing is said is kept, and shows among what is not mapped. */
export type ColumnUse =
  /** It fills a field. */
  | {
      field: string;
      /** Of a code its system, of a record number its authority: a URI, or a name that the sender's settings know. */
      system?: string;
      /** What its values stand for: `{ "1": "male" }`. */
      values?: { [value: string]: string };
    }
  /** It is left out, and why. */
  | { leftOut: string };

export interface ColumnMap {
  kind: TableKind;
  columns: { [column: string]: ColumnUse };
  /** The order of year, month and day where it is not told by the form itself (2026-01-31). */
  dates?: 'MDY' | 'DMY';
  /** Values that mean that there is none: `NULL`, `\N`. */
  empty?: string[];
}

const most = { columns: 500, values: 1_000, text: 500 };

/** A map as somebody wrote it, or the sentence that says what is wrong with it. */
export function readColumnMap(value: unknown): ColumnMap | string {
  if (!isObject(value)) return 'The map must be an object with kind and columns.';
  const unknown = Object.keys(value).find((name) => !['kind', 'columns', 'dates', 'empty'].includes(name));
  if (unknown !== undefined) return `The map has no ${unknown.slice(0, 60)}; it has kind, columns, dates and empty.`;
  const { kind, columns, dates, empty } = value as unknown as ColumnMap;
  if (!tableKinds.includes(kind)) return `kind must be one of ${tableKinds.join(', ')}.`;
  if (dates !== undefined && dates !== 'MDY' && dates !== 'DMY') return 'dates must be MDY or DMY.';
  if (empty !== undefined && !(Array.isArray(empty) && empty.every(isText))) return 'empty must be a list of texts.';
  if (!isObject(columns)) return 'columns must be an object of columns and what each is for.';
  const entries = Object.entries(columns);
  if (entries.length > most.columns) return `A map has ${most.columns} columns at most.`;
  const fields = fieldsOf(kind);
  const filled = new Set<string>();
  for (const [column, use] of entries) {
    const fault = faultOf(use, fields, filled);
    if (fault !== undefined) return `The column ${JSON.stringify(column.slice(0, 60))} ${fault}`;
  }
  if (!filled.has('patient.id')) return 'No column is the record number of the patient (patient.id).';
  const told = Object.keys(fields).filter((name) => name.startsWith(`${kind}.`));
  if (told.length > 0 && kind !== 'patient' && !told.some((name) => filled.has(name)))
    return `No column tells anything of the ${kind} itself.`;
  return value as unknown as ColumnMap;
}

function faultOf(use: unknown, fields: ReturnType<typeof fieldsOf>, filled: Set<string>): string | undefined {
  if (!isObject(use)) return 'must have a field, or a reason for which it is left out.';
  if ('leftOut' in use) return isText(use.leftOut) ? undefined : 'must say why it is left out.';
  const { field, system, values } = use as { field?: unknown; system?: unknown; values?: unknown };
  if (typeof field !== 'string' || !Object.hasOwn(fields, field))
    return `fills none of the fields of this kind: ${Object.keys(fields).join(', ')}.`;
  if (filled.has(field)) return `fills ${field}, which another column fills already.`;
  filled.add(field);
  if (system !== undefined && !isText(system)) return 'has a system that is no text.';
  if (values === undefined) return undefined;
  const isTable = isObject(values) && Object.values(values).every((one) => typeof one === 'string');
  return isTable && Object.keys(values).length <= most.values ? undefined : 'has values that are no object of texts.';
}

function isObject(value: unknown): value is { [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= most.text;
}
