/**
 * Which elements of a resource a FHIRPath expression (https://hl7.org/fhirpath/N1/) names. HL7's own engine evaluates it,
 * loaded at the first use since it costs some 30 MB and 100 ms; it gets a copy of the resource and no way to the network,
 * and is stopped when its time is over.
 */
import { createRequire } from 'node:module';
import { type Context, createContext, Script } from 'node:vm';
import type { ExactObject } from '../json/exact.ts';
import { growingPart, type PathNode } from './path-growth.ts';
import { PATCH_LIMITS, PatchRefusal } from './refusal.ts';

/** One step from an element to a child: its name in FHIRPath (`value` for `valueQuantity`), its number in a list. */
export interface ElementStep {
  name: string;
  index: number | undefined;
}

/** The way from a resource to an element; none for the resource itself. */
export type ElementPath = readonly ElementStep[];

/** What the paths of one patch may still take together. */
export interface PathBudget {
  ms: number;
}

/**
 * The elements that an expression names, in its order; takes the time it needed from the budget.
 * @throws PatchRefusal for what is no FHIRPath, names no elements or takes too long
 */
export function elementPaths(resource: ExactObject, expression: string, budget: PathBudget): ElementPath[] {
  if (expression.length > PATCH_LIMITS.maxPathLength) {
    throw new PatchRefusal('too-long', `path may have ${PATCH_LIMITS.maxPathLength} characters; this one has more`);
  }
  const { engine, model, stage } = loadedEngine();
  const began = performance.now();
  try {
    const evaluate = compiled(engine, model, expression);
    const plain: unknown = JSON.parse(JSON.stringify(resource));
    const run = () => evaluate(plain, { resource: plain, rootResource: plain });
    return evaluated(stage, run, budget.ms).map(pathOf);
  } finally {
    budget.ms -= performance.now() - began;
  }
}

/**
 * Whether an expression goes down from element to element and nothing else, so that its evaluation takes a time in
 * proportion to the resource: names, numbers, and conditions that hold an element against a string. All else may take any
 * time up to the limit.
 */
export function isPlainPath(expression: string): boolean {
  return expression.length <= PATCH_LIMITS.maxPathLength && plain.test(expression);
}

const below = /[A-Za-z]\w*(?:\.\w+)*/.source;
const condition = `${below} ?= ?'[^'\\\\]*'`;
const plain = new RegExp(
  `^\\w+(?:\\.\\w+|\\[\\d+\\]|\\.(?:first|last)\\(\\)|\\.where\\(${condition}(?: and ${condition})*\\))*$`,
);

/** What is used of the engine's nodes; values it computes are of other classes and have no `parentResNode`. */
interface EngineNode {
  parentResNode: EngineNode | null;
  propName: string | null;
  index: number | null;
}

type Evaluate = (resource: unknown, variables: Record<string, unknown>) => unknown[];

interface Engine {
  parse(expression: string): PathNode;
  compile(expression: string, model: unknown, options: object): Evaluate;
}

interface Loaded {
  engine: Engine;
  model: unknown;
  /** Runs the function put there; the one way to stop code of the same thread. */
  stage: Context;
}

let loaded: Loaded | undefined;

function loadedEngine(): Loaded {
  const load = createRequire(import.meta.url);
  loaded ??= {
    engine: load('fhirpath') as Engine,
    model: load('fhirpath/fhir-context/r4'),
    stage: createContext(Object.assign(Object.create(null), { run: undefined })),
  };
  return loaded;
}

function compiled(engine: Engine, model: unknown, expression: string): Evaluate {
  try {
    const readable = withNarrativeName(expression);
    const grows = growingPart(engine.parse(readable));
    if (grows !== undefined)
      throw new PatchRefusal(
        'not-supported',
        `path may not use ${grows}, which makes values; it has to name an element`,
      );
    return engine.compile(readable, model, { resolveInternalTypes: false, traceFn: () => {} });
  } catch (problem) {
    if (problem instanceof PatchRefusal) throw problem;
    const column = /^line: 1; column: (\d+)/.exec((problem as Error).message)?.[1];
    const where = column === undefined ? '' : ` at its character ${Number(column) + 1}`;
    throw new PatchRefusal('invalid', `path is no FHIRPath${where}; right is such as Patient.name[0].family`);
  }
}

/** `div` is an operator of FHIRPath and an element of R4: after a dot it is meant as the element. */
function withNarrativeName(expression: string): string {
  return expression.replace(/'(?:[^'\\]|\\.)*'|\.div\b/g, (found) => (found === '.div' ? '.`div`' : found));
}

const OUT_OF_TIME = 'ERR_SCRIPT_EXECUTION_TIMEOUT';
const script = new Script('run()');

/** Runs what may take long; the engine's words are not passed on, since they repeat values. */
function evaluated(stage: Context, run: () => unknown[], budgetMs: number): unknown[] {
  stage.run = run;
  try {
    const found: unknown = script.runInContext(stage, { timeout: Math.max(1, Math.floor(budgetMs)) });
    if (Array.isArray(found)) return found;
  } catch (problem) {
    if ((problem as { code?: string }).code === OUT_OF_TIME) {
      throw new PatchRefusal('too-costly', 'the evaluation of path takes too long; name the element more directly');
    }
  } finally {
    stage.run = undefined;
  }
  throw new PatchRefusal(
    'value',
    'path cannot be evaluated on this resource: what a function is given does not suit it, or it asks for what a patch may not use, such as resolve() and memberOf()',
  );
}

function pathOf(node: unknown): ElementPath {
  const steps: ElementStep[] = [];
  let at = node as EngineNode | null;
  if (typeof at !== 'object' || at === null || at.parentResNode === undefined) throw notAnElement();
  while (at.parentResNode !== null) {
    if (at.propName === null) throw notAnElement();
    steps.push({ name: at.propName, index: at.index ?? undefined });
    at = at.parentResNode;
  }
  return steps.reverse();
}

function notAnElement(): PatchRefusal {
  return new PatchRefusal('value', 'path computes a value; it has to name an element of the resource');
}
