/** Date, number and quantity parameters, and `_lastUpdated` (FHIR R4 §3.1.1.4.5, §3.1.1.4.7–8, §3.1.1.4.11). */
import type { SearchParameter } from '@causeway/fhir';
import { canonicalBounds, canonicalNumber, quantityStep, systemNumber, unitHash } from '../index-entries.ts';
import { parameterNumber } from '../keys.ts';
import { anyOf, indexed, lazily, type Predicate, type SearchContext, type Select } from './predicate.ts';
import { type AskedRange, readDate, readNumber, readQuantity } from './values.ts';

export const ucum = 'http://unitsofmeasure.org';

/** @param code what names the parameter in the index, which for a composite is longer than its own */
export function range(
  context: SearchContext,
  type: string,
  parameter: SearchParameter,
  values: readonly string[],
  code = parameter.code,
): Predicate {
  if (parameter.type === 'quantity')
    return anyOf(
      context,
      values.flatMap((value) => quantity(context, type, parameter, value, code)),
    );
  if (parameter.type === 'date') return dates(context, type, parameter, [values], code);
  const asked = values.map((value) => readNumber(parameter, value));
  return indexed(context, 'index_range', parameterNumber(type, code), ({ low, step = low }) =>
    either(asked.map((one) => compared(context, one, step, 'i.high', false))),
  );
}

/**
 * A date that is one of the values of each list. What is no longer than a day lies in the index between two times; what
 * is longer has an index of its own, by when it ends.
 */
export function dates(
  context: SearchContext,
  type: string,
  parameter: SearchParameter,
  lists: readonly (readonly string[])[],
  code = parameter.code,
): Predicate {
  const asked = lists.map((values) => values.map((value) => readDate(parameter, value)));
  const test = (low: string) =>
    asked.map((some) => either(some.map((one) => compared(context, one, low, 'i.high', true)))).join(' AND ');
  const number = parameterNumber(type, code);
  const { from, to, after } = boundsOf(asked);
  const time = (value: number) => `${context.parameter(value)}::float8`;
  // Of dates, the step is the low end.
  const rows = (select: Select) => {
    const of = (low: string, condition: string) => {
      const { columns, order } = select(low);
      const param = `${context.parameter(String(context.index.keyedOne(number)))}::bigint`;
      return `SELECT ${columns} FROM index_range i WHERE i.param = ${param} AND ${condition} AND ${test(low)} ${order}`;
    };
    const until = Number.isFinite(to) ? `i.step <= ${time(to)}` : 'true';
    if (!Number.isFinite(from)) return of('i.step', until);
    // Not as if the other index could answer it: the planner would go through that for the sake of its order.
    const long = `i.unit IS NULL AND i.high - i.low > ${dayMs} AND i.high > ${time(after)} AND i.low + 0 < ${time(from)}`;
    return `(${of('i.step', `i.step >= ${time(from)} AND ${until}`)}) UNION ALL (${of('(i.low + 0)', long)})`;
  };
  return {
    ...indexed(context, 'index_range', number, ({ low }) => test(low)),
    lead: { rows: () => rows(() => ({ columns: 'i.home, i.rkey', order: '' })) },
    ...(parameter.isSingle && code === parameter.code ? { times: { param: number, rows } } : {}),
  };
}

/** As in the condition of the index `index_range_long`. */
const dayMs = 86_400_000;

/**
 * Between which times a date begins that is one of each list, if it is no longer than a day, and after which it ends.
 */
function boundsOf(asked: readonly (readonly AskedRange[])[]): { from: number; to: number; after: number } {
  const lists = asked.map((some) => some.map(boundsOfOne));
  const all = (of: (bounds: Bounds) => number, least: (...values: number[]) => number, most: typeof least) =>
    most(...lists.map((some) => least(...some.map(of))));
  return {
    from: all(({ from }) => from, Math.min, Math.max),
    to: all(({ to }) => to, Math.max, Math.min),
    after: all(({ after }) => after, Math.min, Math.max),
  };
}

