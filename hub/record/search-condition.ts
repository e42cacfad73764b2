/** Search filters as SQL conditions on a row `r` of `resource`, with the access decision on every alias. */
import { dateRange, normalizeString, type SearchParameter } from '@causeway/fhir';
import { RecordError } from './errors.ts';
import { hash64, parameterNumber, ridOf, tokenHash } from './keys.ts';
import type { Filter } from './search-request.ts';

/** Adds a value to a statement and returns its placeholder. */
export type Parameter = (value: unknown) => string;

/** What one filter means in SQL. */
export interface Condition {
  /** A condition on `r`. */
  sql: string;
  /** Where the filter is a choice of hashes: these, for the index that may lead the search. */
  hashes?: bigint[];
  /** Where the filter confines the search to the records of known patients: their homes. */
  homes?: number[];
  /** A statement that gives `home, rkey` of what the filter finds, for filters that can lead the search. */
  lead?: string;
}

/** The source patients that a patient or person id stands for. */
export type ResolvePatient = (id: string) => Promise<{ rids: string[]; homes: number[] }>;

/** The marker in `resource.tokens` that says a parameter has a value at all. */
export function presenceHash(type: string, code: string): bigint {
  return hash64(`${type}.${code}?`);
}

/** Compiles one filter, without chains. */
export async function condition(
  type: string,
  filter: Filter,
  parameter: Parameter,
  resolvePatient: ResolvePatient,
): Promise<Condition> {
  const { code } = filter.parameter;
  if (filter.modifier === 'missing') return { sql: missing(type, filter, parameter) };
  if (code === '_id') return byId(type, filter, parameter);
  if (code === '_lastUpdated') return { sql: lastUpdated(filter, parameter) };
  switch (filter.parameter.type) {
    case 'token':
      return token(type, filter, parameter);
    case 'uri':
      return chosen(
        filter.values.map((value) => tokenHash(type, code, value)),
        parameter,
      );
    case 'reference':
      return reference(type, filter, parameter, resolvePatient);
    case 'string':
      return string(type, filter, parameter);
    case 'date':
    case 'number':
    case 'quantity':
      return range(type, filter, parameter);
    default:
      throw new RecordError(400, 'not-supported', `The parameter ${code} is not supported by this server yet.`, code);
  }
}

/** SQL for a value between hashes. */
export function hashArray(hashes: bigint[]): string {
  return `{${hashes.join(',')}}`;
}

function chosen(hashes: bigint[], parameter: Parameter): Condition {
  return { sql: `r.tokens && ${parameter(hashArray(hashes))}::bigint[]`, hashes };
}

function missing(type: string, filter: Filter, parameter: Parameter): string {
  const wanted = filter.values[0];
  if (wanted !== 'true' && wanted !== 'false') {
    throw new RecordError(400, 'invalid', `The modifier :missing takes true or false.`, filter.parameter.code);
  }
  const has = `r.tokens @> ${parameter(hashArray([presenceHash(type, filter.parameter.code)]))}::bigint[]`;
  return wanted === 'true' ? `NOT (${has})` : has;
}

function byId(type: string, filter: Filter, parameter: Parameter): Condition {
  const rids = filter.values.map((value) => ridOf(value.replace(`${type}/`, '')));
  const list = `${parameter(rids)}::uuid[]`;
  return { sql: `r.rid = ANY(${list})`, lead: `SELECT home, rkey FROM resource WHERE rid = ANY(${list})` };
}

function lastUpdated(filter: Filter, parameter: Parameter): string {
  return any(filter.values, (value) => {
    const { prefix, low, high } = readDate(filter.parameter, value);
    return compare(
      prefix,
      'extract(epoch FROM r.updated) * 1000',
      'extract(epoch FROM r.updated) * 1000',
      low,
      high,
      parameter,
    );
  });
}

function token(type: string, filter: Filter, parameter: Parameter): Condition {
  const { code } = filter.parameter;
  const hashes = filter.values.map((value) => {
    if (value.endsWith('|') && value.length > 1) {
      throw new RecordError(400, 'not-supported', `The parameter ${code} needs a code after the system.`, code);
    }
    return tokenHash(type, code, value);
  });
  const found = chosen(hashes, parameter);
  return filter.modifier === 'not' ? { sql: `NOT (${found.sql})` } : found;
}

async function reference(
  type: string,
  filter: Filter,
  parameter: Parameter,
  resolvePatient: ResolvePatient,
): Promise<Condition> {
  const { code } = filter.parameter;
  if (filter.modifier === 'identifier') {
    return chosen(
      filter.values.map((value) => tokenHash(type, code, `identifier=${value}`)),
      parameter,
    );
  }
  const hashes: bigint[] = [];
  let homes: number[] | undefined = [];
  for (const value of filter.values) {
    const target = readReference(filter, value);
    if (target === undefined) {
      hashes.push(tokenHash(type, code, value));
      homes = undefined;
      continue;
    }
    for (const targetType of target.types) {
      if (targetType !== 'Patient') {
        hashes.push(tokenHash(type, code, `${targetType}/${ridOf(target.id)}`));
        continue;
      }
      const resolved = await resolvePatient(target.id);
      for (const rid of resolved.rids) hashes.push(tokenHash(type, code, `Patient/${rid}`));
      homes?.push(...resolved.homes);
    }
    const onlyPatient = target.types.length === 1 && target.types[0] === 'Patient';
    if (!(homeParameters.has(code) && (onlyPatient || (homes?.length ?? 0) > 0))) homes = undefined;
  }
  const found = chosen(hashes, parameter);
  return homes && type !== 'Patient' ? { ...found, homes } : found;
}

