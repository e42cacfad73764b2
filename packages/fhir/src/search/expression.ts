/**
 * The part of FHIRPath that search parameters are written in (https://hl7.org/fhirpath/N1/): paths, unions, `where`
 * with an equation or a type test, `ofType`, `as`, `exists`, `extension`, an index, and `and`; `resolve()` leads to what is
 * contained.
 */

/** A path's start is `type` (a resource type), `resource` (`%resource`) or the context. */
export type Expression =
  | { kind: 'path'; root: string; steps: Step[] }
  | { kind: 'union'; parts: Expression[] }
  | { kind: 'and'; parts: Condition[] };

export type Step =
  | { kind: 'member'; name: string }
  | { kind: 'index'; index: number }
  | { kind: 'ofType'; type: string }
  | { kind: 'where'; condition: Condition }
  | { kind: 'extension'; url: string }
  | { kind: 'resolve' };

export type Condition =
  | { kind: 'equals' | 'differs'; steps: Step[]; literal: string | boolean }
  | { kind: 'exists'; steps: Step[] }
  | { kind: 'resolvesTo'; type: string };

const TOKEN = /\s*(?:'((?:[^'\\]|\\.)*)'|([%A-Za-z_][A-Za-z0-9_-]*)|([0-9]+)|(!=|[=.|()[\]]))/y;

interface Token {
  kind: 'string' | 'name' | 'number' | 'sign' | 'end';
  text: string;
}

/** Parses an expression; a sentence when it is outside of the subset. */
export function parseExpression(text: string): Expression | string {
  const tokens = tokensOf(text);
  if (typeof tokens === 'string') return tokens;
  const parser = new ExpressionParser(tokens);
  const parsed = parser.union();
  if (typeof parsed === 'string') return parsed;
  return parser.peek().kind === 'end' ? parsed : `"${parser.peek().text}" is not expected there`;
}

function tokensOf(text: string): Token[] | string {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  const source = text.trim();
  while (TOKEN.lastIndex < source.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(source);
    if (found === null) return `"${source.slice(at, at + 10)}" is outside of the subset`;
    if (found[1] !== undefined) tokens.push({ kind: 'string', text: found[1] });
    else if (found[2] !== undefined) tokens.push({ kind: 'name', text: found[2] });
    else if (found[3] !== undefined) tokens.push({ kind: 'number', text: found[3] });
    else tokens.push({ kind: 'sign', text: found[4] ?? '' });
  }
  return tokens;
}

class ExpressionParser {
  private readonly tokens: Token[];
  private at = 0;

  constructor(tokens: Token[]) {
    this.tokens = tokens;
  }

  peek(ahead = 0): Token {
    return this.tokens[this.at + ahead] ?? { kind: 'end', text: 'the end' };
  }

  union(): Expression | string {
    const parts: Expression[] = [];
    do {
      const part = this.conjunction();
      if (typeof part === 'string') return part;
      parts.push(part);
    } while (this.takes('|'));
    return parts.length === 1 ? parts[0]! : { kind: 'union', parts };
  }

  private conjunction(): Expression | string {
    const start = this.at;
    const path = this.cast();
    if (typeof path === 'string') return path;
    const next = this.peek();
    if (next.text !== 'and' && next.text !== '.' && next.text !== '!=' && next.text !== '=') return path;
    this.at = start;
    const parts: Condition[] = [];
    do {
      const condition = this.condition();
      if (typeof condition === 'string') return condition;
      parts.push(condition);
    } while (this.takesName('and'));
    return { kind: 'and', parts };
  }

  private cast(): Expression | string {
    const inner = this.takes('(') ? this.parenthesised() : this.path();
    if (typeof inner === 'string' || !this.takesName('as')) return inner;
    return appended(inner, [{ kind: 'ofType', type: this.take().text }]);
  }

