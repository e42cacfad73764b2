/**
 * Writes JavaScript for XPath expressions. Types are known from the expression alone (XPath 1.0 §3), so that each is
 * written once, for the type in which it is wanted. `d` is the document's index, `$` the runtime.
 */
import { functionOf, type Type } from './functions.ts';
import { type Expression, isPosition, type PathExpression, type Step, XPathError } from './xpath.ts';

/** What is known outside the expression. */
export interface Surroundings {
  /** The name that our tree has for `prefix:local`; undefined where the prefix is not declared. */
  nameOf(qualified: string): string | undefined;
  /** The JavaScript of a variable and its type. */
  variable(name: string): { code: string; type: 'string' | 'number' } | undefined;
}

/** What is done with each node that a path leads to: code that is true where the search may stop. */
interface Leaf {
  node(code: string): string;
  /** For the value of an attribute, which may be undefined. */
  attribute?(code: string): string;
}

const EXISTS: Leaf = { node: () => 'true', attribute: (code) => `(${code} !== undefined)` };

/** Writes expressions; names of variables are not repeated within one writer. */
export class JavaScriptWriter {
  private readonly around: Surroundings;
  private names = 0;

  constructor(around: Surroundings) {
    this.around = around;
  }

  /** Code for the truth of an expression at the node that the code `node` stands for. */
  boolean(expression: Expression, node: string): string {
    switch (expression.kind) {
      case 'or':
        return `(${this.boolean(expression.left, node)} || ${this.boolean(expression.right, node)})`;
      case 'and':
        return `(${this.boolean(expression.left, node)} && ${this.boolean(expression.right, node)})`;
      case 'compare':
        return this.comparison(expression, node);
    }
    switch (this.typeOf(expression)) {
      case 'nodes':
        return this.walk(expression, node, EXISTS);
      case 'string':
        return `(${this.string(expression, node)} !== "")`;
      case 'number':
        return `Boolean(${this.number(expression, node)})`;
      default:
        return this.call(expression, node);
    }
  }

  /** Code for the string value. */
  string(expression: Expression, node: string): string {
    if (expression.kind === 'literal') return JSON.stringify(expression.value);
    switch (this.typeOf(expression)) {
      case 'nodes':
        return this.stringOfNodes(expression, node);
      case 'number':
        return `String(${this.number(expression, node)})`;
      case 'boolean':
        return `String(${this.boolean(expression, node)})`;
      default:
        return expression.kind === 'variable' ? this.variable(expression.name).code : this.call(expression, node);
    }
  }

  /** Code that visits what an expression leads to, and is true as soon as `leaf` is. */
  walk(expression: Expression, node: string, leaf: Leaf): string {
    if (expression.kind === 'union') {
      return `(${this.walk(expression.left, node, leaf)} || ${this.walk(expression.right, node, leaf)})`;
    }
    if (expression.kind === 'filter') {
      const { of, predicates, steps } = expression;
      return this.walk(of, node, {
        node: (one) => conjunction([...this.predicates(predicates, one), this.steps(steps, one, leaf)]),
      });
    }
    if (expression.kind !== 'path') throw new XPathError('nodes are expected here');
    return this.path(expression, node, leaf);
  }

  /** Code that visits what the steps lead to. */
  steps(steps: readonly Step[], node: string, leaf: Leaf): string {
    const [step, ...rest] = steps;
    if (step === undefined) return leaf.node(node);
    const name = this.testName(step);
    if (
      step.axis === 'attribute' &&
      rest.length === 0 &&
      step.predicates.length === 0 &&
      leaf.attribute &&
      name !== '*'
    )
      return leaf.attribute(`$.attribute(${node}, ${JSON.stringify(name)})`);
    if (step.axis === 'self') {
      const test = name === undefined ? [] : [`$.isElement(${node}, ${JSON.stringify(name)})`];
      return conjunction([...test, ...this.predicates(step.predicates, node), this.steps(rest, node, leaf)]);
    }
    const visited = this.fresh();
    return this.placed(step, visited, this.steps(rest, visited, leaf), (body) => {
      const visit = `(${visited}) => ${body}`;
      if (step.axis === 'attribute') return `$.eachAttribute(${node}, ${JSON.stringify(name)}, ${visit})`;
      if (step.axis === 'descendant') return `$.eachDescendant(${node}, ${JSON.stringify(name)}, ${visit})`;
      if (step.test === 'text()') return `$.eachText(${node}, ${visit})`;
      if (name === undefined || name === '*') return `$.eachNode(${node}, ${name === undefined}, ${visit})`;
      return `$.eachChild(${node}, ${JSON.stringify(name)}, ${visit})`;
    });
  }

