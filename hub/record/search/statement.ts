/**
 * The statement of a search: led by the index of its most selective filter, or by the order that is asked for; every
 * other filter and the access decision are conditions on each row.
 */
import { typeCode } from '@causeway/fhir';
import { accessCondition } from '../../trust/index.ts';
import { presenceHash } from '../index-entries.ts';
import { parameterNumber } from '../keys.ts';
import { storedColumns } from '../read.ts';
import { compile } from './compile.ts';
import type { Cursor } from './cursor.ts';
import { type Frequencies, frequent } from './frequencies.ts';
import { eachResource, orderedRows } from './lead.ts';
import { afterCursor, afterPlace, type OrderKey, orderBy, orderKeys, sortedColumns } from './order.ts';
import { type Check, type Lead, type Predicate, type SearchContext, sqlOf } from './predicate.ts';
import type { SearchRequest, SortKey } from './request.ts';

/** A search compiled for one statement. */
export interface Compiled {
  context: SearchContext;
  values: unknown[];
  request: SearchRequest;
  predicates: Predicate[];
  checks: Check[];
  lead: Predicate | undefined;
  /** The index whose order is the one asked for leads. */
  byOrder: SortKey | undefined;
  homes: number[] | undefined;
}

/** Compiles the filters and decides what leads. */
export async function compileSearch(
  context: SearchContext,
  values: unknown[],
  request: SearchRequest,
  frequencies: Frequencies,
): Promise<Compiled> {
  const predicates = await Promise.all(request.filters.map((filter) => compile(context, request.type, filter)));
  const homes = predicates.find((one) => one.homes)?.homes;
  const checks = predicates.flatMap(({ check }) => check ?? []);
  const base = { context, values, request, predicates, checks, homes };
  if (homes) return { ...base, lead: withinHomes(predicates), byOrder: undefined };
  const { lead, isFrequent } = await mostSelective(context, request, predicates, frequencies);
  const key = request.sort[0];
  const byOrder = isFrequent && request.sort.length === 1 && isIndexed(key) ? key : undefined;
  return { ...base, lead: byOrder ? undefined : lead, byOrder };
}

/** One page: `limit` rows after the cursor with their sort keys `k0`, `k1`, … and the clock as `bound`. */
export function pageStatement(compiled: Compiled, cursor: Cursor | undefined, limit: number): string {
  const { context, request, byOrder } = compiled;
  if (byOrder && cursor?.keys[0] !== null) return inIndexOrder(compiled, byOrder, cursor, limit);
  const keys = orderKeys(context, request.type, request.sort);
  if (keys.length > 0) return sorted(compiled, keys, cursor, limit);
  const { from, rkey, home } = source(compiled, cursor);
  return `SELECT ${storedColumns}, ${bound} FROM ${from} WHERE ${conditions(compiled, cursor)}
    ORDER BY ${home}, ${rkey} DESC LIMIT ${limit}`;
}

/** How many there are; at most `most`, where given. */
export function countStatement(compiled: Compiled, most?: number): string {
  const { from } = source({ ...compiled, byOrder: undefined }, undefined);
  const rows = `SELECT 1 FROM ${from} WHERE ${conditions(compiled, undefined)}`;
  return `SELECT count(*) AS count FROM (${rows}${most === undefined ? '' : ` LIMIT ${most}`}) found`;
}

/** What is left of an index's order after its last entry: resources that have no value of the key. */
export function withoutKeyStatement(
  compiled: Compiled,
  key: SortKey,
  cursor: Cursor | undefined,
  limit: number,
): string {
  const { context, request } = compiled;
  const keys: OrderKey[] = [{ sql: 'NULL', cast: 'float8', descending: key.descending, neverNull: false }];
  const code = (key.parameter as { code: string }).code;
  const marker = context.parameter(`{${presenceHash(request.type, code)}}`);
  return sorted(compiled, keys, cursor, limit, `NOT r.tokens @> ${marker}::bigint[]`);
}

const bound = '(SELECT seq FROM clock) AS bound';

