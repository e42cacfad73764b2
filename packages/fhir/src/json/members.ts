/**
 * Cuts an object or array apart without parsing what is inside: where each member's value starts and ends. It trusts
 * nothing but quotes and brackets; whoever uses a slice has to parse it strictly.
 */
import type { Span } from './tokens.ts';

/** One member of an object; start and end are of its value. */
export interface Member extends Span {
  key: string;
}

/** Passes over a value by itself and says where it ends (-1: its brackets do not close); undefined to leave it. */
export type Visit = (key: string, start: number) => number | undefined;

/** The members of the object that opens at `start`, and where it ends; undefined when the brackets do not close. */
export function objectMembers(
  text: string,
  start: number,
  visit?: Visit,
): { members: Member[]; end: number } | undefined {
  if (text.charCodeAt(start) !== 123) return undefined;
  const members: Member[] = [];
  let at = skipSpace(text, start + 1);
  if (text.charCodeAt(at) === 125) return { members, end: at + 1 };
  for (;;) {
    const keyEnd = text.charCodeAt(at) === 34 ? endOfString(text, at) : -1;
    if (keyEnd < 0) return undefined;
    const key = keyOf(text.slice(at, keyEnd));
    const colon = skipSpace(text, keyEnd);
    if (key === undefined || text.charCodeAt(colon) !== 58) return undefined;
    const valueStart = skipSpace(text, colon + 1);
    const valueEnd = visit?.(key, valueStart) ?? endOfValue(text, valueStart);
    if (valueEnd < 0) return undefined;
    members.push({ key, start: valueStart, end: valueEnd });
    at = skipSpace(text, valueEnd);
    const next = text.charCodeAt(at);
    if (next === 125) return { members, end: at + 1 };
    if (next !== 44) return undefined;
    at = skipSpace(text, at + 1);
  }
}

/** Where the array that opens at `start` ends, -1 when this cannot be told; `visit` passes over each item. */
export function endOfArray(text: string, start: number, visit: (start: number) => number): number {
  if (text.charCodeAt(start) !== 91) return -1;
  let at = skipSpace(text, start + 1);
  if (text.charCodeAt(at) === 93) return at + 1;
  for (;;) {
    const end = visit(at);
    if (end < 0) return -1;
    at = skipSpace(text, end);
    const next = text.charCodeAt(at);
    if (next === 93) return at + 1;
    if (next !== 44) return -1;
    at = skipSpace(text, at + 1);
  }
}

/** The text of the array that opens at `start`, with those of its items that stay. */
export function textOfItems(text: string, start: number, stays: readonly boolean[]): string {
  const items: string[] = [];
  endOfArray(text, start, (at) => {
    const end = endOfValue(text, at);
    if (end >= 0) items.push(text.slice(at, end));
    return end;
  });
  return `[${items.filter((_, i) => stays[i]).join(',')}]`;
}

/** The first character at or after `at` that is no white space. */
export function skipSpace(text: string, at: number): number {
  let i = at;
  while (text.charCodeAt(i) <= 32) i++;
  return i;
}

/** Where the value that begins at `start` ends, -1 when this cannot be told. */
export function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === 34) return endOfString(text, start);
  let i = start;
  if (first !== 123 && first !== 91) {
    for (;;) {
      const code = text.charCodeAt(i);
      if (!(code > 32) || code === 44 || code === 125 || code === 93) return i > start ? i : -1;
      i++;
    }
  }
  let depth = 0;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code === 34) {
      i = endOfString(text, i);
      if (i < 0) return -1;
      continue;
    }
    if (code === 123 || code === 91) depth++;
    else if ((code === 125 || code === 93) && --depth === 0) return i + 1;
    i++;
  }
  return -1;
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 34) return i + 1;
    if (code === 92) i++;
  }
  return -1;
}

function keyOf(raw: string): string | undefined {
  if (!raw.includes('\\')) return raw.slice(1, -1);
  try {
    return JSON.parse(raw) as string;
  } catch {
    return undefined;
  }
}
