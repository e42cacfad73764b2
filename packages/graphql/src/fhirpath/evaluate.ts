/** Evaluates a FHIRPath expression on one element (http://hl7.org/fhirpath/N1/#expressions). */
import { dateRange, typeProperties } from '@causeway/fhir';
import { GraphqlError } from '../errors.ts';
import type { Expression } from './parse.ts';

/** An element and its type; FHIR's name for it, or that of the element it stands in. */
export interface Item {
  value: unknown;
  type: string;
}

export interface Focus {
  item: Item;
  /** `$index`: the element's place among its siblings. */
  index: number;
  /** Called for every element looked at, with a greater number where it is long; throws when that is too many. */
  step(count?: number): void;
}

const CHARACTERS_A_STEP = 64;

/** The collection that an expression gives. @throws GraphqlError where one value is needed and there are several */
export function evaluate(expression: Expression, focus: Focus): Item[] {
  focus.step();
  switch (expression.kind) {
    case 'this':
      return [focus.item];
    case 'index':
      return [{ value: focus.index, type: 'integer' }];
    case 'nothing':
      return [];
    case 'literal':
      return [system(expression.value)];
    case 'member':
      return evaluate(expression.of, focus).flatMap((item) => members(item, expression.name, expression.first, focus));
    case 'at': {
      const index = single(evaluate(expression.index, focus))?.value;
      const item = typeof index === 'number' ? evaluate(expression.of, focus)[index] : undefined;
      return item ? [item] : [];
    }
    case 'type': {
      const items = evaluate(expression.of, focus);
      if (expression.test === 'as') return items.filter((item) => isOfType(item, expression.type));
      const item = single(items);
      return item ? [system(isOfType(item, expression.type))] : [];
    }
    case 'negative': {
      const value = single(evaluate(expression.of, focus))?.value;
      return typeof value === 'number' ? [system(-value)] : [];
    }
    case 'call':
      return call(expression.name, evaluate(expression.of, focus), expression.arguments, focus);
    case 'binary':
      return binary(expression.operator, expression.left, expression.right, focus);
  }
}

/** What a collection says as a criterion: undefined where it is empty. */
export function truth(items: Item[]): boolean | undefined {
  const item = single(items);
  if (!item) return undefined;
  return typeof item.value === 'boolean' ? item.value : true;
}

function members(item: Item, name: string, first: boolean, focus: Focus): Item[] {
  const { value } = item;
  if (first && name === item.type) return [item];
  if (typeof value !== 'object' || value === null) return [];
  const properties = typeProperties(item.type);
  const found: Item[] = [];
  for (const property of properties?.values() ?? []) {
    if (property.name !== name && property.choice !== name) continue;
    const member = (value as Record<string, unknown>)[property.name];
    for (const one of Array.isArray(member) ? member : [member]) {
      focus.step();
      if (one !== undefined && one !== null) found.push({ value: one, type: concreteType(property.type, one) });
    }
  }
  return found;
}

/** A resource inside another names its own type. */
function concreteType(declared: string, value: unknown): string {
  const named = declared === 'Resource' ? (value as { resourceType?: unknown }).resourceType : undefined;
  return typeof named === 'string' ? named : declared;
}

const SYSTEM_TYPES: Readonly<Record<string, string>> = { Boolean: 'boolean', String: 'string', Integer: 'integer' };

function isOfType({ value, type }: Item, name: string): boolean {
  if (type === name || SYSTEM_TYPES[name] === type) return true;
  if (name === 'String') return typeof value === 'string';
  return name === 'Resource' && typeof value === 'object' && value !== null && 'resourceType' in value;
}

function call(name: string, items: Item[], given: Expression[], focus: Focus): Item[] {
  const each = (item: Item, index: number) => evaluate(given[0]!, { ...focus, item, index });
  const holds = (item: Item, index: number) => truth(each(item, index)) === true;
  const number = () => Number(single(evaluate(given[0]!, focus))?.value ?? 0);
  switch (name) {
    case 'where':
      return items.filter(holds);
    case 'exists':
      return [system(given.length === 0 ? items.length > 0 : items.some(holds))];
    case 'all':
      return [system(items.every(holds))];
    case 'select':
      return items.flatMap(each);
    case 'empty':
      return [system(items.length === 0)];
    case 'count':
      return [system(items.length)];
    case 'first':
      return items.slice(0, 1);
    case 'last':
      return items.slice(-1);
    case 'tail':
      return items.slice(1);
    case 'skip':
      return items.slice(Math.max(number(), 0));
    case 'take':
      return items.slice(0, Math.max(number(), 0));
    case 'distinct':
      return distinct(items, focus);
    case 'extension': {
      const url = single(evaluate(given[0]!, focus))?.value;
      return items
        .flatMap((item) => members(item, 'extension', false, focus))
        .filter(({ value }) => (value as { url?: unknown }).url === url);
    }
    case 'hasValue':
      return [system(items.length === 1 && typeof items[0]!.value !== 'object')];
    case 'not': {
      const value = truth(items);
      return value === undefined ? [] : [system(!value)];
    }
    default:
      return textFunction(name, items, given, focus);
  }
}

