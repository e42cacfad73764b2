/**
 * Reads XPath 1.0 expressions (https://www.w3.org/TR/xpath-10/) into a tree: what Schematron rules are written in.
 * Axes that lead upwards or sideways are refused, as are `position()` and `last()`: nothing is read half.
 */

export type Expression =
  | { kind: 'or' | 'and'; left: Expression; right: Expression }
  | { kind: 'compare'; operator: Comparison; left: Expression; right: Expression }
  | { kind: 'arithmetic'; operator: '+' | '-' | '*' | 'div' | 'mod'; left: Expression; right: Expression }
  | { kind: 'negative'; of: Expression }
  | { kind: 'union'; left: Expression; right: Expression }
  | { kind: 'literal'; value: string }
  | { kind: 'number'; value: number }
  | { kind: 'variable'; name: string }
  | { kind: 'call'; name: string; args: Expression[] }
  /** `(nodes)[predicate]/steps` */
  | { kind: 'filter'; of: Expression; predicates: Expression[]; steps: Step[] }
  | PathExpression;

export interface PathExpression {
  kind: 'path';
  /** Where it starts: at the context node, at the document, or at the node that `current()` names. */
  from: 'context' | 'document' | 'current';
  steps: Step[];
}

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

export interface Step {
  axis: 'child' | 'attribute' | 'self' | 'descendant';
  /** `prefix:local`, `*`, `text()` or `node()`. */
  test: string;
  predicates: Expression[];
}

export class XPathError extends Error {}

/** Reads an expression; what is not XPath 1.0, or not supported here, throws an XPathError. */
export function parseXPath(text: string): Expression {
  return new Parser(text).whole();
}

interface Token {
  kind: 'literal' | 'number' | 'name' | 'variable' | 'symbol';
  text: string;
}

const TOKEN =
  /\s*(?:("[^"]*"|'[^']*')|(\d+(?:\.\d*)?|\.\d+)|\$([\w.-]+(?::[\w.-]+)?)|([A-Za-z_][\w.-]*(?::(?!:)(?:[A-Za-z_][\w.-]*|\*))?)|(::|\.\.|\/\/|!=|<=|>=|[()[\]@,./|+\-=<>*]))/y;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new XPathError(`not XPath at character ${at + 1}: ${text}`);
    const [, literal, number, variable, name, symbol] = match;
    if (literal !== undefined) tokens.push({ kind: 'literal', text: literal.slice(1, -1) });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (variable !== undefined) tokens.push({ kind: 'variable', text: variable });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else tokens.push({ kind: 'symbol', text: symbol! });
  }
  return tokens;
}

/** Binary operators from the loosest to the tightest (§3.4, §3.5, §3.3). */
const LEVELS: readonly (readonly string[])[] = [
  ['or'],
  ['and'],
  ['=', '!='],
  ['<', '<=', '>', '>='],
  ['+', '-'],
  ['*', 'div', 'mod'],
];

const AXES = new Set(['child', 'attribute', 'self', 'descendant']);

class Parser {
  private readonly text: string;
  private readonly tokens: Token[];
  private at = 0;

  constructor(text: string) {
    this.text = text;
    this.tokens = tokensOf(text);
  }

  whole(): Expression {
    const expression = this.binary(0);
    if (this.at < this.tokens.length) this.refuse(`unexpected ${this.tokens[this.at]!.text}`);
    return expression;
  }