interface Bounds {
  from: number;
  to: number;
  after: number;
}

function boundsOfOne(asked: AskedRange): Bounds {
  const { low, high } = asked;
  const [first, last] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  switch (asked.prefix) {
    case 'eq':
      return { from: low, to: high, after: low };
    case 'gt':
      return { from: high - dayMs, to: last, after: high };
    case 'ge':
      return { from: Math.min(low, high - dayMs), to: last, after: low };
    case 'sa':
      return { from: high, to: last, after: high };
    case 'lt':
    case 'eb':
      return { from: first, to: low, after: first };
    case 'le':
      return { from: first, to: high, after: first };
    case 'ne':
      return { from: first, to: last, after: first };
    default: {
      const span = approximately(asked, true);
      return { from: low - span - dayMs, to: high + span, after: low - span - 1 };
    }
  }
}

/** `_lastUpdated`. */
export function lastUpdated(context: SearchContext, parameter: SearchParameter, values: readonly string[]): Predicate {
  const asked = values.map((value) => readDate(parameter, value));
  const made = new Map<string, string>();
  return {
    sql: (alias) => {
      if (!made.has(alias))
        made.set(alias, either(asked.map((one) => instantCompared(context, one, `${alias}.updated`))));
      return made.get(alias)!;
    },
  };
}

/** Two numbers within one element, as the low and the high end of its range. */
export function numberPair(
  context: SearchContext,
  type: string,
  code: string,
  low: AskedRange,
  high: AskedRange,
): Predicate {
  return indexed(
    context,
    'index_range',
    parameterNumber(type, code),
    ({ low: own, step = own }) =>
      `${compared(context, low, step, step, false)} AND ${compared(context, high, 'i.high', 'i.high', false)}`,
  );
}

function quantity(
  context: SearchContext,
  type: string,
  parameter: SearchParameter,
  value: string,
  named: string,
): Predicate[] {
  const asked = readQuantity(parameter, value);
  const { system, code } = asked;
  const find = (number: bigint, what: AskedRange, unit: string | undefined) =>
    indexed(context, 'index_range', number, ({ low, step }) => {
      const parts = [compared(context, what, low, 'i.high', false)];
      if (step !== undefined) parts.unshift(...withinSteps(context, what, step));
      if (unit !== undefined) parts.push(`i.unit = ${context.parameter(String(unitHash(unit)))}::bigint`);
      return `(${parts.join(' AND ')})`;
    });
  if (code === undefined) return [find(parameterNumber(type, named), asked, undefined)];
  const bounds = system === undefined || system === ucum ? canonicalBounds(asked.low, asked.high, code) : undefined;
  const canonical = bounds
    ? [find(canonicalNumber(type, named), { prefix: asked.prefix, low: bounds.low, high: bounds.high }, bounds.unit)]
    : [];
  if (system === undefined) return [...canonical, find(parameterNumber(type, named), asked, code)];
  return bounds ? canonical : [find(systemNumber(type, named), asked, `${system}|${code}`)];
}

/** The steps in which the rows of what is asked for lie; see `quantityStep`. */
function withinSteps(context: SearchContext, { prefix, low, high }: AskedRange, step: string): string[] {
  const from = (value: number) => `${step} >= ${context.parameter(quantityStep(value))}::float8`;
  const to = (value: number) => `${step} <= ${context.parameter(value)}::float8`;
  switch (prefix) {
    case 'eq':
      return [from(low), to(high)];
    case 'lt':
      return [to(low)];
    case 'le':
      return [to(high)];
    case 'sa':
      return [from(high)];
    case 'ap':
      return [to(high + approximately({ prefix, low, high }, false))];
    default:
      return [];
  }
}

/**
 * The comparisons of §3.1.1.4.5 between what is asked for and the range of a resource. A time that overlaps the beginning
 * of what is asked for and ends within it is less, and neither greater nor equal; one that overlaps the end is greater.
 * @param isOpen whether the high end of both ranges is outside of them, as with dates
 */
