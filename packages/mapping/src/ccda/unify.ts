/**
 * Two statements of one thing made into one: what only one says is taken up, a more precise time replaces the less
 * precise, an unknown gives way to what is known.
 */
import type { Json } from './fhir-path.ts';

/** The two cannot both be so. */
export const CONTRADICTION = Symbol('contradiction');

/** What both say together, or `CONTRADICTION`. */
export function unify(one: unknown, other: unknown): unknown {
  if (one === undefined || same(one, other)) return one ?? other;
  if (other === undefined || isUnknown(other)) return one;
  if (isUnknown(one)) return other;
  if (typeof one === 'string' && typeof other === 'string') return morePrecise(one, other) ?? CONTRADICTION;
  if (!isObject(one) || !isObject(other)) return CONTRADICTION;
  const result: Json = { ...one };
  for (const [name, value] of Object.entries(other)) {
    const both = unify(result[name], value);
    if (both === CONTRADICTION) return CONTRADICTION;
    result[name] = both;
  }
  return result;
}

/** A list's items by what they say: long lists are made into one in the time that their length takes. */
export class SaidItems {
  readonly #items: unknown[];
  readonly #places = new Map<string, number[]>();

  /** @param items those there are; `add` adds to them */
  constructor(items: unknown[]) {
    this.#items = items;
    for (const [place, item] of items.entries()) this.#note(item, place);
  }

  /** Where the first item is in which everything stands that a value says; -1 where there is none. */
  find(value: unknown): number {
    let fewest: readonly number[] | undefined;
    for (const said of saidBy(value)) {
      const places = this.#places.get(said) ?? [];
      if (fewest === undefined || places.length < fewest.length) fewest = places;
    }
    if (fewest === undefined) return this.#items.findIndex((item) => isWithin(value, item));
    return fewest.find((place) => isWithin(value, this.#items[place])) ?? -1;
  }

  /** @returns where the item is now, the last one */
  add(item: unknown): number {
    const place = this.#items.push(item) - 1;
    this.#note(item, place);
    return place;
  }

  #note(item: unknown, place: number): void {
    for (const said of saidBy(item)) {
      const places = this.#places.get(said);
      if (places) places.push(place);
      else this.#places.set(said, [place]);
    }
  }
}

function saidBy(item: unknown): string[] {
  if (!isObject(item)) return [JSON.stringify(item)];
  return Object.entries(item).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
}

/** Whether everything that one says stands in the other. */
function isWithin(one: unknown, other: unknown): boolean {
  if (!isObject(one) || !isObject(other)) return same(one, other);
  return Object.entries(one).every(([name, value]) => same(value, other[name]));
}

export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b);
}

/** A status `unknown`, or an element that only says why it is absent. */
function isUnknown(value: unknown): boolean {
  if (value === 'unknown') return true;
  if (!isObject(value)) return false;
  const names = Object.keys(value);
  return names.length === 1 && names[0] === 'extension' && JSON.stringify(value).includes('data-absent-reason');
}

const TIME = /^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}.*)?)?)?$/;

/** Of two times of which one is the beginning of the other, the longer. */
function morePrecise(one: string, other: string): string | undefined {
  if (!TIME.test(one) || !TIME.test(other)) return undefined;
  if (one.startsWith(other)) return one;
  return other.startsWith(one) ? other : undefined;
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
