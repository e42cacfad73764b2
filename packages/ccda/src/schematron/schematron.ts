/** Runs a compiled schema over a document. */
import { XmlElement } from '../element.ts';
import type { DocumentIndex, Node } from './runtime.ts';
import * as runtime from './runtime.ts';

/** An assert that does not hold, or a report that does. */
export interface SchematronFinding {
  pattern: string;
  rule: string;
  test: string;
  /** The schema's own words. */
  message: string;
  /** XPath of the element; of an attribute or text, that of the nearest element the rule begins with. */
  path: string;
}

interface Assert {
  test: string;
  /** Whether it is a report, which speaks up where its test holds. */
  fires: boolean;
  holds(document: DocumentIndex, node: Node): boolean;
  message: (string | ((document: DocumentIndex, node: Node) => string))[];
}

interface Context {
  /** `name`, `name|root` or `name|root|extension` of the elements that the context begins with. */
  start: string;
  /** Whether another rule of the pattern may match the same node. */
  shared: boolean;
  go(document: DocumentIndex, start: XmlElement, visit: (node: Node) => boolean): boolean;
}

interface Pattern {
  id: string;
  rules: { id: string; contexts: Context[]; asserts: Assert[] }[];
}

interface Program {
  phases: [string, string[]][];
  patterns: Pattern[];
}

/** A schema ready to be run; it keeps nothing between documents. */
export class Schematron {
  /** How many asserts and reports it has. */
  readonly asserts: number;
  readonly phases: readonly string[];
  private readonly patterns = new Map<string, PatternIndex>();
  private readonly all: PatternIndex;

  constructor(program: Program) {
    this.all = new PatternIndex(program.patterns);
    this.phases = program.phases.map(([id]) => id);
    for (const [id, active] of program.phases) {
      const names = new Set(active);
      this.patterns.set(id, new PatternIndex(program.patterns.filter((pattern) => names.has(pattern.id))));
    }
    let asserts = 0;
    for (const { rules } of program.patterns) for (const rule of rules) asserts += rule.asserts.length;
    this.asserts = asserts;
  }

  /**
   * Everything that a document does not hold to.
   * @param of its root; or its index, where several schemas are run over it
   * @param phase only the patterns of that phase; all without it
   * @throws RangeError where there is no such phase
   */
  validate(of: XmlElement | DocumentIndex, phase?: string): SchematronFinding[] {
    const patterns = phase === undefined ? this.all : this.patterns.get(phase);
    if (patterns === undefined) throw new RangeError(`there is no phase ${phase}`);
    const document = of instanceof XmlElement ? runtime.indexDocument(of) : of;
    const findings: SchematronFinding[] = [];
    for (const pattern of patterns.thatMayMatch(document)) checkPattern(pattern, document, findings);
    return findings;
  }
}

/** Patterns by what the contexts of their rules begin with: of a thousand a document has to do with some dozens. */
class PatternIndex {
  readonly #patterns: readonly Pattern[];
  /** Places in the list. */
  readonly #byStart = new Map<string, number[]>();

  constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns;
    for (const [place, { rules }] of patterns.entries()) {
      const starts = new Set(rules.flatMap(({ contexts }) => contexts.map(({ start }) => start)));
      for (const start of starts) {
        const places = this.#byStart.get(start);
        if (places) places.push(place);
        else this.#byStart.set(start, [place]);
      }
    }
  }

  /** In the order of the schema. */
  thatMayMatch({ named, templates }: DocumentIndex): Pattern[] {
    const places = new Set<number>();
    for (const index of [named, templates])
      for (const start of index.keys()) for (const place of this.#byStart.get(start) ?? []) places.add(place);
    return [...places].sort((a, b) => a - b).map((place) => this.#patterns[place]!);
  }
}

/** Makes what `compileSchematron` wrote ready to run. Give it nothing else: it is run as code. */
export function loadSchematron(code: string): Schematron {
  const make = new Function('$', code) as (functions: typeof runtime) => Program;
  return new Schematron(make(runtime));
}

function checkPattern(pattern: Pattern, document: DocumentIndex, findings: SchematronFinding[]): void {
  let claimed: Set<Node> | undefined;
  for (const { id, contexts, asserts } of pattern.rules) {
    for (const context of contexts) {
      const index = context.start.includes('|') ? document.templates : document.named;
      for (const start of index.get(context.start) ?? []) {
        context.go(document, start, (node) => {
          if (context.shared) {
            claimed ??= new Set();
            if (claimed.has(node)) return false;
            claimed.add(node);
          }
          for (const assert of asserts) {
            if (assert.holds(document, node) !== assert.fires) continue;
            findings.push({
              pattern: pattern.id,
              rule: id,
              test: assert.test,
              message: messageOf(assert, document, node),
              path: node instanceof XmlElement ? node.path : start.path,
            });
          }
          return false;
        });
      }
    }
  }
}

function messageOf({ message }: Assert, document: DocumentIndex, node: Node): string {
  const parts = message.map((part) => (typeof part === 'string' ? part : part(document, node)));
  return parts.join('').replace(/\s+/g, ' ').trim();
}