function sorted(
  compiled: Compiled,
  keys: readonly OrderKey[],
  cursor: Cursor | undefined,
  limit: number,
  also = 'true',
): string {
  const { from } = source({ ...compiled, byOrder: undefined }, undefined);
  const columns = keys.map(({ sql, cast }, i) => `${sql}::${cast} AS k${i}`).join(', ');
  const after = cursor ? `WHERE ${afterCursor(compiled.context, keys, cursor, sortedColumns)}` : '';
  return `SELECT s.*, ${bound} FROM (
      SELECT ${storedColumns}, ${columns} FROM ${from} WHERE ${conditions(compiled, cursor)} AND ${also}) s
    ${after} ORDER BY ${orderBy(keys, sortedColumns)} LIMIT ${limit}`;
}

/** Follows the index of the sort key; of a resource with several values the first that comes stands for it. */
function inIndexOrder(compiled: Compiled, key: SortKey, cursor: Cursor | undefined, limit: number): string {
  const { context, request } = compiled;
  const parameter = key.parameter as { code: string; type: string };
  const isString = parameter.type === 'string';
  const [table, column, cast] = isString ? ['index_string', 'value', 'text'] : ['index_range', 'low', 'float8'];
  const number = `${context.parameter(String(parameterNumber(request.type, parameter.code)))}::bigint`;
  const keys: OrderKey[] = [{ sql: 'lead.key', cast, descending: key.descending, neverNull: true }];
  const earlier = key.descending ? '>' : '<';
  const index = { key: () => `x.${column}`, home: 'x.home', rkey: 'x.rkey' };
  const after = cursor ? ` AND ${afterCursor(context, keys, cursor, index)}` : '';
  const range = cursor
    ? ` AND x.${column} ${key.descending ? '<=' : '>='} ${context.parameter(cursor.keys[0])}::${cast}`
    : '';
  return `SELECT ${storedColumns}, s.key AS k0, ${bound}
    FROM (SELECT x.home, x.rkey, x.${column} AS key FROM ${table} x WHERE x.param = ${number}${range}${after}
          ORDER BY ${orderBy(keys, index)} OFFSET 0) s
    ${each('s')}
    WHERE ${conditions(compiled, cursor)} AND NOT EXISTS (
      SELECT 1 FROM ${table} o WHERE o.home = s.home AND o.rkey = s.rkey AND o.param = ${number} AND o.${column} ${earlier} s.key)
    ORDER BY ${orderBy(keys, { ...sortedColumns, key: () => 's.key' })} LIMIT ${limit}`;
}

/** The rows among which the conditions choose, and the columns that order them by place. */
function source(compiled: Compiled, cursor: Cursor | undefined): { from: string; home: string; rkey: string } {
  const { context, request, lead, homes } = compiled;
  const link = 'LEFT JOIN link l ON l.home = r.home';
  const within = (home: string, rkey: string) => {
    const parts: string[] = [];
    if (homes) parts.push(inHomes(context, home, homes));
    if (cursor && request.sort.length === 0) parts.push(afterPlace(context, cursor, home, rkey));
    return parts.join(' AND ') || 'true';
  };
  if (!lead?.lead) {
    const rows = `(SELECT * FROM resource WHERE type = ${typeCode(request.type)} AND ${within('home', 'rkey')})`;
    return { from: `${rows} r ${link}`, home: 'r.home', rkey: 'r.rkey' };
  }
  const { sql, inOrder } = orderedRows(context, lead.lead, within('home', 'rkey'));
  if (inOrder && request.sort.length === 0) {
    return { from: `(${sql}) lead ${each('lead')}`, home: 'lead.home', rkey: 'lead.rkey' };
  }
  return { from: `(${sql}) lead ${each('lead')}`, home: 'r.home', rkey: 'r.rkey' };
}

function each(lead: string): string {
  return `${eachResource(lead, 'r')} LEFT JOIN link l ON l.home = r.home`;
}