  private binary(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const operator = operators.find((one) => this.isOperator(one));
      if (operator === undefined) return left;
      this.at++;
      const right = this.binary(level + 1);
      if (operator === 'or' || operator === 'and') left = { kind: operator, left, right };
      else if (level === 2 || level === 3) {
        left = { kind: 'compare', operator: operator as Comparison, left, right };
      } else left = { kind: 'arithmetic', operator: operator as '+', left, right };
    }
  }

  private unary(): Expression {
    if (this.take('-')) return { kind: 'negative', of: this.unary() };
    let left = this.operand();
    while (this.take('|')) left = { kind: 'union', left, right: this.operand() };
    return left;
  }

  private operand(): Expression {
    const token = this.tokens[this.at];
    if (token === undefined) return this.refuse('the expression ends too early');
    if (token.kind === 'literal') return this.simple({ kind: 'literal', value: token.text });
    if (token.kind === 'number') return this.simple({ kind: 'number', value: Number(token.text) });
    if (token.kind === 'variable') return this.simple({ kind: 'variable', name: token.text });
    if (token.text === '(') {
      this.at++;
      const inner = this.binary(0);
      this.expect(')');
      const predicates = this.predicates();
      const steps = this.take('/') ? this.steps() : [];
      if (this.isNext('//')) this.refuse('// after parentheses is not supported');
      if (predicates.length === 0 && steps.length === 0) return inner;
      return { kind: 'filter', of: inner, predicates, steps };
    }
    if (token.kind === 'name' && this.tokens[this.at + 1]?.text === '(' && !isNodeTest(token.text)) return this.call();
    return this.path();
  }

  private simple(expression: Expression): Expression {
    this.at++;
    if (this.isNext('[') || this.isNext('/')) this.refuse('a literal or variable has no steps');
    return expression;
  }

  private call(): Expression {
    const name = this.tokens[this.at]!.text;
    this.at += 2;
    const args: Expression[] = [];
    if (!this.take(')')) {
      do args.push(this.binary(0));
      while (this.take(','));
      this.expect(')');
    }
    if (name !== 'current') {
      if (this.isNext('[') || this.isNext('/')) this.refuse(`a step after ${name}() is not supported`);
      return { kind: 'call', name, args };
    }
    if (args.length > 0) this.refuse('current() takes nothing');
    return { kind: 'path', from: 'current', steps: this.take('/') ? this.steps() : [] };
  }

  private path(): PathExpression {
    if (this.take('//')) {
      const [first, ...others] = this.steps();
      return { kind: 'path', from: 'document', steps: [this.descending(first!), ...others] };
    }
    if (this.take('/')) return { kind: 'path', from: 'document', steps: this.steps() };
    return { kind: 'path', from: 'context', steps: this.steps() };
  }

  private steps(): Step[] {
    const steps = [this.step()];
    for (;;) {
      if (this.take('//')) steps.push(this.descending(this.step()));
      else if (this.take('/')) steps.push(this.step());
      else return steps;
    }
  }

  /** `//a` is short for `/descendant-or-self::node()/child::a`; without positions that is `descendant::a`. */
  private descending(step: Step): Step {
    if (step.axis !== 'child' || step.predicates.some(isPosition)) this.refuse('only //name is supported');
    return { ...step, axis: 'descendant' };
  }

  private step(): Step {
    if (this.take('.')) return { axis: 'self', test: 'node()', predicates: this.predicates() };
    let axis: Step['axis'] = 'child';
    if (this.take('@')) axis = 'attribute';
    else if (this.tokens[this.at + 1]?.text === '::') {
      const name = this.tokens[this.at]!.text;
      if (!AXES.has(name)) this.refuse(`the axis ${name} is not supported`);
      axis = name as Step['axis'];
      this.at += 2;
    }
    const token = this.tokens[this.at];
    if (token === undefined || (token.kind !== 'name' && token.text !== '*')) {
      this.refuse(`a step is expected, not ${token?.text ?? 'the end'}`);
    }
    this.at++;
    let test = token!.text;
    if (isNodeTest(test) && this.take('(')) {
      this.expect(')');
      test = `${test}()`;
    }
    return { axis, test, predicates: this.predicates() };
  }

  private predicates(): Expression[] {
    const predicates: Expression[] = [];
    while (this.take('[')) {
      predicates.push(this.binary(0));
      this.expect(']');
    }
    return predicates;
  }

  private isNext(text: string): boolean {
    const token = this.tokens[this.at];
    return token !== undefined && token.kind === 'symbol' && token.text === text;
  }

  /** Operators stand where an operand has ended, so `and`, `div` and the like are names nowhere else (§3.7). */
  private isOperator(text: string): boolean {
    const token = this.tokens[this.at];
    return token?.text === text && (token.kind === 'symbol' || token.kind === 'name');
  }

  private take(text: string): boolean {
    if (!this.isNext(text)) return false;
    this.at++;
    return true;
  }

  private expect(text: string): void {
    if (!this.take(text)) this.refuse(`${text} is expected, not ${this.tokens[this.at]?.text ?? 'the end'}`);
  }

  private refuse(reason: string): never {
    throw new XPathError(`${reason}: ${this.text}`);
  }
}

function isNodeTest(name: string): boolean {
  return name === 'text' || name === 'node';
}

/** A predicate that asks for a place among the step's nodes. */
export function isPosition(predicate: Expression): predicate is { kind: 'number'; value: number } {
  return predicate.kind === 'number';
}
