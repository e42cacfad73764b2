/** What a filter means in SQL: a condition on a row of `resource`, and perhaps an index that gives what it finds. */
import { type IndexValue, typeCode } from '@causeway/fhir';
import type { Row } from '../../database/index.ts';
import type { Access } from '../../trust/index.ts';
import type { IndexKey } from '../index-key.ts';

/** Adds a value to a statement and returns its placeholder. */
export type Parameter = (value: unknown) => string;

/** The source patients that a patient or person id stands for. */
export type ResolvePatient = (id: string) => Promise<{ rids: string[]; homes: number[] }>;

/** What predicates are compiled for: one statement of one caller. */
export interface SearchContext {
  access: Access;
  /** The key of the hashes that statements ask for. */
  index: IndexKey;
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
  /**
   * What indexes alone say of a place, a row with `home` and `rkey`: the condition itself, or, of a partial filter, one
   * that all it finds fulfil. It spares the rows of `resource` of what is not found.
   */
  ofPlace?(alias: string): string;
  /** The same without what the lead says anyhow. */
  besideLead?(alias: string): string;
  /** What the filter finds, from an index. A negative filter has none. */
  lead?: Lead;
  /** The lead gives more than the filter finds. */
  partial?: true;
  /** Of a date that a resource has once at most: its parameter, and the rows of `index_range` that the filter finds, as `i`. */
  times?: { param: bigint; rows(select: Select): string };
  /** Where the filter confines the search to the records of known patients: their homes. */
  homes?: number[];
  /** What is left to be checked on the resource itself, beside the condition. */
  check?: Check;
}

/** What to select of rows of `index_range`, and in which order; `low`: how to write the low end of `i`. */
export type Select = (low: string) => { columns: string; order: string };

/**
 * Rows of `index_token` with one of these values; the Patients in whose homes there are such rows; or a statement that
 * gives `home, rkey`, in any order and repeatedly; `few`: it is known to give few.
 */
export type Lead = { hashes: bigint[]; patients?: true } | { rows(): string; few?: true };

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
 * The filter that finds what has one of the hashes, which are not keyed yet.
 * @param askedRows where some of them are markers, which have no rows: the hashes of the rows that have such markers
 */
export function hashed(context: SearchContext, asked: readonly bigint[], askedRows?: readonly bigint[]): Predicate {
  const hashes = context.index.keyed(asked);
  const rows = askedRows && context.index.keyed([...new Set(askedRows)]);
  const list = lazily(() => `${context.parameter(hashArray(hashes))}::bigint[]`);
  const sql = (alias: string) => `${alias}.tokens && ${list()}`;
  const led = rows ?? hashes;
  const ledList = lazily(() => (rows ? `${context.parameter(hashArray(led))}::bigint[]` : list()));
  const ofPlace = (alias: string) =>
    `EXISTS (SELECT 1 FROM index_token t WHERE t.value = ANY(${ledList()}) AND t.home = ${alias}.home AND t.rkey = ${alias}.rkey OFFSET 0)`;
  return {
    sql,
    lead: { hashes: led },
    ...(led.length <= probed ? { ofPlace } : {}),
    ...(rows ? { partial: true } : {}),
  };
}

/** So many hashes at most are looked up for each place; a list of codes is rather held against the tokens of a row. */
const probed = 16;

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
  const param = lazily(() => `${context.parameter(String(context.index.keyedOne(number)))}::bigint`);
  const found = lazily(() => test({ step: 'i.step', low: 'i.low', value: 'i.value' }));
  const own = lazily(() => test({ step: undefined, low: '(i.low + 0)', value: `(i.value || '')` }));
  const sql = (alias: string) =>
    `EXISTS (SELECT 1 FROM ${table} i WHERE i.home = ${alias}.home AND i.rkey = ${alias}.rkey AND i.param = ${param()} AND ${own()} OFFSET 0)`;
  return {
    sql,
    ofPlace: sql,
    lead: { rows: () => `SELECT i.home, i.rkey FROM ${table} i WHERE i.param = ${param()} AND ${found()}` },
  };
}

