/**
 * JSON as values that keep the digits of their numbers: a number that JavaScript would write otherwise (`1.00`) is held
 * as its text, by the engine's own `JSON.rawJSON`; `JSON.stringify` writes such a tree as it came, without white space.
 */
import type { FhirError } from '../outcome.ts';
import { isFhirError } from '../outcome.ts';
import type { JsonLimits } from './limits.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { parseJson } from './parse.ts';

/** A number held as its text; made by `JSON.rawJSON` only. */
export interface RawNumber {
  readonly rawJSON: string;
}

export type ExactObject = { [key: string]: ExactValue };
export type ExactValue = string | number | boolean | null | RawNumber | ExactValue[] | ExactObject;

declare global {
  interface JSON {
    rawJSON(text: string): RawNumber;
    isRawJSON(value: unknown): value is RawNumber;
  }
}

/** Parses a text strictly, as `parseJson` does. Never throws. */
export function parseExact(text: string, limits: JsonLimits = DEFAULT_LIMITS): { value: ExactValue } | FhirError {
  const parsed = parseJson(text, limits, exactNumber);
  return isFhirError(parsed) ? parsed : { value: parsed.value as ExactValue };
}

/** Whether a value is a JSON object: no array, no number held as text. */
export function isExactObject(value: unknown): value is ExactObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

/** An object's own member, whatever its name; undefined where there is none. */
export function memberOf(object: ExactObject, key: string): ExactValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets a member as the object's own, `__proto__` too. */
export function setMember(object: ExactObject, key: string, value: ExactValue): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else object[key] = value;
}

/** Whether two values are equal as RFC 6902 §4.6 says: numbers by what they are worth, objects in any order of members. */
export function sameValue(a: ExactValue, b: ExactValue): boolean {
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]!));
  if (isExactObject(a)) {
    const keys = Object.keys(a);
    return (
      isExactObject(b) &&
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key]!, b[key]!))
    );
  }
  const [left, right] = [decimalOf(a), decimalOf(b)];
  return left !== undefined && right !== undefined ? left === right : a === b;
}

/** How many objects and arrays stand inside one another in a value: 0 for a string, 1 for `[]`. */
export function depthOf(value: ExactValue): number {
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return 0;
  let deepest = 0;
  for (const member of Object.values(value as ExactObject)) deepest = Math.max(deepest, depthOf(member));
  return deepest + 1;
}

function exactNumber(digits: string): number {
  const value = Number(digits);
  return String(value) === digits ? value : (JSON.rawJSON(digits) as unknown as number);
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** A number as sign, digits without zeros at their ends, and power of ten: the same text for the same worth. */
function decimalOf(value: ExactValue): string | undefined {
  if (typeof value !== 'number' && !JSON.isRawJSON(value)) return undefined;
  const parts = DECIMAL.exec(typeof value === 'number' ? String(value) : value.rawJSON);
  if (parts === null) return undefined;
  const [, sign, whole, fraction = '', exponent = '0'] = parts;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  if (digits === '') return '0';
  const significant = digits.replace(/0+$/, '');
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}
