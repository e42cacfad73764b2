/**
 * Compiles an ISO Schematron schema to JavaScript: each test a function, each rule reached by the templateId with
 * which its context begins. Every assert and report is compiled or the schema is refused; none is passed over.
 */
import { CDA_NAMESPACE, type XmlElement, XSI_NAMESPACE } from '../element.ts';
import { nameOf } from '../tree.ts';
import { parseXml } from '../xml.ts';
import { JavaScriptWriter, type Surroundings } from './javascript.ts';
import { type Expression, type PathExpression, parseXPath, type Step, XPathError } from './xpath.ts';

const NAMESPACE = 'http://purl.oclc.org/dsdl/schematron';

/** A schema that cannot be compiled whole; the message says where and why. */
export class SchematronError extends Error {}

/**
 * Compiles the text of a schema (`.sch`) to the JavaScript that `loadSchematron` takes.
 * @throws SchematronError where anything in it is not supported
 */
export function compileSchematron(schema: string | Uint8Array): string {
  const parsed = parseXml(schema);
  if (!parsed.ok) throw new SchematronError(parsed.error.message);
  const { root } = parsed.document;
  if (root.name !== sch('schema')) throw new SchematronError('the root element is not a Schematron schema');
  return new SchemaCompiler(root).compile();
}

function sch(local: string): string {
  return `{${NAMESPACE}}${local}`;
}

/** The elements that are read, by the element they stand in; others are refused. */
const READ: Readonly<Record<string, readonly string[]>> = {
  schema: ['title', 'ns', 'phase', 'let', 'pattern', 'p'],
  phase: ['active', 'p'],
  pattern: ['rule', 'title', 'p'],
  rule: ['assert', 'report', 'p'],
};

class SchemaCompiler {
  private readonly schema: XmlElement;
  private readonly prefixes = new Map<string, string>();
  private readonly variables = new Map<string, { code: string; type: 'string' | 'number' }>();
  private readonly tests = new Map<string, string>();
  private readonly lines: string[] = ['"use strict";'];
  private readonly writer: JavaScriptWriter;

  constructor(schema: XmlElement) {
    this.schema = schema;
    const around: Surroundings = {
      nameOf: (qualified) => this.nameOf(qualified),
      variable: (name) => this.variables.get(name),
    };
    this.writer = new JavaScriptWriter(around);
  }

  compile(): string {
    checkChildren(this.schema, 'schema');
    for (const ns of this.schema.all(sch('ns'))) {
      this.prefixes.set(required(ns, 'prefix'), required(ns, 'uri'));
    }
    for (const one of this.schema.all(sch('let'))) this.addVariable(one);
    const patterns = this.schema.all(sch('pattern')).map((pattern) => this.pattern(pattern));
    const phases = this.schema.all(sch('phase')).map((phase) => {
      checkChildren(phase, 'phase');
      return [required(phase, 'id'), phase.all(sch('active')).map((active) => required(active, 'pattern'))];
    });
    this.lines.push(`return { phases: ${JSON.stringify(phases)}, patterns: [\n${patterns.join(',\n')}\n] };`);
    return `${this.lines.join('\n')}\n`;
  }

  private addVariable(element: XmlElement): void {
    const name = required(element, 'name');
    const value = this.read(required(element, 'value'), `let ${name}`);
    if (value.kind !== 'literal' && value.kind !== 'number') {
      throw new SchematronError(`let ${name}: only literals are supported`);
    }
    const code = `v${this.variables.size}`;
    this.lines.push(`const ${code} = ${JSON.stringify(value.value)};`);
    this.variables.set(name, { code, type: value.kind === 'literal' ? 'string' : 'number' });
  }

  private pattern(pattern: XmlElement): string {
    const id = pattern.attr('id') ?? '';
    if (pattern.attr('abstract') === 'true' || pattern.attr('is-a') !== undefined) {
      throw new SchematronError(`pattern ${id}: abstract patterns are not supported`);
    }
    checkChildren(pattern, 'pattern');
    const rules = pattern.all(sch('rule')).map((rule) => this.rule(rule, id));
    // A node is of the first rule whose context it matches; those that can meet at a node keep account of it.
    const ends = rules.flatMap(({ contexts }) => contexts.map(({ end }) => end));
    const written = rules.map(({ id, contexts, asserts }) => {
      const context = contexts.map(({ start, code, end }) => {
        const shared = end === '*' || ends.filter((other) => other === end || other === '*').length > 1;
        return `{ start: ${JSON.stringify(start)}, shared: ${shared}, go: ${code} }`;
      });
      return `{ id: ${JSON.stringify(id)}, contexts: [${context.join(', ')}], asserts: [${asserts.join(', ')}] }`;
    });
    return `{ id: ${JSON.stringify(id)}, rules: [\n${written.join(',\n')}] }`;
  }

  private rule(rule: XmlElement, pattern: string) {
    const id = rule.attr('id') ?? '';
    const place = id === '' ? `a rule of pattern ${pattern}` : `rule ${id}`;
    if (rule.attr('abstract') === 'true') throw new SchematronError(`${place}: abstract rules are not supported`);
    checkChildren(rule, 'rule');
    const context = required(rule, 'context');
    const contexts = alternatives(this.read(context, place), place).map((path) =>
      this.guard(place, () => this.context(path)),
    );
    const asserts = rule.children
      .filter(({ name }) => name === sch('assert') || name === sch('report'))
      .map((assert) => this.assert(assert, place));
    return { id, contexts, asserts };
  }