/** The columns to compare: `step` and `value` lead their indexes. */
export interface IndexColumns {
  /** Where a row lies in its index: `low`, or, of quantities, what `quantityStep` makes of it. Undefined for a candidate's own rows. */
  step: string | undefined;
  low: string;
  value: string;
}

/** The filter that one of several finds. */
export function anyOf(context: SearchContext, predicates: Predicate[]): Predicate {
  const [only] = predicates;
  if (predicates.length === 1 && only) return only;
  const sql = (alias: string) => `(${predicates.map((one) => sqlOf(one, alias)).join(' OR ')})`;
  const leads = predicates.flatMap(({ lead, negative }) => (negative || !lead ? [] : lead));
  if (leads.length < predicates.length) return { sql };
  const places = predicates.flatMap(({ ofPlace }) => ofPlace ?? []);
  return {
    sql,
    lead: eitherLead(context, leads),
    ...(places.length === predicates.length
      ? { ofPlace: (alias: string) => `(${places.map((one) => one(alias)).join(' OR ')})` }
      : {}),
    ...(predicates.some((one) => one.partial) ? { partial: true } : {}),
  };
}

function eitherLead(context: SearchContext, leads: readonly Lead[]): Lead {
  const hashed = leads.flatMap((lead) => ('hashes' in lead ? lead : []));
  const patients = hashed.filter((lead) => lead.patients);
  const isOneKind = hashed.length === leads.length && (patients.length === 0 || patients.length === leads.length);
  if (!isOneKind) return { rows: () => leads.map((lead) => leadRows(context, lead)).join(' UNION ALL ') };
  const hashes = hashed.flatMap((lead) => lead.hashes);
  return patients.length > 0 ? { hashes, patients: true } : { hashes };
}

/** The filter that all of several find. */
export function allOf(predicates: Predicate[]): Predicate {
  const [only] = predicates;
  if (predicates.length === 1 && only) return only;
  const leading = predicates.find((one) => one.lead && !one.negative);
  const sql = (alias: string) => `(${predicates.map((one) => sqlOf(one, alias)).join(' AND ')})`;
  if (!leading) return { sql };
  const places = (some: readonly Predicate[]) => (alias: string) =>
    some.flatMap(({ ofPlace }) => ofPlace?.(alias) ?? []).join(' AND ') || 'true';
  return {
    sql,
    lead: leading.lead!,
    partial: true,
    ofPlace: places(predicates),
    besideLead: places(predicates.filter((one) => one !== leading)),
  };
}

/** The condition of a filter, negative or not. */
export function sqlOf(predicate: Predicate, alias: string): string {
  return predicate.negative ? `NOT (${predicate.sql(alias)})` : predicate.sql(alias);
}

/** What a lead finds, in any order and perhaps repeatedly. Hashes are values: the text has to be that of every search of its shape. */
export function leadRows(context: SearchContext, lead: Lead): string {
  if ('rows' in lead) return lead.rows();
  const list = context.parameter(hashArray(lead.hashes));
  const rows = (column: string) => `SELECT ${column} FROM index_token WHERE value = ANY(${list}::bigint[])`;
  return lead.patients
    ? `SELECT p.home, p.rkey FROM (${rows('home')}) hit ${patientOf('hit', 'p')}`
    : rows('home, rkey');
}

/** The Patient in whose home something lies. */
export function patientOf(place: string, alias: string): string {
  return `CROSS JOIN LATERAL (
    SELECT * FROM resource c WHERE c.type = ${typeCode('Patient')} AND c.home = ${place}.home LIMIT 1) ${alias}`;
}

/** Hashes, or homes, as PostgreSQL reads an array. */
export function hashArray(hashes: readonly (bigint | number)[]): string {
  return `{${hashes.join(',')}}`;
}
