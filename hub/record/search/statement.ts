/**
 * The statement of a search: led by the index of its most selective filter, or by the order that is asked for; every
 * other filter and the access decision are conditions on each row.
 */
import { typeCode } from '@causeway/fhir';
import { accessCondition } from '../../trust/index.ts';
import { presenceHash, quantityStep } from '../index-entries.ts';
import { parameterNumber } from '../keys.ts';
import { storedColumns } from '../read.ts';
import type { Compiled } from './compiled.ts';
import type { Cursor } from './cursor.ts';
import { eachResource, foundRows, orderedRows, type Within } from './lead.ts';
import { afterCursor, afterPlace, type OrderKey, orderBy, orderKeys, sortedColumns } from './order.ts';
import { hashArray, lazily, type Predicate, patientOf, type SearchContext, sqlOf } from './predicate.ts';
import type { SortKey } from './request.ts';

/** One page: `limit` rows after the cursor with their sort keys `k0`, `k1`, … and the clock as `bound`. */
export function pageStatement(compiled: Compiled, cursor: Cursor | undefined, limit: number): string {
  const { context, request, byOrder } = compiled;
  if (byOrder && cursor?.keys[0] !== null) return inIndexOrder(compiled, byOrder, cursor, limit);
  const keys = orderKeys(context, request.type, request.sort);
  if (keys.length > 0) return sorted(compiled, keys, cursor, limit);
  const { from, place, order } = source(compiled, cursor, true);
  return `SELECT ${columnsOf(compiled)}, ${bound} FROM ${from}
    WHERE ${placeConditions(compiled, place)} AND ${conditions(compiled, cursor, place)} ORDER BY ${order} LIMIT ${limit}`;
}

/** How many there are; at most `most`, where given. */
export function countStatement(compiled: Compiled, most?: number): string {
  const { from, place } = source(compiled, undefined, false);
  const rows = `SELECT 1 FROM ${from} WHERE ${placeConditions(compiled, place)} AND ${conditions(compiled, undefined, place)}`;
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
  const keys: OrderKey[] = [{ sql: () => 'NULL', cast: 'float8', descending: key.descending, neverNull: false }];
  const code = (key.parameter as { code: string }).code;
  const marker = context.parameter(`{${context.index.keyedOne(presenceHash(request.type, code))}}`);
  return sorted(compiled, keys, cursor, limit, `NOT r.tokens @> ${marker}::bigint[]`);
}

const bound = '(SELECT seq FROM clock) AS bound';

/** Sorts what the lead finds; where indexes give all keys, before any resource is read. */
function sorted(
  compiled: Compiled,
  keys: readonly OrderKey[],
  cursor: Cursor | undefined,
  limit: number,
  also = 'true',
): string {
  const { context, lead } = compiled;
  const columns = (alias: string) => keys.map(({ sql, cast }, i) => `${sql(alias)}::${cast} AS k${i}`).join(', ');
  const after = cursor ? `WHERE ${afterCursor(context, keys, cursor, sortedColumns)}` : '';
  const order = `ORDER BY ${orderBy(keys, sortedColumns)}`;
  if (!lead || keys.some(({ ofRow }) => ofRow)) {
    const { from, place } = source(compiled, undefined, false);
    return `SELECT s.*, ${bound} FROM (
        SELECT ${columnsOf(compiled)}, ${columns('r')} FROM ${from}
        WHERE ${placeConditions(compiled, place)} AND ${conditions(compiled, cursor, place)} AND ${also}) s
      ${after} ${order} LIMIT ${limit}`;
  }
  const newest = cursor ? `rkey <= ${context.parameter(cursor.bound)}::bigint` : 'true';
  // Of a whole chart the keys are read in one go; what else is asked for, of what comes first.
  const isChart = lead.homes !== undefined && keys.every(({ inHomes }) => inHomes);
  const found = isChart
    ? chart(compiled, keys)
    : `SELECT f.home, f.rkey, ${columns('f')} FROM (${foundRows(context, lead.lead!, within(compiled, undefined))}) f
       WHERE ${placeConditions(compiled, 'f')}`;
  return `SELECT ${columnsOf(compiled)}, ${keys.map((_, i) => `s.k${i}`).join(', ')}, ${bound} FROM (
      SELECT * FROM (SELECT * FROM (${found} OFFSET 0) f WHERE ${newest}) s ${after} ${order} OFFSET 0) s ${each(compiled, 's')}
    WHERE ${isChart ? placeConditions(compiled, 's') : 'true'} AND ${conditions(compiled, cursor, 's')} AND ${also}
    ${order} LIMIT ${limit}`;
}