function textFunction(name: string, items: Item[], given: Expression[], focus: Focus): Item[] {
  const item = single(items);
  if (!item || typeof item.value === 'object') return [];
  const text = String(item.value);
  focus.step(1 + text.length / CHARACTERS_A_STEP);
  if (name === 'toString') return [system(text)];
  if (name === 'length') return [system(text.length)];
  if (name === 'lower') return [system(text.toLowerCase())];
  if (name === 'upper') return [system(text.toUpperCase())];
  const other = single(evaluate(given[0]!, focus))?.value;
  if (typeof other !== 'string') return [];
  if (name === 'startsWith') return [system(text.startsWith(other))];
  return [system(name === 'endsWith' ? text.endsWith(other) : text.includes(other))];
}

function binary(operator: string, left: Expression, right: Expression, focus: Focus): Item[] {
  if (operator === 'and' || operator === 'or' || operator === 'xor' || operator === 'implies') {
    const value = logic(operator, truth(evaluate(left, focus)), () => truth(evaluate(right, focus)));
    return value === undefined ? [] : [system(value)];
  }
  const [a, b] = [evaluate(left, focus), evaluate(right, focus)];
  if (operator === '|') return distinct([...a, ...b], focus);
  if (operator === '&') return [joined(textOf(a), textOf(b), focus)];
  if (operator === 'in') return membership(single(a), b, focus);
  if (operator === 'contains') return membership(single(b), a, focus);
  if (a.length === 0 || b.length === 0) return [];
  if (operator === '=' || operator === '!=') {
    const equal = a.length === b.length && a.every((item, i) => same(item, b[i]!, focus));
    return [system(equal === (operator === '='))];
  }
  const [x, y] = [single(a)!.value, single(b)!.value];
  if (operator === '+' && typeof x === 'string' && typeof y === 'string') return [joined(x, y, focus)];
  if (operator === '+' || operator === '-') {
    if (typeof x !== 'number' || typeof y !== 'number') return [];
    return [system(operator === '+' ? x + y : x - y)];
  }
  const order = compare(x, y);
  if (order === undefined) return [];
  return [system({ '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[operator] ?? false)];
}

function joined(a: string, b: string, focus: Focus): Item {
  focus.step((a.length + b.length) / CHARACTERS_A_STEP);
  return system(a + b);
}

function logic(operator: string, left: boolean | undefined, right: () => boolean | undefined): boolean | undefined {
  if (operator === 'implies') return logic('or', left === undefined ? undefined : !left, right);
  if (operator === 'and' && left === false) return false;
  if (operator === 'or' && left === true) return true;
  const other = right();
  if (operator === 'and') return other === false ? false : left && other;
  if (operator === 'or') return other === true ? true : left === undefined ? undefined : other;
  return left === undefined || other === undefined ? undefined : left !== other;
}

function membership(item: Item | undefined, items: Item[], focus: Focus): Item[] {
  return item ? [system(items.some((other) => same(item, other, focus)))] : [];
}

function distinct(items: Item[], focus: Focus): Item[] {
  const kept: Item[] = [];
  for (const item of items) if (!kept.some((other) => same(item, other, focus))) kept.push(item);
  return kept;
}

function same(a: Item, b: Item, focus: Focus): boolean {
  focus.step();
  if (typeof a.value !== 'object' || typeof b.value !== 'object') return plain(a.value) === plain(b.value);
  const [left, right] = [JSON.stringify(a.value), JSON.stringify(b.value)];
  focus.step((left.length + right.length) / CHARACTERS_A_STEP);
  return left === right;
}

/** Numbers by size; dates and times as moments, undecided where one's precision does not reach the other's. */
function compare(left: unknown, right: unknown): number | undefined {
  const [a, b] = [plain(left), plain(right)];
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== 'string' || typeof b !== 'string') return undefined;
  const [first, second] = [dateRange(a), dateRange(b)];
  if (!first || !second) return a < b ? -1 : Number(a > b);
  if (first.low === second.low && first.high === second.high) return 0;
  if (first.high <= second.low) return -1;
  return first.low >= second.high ? 1 : undefined;
}

/** A number that is held as its text is compared as a number. */
function plain(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'rawJSON' in value ? Number(value.rawJSON) : value;
}

function textOf(items: Item[]): string {
  const item = single(items);
  return item && typeof item.value !== 'object' ? String(item.value) : '';
}

function single(items: Item[]): Item | undefined {
  if (items.length > 1)
    throw new GraphqlError('A FHIRPath expression gives several values where one is needed; use first() or exists().');
  return items[0];
}

function system(value: string | number | boolean): Item {
  return { value, type: typeof value === 'number' ? 'integer' : typeof value };
}
