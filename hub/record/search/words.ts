/**
 * `_text` and `_content` (FHIR R4 §3.1.1.4.2): words in the narrative, or in all that a resource says. Texts are sealed,
 * so no index holds their words: each resource that the other filters find is opened and looked at.
 */
import type { Check } from './predicate.ts';
import { hasWords, wordsIn } from './token.ts';
import { wrong } from './wrong.ts';

const maximumLength = 1_000;

/** The check for an expression: words (all of them), `"a phrase"`, `or`, `and`, `not`, parentheses. @throws RecordError 400 */
export function wordsCheck(where: '_text' | '_content', query: string): Check {
  if (query.length > maximumLength) throw wrong(where, `is longer than ${maximumLength} characters`);
  const tokens = query.match(/"[^"]*"|[()]|[^\s()"]+/g) ?? [];
  const reader = new Reader(where, tokens);
  const holds = reader.either();
  if (!reader.isAtEnd) throw wrong(where, 'has a parenthesis that closes nothing');
  return (resource) => holds(where === '_text' ? narrativeOf(resource) : allTextOf(resource));
}

type Test = (text: string) => boolean;

class Reader {
  readonly #where: string;
  readonly #tokens: string[];
  #at = 0;
  #depth = 0;

  constructor(where: string, tokens: string[]) {
    this.#where = where;
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  either(): Test {
    const tests = [this.#all()];
    while (this.#takes('or')) tests.push(this.#all());
    return tests.length === 1 ? tests[0]! : (text) => tests.some((test) => test(text));
  }

  #all(): Test {
    const tests: Test[] = [];
    for (;;) {
      this.#takes('and');
      const next = this.#tokens[this.#at];
      if (next === undefined || next === ')' || next.toLowerCase() === 'or') break;
      tests.push(this.#one());
    }
    if (tests.length === 0) throw wrong(this.#where, 'needs words, such as bone and metastases');
    return (text) => tests.every((test) => test(text));
  }

  #one(): Test {
    if (this.#takes('not')) {
      const test = this.#one();
      return (text) => !test(text);
    }
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw wrong(this.#where, 'ends after not');
    if (token === '(') {
      if (++this.#depth > 20) throw wrong(this.#where, 'is nested too deep');
      const inner = this.either();
      if (!this.#takes(')')) throw wrong(this.#where, 'has a parenthesis that is not closed');
      this.#depth--;
      return inner;
    }
    const words = wordsIn(token);
    if (words.length === 0) throw wrong(this.#where, 'needs words, such as bone and metastases');
    if (!token.startsWith('"')) return (text) => hasWords(text, words);
    const phrase = ` ${words.join(' ')} `;
    return (text) => ` ${wordsIn(text).join(' ')} `.includes(phrase);
  }

  #takes(word: string): boolean {
    if (this.#tokens[this.#at]?.toLowerCase() !== word) return false;
    this.#at++;
    return true;
  }
}

function narrativeOf(resource: Record<string, unknown>): string {
  const div = (resource.text as { div?: unknown } | undefined)?.div;
  return typeof div === 'string' ? plain(div) : '';
}

/** Every string of the resource; binary content is no text. */
function allTextOf(resource: Record<string, unknown>): string {
  const parts: string[] = [];
  const walk = (value: unknown, name: string): void => {
    if (typeof value === 'string') parts.push(name === 'div' ? plain(value) : value);
    else if (Array.isArray(value)) for (const item of value) walk(item, name);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) if (key !== 'data' && key !== 'meta') walk(item, key);
    }
  };
  walk(resource, '');
  return parts.join('\n');
}

function plain(markup: string): string {
  return markup.replace(/<[^>]*>/g, ' ').replace(/&[a-z#0-9]+;/gi, ' ');
}