  /** Predicates of which none asks for a position. */
  private predicates(predicates: readonly Expression[], node: string): string[] {
    return predicates.map((predicate) => {
      if (this.typeOf(predicate) === 'number') throw new XPathError('a position is not supported here');
      return this.boolean(predicate, node);
    });
  }

  private number(expression: Expression, node: string): string {
    if (expression.kind === 'number') return String(expression.value);
    if (expression.kind === 'negative') return `(-${this.number(expression.of, node)})`;
    if (expression.kind === 'arithmetic') {
      const operator = { div: '/', mod: '%', '+': '+', '-': '-', '*': '*' }[expression.operator];
      return `(${this.number(expression.left, node)} ${operator} ${this.number(expression.right, node)})`;
    }
    switch (this.typeOf(expression)) {
      case 'boolean':
        return `Number(${this.boolean(expression, node)})`;
      case 'number':
        return expression.kind === 'variable' ? this.variable(expression.name).code : this.call(expression, node);
      default:
        return `$.number(${this.string(expression, node)})`;
    }
  }

  private typeOf(expression: Expression): Type {
    switch (expression.kind) {
      case 'path':
      case 'union':
      case 'filter':
        return 'nodes';
      case 'literal':
        return 'string';
      case 'number':
      case 'arithmetic':
      case 'negative':
        return 'number';
      case 'variable':
        return this.variable(expression.name).type;
      case 'call':
        if (expression.name === 'count') return 'number';
        if (expression.name === 'concat') return 'string';
        return functionOf(expression.name).type;
      default:
        return 'boolean';
    }
  }

  private call(expression: Expression, node: string): string {
    if (expression.kind !== 'call') throw new XPathError(`${expression.kind} is no call`);
    const { name, args } = expression;
    if (name === 'count') return this.count(args, node);
    if (name === 'concat') return `(${args.map((arg) => this.string(arg, node)).join(' + ')})`;
    const { args: wanted, code } = functionOf(name);
    const least = wanted.filter((type) => !type.endsWith('?')).length;
    if (args.length < least || args.length > wanted.length)
      throw new XPathError(`${name}() has ${args.length} arguments`);
    const given = args.length === 0 && wanted.length === 1 ? [CONTEXT] : args;
    return code(
      ...given.map((arg, n) => {
        const type = wanted[n]!;
        if (type.startsWith('boolean')) return this.boolean(arg, node);
        return type.startsWith('number') ? this.number(arg, node) : this.string(arg, node);
      }),
    );
  }

  private count(args: readonly Expression[], node: string): string {
    const [nodes] = args;
    if (nodes === undefined || args.length > 1) throw new XPathError('count() takes one set of nodes');
    const texts = pathsOf(nodes).filter((path) => path.steps.at(-1)?.test === 'text()').length;
    if (texts > 1) throw new XPathError('a union of text nodes is not supported');
    const distinct =
      nodes.kind !== 'path' ||
      pathsOf(nodes).some((path) => path.steps.filter(({ axis }) => axis === 'descendant').length > 1);
    return `$.count((f) => ${this.walk(nodes, node, { node: (code) => `f(${code})` })}, ${distinct})`;
  }

  private comparison(expression: Expression & { kind: 'compare' }, node: string): string {
    const { left, right, operator } = expression;
    const [leftType, rightType] = [this.typeOf(left), this.typeOf(right)];
    if (leftType === 'nodes' && rightType === 'nodes') {
      return this.walk(left, node, {
        node: (one) => this.walk(right, node, { node: (other) => compared(operator, strings(one), strings(other)) }),
      });
    }
    if (leftType !== 'nodes' && rightType === 'nodes') {
      return this.comparison({ kind: 'compare', operator: MIRRORED[operator], left: right, right: left }, node);
    }
    if (leftType === 'nodes' && rightType !== 'boolean') return this.someNode(operator, left, right, node);
    const equality = operator === '=' || operator === '!=';
    if (equality && (leftType === 'boolean' || rightType === 'boolean')) {
      return plain(operator, this.boolean(left, node), this.boolean(right, node));
    }
    if (equality && leftType === 'string' && rightType === 'string') {
      return plain(operator, this.string(left, node), this.string(right, node));
    }
    return plain(operator, this.number(left, node), this.number(right, node));
  }

  /** Whether some node compares so with a string or number (§3.4). */
  private someNode(operator: keyof typeof MIRRORED, nodes: Expression, other: Expression, node: string): string {
    const type = this.typeOf(other);
    if ((operator === '=' || operator === '!=') && type === 'string') {
      const value = this.string(other, node);
      const attribute =
        operator === '='
          ? (code: string) => `(${code} === ${value})`
          : (code: string) => `((a) => a !== undefined && a !== ${value})(${code})`;
      return this.walk(nodes, node, { node: (one) => plain(operator, `$.string(${one})`, value), attribute });
    }
    const value = this.number(other, node);
    return this.walk(nodes, node, { node: (one) => plain(operator, `$.number($.string(${one}))`, value) });
  }