/** The resources of a patient with their sort keys, brought together from what each index has of the homes. */
function chart(compiled: Compiled, keys: readonly OrderKey[]): string {
  const { context, lead, homes } = compiled;
  const array = `${context.parameter(hashArray(homes!))}::bigint[]`;
  const columns = (only?: OrderKey) =>
    keys.map((key, i) => `${key === only ? 'key' : 'NULL'}::${key.cast} AS k${i}`).join(', ');
  const found = foundRows(context, lead!.lead!, within(compiled, undefined));
  const valued = keys.map((key) => `SELECT home, rkey, false, ${columns(key)} FROM (${key.inHomes!(array)}) v`);
  const best = keys.map(({ descending }, i) => `${descending ? 'max' : 'min'}(k${i}) AS k${i}`).join(', ');
  return `SELECT home, rkey, ${best} FROM (
      SELECT home, rkey, true AS led, ${columns()} FROM (${found}) f UNION ALL ${valued.join(' UNION ALL ')}) c
    GROUP BY home, rkey HAVING bool_or(led)`;
}

/**
 * Follows the index of the sort key, between the times that a filter on the same date asks for; of a resource with several
 * values the first that comes stands for it.
 */
function inIndexOrder(compiled: Compiled, key: SortKey, cursor: Cursor | undefined, limit: number): string {
  const { context, request, lead } = compiled;
  const parameter = key.parameter as { code: string; type: string };
  const isString = parameter.type === 'string';
  const [table, cast] = isString ? ['index_string', 'text'] : ['index_range', 'float8'];
  // Quantities lie by their steps, within these they are sorted; see `quantityStep`.
  const inSteps = parameter.type === 'quantity';
  const column = isString ? 'value' : inSteps ? 'low' : 'step';
  const order = key.descending ? 'DESC' : 'ASC';
  const bySteps = (of: string) => (inSteps ? `${of}.step ${order}, ` : '');
  const number = lazily(() => `${context.parameter(String(parameterNumber(request.type, parameter.code)))}::bigint`);
  const keys: OrderKey[] = [{ sql: () => 's.key', cast, descending: key.descending, neverNull: true }];
  const earlier = key.descending ? '>' : '<';
  const index = { key: () => `x.${column}`, home: 'x.home', rkey: 'x.rkey' };
  const after = cursor ? ` AND ${afterCursor(context, keys, cursor, index)}` : '';
  const range = () => {
    const last = cursor!.keys[0]!;
    const next = inSteps && !key.descending ? quantityStep(Number(last)) : last;
    return ` AND x.${inSteps ? 'step' : column} ${key.descending ? '<=' : '>='} ${context.parameter(next)}::${cast}`;
  };
  const ordered = (of: string, value: string) =>
    `ORDER BY ${bySteps(of)}${orderBy(keys, { key: () => value, home: `${of}.home`, rkey: `${of}.rkey` })}`;
  const between = (low: string) => ({ columns: `i.home, i.rkey, ${low} AS step`, order: ordered('i', low) });
  const from = lead?.times ? `(${lead.times.rows(between)}) x WHERE true` : `${table} x WHERE x.param = ${number()}`;
  const isFirst = lead?.times
    ? 'true'
    : `NOT EXISTS (SELECT 1 FROM ${table} o
        WHERE o.home = s.home AND o.rkey = s.rkey AND o.param = ${number()} AND o.${column} ${earlier} s.key)`;
  return `SELECT ${columnsOf(compiled)}, s.key AS k0, ${bound}
    FROM (SELECT x.home, x.rkey, x.${column} AS key${inSteps ? ', x.step' : ''} FROM ${from}${cursor ? range() : ''}${after}
          ${ordered('x', `x.${column}`)} OFFSET 0) s
    ${each(compiled, 's')} WHERE ${placeConditions(compiled, 's')} AND ${conditions(compiled, cursor, 's')} AND ${isFirst}
    ORDER BY ${bySteps('s')}${orderBy(keys, { ...sortedColumns, key: () => 's.key' })} LIMIT ${limit}`;
}

/**
 * The rows among which the conditions choose; `place`: the alias of what led to them; `order`: that of pages.
 * @param inOrder whether the rows are to come in it, one by one
 */
