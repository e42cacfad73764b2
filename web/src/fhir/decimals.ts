/**
 * JSON numbers that keep their digits. A laboratory that reports `7.00` says something about its precision which a
 * JavaScript number forgets (FHIR R4 §2.24.0.1, decimal). The digits are remembered beside the number, under a symbol,
 * so that they neither show up in iteration nor change the resource's shape.
 */

const DIGITS = Symbol('digits');

type Remembering = { [DIGITS]?: Record<string, string> };

/** `JSON.parse`, remembering the digits of every number that would print differently. Throws SyntaxError likewise. */
export function parseKeepingDigits(text: string): unknown {
  return JSON.parse(text, function (this: Remembering, key: string, value: unknown, context?: { source?: string }) {
    if (typeof value === 'number' && context?.source !== undefined && context.source !== String(value)) {
      this[DIGITS] ??= {};
      this[DIGITS][key] = context.source;
    }
    return value;
  } as (this: unknown, key: string, value: unknown) => unknown);
}

/** The number `holder[key]` as its source wrote it, or `''` when there is none. */
export function digitsOf<K extends string>(holder: { [key in K]?: number }, key: K): string {
  const value = holder[key];
  if (value === undefined || value === null) return '';
  return (holder as Remembering)[DIGITS]?.[key] ?? String(value);
}