  private stringOfNodes(expression: Expression, node: string): string {
    if (expression.kind !== 'path') throw new XPathError('the string value of a union or filter is not supported');
    const last = expression.steps.at(-1);
    if (expression.steps.length <= 1 && expression.from === 'context') {
      if (last === undefined || (last.axis === 'self' && last.test === 'node()' && last.predicates.length === 0)) {
        return `$.string(${node})`;
      }
      if (last.axis === 'attribute' && last.predicates.length === 0 && last.test !== '*') {
        return `($.attribute(${node}, ${JSON.stringify(this.testName(last))}) ?? "")`;
      }
    }
    return `$.firstString((f) => ${this.walk(expression, node, { node: (code) => `f(${code})` })})`;
  }

  private path({ from, steps }: PathExpression, node: string, leaf: Leaf): string {
    if (from === 'context') return this.steps(steps, node, leaf);
    if (from === 'current') return this.steps(steps, 'n', leaf);
    const [first, second, ...rest] = steps;
    if (first === undefined || first.axis !== 'child' || second?.axis !== 'descendant') {
      if (first?.axis !== 'child') throw new XPathError('a path from the document begins with its root element');
      return this.steps([{ ...first, axis: 'self' }, ...steps.slice(1)], 'd.root', leaf);
    }
    const visited = this.fresh();
    const body = conjunction([...this.predicates(second.predicates, visited), this.steps(rest, visited, leaf)]);
    return conjunction([
      this.steps([{ ...first, axis: 'self' }], 'd.root', EXISTS),
      `$.eachNamed(d, ${JSON.stringify(this.testName(second))}, (${visited}) => ${body})`,
    ]);
  }

  /** The body of a step, with its predicates in their order; a position counts what those before it left. */
  private placed(step: Step, node: string, inner: string, around: (body: string) => string): string {
    const positions = step.predicates.filter(isPosition).length;
    if (positions > 1) throw new XPathError('two positions in one step are not supported');
    const counter = positions === 1 ? this.fresh() : undefined;
    const conditions = step.predicates.map((predicate) => {
      if (isPosition(predicate)) return `++${counter} === ${predicate.value}`;
      if (this.typeOf(predicate) === 'number') throw new XPathError('a computed position is not supported');
      return this.boolean(predicate, node);
    });
    const code = around(conjunction([...conditions, inner]));
    return counter === undefined ? code : `((${counter}) => ${code})(0)`;
  }

  /** The name a step asks for; undefined for `node()` and `text()`. */
  private testName({ test }: Step): string | undefined {
    if (test === 'node()' || test === 'text()') return undefined;
    if (test === '*') return '*';
    if (test.endsWith(':*')) throw new XPathError(`${test} is not supported`);
    const name = this.around.nameOf(test);
    if (name === undefined) throw new XPathError(`the prefix of ${test} is not declared`);
    return name;
  }

  private variable(name: string): { code: string; type: 'string' | 'number' } {
    const variable = this.around.variable(name);
    if (variable === undefined) throw new XPathError(`there is no variable $${name}`);
    return variable;
  }

  private fresh(): string {
    return `n${++this.names}`;
  }
}

const CONTEXT: Expression = {
  kind: 'path',
  from: 'context',
  steps: [{ axis: 'self', test: 'node()', predicates: [] }],
};

const MIRRORED = { '=': '=', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;

function pathsOf(expression: Expression): PathExpression[] {
  if (expression.kind === 'filter') return pathsOf(expression.of);
  if (expression.kind === 'union') return [...pathsOf(expression.left), ...pathsOf(expression.right)];
  return expression.kind === 'path' ? [expression] : [];
}

function strings(node: string): string {
  return `$.string(${node})`;
}

function compared(operator: keyof typeof MIRRORED, left: string, right: string): string {
  if (operator === '=' || operator === '!=') return plain(operator, left, right);
  return plain(operator, `$.number(${left})`, `$.number(${right})`);
}

function plain(operator: keyof typeof MIRRORED, left: string, right: string): string {
  const symbol = operator === '=' ? '===' : operator === '!=' ? '!==' : operator;
  return `(${left} ${symbol} ${right})`;
}

function conjunction(conditions: readonly string[]): string {
  const kept = conditions.filter((one) => one !== 'true');
  return kept.length === 0 ? 'true' : kept.length === 1 ? kept[0]! : `(${kept.join(' && ')})`;
}