  private parenthesised(): Expression | string {
    const inner = this.union();
    if (typeof inner === 'string') return inner;
    if (!this.takes(')')) return 'a closing parenthesis is missing';
    const steps = this.steps();
    return typeof steps === 'string' ? steps : appended(inner, steps);
  }

  private path(): Expression | string {
    const first = this.peek();
    if (first.kind !== 'name') return `"${first.text}" does not start a path`;
    if (this.peek(1).text === '(') return `the function ${first.text}() cannot start a path`;
    this.at++;
    const steps = this.steps();
    return typeof steps === 'string' ? steps : { kind: 'path', root: first.text, steps };
  }

  private steps(): Step[] | string {
    const steps: Step[] = [];
    for (;;) {
      if (this.takes('[')) {
        steps.push({ kind: 'index', index: Number(this.take().text) });
        if (!this.takes(']')) return 'a closing bracket is missing';
        continue;
      }
      if (this.peek().text !== '.' || this.peek(1).text === 'exists') return steps;
      this.at++;
      const step = this.step();
      if (typeof step === 'string') return step;
      steps.push(step);
    }
  }

  private step(): Step | string {
    const name = this.peek();
    if (name.kind !== 'name') return `"${name.text}" is no element name`;
    this.at++;
    if (!this.takes('(')) return { kind: 'member', name: name.text };
    let step: Step | string = `the function ${name.text}() is outside of the subset`;
    if (name.text === 'where') {
      const condition = this.condition();
      step = typeof condition === 'string' ? condition : { kind: 'where', condition };
    } else if (name.text === 'ofType' || name.text === 'as') {
      step = { kind: 'ofType', type: this.take().text };
    } else if (name.text === 'extension') {
      step = { kind: 'extension', url: this.take().text };
    } else if (name.text === 'resolve') {
      step = { kind: 'resolve' };
    }
    if (typeof step !== 'string' && !this.takes(')')) return 'a closing parenthesis is missing';
    return step;
  }

  private condition(): Condition | string {
    if (this.peek().text === 'resolve' && this.peek(1).text === '(') {
      this.at += 3;
      if (!this.takesName('is')) return 'resolve() is followed by a type test in the subset';
      return { kind: 'resolvesTo', type: this.take().text };
    }
    const path = this.path();
    if (typeof path === 'string') return path;
    if (path.kind !== 'path') return 'a condition is about one path';
    const steps: Step[] = [{ kind: 'member', name: path.root }, ...path.steps];
    if (this.peek().text === '.') {
      this.at += 4;
      return { kind: 'exists', steps };
    }
    const kind = this.takes('=') ? 'equals' : this.takes('!=') ? 'differs' : undefined;
    if (kind === undefined) return 'a condition is an equation, an inequation, exists() or a type test';
    const literal = this.take();
    if (literal.kind === 'string') return { kind, steps, literal: literal.text };
    if (literal.text !== 'true' && literal.text !== 'false') return 'a condition compares with a string or a boolean';
    return { kind, steps, literal: literal.text === 'true' };
  }

  private take(): Token {
    const token = this.peek();
    this.at++;
    return token;
  }

  private takes(sign: string): boolean {
    const token = this.peek();
    if (token.kind !== 'sign' || token.text !== sign) return false;
    this.at++;
    return true;
  }

  private takesName(name: string): boolean {
    const token = this.peek();
    if (token.kind !== 'name' || token.text !== name) return false;
    this.at++;
    return true;
  }
}

function appended(expression: Expression, steps: Step[]): Expression | string {
  if (steps.length === 0) return expression;
  if (expression.kind === 'path') return { ...expression, steps: [...expression.steps, ...steps] };
  if (expression.kind === 'and') return 'nothing can follow a boolean';
  const parts: Expression[] = [];
  for (const part of expression.parts) {
    const longer = appended(part, steps);
    if (typeof longer === 'string') return longer;
    parts.push(longer);
  }
  return { kind: 'union', parts };
}
