/**
 * The light tokenizer: one walk over a text. It drops the white space between tokens, counts property names (so that
 * duplicates show as a difference to the parsed value), checks the limits, and notes where the resource's own `id`,
 * `meta` and `resourceType` and every `Reference.reference` stand.
 */
import type { JsonLimits } from './limits.ts';

/** A stretch of a text: first character and the one after the last. */
export interface Span {
  start: number;
  end: number;
}

/** A `Reference.reference` and where its characters stand, quotes excluded. */
export interface ReferenceSpan extends Span {
  /** The element in the resource, without its type: `subject`, `participant[0].individual`. */
  path: string;
  /** The string as JSON means it. */
  value: string;
}

/** What the walk found; all offsets are into `text`. */
export interface Tokens {
  /** The text without white space between tokens: the given one itself when it had none. */
  text: string;
  /** Property names in all objects together. */
  keys: number;
  references: ReferenceSpan[];
  /** The values of the outermost object's members, quotes included. */
  resourceType: Span | undefined;
  id: Span | undefined;
  meta: Span | undefined;
}

/** Why the walk stopped; the strict parser says the rest. */
export type TokenRefusal = 'depth' | 'members' | 'string';

const MAX_DEPTH = 1024;
const keyStarts = new Int32Array(MAX_DEPTH + 1);
const keyEnds = new Int32Array(MAX_DEPTH + 1);
/** Item number in an array, -1 in an object. */
const positions = new Int32Array(MAX_DEPTH + 1);
/** Properties of an object so far. */
const members = new Int32Array(MAX_DEPTH + 1);

/**
 * Walks the text. `maxDepth` may be 1024 at most. The text has to be valid JSON of an object: anything else gives a
 * meaningless result, or throws a SyntaxError, though never an endless loop.
 */
export function tokenize(text: string, { maxDepth, maxMembers }: JsonLimits): Tokens | TokenRefusal {
  const length = text.length;
  const limit = Math.min(maxDepth, MAX_DEPTH);
  const references: ReferenceSpan[] = [];
  let resourceType: Span | undefined;
  let id: Span | undefined;
  let meta: Span | undefined;
  let compact = '';
  let from = 0;
  let removed = 0;
  let keys = 0;
  let depth = 0;
  let expectsKey = false;
  let opensAt = 0;
  let i = 0;
  positions[0] = -1;
  keyStarts[0] = 0;
  keyEnds[0] = 0;
  members[0] = 0;
  while (i < length) {
    const code = text.charCodeAt(i);
    if (code === 34) {
      const start = i + 1;
      let escaped = false;
      let surrogates = false;
      let end = start;
      for (;;) {
        const character = text.charCodeAt(end);
        if (character === 34) break;
        if (character === 92) {
          escaped = true;
          if (text.charCodeAt(end + 1) === 117) {
            const unit = Number.parseInt(text.slice(end + 2, end + 6), 16);
            if (unit === 0) return 'string';
            if (unit >= 0xd800 && unit <= 0xdfff) surrogates = true;
          }
          end++;
        }
        end++;
        if (end >= length) return 'string';
        if (end - start === LONG_STRING && !escaped) end = skipLong(text, end);
      }
      i = end + 1;
      if (surrogates && !(JSON.parse(text.slice(start - 1, i)) as string).isWellFormed()) return 'string';
      if (expectsKey) {
        expectsKey = false;
        keys++;
        if (++members[depth]! > maxMembers) return 'members';
        keyStarts[depth] = start;
        keyEnds[depth] = end;
        continue;
      }
      if (positions[depth] !== -1) continue;
      const keyStart = keyStarts[depth]!;
      const keyLength = keyEnds[depth]! - keyStart;
      if (keyLength === 9 && text.startsWith('reference', keyStart)) {
        const raw = text.slice(start, end);
        references.push({
          path: pathTo(text, depth),
          value: escaped ? (JSON.parse(`"${raw}"`) as string) : raw,
          start: start - removed,
          end: end - removed,
        });
      } else if (depth === 1) {
        if (keyLength === 2 && text.startsWith('id', keyStart)) {
          id = { start: start - 1 - removed, end: end + 1 - removed };
        } else if (keyLength === 12 && text.startsWith('resourceType', keyStart)) {
          resourceType = { start: start - 1 - removed, end: end + 1 - removed };
        }
      }
      continue;
    }
    if (code === 44) {
      if (positions[depth] === -1) expectsKey = true;
      else positions[depth]!++;
    } else if (code === 123 || code === 91) {
      if (depth === 1) opensAt = i - removed;
      if (++depth > limit) return 'depth';
      expectsKey = code === 123;
      positions[depth] = expectsKey ? -1 : 0;
      members[depth] = 0;
    } else if (code === 125 || code === 93) {
      depth--;
      expectsKey = false;
      if (depth === 1 && keyEnds[1]! - keyStarts[1]! === 4 && text.startsWith('meta', keyStarts[1]!)) {
        meta = { start: opensAt, end: i + 1 - removed };
      }
    } else if (code <= 32) {
      compact += text.slice(from, i);
      do i++;
      while (text.charCodeAt(i) <= 32);
      removed = i - compact.length;
      from = i;
      continue;
    }
    i++;
  }
  return { text: from === 0 ? text : compact + text.slice(from), keys, references, resourceType, id, meta };
}

const LONG_STRING = 256;

/** The next quote or backslash of a string that has gone on for long: found by the engine's own search. */
function skipLong(text: string, from: number): number {
  const quote = text.indexOf('"', from);
  if (quote < 0) return from;
  const backslash = text.slice(from, quote).indexOf('\\');
  return backslash < 0 ? quote : from + backslash;
}

function pathTo(text: string, depth: number): string {
  let path = '';
  for (let level = 1; level < depth; level++) {
    const position = positions[level]!;
    if (position >= 0) path += `[${position}]`;
    else {
      const key = text.slice(keyStarts[level], keyEnds[level]);
      path = path === '' ? key : `${path}.${key}`;
    }
  }
  return path;
}
