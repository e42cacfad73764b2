/** One search under way: its filters compiled into statements, whose rows it gives. */
import type { Queryable } from '../../database/index.ts';
import { scopeOf } from '../../trust/index.ts';
import type { Reader, StoredRow } from '../read.ts';
import { named } from '../statement-names.ts';
import { type Compiled, compileSearch } from './compiled.ts';
import type { Cursor } from './cursor.ts';
import type { Frequencies } from './frequencies.ts';
import { type Lookups, once } from './lookups.ts';
import type { SearchRequest, SortKey } from './request.ts';
import { pageStatement, withoutKeyStatement } from './statement.ts';

/** A row of a page: its sort keys are `k0`, `k1`, …, the clock when it was read is `bound`. */
export type PageRow = StoredRow & Record<string, unknown> & { bound: number };

export class SearchRun {
  readonly lookups: Lookups;
  readonly reader: Reader;
  readonly database: Queryable;
  readonly #frequencies: Frequencies;
  readonly #note: (rows: readonly StoredRow[]) => void;

  /** @param note is shown the rows of pages as they are found */
  constructor(
    database: Queryable,
    reader: Reader,
    lookups: Omit<Lookups, 'query'>,
    frequencies: Frequencies,
    note: (rows: readonly StoredRow[]) => void = () => {},
  ) {
    this.#note = note;
    this.database = database.as(scopeOf(lookups.access));
    this.reader = reader;
    this.#frequencies = frequencies;
    this.lookups = once({ ...lookups, query: (text, values) => this.query(text, values) });
  }

  /** Compiles a request for one statement. */
  async compile(request: SearchRequest): Promise<Compiled> {
    const values: unknown[] = [];
    const context = { ...this.lookups, parameter: (value: unknown) => `$${values.push(value)}` };
    return compileSearch(context, values, request, this.#frequencies);
  }

  /** The first rows after a cursor. */
  async rows(compiled: Compiled, cursor: Cursor | undefined, limit: number): Promise<PageRow[]> {
    const rows = await this.query<PageRow>(pageStatement(compiled, cursor, limit), compiled.values);
    this.#note(rows);
    const { byOrder, lead, request } = compiled;
    // What a filter on the same date finds has a value of the key.
    if (!byOrder || lead || rows.length >= limit || cursor?.keys[0] === null) return rows;
    // The index of the order is at its end: what has no value of the key comes last.
    const rest = await this.compile(request);
    const from = cursor && { ...cursor, keys: [null], ...beginning(byOrder) };
    const statement = withoutKeyStatement(rest, byOrder, from, limit - rows.length);
    const last = await this.query<PageRow>(statement, rest.values);
    this.#note(last);
    return [...rows, ...last];
  }

  /** Statements of one shape are prepared once a connection; there is an end to how many shapes are. */
  async query<T extends Record<string, unknown>>(text: string, values: unknown[]): Promise<T[]> {
    const { rows } = await this.database.query<T>(named(text, values));
    return rows;
  }
}

/** Where resources without a value of the key begin, in the order of the index's direction. */
function beginning(key: SortKey): { home: number; rkey: number } {
  const far = Number.MAX_SAFE_INTEGER;
  return key.descending ? { home: far, rkey: -far } : { home: -far, rkey: far };
}