function compared(context: SearchContext, asked: AskedRange, low: string, high: string, isOpen: boolean): string {
  const from = lazily(() => `${context.parameter(asked.low)}::float8`);
  const to = lazily(() => `${context.parameter(asked.high)}::float8`);
  const isPoint = asked.low === asked.high;
  switch (asked.prefix) {
    case 'eq':
      return `(${low} >= ${from()} AND ${low} < ${to()} AND ${high} ${isOpen ? '<=' : '<'} ${to()})`;
    case 'ne':
      return `NOT (${low} >= ${from()} AND ${high} ${isOpen ? '<=' : '<'} ${to()})`;
    case 'gt':
      return `${high} > ${to()}`;
    case 'ge':
      return isOpen ? `(${low} >= ${from()} OR ${high} > ${to()})` : `${high} ${isPoint ? '>=' : '>'} ${from()}`;
    case 'lt':
      return `${low} < ${from()}`;
    case 'le':
      return isOpen
        ? `(${low} < ${to()} AND (${low} < ${from()} OR ${high} <= ${to()}))`
        : `${low} ${isPoint ? '<=' : '<'} ${to()}`;
    case 'sa':
      return `${low} ${isOpen ? '>=' : '>'} ${to()}`;
    case 'eb':
      return `${high} ${isOpen ? '<=' : '<'} ${from()}`;
    default: {
      const span = approximately(asked, isOpen);
      return `(${low} <= ${context.parameter(asked.high + span)}::float8 AND ${high} >= ${context.parameter(asked.low - span)}::float8)`;
    }
  }
}

/** `compared` of values at hand. */
export function isWithin(asked: AskedRange, low: number, high: number, isOpen: boolean): boolean {
  const { low: from, high: to } = asked;
  const isPoint = from === to;
  switch (asked.prefix) {
    case 'eq':
      return low >= from && low < to && (isOpen ? high <= to : high < to);
    case 'ne':
      return !(low >= from && (isOpen ? high <= to : high < to));
    case 'gt':
      return high > to;
    case 'ge':
      return isOpen ? low >= from || high > to : isPoint ? high >= from : high > from;
    case 'lt':
      return low < from;
    case 'le':
      return isOpen ? low < to && (low < from || high <= to) : isPoint ? low <= to : low < to;
    case 'sa':
      return isOpen ? low >= to : low > to;
    case 'eb':
      return isOpen ? high <= from : high < from;
    default: {
      const span = approximately(asked, isOpen);
      return low <= to + span && high >= from - span;
    }
  }
}

/** What `ap` lets a value be off: a tenth of a number; of a date, a tenth of its distance from today would need a clock, so half of its precision. */
function approximately(asked: AskedRange, isDate: boolean): number {
  return isDate ? (asked.high - asked.low) / 2 : Math.abs(asked.low) * 0.1;
}

/** A point in time, compared in milliseconds since 1970. */
function instantCompared(context: SearchContext, asked: AskedRange, column: string): string {
  const at = (time: number) => `${context.parameter(new Date(Math.min(time, 8.64e15)).toISOString())}::timestamptz`;
  const within = () => `(${column} >= ${at(asked.low)} AND ${column} < ${at(asked.high)})`;
  switch (asked.prefix) {
    case 'eq':
      return within();
    case 'ne':
      return `NOT ${within()}`;
    case 'gt':
    case 'sa':
      return `${column} >= ${at(asked.high)}`;
    case 'ge':
      return `${column} >= ${at(asked.low)}`;
    case 'lt':
    case 'eb':
      return `${column} < ${at(asked.low)}`;
    case 'le':
      return `${column} < ${at(asked.high)}`;
    default: {
      const span = approximately(asked, true);
      return `(${column} >= ${at(asked.low - span)} AND ${column} < ${at(asked.high + span)})`;
    }
  }
}

function either(conditions: string[]): string {
  return conditions.length === 1 ? conditions[0]! : `(${conditions.join(' OR ')})`;
}