function conditions(compiled: Compiled, cursor: Cursor | undefined): string {
  const { context, request, predicates, lead } = compiled;
  const parts = [
    `r.type = ${typeCode(request.type)}`,
    'NOT r.deleted',
    accessCondition(context.access, 'r.home', context.parameter),
  ];
  if (cursor) parts.push(`r.rkey <= ${context.parameter(cursor.bound)}::bigint`);
  const isPatient = request.type === 'Patient';
  for (const predicate of predicates) {
    if (predicate === lead && isWhole(predicate)) continue;
    parts.push(isPatient && predicate !== lead ? ofPerson(context, predicate) : sqlOf(predicate, 'r'));
  }
  if (isPatient) parts.push(oncePerPerson(context, lead));
  return parts.join(' AND ');
}

/** Whether an index says all that the filter does. */
function isWhole({ lead, partial }: Predicate): boolean {
  return lead !== undefined && !partial;
}

/** A person is found by what any of its source patients says, and by what none of them says. */
function ofPerson(context: SearchContext, predicate: Predicate): string {
  const any = `(${predicate.sql('r')} OR (l.presented IS NOT NULL AND EXISTS (
    SELECT 1 FROM ${siblings(context)} AND ${predicate.sql('rs')} OFFSET 0)))`;
  return predicate.negative ? `NOT ${any}` : any;
}

/** Of the source patients of a person that the leading filter finds, the first stands for the person. */
function oncePerPerson(context: SearchContext, lead: Predicate | undefined): string {
  const found = lead ? ` AND ${sqlOf(lead, 'rs')}` : '';
  return `(l.presented IS NULL OR NOT EXISTS (
    SELECT 1 FROM ${siblings(context)} AND ls.home < r.home${found} OFFSET 0))`;
}

function siblings(context: SearchContext): string {
  const access = accessCondition(context.access, 'rs.home', context.parameter);
  return `link ls CROSS JOIN LATERAL (
      SELECT * FROM resource c WHERE c.type = ${typeCode('Patient')} AND c.home = ls.home LIMIT 1) rs
    WHERE ls.person = l.person AND NOT rs.deleted AND ${access}`;
}

function inHomes(context: SearchContext, column: string, homes: number[]): string {
  if (homes.length === 1) return `${column} = ${context.parameter(homes[0])}::bigint`;
  return `${column} = ANY(${context.parameter(`{${homes.join(',')}}`)}::bigint[])`;
}

/** In a chart any index will do; that of the patient itself finds the most. */
function withinHomes(predicates: readonly Predicate[]): Predicate {
  const hashed = predicates.filter((one) => one.lead && 'hashes' in one.lead && !one.negative);
  return hashed.find((one) => !one.homes) ?? hashed[0]!;
}

/** The filter that finds least; `isFrequent`: even that finds a lot. */
async function mostSelective(
  context: SearchContext,
  request: SearchRequest,
  predicates: readonly Predicate[],
  frequencies: Frequencies,
): Promise<{ lead: Predicate | undefined; isFrequent: boolean }> {
  const leading = predicates.map((one, i) => ({ one, i })).filter(({ one }) => one.lead && !one.negative);
  const few = leading.find(({ one }) => 'few' in one.lead! && one.lead.few);
  if (few) return { lead: few.one, isFrequent: false };
  const sorts = request.sort.length > 0;
  if (leading.length === 0) return { lead: undefined, isFrequent: true };
  if (leading.length === 1 && !sorts && isHashed(leading[0]!.one.lead!)) {
    return { lead: leading[0]!.one, isFrequent: false };
  }
  const counts = await Promise.all(
    leading.map(({ one, i }) => frequencies.of(context, request.type, one, request.filters[i]!)),
  );
  const least = Math.min(...counts);
  const chosen = leading[counts.indexOf(least)]!.one;
  if (least < frequent) return { lead: chosen, isFrequent: false };
  // Rows of one hash lie in the order of pages; those of ranges and texts would all have to be sorted first.
  return { lead: leading.find(({ one }) => isHashed(one.lead!))?.one, isFrequent: true };
}

function isHashed(lead: Lead): boolean {
  return 'hashes' in lead;
}

function isIndexed(key: SortKey | undefined): boolean {
  return typeof key?.parameter === 'object' && ['date', 'number', 'quantity', 'string'].includes(key.parameter.type);
}
