/** What a filter means in SQL: a condition on a row of `resource`, and perhaps an index that gives what it finds. */
import type { IndexValue } from '@causeway/fhir';
import type { Row } from '../../database/index.ts';
import type { Access } from '../../trust/index.ts';

/** Adds a value to a statement and returns its placeholder. */
export type Parameter = (value: unknown) => string;

/** The source patients that a patient or person id stands for. */
export type ResolvePatient = (id: string) => Promise<{ rids: string[]; homes: number[] }>;

/** What predicates are compiled for: one statement of one caller. */
export interface SearchContext {
  access: Access;
  parameter: Parameter;
  /** Runs a statement of its own, under the same access. */
  query(text: string, values: unknown[]): Promise<Row[]>;
  resolvePatient: ResolvePatient;
  codes: Codes;
  /** What List resources name, those that the caller may read. */
  members(listIds: readonly string[]): Promise<{ type: string; id: string }[]>;
}

/** The meaning of codes that `:in`, `:not-in`, `:above` and `:below` ask for. */
export interface Codes {
  /** The codes of a value set, as `system|code`. @throws RecordError for one that is not known or too large */
  valueSet(access: Access, url: string): Promise<string[]>;
  /** A code with all that are above or below it in its hierarchy, itself included, as `system|code`. */
  hierarchy(access: Access, direction: 'above' | 'below', token: string): Promise<string[]>;
}

export interface Predicate {
  /** The condition on an alias of `resource`. */
  sql(alias: string): string;
  /** The filter holds where the condition does not. */
  negative?: true;
  /** What the filter finds, from an index. A negative filter has none. */
  lead?: Lead;
  /** The lead gives more than the filter finds. */
  partial?: true;
  /** Where the filter confines the search to the records of known patients: their homes. */
  homes?: number[];
  /** What is left to be checked on the resource itself, beside the condition. */
  check?: Check;
}

/**
 * Rows of `index_token` with one of these values, or a statement that gives `home, rkey`, in any order and repeatedly;
 * `few`: it is known to give few.
 */
export type Lead = { hashes: bigint[] } | { rows(): string; few?: true };

/** A condition that no index answers; it is asked of each resource in turn. */
export type Check = (resource: Record<string, unknown>, values: readonly IndexValue[]) => boolean;

/** A value made when it is first needed: a statement must not have parameters that it does not use. */
export function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/**
 * The filter that finds what has one of the hashes.
 * @param rows where some of them are markers, which have no rows: the hashes of the rows that have such markers
 */
export function hashed(context: SearchContext, hashes: bigint[], rows?: bigint[]): Predicate {
  const list = lazily(() => `${context.parameter(hashArray(hashes))}::bigint[]`);
  const sql = (alias: string) => `${alias}.tokens && ${list()}`;
  return rows ? { sql, lead: { hashes: [...new Set(rows)] }, partial: true } : { sql, lead: { hashes } };
}

/**
 * The filter that finds what the index rows of one parameter say. As a condition it is asked of each candidate: `OFFSET 0`
 * keeps the planner from reading all that the range holds first, which may be all there is.
 * @param test a condition on the columns of `i`, its values lazily; as a condition on a candidate's own rows it must not
 *   look as if an index could answer it: without statistics, as after a load, the planner would read all rows of the range
 *   for each candidate
 */
export function indexed(
  context: SearchContext,
  table: 'index_range' | 'index_string',
  number: bigint,
  test: (columns: IndexColumns) => string,
): Predicate {
  const param = lazily(() => `${context.parameter(String(number))}::bigint`);
  const found = lazily(() => test({ low: 'i.low', value: 'i.value' }));
  const own = lazily(() => test({ low: '(i.low + 0)', value: `(i.value || '')` }));
  return {
    sql: (alias) =>
      `EXISTS (SELECT 1 FROM ${table} i WHERE i.home = ${alias}.home AND i.rkey = ${alias}.rkey AND i.param = ${param()} AND ${own()} OFFSET 0)`,
    lead: { rows: () => `SELECT i.home, i.rkey FROM ${table} i WHERE i.param = ${param()} AND ${found()}` },
  };
}

/** The columns of an index that lead it. */
export interface IndexColumns {
  low: string;
  value: string;
}

/** The filter that one of several finds. */
export function anyOf(context: SearchContext, predicates: Predicate[]): Predicate {
  const [only] = predicates;
  if (predicates.length === 1 && only) return only;
  const leads = predicates.map(({ lead, negative }) => (negative ? undefined : lead));
  const sql = (alias: string) => `(${predicates.map((one) => sqlOf(one, alias)).join(' OR ')})`;
  const hashes = leads.flatMap((lead) => (lead && 'hashes' in lead ? lead.hashes : []));
  const partial = predicates.some((one) => one.partial) ? { partial: true as const } : {};
  if (leads.every((lead) => lead && 'hashes' in lead)) return { sql, lead: { hashes }, ...partial };
  if (leads.some((lead) => lead === undefined)) return { sql };
  return { sql, lead: { rows: () => leads.map((lead) => leadRows(context, lead!)).join(' UNION ALL ') }, ...partial };
}

/** The filter that all of several find. */
export function allOf(predicates: Predicate[]): Predicate {
  const [only] = predicates;
  if (predicates.length === 1 && only) return only;
  const lead = predicates.find((one) => one.lead && !one.negative)?.lead;
  const sql = (alias: string) => `(${predicates.map((one) => sqlOf(one, alias)).join(' AND ')})`;
  return lead ? { sql, lead, partial: true } : { sql };
}

/** The condition of a filter, negative or not. */
export function sqlOf(predicate: Predicate, alias: string): string {
  return predicate.negative ? `NOT (${predicate.sql(alias)})` : predicate.sql(alias);
}

/** What a lead finds, in any order and perhaps repeatedly. Hashes are values: the text has to be that of every search of its shape. */
export function leadRows(context: SearchContext, lead: Lead): string {
  if ('rows' in lead) return lead.rows();
  const list = context.parameter(hashArray(lead.hashes));
  return `SELECT home, rkey FROM index_token WHERE value = ANY(${list}::bigint[])`;
}

/** Hashes as PostgreSQL reads an array. */
export function hashArray(hashes: readonly bigint[]): string {
  return `{${hashes.join(',')}}`;
}