function source(
  compiled: Compiled,
  cursor: Cursor | undefined,
  inOrder: boolean,
): { from: string; place: string | undefined; order: string } {
  const { context, request, lead } = compiled;
  const inside = within(compiled, cursor);
  if (!lead?.lead) {
    const all = (columns: string) =>
      `(SELECT ${columns} FROM resource WHERE type = ${typeCode(request.type)} AND ${inside('home', 'rkey')})`;
    // Where indexes alone say something of a place, its row is read only if they do.
    return placeConditions(compiled, 'lead') === 'true'
      ? { from: `${all('*')} r ${link(compiled)}`, place: undefined, order: 'r.home, r.rkey DESC' }
      : {
          from: `${all('home, rkey')} lead ${each(compiled, 'lead')}`,
          place: 'lead',
          order: 'lead.home, lead.rkey DESC',
        };
  }
  if (!inOrder)
    return {
      from: `(${foundRows(context, lead.lead, inside)}) lead ${each(compiled, 'lead')}`,
      place: 'lead',
      order: '',
    };
  const { sql, order } = orderedRows(context, lead.lead, inside);
  return { from: `(${sql}) lead ${each(compiled, 'lead')}`, place: 'lead', order: order('lead') };
}

/** Of a known patient's search the homes, of a page's the places after the last. */
function within({ context, homes }: Compiled, cursor: Cursor | undefined): Within {
  return (home, rkey) => {
    const parts: string[] = [];
    if (homes) parts.push(inHomes(context, home, homes));
    if (cursor) parts.push(afterPlace(context, cursor, home, rkey));
    return parts.join(' AND ') || 'true';
  };
}

function each(compiled: Compiled, lead: string): string {
  return `${eachResource(lead, 'r')} ${link(compiled)}`;
}

/** What is told of a row. */
function columnsOf(compiled: Compiled): string {
  if (!isOfOneHome(compiled)) return storedColumns;
  const home = compiled.context.parameter(compiled.homes![0]);
  return storedColumns.replace('l.presented', `(SELECT presented FROM link WHERE home = ${home}::bigint) AS presented`);
}

/** The link of a row's home; in a search of one home it is looked up once, not with each row. */
function link(compiled: Compiled): string {
  return isOfOneHome(compiled) ? '' : 'LEFT JOIN link l ON l.home = r.home';
}

/** Conditions on Patients go by their links. */
function isOfOneHome({ homes, request }: Compiled): boolean {
  return homes?.length === 1 && request.type !== 'Patient';
}

/**
 * What indexes alone say of the places that lead, so that no resource is read in vain. Of Patients nothing: what one does
 * not say another of the same person may. Of the patient's own filter nothing either: all of a chart fulfil it.
 */
function placeConditions({ request, predicates, lead }: Compiled, place: string | undefined): string {
  if (!place || request.type === 'Patient') return 'true';
  const parts = predicates.flatMap((one) => (one === lead ? one.besideLead?.(place) : saidByPlace(one)?.(place)) ?? []);
  return parts.join(' AND ') || 'true';
}

function saidByPlace({ ofPlace, negative, homes }: Predicate): Predicate['ofPlace'] {
  return negative || homes ? undefined : ofPlace;
}

/** The conditions on a row of `resource`, as far as those on its place do not say the same. */
function conditions(compiled: Compiled, cursor: Cursor | undefined, place: string | undefined): string {
  const { context, request, predicates, lead, homes } = compiled;
  const parts = [
    `r.type = ${typeCode(request.type)}`,
    'NOT r.deleted',
    accessCondition(context.access, 'r', context.parameter, 'resource', { type: request.type, isOfFew: !!homes }),
  ];
  if (cursor) parts.push(`r.rkey <= ${context.parameter(cursor.bound)}::bigint`);
  const isPatient = request.type === 'Patient';
  for (const predicate of predicates) {
    const isSaid = predicate === lead || (place && !isPatient && saidByPlace(predicate));
    if (isSaid && !predicate.partial) continue;
    parts.push(isPatient && predicate !== lead ? ofPerson(context, predicate) : sqlOf(predicate, 'r'));
  }
  if (isPatient) parts.push(oncePerPerson(context, lead));
  return parts.join(' AND ');
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
  const access = accessCondition(context.access, 'rs', context.parameter, 'resource', {
    type: 'Patient',
    isOfFew: true,
  });
  return `link ls ${patientOf('ls', 'rs')} WHERE ls.person = l.person AND NOT rs.deleted AND ${access}`;
}

function inHomes(context: SearchContext, column: string, homes: number[]): string {
  if (homes.length === 1) return `${column} = ${context.parameter(homes[0])}::bigint`;
  return `${column} = ANY(${context.parameter(`{${homes.join(',')}}`)}::bigint[])`;
}
