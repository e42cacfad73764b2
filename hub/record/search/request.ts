/**
 * Reads the parameters of a search (FHIR R4 §3.1.1) into a request. Nothing is ignored in silence: what is not
 * understood is an error, or under `Prefer: handling=lenient` a warning that goes into the answer.
 */
import { isResourceType, type SearchParameter, searchParameters } from '@causeway/fhir';
import { type Issue, RecordError } from '../errors.ts';
import { type Cursor, readCursor } from './cursor.ts';
import { readFilterExpression } from './filter-expression.ts';
import { checkModifier, findParameter } from './known-parameters.ts';
import { splitAt } from './values.ts';
import { wrong } from './wrong.ts';

export interface SearchRequest {
  type: string;
  filters: Filter[];
  sort: SortKey[];
  count: number;
  cursor: Cursor | undefined;
  total: 'none' | 'estimate' | 'accurate';
  summaryCount: boolean;
  includes: Include[];
  revincludes: Include[];
  warnings: Issue[];
  /** The parameters as understood, for the self link, without paging. */
  understood: [string, string][];
}

export type Filter =
  /** One of the values (comma) fits; and one of each list of `also`, see `joined`. */
  | { kind: 'value'; parameter: SearchParameter; modifier: string | undefined; values: string[]; also?: string[][] }
  /** What the parameter refers to is found by one of the filters. */
  | { kind: 'chain'; parameter: SearchParameter; targets: { type: string; filter: Filter }[] }
  /** A resource of the type that refers here by the parameter is found by the filter (`_has`). */
  | { kind: 'has'; type: string; parameter: SearchParameter; filter: Filter }
  | { kind: 'any' | 'all'; filters: Filter[] }
  | { kind: 'not'; filter: Filter }
  /** Words in the narrative (`_text`) or in all of the resource (`_content`). */
  | { kind: 'words'; where: '_text' | '_content'; query: string }
  /** What a List names (`_list`). */
  | { kind: 'list'; ids: string[] };

export interface SortKey {
  parameter: SearchParameter | '_lastUpdated' | '_id';
  descending: boolean;
}

export interface Include {
  /** The type whose references are followed; `*` for any. */
  type: string;
  /** `*` for every reference. */
  parameter: string;
  target: string | undefined;
  /** Whether what was included is followed as well. */
  iterate: boolean;
}

export const defaultCount = 50;
export const maximumCount = 1_000;
/** Each filter is a join to the planner, whose time grows with the factorial of their number. */
const maximumFilters = 16;
const maximumValues = 2_000;
const maximumIncludes = 20;
const maximumSortKeys = 5;
const maximumDepth = 10;

/** Understood on every type, beside the search parameters; the form of the answer is not the search's business. */
const control = new Set([
  '_count',
  '_cursor',
  '_total',
  '_summary',
  '_sort',
  '_include',
  '_revinclude',
  '_contained',
  '_containedType',
]);

/**
 * @param parameters decoded name and value pairs
 * @param anyOf name and value pairs of filters one of which has to hold: the parameters of a compartment
 * @throws RecordError 400 for what is not understood, unless `lenient`
 */
export function readSearchRequest(
  type: string,
  parameters: Iterable<[string, string]>,
  lenient: boolean,
  anyOf: readonly [string, string][] = [],
): SearchRequest {
  const request: SearchRequest = {
    type,
    filters:
      anyOf.length > 0 ? [{ kind: 'any', filters: anyOf.map(([name, value]) => readFilter(type, name, value)) }] : [],
    sort: [],
    count: defaultCount,
    cursor: undefined,
    total: 'none',
    summaryCount: false,
    includes: [],
    revincludes: [],
    warnings: [],
    understood: [],
  };
  let values = 0;
  for (const [name, value] of parameters) {
    values += value.split(',').length;
    try {
      if (values > maximumValues) throw wrong(name, `has too many values: a search takes ${maximumValues} in all`);
      if (control.has(name.split(':')[0]!)) readControl(request, name, value);
      else if (request.filters.length < maximumFilters) request.filters.push(readFilter(type, name, value));
      else throw wrong(name, `is one too many: a search takes ${maximumFilters} filters`);
      if (name !== '_cursor') request.understood.push([name, value]);
    } catch (error) {
      if (!(error instanceof RecordError) || !lenient || error.status !== 400) throw error;
      request.warnings.push(...error.issues.map((issue) => ({ ...issue, severity: 'warning' as const })));
    }
  }
  return request;
}

