/**
 * A strict JSON parser (RFC 8259, and no duplicate keys, U+0000 or lone surrogates) that knows where it is. It is
 * slower than `JSON.parse`, so the scanner calls it only for texts which that refuses, to say what is wrong and where.
 */
import type { FhirError } from '../outcome.ts';
import { fhirError } from '../outcome.ts';
import type { JsonLimits } from './limits.ts';
import { DEFAULT_LIMITS } from './limits.ts';

/** A value as JSON has it. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/**
 * Parses a text; the value, or the first error with its line, column and path. Never throws. `numberOf` makes the value
 * of a number from its characters.
 */
export function parseJson(
  text: string,
  limits: JsonLimits = DEFAULT_LIMITS,
  numberOf: (digits: string) => number = Number,
): { value: JsonValue } | FhirError {
  if (text.length > limits.maxLength) {
    return fhirError(text, limits.maxLength, 'too-long', `the text is longer than ${limits.maxLength} characters`);
  }
  const reader = new Reader(text, limits, numberOf);
  try {
    return { value: reader.document() };
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    return fhirError(text, problem.offset, problem.code, problem.message, reader.path());
  }
}

/** How the reader leaves its recursion; never seen outside of this file. */
class Refusal extends Error {
  readonly offset: number;
  readonly code: FhirError['code'];
  constructor(offset: number, code: FhirError['code'], message: string) {
    super(message);
    this.offset = offset;
    this.code = code;
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const HEX4 = /[0-9a-fA-F]{4}/y;
const ESCAPES: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Reader {
  readonly text: string;
  readonly limits: JsonLimits;
  readonly numberOf: (digits: string) => number;
  at = 0;
  steps: (string | number)[] = [];

  constructor(text: string, limits: JsonLimits, numberOf: (digits: string) => number) {
    this.text = text;
    this.limits = limits;
    this.numberOf = numberOf;
  }

  path(): string {
    let path = '';
    for (const step of this.steps) path += typeof step === 'number' ? `[${step}]` : path === '' ? step : `.${step}`;
    return path;
  }

  document(): JsonValue {
    const value = this.value();
    this.space();
    if (this.at < this.text.length) this.refuse('nothing may follow the end of the document');
    return value;
  }

  private value(): JsonValue {
    this.space();
    const character = this.text[this.at];
    if (character === '{') return this.object();
    if (character === '[') return this.array();
    if (character === '"') return this.string();
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.at;
    const number = NUMBER.exec(this.text);
    if (number === null) {
      if (character === undefined) this.refuse('the text ends where a value is expected');
      this.refuse('a value is expected here: an object, an array, a string, a number, true, false or null');
    }
    this.at += number[0].length;
    return this.numberOf(number[0]);
  }

  private object(): JsonValue {
    this.enter();
    const object: { [key: string]: JsonValue } = {};
    const keys = new Set<string>();
    this.space();
    if (this.text[this.at] === '}') this.at++;
    else {
      for (;;) {
        this.space();
        const start = this.at;
        if (this.text[start] !== '"') this.refuse('a property name in double quotes is expected here');
        const key = this.string();
        this.steps.push(key.length > 64 ? `${key.slice(0, 64)}…` : key);
        if (keys.has(key)) {
          throw new Refusal(start, 'duplicate', 'the property appears twice in this object; each may appear once');
        }
        keys.add(key);
        if (keys.size > this.limits.maxMembers) {
          throw new Refusal(start, 'too-costly', `more than ${this.limits.maxMembers} properties in one object`);
        }
        this.space();
        if (this.text[this.at] !== ':') this.refuse('a colon is expected after the property name');
        this.at++;
        const value = this.value();
        if (key === '__proto__') {
          Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
        } else object[key] = value;
        this.steps.pop();
        this.space();
        const next = this.text[this.at];
        if (next !== ',' && next !== '}') this.refuse('a comma or a closing brace is expected after a property');
        this.at++;
        if (next === '}') break;
      }
    }
    this.depth--;
    return object;
  }

  private array(): JsonValue {
    this.enter();
    const array: JsonValue[] = [];
    this.space();
    if (this.text[this.at] === ']') this.at++;
    else {
      for (;;) {
        this.steps.push(array.length);
        array.push(this.value());
        this.steps.pop();
        this.space();
        const next = this.text[this.at];
        if (next !== ',' && next !== ']') this.refuse('a comma or a closing bracket is expected after an array item');
        this.at++;
        if (next === ']') break;
      }
    }
    this.depth--;
    return array;
  }

  private string(): string {
    let value = '';
    let from = ++this.at;
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code === 34) break;
      if (Number.isNaN(code)) this.refuse('the text ends inside a string; a double quote is missing');
      if (code < 32) this.refuse('a control character inside a string has to be written as an escape');
      if (code !== 92) {
        this.at++;
        continue;
      }
      value += this.text.slice(from, this.at) + this.escape();
      from = this.at;
    }
    const start = from;
    value += this.text.slice(start, this.at++);
    if (!value.isWellFormed()) this.refuse('half of a surrogate pair stands alone in this string');
    return value;
  }

  private escape(): string {
    const letter = this.text[this.at + 1] ?? '';
    if (letter !== 'u') {
      const character = ESCAPES[letter];
      if (character === undefined) this.refuse('after a backslash one of " \\ / b f n r t u is expected');
      this.at += 2;
      return character;
    }
    HEX4.lastIndex = this.at + 2;
    const hex = HEX4.exec(this.text);
    if (hex === null) this.refuse('four hexadecimal digits are expected after \\u');
    if (hex[0] === '0000') this.refuse('U+0000 may not appear in a string');
    this.at += 6;
    return String.fromCharCode(Number.parseInt(hex[0], 16));
  }

  private depth = 0;

  private enter(): void {
    const { maxDepth } = this.limits;
    if (++this.depth > maxDepth) {
      throw new Refusal(this.at, 'too-costly', `more than ${maxDepth} objects and arrays inside one another`);
    }
    this.at++;
  }

  private space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.at++;
    }
  }

  private refuse(message: string): never {
    throw new Refusal(this.at, 'invalid', message);
  }
}

const WORDS: [string, JsonValue][] = [
  ['true', true],
  ['false', false],
  ['null', null],
];
