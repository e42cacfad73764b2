/** A row under conversion: each value is read by its field, and where it went is noted as it is read. */
import type { ConversionContext, ConversionIssue, LedgerEntry } from '../conversion.ts';
import { codeSystemOf } from '../v2/code-systems.ts';
import type { ColumnMap, ColumnUse } from './column-map.ts';
import { readDate } from './dates.ts';

/** The resource that a value goes to. */
export interface Target {
  type: string;
  id: string;
}

interface Column {
  name: string;
  value: string;
  use: ColumnUse | undefined;
  entry: LedgerEntry | undefined;
}

export class Row {
  readonly issues: ConversionIssue[] = [];
  readonly #context: ConversionContext;
  readonly #map: ColumnMap;
  readonly #table: string;
  readonly #columns: Column[];
  readonly #byField = new Map<string, Column>();

  constructor(table: string, map: ColumnMap, values: { [column: string]: unknown }, context: ConversionContext) {
    this.#context = context;
    this.#map = map;
    this.#table = table;
    this.#columns = Object.entries(values).flatMap(([name, stated]) => {
      const value = textOf(stated);
      if (value === '' || map.empty?.includes(value)) return [];
      const use = Object.hasOwn(map.columns, name) ? map.columns[name] : undefined;
      return { name, value, use, entry: undefined };
    });
    for (const column of this.#columns) {
      if (column.use && 'field' in column.use) this.#byField.set(column.use.field, column);
    }
  }

  /** Whether there is a value of a field whose name begins so. */
  has(prefix: string): boolean {
    return [...this.#byField.keys()].some((field) => field.startsWith(prefix));
  }

  /** The value without noting where it goes: for what identifies. */
  peek(field: string): string | undefined {
    const column = this.#byField.get(field);
    return column && translated(column);
  }

  /** Of a field the system or authority that the map names. */
  systemNamed(field: string): string | undefined {
    const use = this.#byField.get(field)?.use;
    return use && 'field' in use ? use.system : undefined;
  }

  /** The value, which goes to this place. */
  text(field: string, target: Target, path: string): string | undefined {
    const column = this.#byField.get(field);
    if (!column) return undefined;
    column.entry = {
      source: this.#place(column),
      disposition: 'mapped',
      target: `${target.type}/${target.id}#${path}`,
      rule: field,
    };
    return translated(column);
  }

  /** The value, which says how the row is to be read. */
  consumed(field: string): string | undefined {
    const column = this.#byField.get(field);
    if (!column) return undefined;
    column.entry ??= { source: this.#place(column), disposition: 'consumed', rule: field };
    return translated(column);
  }

  /** A day or time; one that cannot be is kept, with a remark. */
  date(field: string, target: Target, path: string): string | undefined {
    const text = this.text(field, target, path);
    return text === undefined ? undefined : this.#dateOf(field, text);
  }

  /** As `date`, of what says when the row was changed. */
  consumedDate(field: string): string | undefined {
    const text = this.consumed(field);
    return text === undefined ? undefined : this.#dateOf(field, text);
  }

  /** One of the words that a table knows; any other is kept, with a remark. */
  word<T extends string>(field: string, target: Target, path: string, words: { [word: string]: T }): T | undefined {
    const text = this.text(field, target, path);
    if (text === undefined) return undefined;
    const known = words[text.toLowerCase().replaceAll(/[\s_]+/g, '-')];
    if (known !== undefined) return known;
    const values = [...new Set(Object.values(words))].join(', ');
    return this.#kept(field, 'code-invalid', `The value is none that is known: map it to one of ${values}.`);
  }

  /** A concept from a code and its display, each of which may be missing. */
  concept(code: string, display: string | undefined, target: Target, path: string): object | undefined {
    const text = display === undefined ? undefined : this.text(display, target, `${path}.text`);
    const value = this.text(code, target, `${path}.coding[0].code`)?.replace(/\s+/g, ' ');
    if (value === undefined) return text === undefined ? undefined : { text };
    const named = this.systemNamed(code);
    const system = named === undefined ? this.#ownSystem(code) : codeSystemOf({ context: this.#context }, named);
    return { coding: [{ system, code: value, ...(text && { display: text }) }], ...(text && { text }) };
  }

  /** Says of a value that was read that it cannot be taken. */
  refuse(field: string, message: string): undefined {
    return this.#kept(field, 'value', message);
  }

  /** Notes something about the row as a whole. */
  remark(severity: ConversionIssue['severity'], code: ConversionIssue['code'], field: string, message: string): void {
    const column = this.#byField.get(field);
    this.issues.push({ severity, code, source: column ? this.#place(column) : this.#table, message });
  }

  /** One entry for each column that has a value. */
  get ledger(): LedgerEntry[] {
    return this.#columns.map((column) => {
      if (column.entry) return column.entry;
      const source = this.#place(column);
      const { use } = column;
      if (use && 'leftOut' in use) return { source, disposition: 'rejected', reason: `Left out: ${use.leftOut}` };
      if (use) return { source, disposition: 'kept', rule: use.field, reason: 'A row like this has no place for it.' };
      return { source, disposition: 'kept', reason: 'The map does not say what this column is.' };
    });
  }

  get #zone() {
    return { name: this.#context.timeZone ?? 'UTC' };
  }

  #dateOf(field: string, text: string): string | undefined {
    const { dateTime, problem } = readDate(text, this.#map.dates, this.#zone);
    return dateTime ?? this.#kept(field, 'value', `The day or time cannot be taken: ${problem}.`);
  }

  #kept(field: string, code: ConversionIssue['code'], message: string): undefined {
    const column = this.#byField.get(field)!;
    column.entry = { source: this.#place(column), disposition: 'kept', rule: field, reason: message };
    this.issues.push({ severity: 'warning', code, source: this.#place(column), message });
    return undefined;
  }

  /** The system of codes of which the map names none: the sender's own, one for each field. */
  #ownSystem(field: string): string {
    return `urn:causeway:codesystem:${this.#context.source}:${field}`;
  }

  #place({ name }: Column): string {
    return `${this.#table}/${name}`;
  }
}

function translated({ value, use }: Column): string {
  const values = use && 'field' in use ? use.values : undefined;
  return values && Object.hasOwn(values, value) ? values[value]! : value;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  // Control characters are none of FHIR's strings.
  return text
    .toWellFormed()
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '')
    .trim();
}
