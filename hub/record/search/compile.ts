/** From filters to predicates. */
import type { SearchParameter } from '@causeway/fhir';
import { presenceHash } from '../index-entries.ts';
import { ridOf } from '../keys.ts';
import { chain, has } from './chain.ts';
import { composite } from './composite.ts';
import { findParameter } from './known-parameters.ts';
import { near } from './near.ts';
import { allOf, anyOf, hashed, lazily, type Predicate, type SearchContext, sqlOf } from './predicate.ts';
import { dates, lastUpdated, range } from './range.ts';
import { reference } from './reference.ts';
import type { Filter } from './request.ts';
import { anySecurity, security } from './security.ts';
import { string } from './string.ts';
import { token, uri } from './token.ts';
import { unescaped } from './values.ts';
import { wordsCheck } from './words.ts';
import { wrong } from './wrong.ts';

/** Compiles one filter on a type. @throws RecordError 400 for values that are not understood */
export async function compile(context: SearchContext, type: string, filter: Filter): Promise<Predicate> {
  switch (filter.kind) {
    case 'value':
      return withPresence(context, type, filter, await value(context, type, filter));
    case 'chain':
      return chain(context, type, filter);
    case 'has':
      return has(context, type, filter);
    case 'any':
    case 'all': {
      const parts = await Promise.all(filter.filters.map((one) => compile(context, type, one)));
      refuseChecks(parts);
      return filter.kind === 'any' ? anyOf(context, parts) : allOf(parts);
    }
    case 'not': {
      const part = await compile(context, type, filter.filter);
      refuseChecks([part]);
      return { sql: (alias) => sqlOf(part, alias), negative: true };
    }
    case 'words':
      return { sql: () => 'true', check: wordsCheck(filter.where, filter.query) };
    case 'list':
      return listed(context, type, filter.ids);
  }
}

/**
 * Filters on a date of which a resource has one value at most (`ge…` and `lt…`) become one, which leads by both of its
 * ends. Those of Patients stay apart: of several source patients one may fulfil each.
 */
export function joined(type: string, filters: readonly Filter[]): Filter[] {
  const found: Filter[] = [];
  for (const filter of filters) {
    const same =
      isDate(filter) && type !== 'Patient' ? found.findIndex((one) => isDate(one, filter.parameter.code)) : -1;
    if (same < 0) found.push(filter);
    else found[same] = alsoOf(found[same] as ValueFilter, filter as ValueFilter);
  }
  return found;
}

function isDate(filter: Filter, code?: string): filter is ValueFilter {
  if (filter.kind !== 'value' || filter.modifier !== undefined || !filter.parameter.isSingle) return false;
  return code === undefined || filter.parameter.code === code;
}

function alsoOf(first: ValueFilter, { values }: ValueFilter): ValueFilter {
  return { ...first, also: [...(first.also ?? []), values] };
}

type ValueFilter = Extract<Filter, { kind: 'value' }>;

async function value(context: SearchContext, type: string, filter: ValueFilter): Promise<Predicate> {
  const { parameter, modifier, values } = filter;
  const { code } = parameter;
  if (modifier === 'missing') return missing(context, type, filter);
  if (parameter.unionOf && modifier !== 'text') return union(context, type, filter, parameter.unionOf);
  if (code === '_id') return byId(context, type, values);
  if (code === '_lastUpdated') return lastUpdated(context, parameter, values.map(unescaped));
  if (code === '_security') return security(context, type, filter);
  switch (parameter.type) {
    case 'token':
      return token(context, type, filter);
    case 'uri':
      return uri(context, type, filter);
    case 'reference':
      return reference(context, type, filter);
    case 'string':
      return string(context, type, code, modifier, values);
    case 'composite':
      return composite(context, type, filter);
    case 'special':
      return near(context, type, values);
    case 'date':
      return dates(context, type, parameter, [values, ...(filter.also ?? [])]);
    default:
      return range(context, type, parameter, values);
  }
}

/** What one or another of several parameters finds; where the filter is negative, what none of them finds. */
async function union(
  context: SearchContext,
  type: string,
  filter: ValueFilter,
  codes: readonly string[],
): Promise<Predicate> {
  const parts = await Promise.all(
    codes.map((code) => value(context, type, { ...filter, parameter: findParameter(type, code) })),
  );
  if (!parts.some(({ negative }) => negative)) return anyOf(context, parts);
  return { sql: (alias) => `(${parts.map(({ sql }) => sql(alias)).join(' OR ')})`, negative: true };
}

/** What has to be checked resource by resource is checked only on those that have a value at all. */
function withPresence(
  context: SearchContext,
  type: string,
  { parameter }: ValueFilter,
  predicate: Predicate,
): Predicate {
  if (!predicate.check || predicate.lead) return predicate;
  return { ...present(context, type, parameter), check: predicate.check };
}

function missing(context: SearchContext, type: string, { parameter, values }: ValueFilter): Predicate {
  const { code } = parameter;
  if (values.length !== 1 || (values[0] !== 'true' && values[0] !== 'false')) {
    throw wrong(code, 'takes true or false with :missing');
  }
  const isMissing = values[0] === 'true';
  if (code === '_id' || code === '_lastUpdated') return { sql: () => String(!isMissing) };
  const said = present(context, type, parameter);
  const found = code === '_security' ? anySecurity(said) : said;
  return isMissing ? { ...found, negative: true } : found;
}

function present(context: SearchContext, type: string, parameter: SearchParameter): Predicate {
  const codes = parameter.unionOf ?? [parameter.code];
  return {
    sql: hashed(
      context,
      codes.map((code) => presenceHash(type, code)),
    ).sql,
  };
}

/** Ids; that of a merged Patient stands for its source patients. */
async function byId(context: SearchContext, type: string, values: readonly string[]): Promise<Predicate> {
  const ids = values.map((id) => (id.startsWith(`${type}/`) ? id.slice(type.length + 1) : id));
  if (type !== 'Patient') return ofIds(context, ids.map(ridOf));
  const resolved = await Promise.all(ids.map((id) => context.resolvePatient(id)));
  return ofIds(
    context,
    resolved.flatMap(({ rids }, i) => [ridOf(ids[i]!), ...rids]),
  );
}

function ofIds(context: SearchContext, rids: string[]): Predicate {
  const list = lazily(() => `${context.parameter(rids)}::uuid[]`);
  return {
    sql: (alias) => `${alias}.rid = ANY(${list()})`,
    lead: { rows: () => `SELECT home, rkey FROM resource WHERE rid = ANY(${list()})`, few: true },
  };
}

/** `_list`: what the entries of List resources name, as far as the caller may read the Lists. */
async function listed(context: SearchContext, type: string, ids: string[]): Promise<Predicate> {
  return ofIds(
    context,
    (await context.members(ids)).flatMap((item) => (item.type === type ? [ridOf(item.id)] : [])),
  );
}

function refuseChecks(parts: readonly Predicate[]): void {
  if (parts.some(({ check }) => check)) {
    throw wrong('_filter', 'cannot combine :text, :exact, :below of a URI, _text or _content with or and not');
  }
}
