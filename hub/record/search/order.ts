/**
 * The order of a search's pages. Without `_sort`: by home, within it the newest first. With it: by the keys, resources
 * without a value last, then by home and number; where the first key descends, the whole order is that of the index read
 * backwards.
 */
import { parameterNumber } from '../keys.ts';
import { type Cursor, notGiven } from './cursor.ts';
import { hashArray, type SearchContext } from './predicate.ts';
import type { SortKey } from './request.ts';

/** One key as SQL. */
export interface OrderKey {
  /** Of an alias with `home` and `rkey`, or of a row of `resource` where it is `ofRow`. */
  sql(alias: string): string;
  ofRow?: true;
  /** All values that the index has of an array of homes: rows of `home, rkey, key`. */
  inHomes?(homes: string): string;
  cast: string;
  descending: boolean;
  neverNull: boolean;
}

/** Whether PostgreSQL can order by these keys; tokens, references and URIs are only hashes to it. */
export function isOrderedBySql(sort: readonly SortKey[]): boolean {
  return sort.every(
    ({ parameter }) =>
      typeof parameter === 'string' || ['date', 'number', 'quantity', 'string'].includes(parameter.type),
  );
}

export function orderKeys(context: SearchContext, type: string, sort: readonly SortKey[]): OrderKey[] {
  return sort.map(({ parameter, descending }) => {
    if (parameter === '_lastUpdated') {
      return { sql: (alias) => `${alias}.updated`, ofRow: true, cast: 'timestamptz', descending, neverNull: true };
    }
    if (parameter === '_id') {
      return { sql: (alias) => `${alias}.rid`, ofRow: true, cast: 'uuid', descending, neverNull: true };
    }
    const isString = parameter.type === 'string';
    const [table, column] = isString ? ['index_string', 'value'] : ['index_range', 'low'];
    const codes = parameter.unionOf ?? [parameter.code];
    const numbers = context.parameter(hashArray(codes.map((code) => parameterNumber(type, code))));
    return {
      sql: (alias) => `(SELECT ${descending ? 'max' : 'min'}(i.${column}) FROM ${table} i
        WHERE i.home = ${alias}.home AND i.rkey = ${alias}.rkey AND i.param = ANY(${numbers}::bigint[]))`,
      // Home by home and in order: without statistics the planner would read all values of the parameter instead.
      inHomes: (homes) => `SELECT i.* FROM unnest(${homes}) h (home) CROSS JOIN LATERAL (
          SELECT i.home, i.rkey, i.${column} AS key FROM ${table} i
          WHERE i.home = h.home AND i.param = ANY(${numbers}::bigint[]) ORDER BY i.rkey DESC OFFSET 0) i`,
      cast: isString ? 'text' : 'float8',
      descending,
      neverNull: false,
    };
  });
}

/** Where the keys and the place of a row stand in a statement. */
export interface OrderColumns {
  key(i: number): string;
  home: string;
  rkey: string;
}

/** The columns of `s`, with the keys `k0`, `k1`, …. */
export const sortedColumns: OrderColumns = { key: (i) => `s.k${i}`, home: 's.home', rkey: 's.rkey' };

/** ORDER BY for the keys, and its tie-break. */
export function orderBy(keys: readonly OrderKey[], columns: OrderColumns): string {
  const parts = keys.map(({ descending, neverNull }, i) => {
    return `${columns.key(i)} ${descending ? 'DESC' : 'ASC'}${neverNull ? '' : ' NULLS LAST'}`;
  });
  const backwards = keys[0]?.descending === true;
  return [
    ...parts,
    `${columns.home} ${backwards ? 'DESC' : 'ASC'}`,
    `${columns.rkey} ${backwards ? 'ASC' : 'DESC'}`,
  ].join(', ');
}

/** The condition for what comes after a cursor. @throws RecordError 400 */
export function afterCursor(
  context: SearchContext,
  keys: readonly OrderKey[],
  cursor: Cursor,
  columns: OrderColumns,
): string {
  if (cursor.keys.length !== keys.length) throw notGiven();
  const backwards = keys[0]?.descending === true;
  const home = `${context.parameter(cursor.home)}::bigint`;
  const rkey = `${context.parameter(cursor.rkey)}::bigint`;
  const [ahead, behind] = backwards ? ['<', '>'] : ['>', '<'];
  let condition = `(${columns.home} ${ahead} ${home} OR (${columns.home} = ${home} AND ${columns.rkey} ${behind} ${rkey}))`;
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i]!;
    const value = cursor.keys[i]!;
    const column = columns.key(i);
    if (value === null) condition = `(${column} IS NULL AND ${condition})`;
    else {
      const at = `${context.parameter(keyValue(key, value))}::${key.cast}`;
      const after = `${column} ${key.descending ? '<' : '>'} ${at}${key.neverNull ? '' : ` OR ${column} IS NULL`}`;
      condition = `(${after} OR (${column} = ${at} AND ${condition}))`;
    }
  }
  return condition;
}

/** After a cursor in the order without `_sort`, on columns that may lead a search; of the home alone without `rkey`. */
export function afterPlace(context: SearchContext, cursor: Cursor, home: string, rkey?: string): string {
  const at = `${context.parameter(cursor.home)}::bigint`;
  if (rkey === undefined) return `${home} >= ${at}`;
  return `${home} >= ${at} AND (${home} > ${at} OR ${rkey} < ${context.parameter(cursor.rkey)}::bigint)`;
}

/** The value of a key as a cursor keeps it. */
export function cursorKey(value: unknown): string | number | null {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

function keyValue(key: OrderKey, value: string | number): string | number {
  const fits = {
    text: () => typeof value === 'string',
    float8: () => typeof value === 'number',
    uuid: () => /^[0-9a-f-]{36}$/.test(String(value)),
    timestamptz: () => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  }[key.cast];
  if (!fits?.()) throw notGiven();
  return value;
}
