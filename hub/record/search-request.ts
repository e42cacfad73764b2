/**
 * Reads the parameters of a search (FHIR R4 §3.1.1) into a request. Nothing is ignored in silence: what is not
 * understood is an error, or under `Prefer: handling=lenient` a warning that goes into the answer.
 */
import { isResourceType, type SearchParameter, searchParameters } from '@causeway/fhir';
import { type Issue, RecordError } from './errors.ts';

export interface SearchRequest {
  type: string;
  filters: Filter[];
  /** Filters one of which has to hold, beside `filters`: the parameters of a compartment. */
  anyOf: Filter[];
  sort: { parameter: SearchParameter | '_lastUpdated' | '_id'; descending: boolean }[];
  count: number;
  cursor: [string | number | null, number] | undefined;
  total: 'none' | 'accurate';
  summaryCount: boolean;
  includes: Include[];
  revincludes: Include[];
  warnings: Issue[];
  /** The parameters as understood, for the self link, without paging. */
  understood: [string, string][];
}

export interface Filter {
  parameter: SearchParameter;
  modifier: string | undefined;
  /** Alternatives (comma). */
  values: string[];
  /** With a chain: the parameter of the target that `values` are for. */
  chain: { type: string; filter: Filter }[] | undefined;
}

export interface Include {
  type: string;
  parameter: string;
  target: string | undefined;
}

export const defaultCount = 50;
export const maximumCount = 1_000;
/** Each filter is a join to the planner, whose time grows with the factorial of their number. */
const maximumFilters = 16;
const maximumValues = 2_000;
const maximumIncludes = 20;

/** Understood on every type, beside those in `searchParameters`. */
const control = new Set([
  '_count',
  '_cursor',
  '_total',
  '_summary',
  '_sort',
  '_include',
  '_revinclude',
  '_format',
  '_pretty',
]);

