/**
 * FHIRPath (http://hl7.org/fhirpath/N1/) as far as a filter over elements needs it: paths, indexes, comparisons, boolean
 * logic, unions, type tests, `+ - &`, and the functions in `FUNCTIONS`. What could take time without bound on a hostile
 * expression (regular expressions, `repeat`, `descendants`, `resolve`) is left out, and refused by name.
 */
import { type Token, tokensOf } from './tokens.ts';

export type Expression =
  | { kind: 'this' }
  | { kind: 'index' }
  | { kind: 'literal'; value: string | number | boolean }
  | { kind: 'nothing' }
  | { kind: 'member'; of: Expression; name: string; first: boolean }
  | { kind: 'at'; of: Expression; index: Expression }
  | { kind: 'call'; of: Expression; name: string; arguments: Expression[] }
  | { kind: 'type'; of: Expression; test: 'is' | 'as'; type: string }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'negative'; of: Expression };

const ofNothing = [
  'count',
  'distinct',
  'empty',
  'first',
  'hasValue',
  'last',
  'length',
  'lower',
  'not',
  'tail',
  'toString',
  'upper',
];
const ofOne = ['all', 'contains', 'endsWith', 'extension', 'select', 'skip', 'startsWith', 'take', 'where'];

/** Functions, with the least and the greatest number of their arguments. */
const FUNCTIONS: ReadonlyMap<string, readonly [number, number]> = new Map<string, readonly [number, number]>([
  ...ofNothing.map((name): [string, [number, number]] => [name, [0, 0]]),
  ...ofOne.map((name): [string, [number, number]] => [name, [1, 1]]),
  ['exists', [0, 1]],
]);

/** From weakest to strongest. */
const OPERATORS: readonly (readonly string[])[] = [
  ['implies'],
  ['or', 'xor'],
  ['and'],
  ['in', 'contains'],
  ['=', '!='],
  ['<', '<=', '>', '>='],
  ['|'],
  ['is', 'as'],
  ['+', '-', '&'],
];

const LONGEST = 1_000;
const DEEPEST = 30;

/** Parses an expression; a sentence that says what is wrong with it, or not understood here. */
export function parseFhirPath(text: string): Expression | string {
  if (text.length > LONGEST) return `it is longer than ${LONGEST} characters`;
  const tokens = tokensOf(text);
  if (typeof tokens === 'string') return tokens;
  const parser = new Parser(tokens);
  try {
    const expression = parser.expression(0);
    return parser.peek().kind === 'end' ? expression : `${parser.peek().text} is not expected there`;
  } catch (problem) {
    if (problem instanceof Misfit) return problem.message;
    throw problem;
  }
}

class Misfit extends Error {}

class Parser {
  readonly #tokens: Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  peek(): Token {
    return this.#tokens[this.#at]!;
  }

  expression(strength: number): Expression {
    const operators = OPERATORS[strength];
    if (!operators) return this.#path();
    let left = this.expression(strength + 1);
    for (let token = this.peek(); isWord(token) && operators.includes(token.text); token = this.peek()) {
      this.#at++;
      if (token.text === 'is' || token.text === 'as') {
        left = { kind: 'type', of: left, test: token.text, type: this.#typeName() };
      } else {
        left = { kind: 'binary', operator: token.text, left, right: this.expression(strength + 1) };
      }
    }
    return left;
  }

  #path(): Expression {
    let path = this.#term();
    for (;;) {
      if (this.#takes('.')) path = this.#member(path, false);
      else if (this.#takes('[')) {
        path = { kind: 'at', of: path, index: this.#nested() };
        this.#expect(']');
      } else return path;
    }
  }

  #term(): Expression {
    const token = this.peek();
    if (this.#takes('(')) {
      const inner = this.#nested();
      this.#expect(')');
      return inner;
    }
    if (this.#takes('{')) {
      this.#expect('}');
      return { kind: 'nothing' };
    }
    if (this.#takes('-')) return { kind: 'negative', of: this.#path() };
    if (token.kind === 'name' && (token.text === 'true' || token.text === 'false')) {
      this.#at++;
      return { kind: 'literal', value: token.text === 'true' };
    }
    if (token.kind === 'name') return this.#member({ kind: 'this' }, true);
    this.#at++;
    if (token.kind === 'string' || token.kind === 'date') {
      return { kind: 'literal', value: token.kind === 'date' ? token.text.replace(/^T|T$/, '') : token.text };
    }
    if (token.kind === 'number') return { kind: 'literal', value: Number(token.text) };
    if (token.text === '$this') return { kind: 'this' };
    if (token.text === '$index') return { kind: 'index' };
    throw new Misfit(
      token.kind === 'variable' ? `${token.text} is not understood here` : `${token.text} is not expected there`,
    );
  }

  #member(of: Expression, first: boolean): Expression {
    const token = this.peek();
    this.#at++;
    if (token.kind === 'variable' && token.text === '$this') return of;
    if (token.kind !== 'name') throw new Misfit(`a name is expected in place of ${token.text}`);
    if (!this.#takes('(')) return { kind: 'member', of, name: token.text, first };
    if (token.text === 'ofType' || token.text === 'is' || token.text === 'as') {
      const type = this.#typeName();
      this.#expect(')');
      return { kind: 'type', of, test: token.text === 'is' ? 'is' : 'as', type };
    }
    const bounds = FUNCTIONS.get(token.text);
    if (!bounds) throw new Misfit(`the function ${token.text}() is not understood here`);
    const given: Expression[] = [];
    if (!this.#takes(')')) {
      do given.push(this.#nested());
      while (this.#takes(','));
      this.#expect(')');
    }
    if (given.length < bounds[0] || given.length > bounds[1]) {
      throw new Misfit(`the function ${token.text}() does not take ${given.length} arguments`);
    }
    return { kind: 'call', of, name: token.text, arguments: given };
  }

  #nested(): Expression {
    if (++this.#depth > DEEPEST) throw new Misfit('it is nested too deep');
    const inner = this.expression(0);
    this.#depth--;
    return inner;
  }

  #typeName(): string {
    const name = this.#name();
    return (name === 'FHIR' || name === 'System') && this.#takes('.') ? this.#name() : name;
  }

  #name(): string {
    const token = this.peek();
    if (token.kind !== 'name') throw new Misfit(`a type is expected in place of ${token.text}`);
    this.#at++;
    return token.text;
  }

  #takes(sign: string): boolean {
    const token = this.peek();
    if (token.kind !== 'sign' || token.text !== sign) return false;
    this.#at++;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#takes(sign)) throw new Misfit(`${sign} is expected in place of ${this.peek().text}`);
  }
}

function isWord(token: Token): boolean {
  return token.kind === 'sign' || token.kind === 'name';
}