/** Reads one filter, with its chains. @throws RecordError 400 */
export function readFilter(type: string, name: string, value: string, depth = 0): Filter {
  if (depth > maximumDepth) throw wrong(name, `is too deep: a chain may have ${maximumDepth} steps`);
  if (value.trim() === '') throw wrong(name, 'has no value');
  if (name === '_text' || name === '_content') return { kind: 'words', where: name, query: value };
  if (name === '_filter') return readFilterExpression(value, type, depth);
  if (name === '_query') throw wrong(name, 'names a query; there are no named queries here');
  if (name === '_list') return { kind: 'list', ids: readList(value) };
  const has = /^_has:([A-Za-z]+):([A-Za-z0-9_-]+):(.+)$/.exec(name);
  if (has) return readHas(type, has[1]!, has[2]!, has[3]!, value, depth);
  if (name.startsWith('_has')) throw wrong(name, 'must be _has:Type:reference:parameter');
  const dot = name.indexOf('.');
  const [code, modifier, ...rest] = (dot < 0 ? name : name.slice(0, dot)).split(':') as [string, string | undefined];
  if (rest.length > 0) throw wrong(name, 'has more than one modifier');
  const within = dot >= 0 ? readContained(type, name, value) : undefined;
  const parameter = findParameter(type, code);
  if (dot >= 0) {
    const chain = readChain(parameter, modifier, name, value, depth);
    return within ? { kind: 'any', filters: [chain, within] } : chain;
  }
  checkModifier(parameter, modifier, name);
  const values = splitAt(value, ',');
  if (values.some((one) => one.trim() === '')) throw wrong(name, 'has an empty value');
  return { kind: 'value', parameter, modifier, values };
}

/** Of a chain that has a parameter of its name: what is contained is found by that one. */
function readContained(type: string, name: string, value: string): Filter | undefined {
  const [, code, modifier] = /^(?:([a-z]+\.[a-z]+))(?::([a-z]+))?$/.exec(name) ?? [];
  if (code === undefined || !searchParameters(type).some((one) => one.code === code)) return undefined;
  const parameter = findParameter(type, code);
  checkModifier(parameter, modifier, name);
  return { kind: 'value', parameter, modifier, values: splitAt(value, ',') };
}

function readChain(
  parameter: SearchParameter,
  type: string | undefined,
  name: string,
  value: string,
  depth: number,
): Filter {
  if (parameter.type !== 'reference') throw wrong(name, `chains from ${parameter.code}, which is not a reference`);
  if (type !== undefined && !isResourceType(type)) throw wrong(name, `names :${type}, which is no resource type`);
  const rest = name.slice(name.indexOf('.') + 1);
  const targets: { type: string; filter: Filter }[] = [];
  let reason: unknown;
  for (const target of type ? [type] : (parameter.target ?? [])) {
    try {
      targets.push({ type: target, filter: readFilter(target, rest, value, depth + 1) });
    } catch (error) {
      reason ??= error;
    }
  }
  if (targets.length === 0) {
    throw reason ?? wrong(name, `needs the type that ${parameter.code} refers to: ${parameter.code}:Type.${rest}`);
  }
  return { kind: 'chain', parameter, targets };
}