/**
 * @param parameters decoded name and value pairs
 * @param anyOf name and value pairs of filters one of which has to hold
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
    filters: [],
    anyOf: anyOf.map(([name, value]) => readFilter(type, name, value)),
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
      if (!(error instanceof RecordError) || !lenient) throw error;
      request.warnings.push(...error.issues.map((issue) => ({ ...issue, severity: 'warning' as const })));
    }
  }
  return request;
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
      if (!['none', 'estimate', 'accurate'].includes(value)) throw wrong(name, 'must be none, estimate or accurate');
      request.total = value === 'none' ? 'none' : 'accurate';
      return;
    case '_summary':
      if (value === 'count') request.summaryCount = true;
      else if (value !== 'false') throw wrong(name, 'is understood as count or false');
      return;
    case '_sort':
      if (request.sort.length > 0 || value.includes(',')) throw wrong(name, 'takes one key on this server yet');
      request.sort.push(readSort(request.type, value));
      return;
    case '_format':
      if (!/json/.test(value)) throw wrong(name, 'is understood as json');
      return;
    case '_pretty':
      return;
    case '_include':
    case '_revinclude':
      if (request.includes.length + request.revincludes.length >= maximumIncludes) {
        throw wrong(name, `is one too many: a search takes ${maximumIncludes} of _include and _revinclude`);
      }
      request[name === '_include' ? 'includes' : 'revincludes'].push(readInclude(name, value));
      return;
    default:
      throw wrong(name, `is not understood; ${name.split(':')[0]} takes no modifier here`);
  }
}

function readSort(type: string, part: string): SearchRequest['sort'][number] {
  const descending = part.startsWith('-');
  const code = descending ? part.slice(1) : part;
  if (code === '_lastUpdated' || code === '_id') return { parameter: code, descending };
  const parameter = findParameter(type, code);
  if (!['date', 'string', 'number', 'quantity'].includes(parameter.type)) {
    throw wrong(
      '_sort',
      `cannot sort by ${code}: only date, number, quantity and string parameters, _id and _lastUpdated`,
    );
  }
  return { parameter, descending };
}

function readInclude(name: string, value: string): Include {
  const [type, parameter, target] = value.split(':');
  if (!type || !isResourceType(type) || !parameter) {
    throw wrong(name, 'must be Type:parameter or Type:parameter:TargetType');
  }
  if (parameter !== '*' && findParameter(type, parameter).type !== 'reference') {
    throw wrong(name, `names ${type}:${parameter}, which is not a reference`);
  }
  return { type, parameter, target };
}

function readFilter(type: string, name: string, value: string): Filter {
  const has = /^_has:([^:]+):([^:]+):(.+)$/.exec(name);
  if (has) throw wrong('_has', 'is not supported by this server yet');
  const dot = name.indexOf('.');
  const head = dot < 0 ? name : name.slice(0, dot);
  const [code, modifier] = head.split(':') as [string, string | undefined];
  const parameter = findParameter(type, code);
  const values = splitValues(value);
  if (values.length === 0 || values.some((one) => one === '')) throw wrong(name, 'has no value');
  if (dot >= 0) return { parameter, modifier: undefined, values, chain: readChain(parameter, modifier, name, value) };
  checkModifier(parameter, modifier, name);
  return { parameter, modifier, values, chain: undefined };
}

function readChain(parameter: SearchParameter, type: string | undefined, name: string, value: string): Filter['chain'] {
  if (parameter.type !== 'reference') throw wrong(name, `chains from ${parameter.code}, which is not a reference`);
  const rest = name.slice(name.indexOf('.') + 1);
  const targets = type ? [type] : (parameter.target ?? []);
  const chain: { type: string; filter: Filter }[] = [];
  let reason: unknown;
  for (const target of targets) {
    try {
      chain.push({ type: target, filter: readFilter(target, rest, value) });
    } catch (error) {
      reason = error;
    }
  }
  if (chain.length === 0) throw reason ?? wrong(name, `has no type to chain to`);
  return chain;
}

const modifiers: Record<string, string[]> = {
  token: ['missing', 'not'],
  string: ['missing', 'exact', 'contains'],
  reference: ['missing', 'identifier'],
  date: ['missing'],
  number: ['missing'],
  quantity: ['missing'],
  uri: ['missing'],
};

function checkModifier(parameter: SearchParameter, modifier: string | undefined, name: string): void {
  const known = modifiers[parameter.type];
  if (!known) throw wrong(name, `is a ${parameter.type} parameter, which this server does not support yet`);
  if (modifier === undefined || known.includes(modifier)) return;
  if (parameter.type === 'reference' && isResourceType(modifier)) return;
  throw wrong(name, `has the modifier :${modifier}; understood here: ${known.map((one) => `:${one}`).join(', ')}`);
}

function findParameter(type: string, code: string): SearchParameter {
  const all = searchParameters(type);
  const found = all.find((parameter) => parameter.code === code);
  if (found) return found;
  const near = all
    .filter(({ code: other }) => Math.abs(other.length - code.length) <= 2 && distance(other, code) <= 2)
    .map(({ code: other }) => other);
  throw wrong(
    code,
    `is not a search parameter of ${type}${near.length > 0 ? `; did you mean ${near.join(' or ')}?` : ''}`,
  );
}

/** Splits at commas that are not escaped (FHIR R4 §3.1.1.4.6), and takes the escapes of commas away. */
function splitValues(value: string): string[] {
  return value.split(/(?<!\\),/).map((part) => part.replaceAll('\\,', ','));
}

function readCursor(value: string): SearchRequest['cursor'] {
  try {
    const cursor = JSON.parse(Buffer.from(value, 'base64url').toString());
    if (Array.isArray(cursor) && cursor.length === 2 && Number.isSafeInteger(cursor[1]))
      return cursor as [string, number];
  } catch {
    // Falls through to the error below.
  }
  throw wrong('_cursor', 'is not one that this server gave; start the search again without it');
}

function wrong(name: string, what: string): RecordError {
  const shown = name.slice(0, 100);
  return new RecordError(400, 'invalid', `The parameter ${shown} ${what}.`, shown);
}

/** The number of single-character edits between two names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