  /** A function that goes from the elements with which a context begins to the nodes that match it. */
  private context({ from, steps }: PathExpression): { start: string; code: string; end: string } {
    const [first, ...rest] = steps;
    if (first === undefined || from === 'current') throw new XPathError('the context has no step');
    const top = from === 'document' && first.axis === 'child';
    if (steps.slice(1).some(({ axis }) => axis === 'descendant')) {
      throw new XPathError('// within a context is not supported');
    }
    const name = this.nameOf(first.test);
    if (name === undefined || first.axis === 'attribute' || first.test === '*') {
      throw new XPathError('a context begins with the name of an element');
    }
    const template = templateOf(first);
    const left: Step = {
      axis: 'self',
      test: 'node()',
      predicates: template === undefined ? first.predicates : first.predicates.filter((one) => one !== template.from),
    };
    const visit = this.writer.steps([left, ...rest], 'n', { node: (code) => `f(${code})` });
    const end = steps.at(-1)!;
    return {
      start: template === undefined ? name : `${name}|${template.key}`,
      code: `(d, n, f) => ${top ? `n === d.root && ${visit}` : visit}`,
      end: end.axis === 'attribute' ? `@${end.test}` : end.test,
    };
  }

  private assert(assert: XmlElement, place: string): string {
    const test = required(assert, 'test');
    const where = `${place}, test ${test}`;
    const message = assert.content.map((part) => {
      if (typeof part === 'string') return JSON.stringify(part);
      if (part.name === sch('value-of')) {
        const select = this.read(required(part, 'select'), where);
        return `(d, n) => ${this.guard(where, () => this.writer.string(select, 'n'))}`;
      }
      if (part.name === sch('emph') || part.name === sch('span')) return JSON.stringify(part.allText);
      throw new SchematronError(`${where}: ${part.name} is not supported`);
    });
    const fires = assert.name === sch('report');
    return `{ test: ${JSON.stringify(test)}, fires: ${fires}, holds: ${this.test(test, where)}, message: [${message.join(', ')}] }`;
  }

  /** One function for each distinct test. */
  private test(text: string, where: string): string {
    let name = this.tests.get(text);
    if (name === undefined) {
      name = `t${this.tests.size}`;
      this.tests.set(text, name);
      const expression = this.read(text, where);
      this.lines.push(`const ${name} = (d, n) => ${this.guard(where, () => this.writer.boolean(expression, 'n'))};`);
    }
    return name;
  }

  private read(text: string, where: string): Expression {
    return this.guard(where, () => parseXPath(text));
  }

  private guard<T>(where: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof XPathError) throw new SchematronError(`${where}: ${error.message}`);
      throw error;
    }
  }

  private nameOf(qualified: string): string | undefined {
    const colon = qualified.indexOf(':');
    if (colon === -1) return nameOf('', qualified);
    const uri = this.prefixes.get(qualified.slice(0, colon));
    if (uri === undefined) return undefined;
    const local = qualified.slice(colon + 1);
    return uri === XSI_NAMESPACE ? `xsi:${local}` : nameOf(uri === CDA_NAMESPACE ? '' : uri, local);
  }
}

function required(element: XmlElement, name: string): string {
  const value = element.attr(name);
  if (value === undefined) throw new SchematronError(`${element.path} has no ${name}`);
  return value;
}

function checkChildren(element: XmlElement, kind: string): void {
  const other = element.children.find(({ name }) => !READ[kind]!.some((local) => name === sch(local)));
  if (other !== undefined) throw new SchematronError(`${other.path} is not supported`);
}

function alternatives(context: Expression, place: string): PathExpression[] {
  if (context.kind === 'union') return [...alternatives(context.left, place), ...alternatives(context.right, place)];
  if (context.kind !== 'path') throw new SchematronError(`${place}: the context is no path`);
  return [context];
}

/** The first predicate that asks for one template: `templateId[@root='…' and (@extension='…' or not(@extension))]`. */
function templateOf(step: Step): { key: string; from: Expression } | undefined {
  for (const predicate of step.predicates) {
    if (predicate.kind !== 'path' || predicate.from !== 'context' || predicate.steps.length !== 1) continue;
    const [{ axis, test, predicates }] = predicate.steps as [Step];
    const [asked] = predicates;
    if (axis !== 'child' || !/^(\w+:)?templateId$/.test(test) || predicates.length !== 1) continue;
    if (asked?.kind !== 'and') continue;
    const root = literalOf(asked.left, 'root');
    const extension = literalOf(asked.right, 'extension');
    if (root === undefined) continue;
    if (extension !== undefined) return { key: `${root}|${extension}`, from: predicate };
    if (isAbsence(asked.right, 'extension')) return { key: root, from: predicate };
  }
  return undefined;
}

/** The literal of `@name = 'literal'`. */
function literalOf(expression: Expression, name: string): string | undefined {
  if (expression.kind !== 'compare' || expression.operator !== '=' || !isAttribute(expression.left, name)) {
    return undefined;
  }
  return expression.right.kind === 'literal' ? expression.right.value : undefined;
}

/** `not(@name)` */
function isAbsence(expression: Expression, name: string): boolean {
  if (expression.kind !== 'call' || expression.name !== 'not' || expression.args.length !== 1) return false;
  return isAttribute(expression.args[0]!, name);
}

function isAttribute(expression: Expression, name: string): boolean {
  if (expression.kind !== 'path' || expression.from !== 'context' || expression.steps.length !== 1) return false;
  const [step] = expression.steps as [Step];
  return step.axis === 'attribute' && step.test === name && step.predicates.length === 0;
}