/** Parameters that name the patient in whose home a resource lives. */
const homeParameters = new Set(['patient', 'subject']);

function readReference(filter: Filter, value: string): { types: string[]; id: string } | undefined {
  const relative = /^(?:.*\/)?([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/.*)?$/.exec(value);
  if (relative && !/^(https?|urn):/.test(value)) return { types: [relative[1]!], id: relative[2]! };
  if (/^[A-Za-z0-9\-.]{1,64}$/.test(value)) {
    const types = filter.modifier ? [filter.modifier] : (filter.parameter.target ?? []);
    return { types: filter.parameter.code === 'patient' ? ['Patient'] : types, id: value };
  }
  return undefined;
}

function string(type: string, filter: Filter, parameter: Parameter): Condition {
  const number = parameterNumber(type, filter.parameter.code);
  const test = any(filter.values, (value) => {
    const wanted = normalizeString(value);
    if (filter.modifier === 'contains') return `i.value LIKE ${parameter(`%${wanted.replace(/[\\%_]/g, '\\$&')}%`)}`;
    if (filter.modifier === 'exact') return `i.value = ${parameter(wanted)}`;
    return `(i.value >= ${parameter(wanted)} AND i.value < ${parameter(`${wanted}\u{10ffff}`)})`;
  });
  return fromIndex('index_string', number, test, parameter);
}

function range(type: string, filter: Filter, parameter: Parameter): Condition {
  const number = parameterNumber(type, filter.parameter.code);
  const test = any(filter.values, (value) => {
    if (filter.parameter.type === 'date') {
      const { prefix, low, high } = readDate(filter.parameter, value);
      return compare(prefix, 'i.low', 'i.high', low, high, parameter);
    }
    const { prefix, low, high, unit } = readQuantity(type, filter.parameter, value);
    const inRange = compare(prefix, 'i.low', 'i.high', low, high, parameter);
    return unit === undefined ? inRange : `(${inRange} AND i.unit = ${parameter(String(unit))})`;
  });
  return fromIndex('index_range', number, test, parameter);
}

function fromIndex(table: string, number: number, test: string, parameter: Parameter): Condition {
  const param = parameter(number);
  return {
    sql: `EXISTS (SELECT 1 FROM ${table} i WHERE i.home = r.home AND i.rkey = r.rkey AND i.param = ${param} AND ${test})`,
    lead: `SELECT DISTINCT i.home, i.rkey FROM ${table} i WHERE i.param = ${param} AND ${test}`,
  };
}

/** The comparisons of FHIR R4 §3.1.1.4.5 on ranges whose high end is exclusive for dates. */
function compare(prefix: string, low: string, high: string, from: number, to: number, parameter: Parameter): string {
  const a = () => `${parameter(from)}::float8`;
  const b = () => `${parameter(to)}::float8`;
  switch (prefix) {
    case 'eq':
      return `(${low} >= ${a()} AND ${high} <= ${b()})`;
    case 'ne':
      return `NOT (${low} >= ${a()} AND ${high} <= ${b()})`;
    case 'gt':
      return `${high} > ${b()}`;
    case 'ge':
      return `${high} ${from === to ? '>=' : '>'} ${a()}`;
    case 'lt':
      return `${low} < ${a()}`;
    case 'le':
      return `${low} ${from === to ? '<=' : '<'} ${b()}`;
    case 'sa':
      return `${low} >= ${b()}`;
    case 'eb':
      return `${high} <= ${a()}`;
    default: {
      const span = Math.max((to - from) / 2, Math.abs(from) * 0.05, 1);
      return `(${low} <= ${parameter(to + span)}::float8 AND ${high} >= ${parameter(from - span)}::float8)`;
    }
  }
}

function readDate(parameter: SearchParameter, value: string): { prefix: string; low: number; high: number } {
  const prefix = prefixOf(value);
  const range = dateRange(prefix ? value.slice(2) : value);
  if (!range) {
    throw new RecordError(
      400,
      'invalid',
      `The parameter ${parameter.code} needs a date such as 2026-01-31 or 2026-01-31T09:30:00Z, perhaps after eq, ne, gt, ge, lt, le, sa, eb or ap.`,
      parameter.code,
    );
  }
  return { prefix: prefix ?? 'eq', low: range.low, high: range.high };
}

function readQuantity(
  type: string,
  parameter: SearchParameter,
  value: string,
): { prefix: string; low: number; high: number; unit: bigint | undefined } {
  const prefix = prefixOf(value);
  const [number, system, code] = (prefix ? value.slice(2) : value).split('|');
  if (!/^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(number!)) {
    throw new RecordError(
      400,
      'invalid',
      `The parameter ${parameter.code} needs a number, such as 5.4.`,
      parameter.code,
    );
  }
  const digits = /\.(\d+)/.exec(number!)?.[1]?.length ?? 0;
  const half = prefix === undefined || prefix === 'eq' || prefix === 'ne' ? 0.5 * 10 ** -digits : 0;
  const exact = Number(number);
  const unit = code ? unitHash(type, parameter.code, system ?? '', code) : undefined;
  return { prefix: prefix ?? 'eq', low: exact - half, high: exact + half, unit };
}

/** The hash of a quantity's unit: with its system, or of the code alone. */
export function unitHash(type: string, code: string, system: string, unit: string): bigint {
  return tokenHash(type, code, `unit=${system ? `${system}|${unit}` : unit}`);
}

function prefixOf(value: string): string | undefined {
  return /^(eq|ne|gt|ge|lt|le|sa|eb|ap)(?=[\d+-])/.exec(value)?.[1];
}

function any(values: string[], sql: (value: string) => string): string {
  return `(${values.map(sql).join(' OR ')})`;
}