function readHas(base: string, type: string, code: string, rest: string, value: string, depth: number): Filter {
  if (!isResourceType(type)) throw wrong('_has', `names ${type.slice(0, 50)}, which is no resource type`);
  const parameter = findParameter(type, code);
  if (parameter.type !== 'reference') throw wrong('_has', `names ${type}.${code}, which is not a reference`);
  if (parameter.target && !parameter.target.includes(base)) {
    throw wrong('_has', `names ${type}.${code}, which does not refer to ${base}`);
  }
  return { kind: 'has', type, parameter, filter: readFilter(type, rest, value, depth + 1) };
}

function readList(value: string): string[] {
  const ids = splitAt(value, ',').map((id) => id.replace(/^List\//, ''));
  if (ids.some((id) => id.startsWith('$')))
    throw wrong(
      '_list',
      'takes the ids of List resources; functional lists such as $current-problems are not kept here',
    );
  return ids;
}

function readControl(request: SearchRequest, name: string, value: string): void {
  switch (name) {
    case '_count':
      if (!/^\d{1,6}$/.test(value)) throw wrong(name, 'must be a whole number, such as 50');
      request.count = Math.min(Number(value), maximumCount);
      if (request.count === 0) request.summaryCount = true;
      return;
    case '_cursor':
      request.cursor = readCursor(value);
      return;
    case '_total':
      if (value !== 'none' && value !== 'estimate' && value !== 'accurate') {
        throw wrong(name, 'must be none, estimate or accurate');
      }
      request.total = value;
      return;
    case '_summary':
      if (value === 'count') request.summaryCount = true;
      else if (value !== 'false') throw wrong(name, 'is understood here as count or false');
      return;
    case '_sort':
      request.sort = value.split(',').map((part) => readSort(request.type, part.trim()));
      if (request.sort.length > maximumSortKeys) throw wrong(name, `takes at most ${maximumSortKeys} keys`);
      return;
    case '_contained':
      if (value !== 'false')
        throw wrong(name, 'is understood as false: contained resources are not found by themselves');
      return;
    case '_containedType':
      if (value !== 'container') throw wrong(name, 'is understood as container');
      return;
    default:
      readInclude(request, name, value);
  }
}

function readSort(type: string, part: string): SortKey {
  const descending = part.startsWith('-');
  const code = descending ? part.slice(1) : part;
  if (code === '_lastUpdated' || code === '_id') return { parameter: code, descending };
  const parameter = findParameter(type, code);
  if (parameter.type === 'composite' || parameter.type === 'special') {
    throw wrong('_sort', `cannot sort by ${code}: a ${parameter.type} parameter has no order`);
  }
  return { parameter, descending };
}

function readInclude(request: SearchRequest, name: string, value: string): void {
  const [which, modifier, ...more] = name.split(':') as [string, string | undefined];
  const isInclude = which === '_include';
  if ((!isInclude && which !== '_revinclude') || more.length > 0) {
    throw wrong(name, `is not understood; ${which} takes no modifier here`);
  }
  if (modifier !== undefined && modifier !== 'iterate' && modifier !== 'recurse') {
    throw wrong(name, `has the modifier :${modifier}; understood here: :iterate`);
  }
  if (request.includes.length + request.revincludes.length >= maximumIncludes) {
    throw wrong(name, `is one too many: a search takes ${maximumIncludes} of _include and _revinclude`);
  }
  const parts = value === '*' ? [isInclude ? request.type : '*', '*'] : value.split(':');
  const [type, parameter, target] = parts as [string, string | undefined, string | undefined];
  const known = type === '*' ? parameter === '*' : isResourceType(type);
  if (!known || !parameter || parts.length > 3 || (target !== undefined && !isResourceType(target))) {
    throw wrong(name, 'must be Type:parameter, Type:parameter:TargetType, Type:* or *');
  }
  if (parameter !== '*' && findParameter(type, parameter).type !== 'reference') {
    throw wrong(name, `names ${type}:${parameter}, which is not a reference`);
  }
  request[isInclude ? 'includes' : 'revincludes'].push({ type, parameter, target, iterate: modifier !== undefined });
}
