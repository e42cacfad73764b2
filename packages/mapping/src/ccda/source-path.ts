/**
 * The subset of XPath in which the tables say where a value comes from, compiled once:
 * `entryRelationship[@typeCode=MFST]/observation[template=2.16…9]/value`. Conditions: `template=OID` (several with
 * `,`), `@attribute=value`, `code=X` (the element's `code/@code`; several with `,`), `type=IVL_TS` (xsi:type), `not
 * type=…`, and a number (the n-th). Names: several with `|`, and `*`.
 */
import type { XmlElement } from '@causeway/ccda';

type Condition = (element: XmlElement) => boolean;

interface Step {
  names: readonly string[];
  conditions: Condition[];
  nth?: number;
}

export interface SourcePath {
  text: string;
  steps: Step[];
}

const CACHE = new Map<string, SourcePath>();

export function compileSourcePath(text: string): SourcePath {
  const known = CACHE.get(text);
  if (known !== undefined) return known;
  const steps = text === '.' ? [] : text.split('/').map(compileStep);
  const path = { text, steps };
  CACHE.set(text, path);
  return path;
}

/** Every element that the path reaches from one element, in document order. */
export function select(from: XmlElement, path: SourcePath): XmlElement[] {
  let reached: XmlElement[] = [from];
  for (const step of path.steps) {
    const next: XmlElement[] = [];
    for (const element of reached) {
      let count = 0;
      for (const child of step.names[0] === '.' ? [element] : element.children) {
        if (!step.names.includes(child.name) && step.names[0] !== '*' && step.names[0] !== '.') continue;
        if (!step.conditions.every((condition) => condition(child))) continue;
        count += 1;
        if (step.nth === undefined || step.nth === count) next.push(child);
      }
    }
    reached = next;
    if (reached.length === 0) break;
  }
  return reached;
}

function compileStep(text: string): Step {
  const match = /^([^[\]]+)((?:\[[^\]]+\])*)$/.exec(text);
  if (match === null) throw new Error(`not a source path: ${text}`);
  const step: Step = { names: match[1]!.split('|'), conditions: [] };
  for (const [, condition] of match[2]!.matchAll(/\[([^\]]+)\]/g)) {
    if (/^\d+$/.test(condition!)) step.nth = Number(condition);
    else step.conditions.push(compileCondition(condition!));
  }
  return step;
}

function compileCondition(text: string): Condition {
  const negated = text.startsWith('not ');
  const [left, right] = (negated ? text.slice(4) : text).split('=') as [string, string | undefined];
  const values = right?.split(',') ?? [];
  let holds: Condition;
  if (left === 'template') holds = (element) => values.some((oid) => element.hasTemplate(oid));
  else if (left === 'code') holds = (element) => values.includes(element.child('code')?.attr('code') ?? '');
  else if (left === 'type') holds = (element) => values.includes(element.xsiType ?? '');
  else if (left.startsWith('@')) {
    const name = left.slice(1);
    holds = (element) =>
      right === undefined ? element.attr(name) !== undefined : values.includes(element.attr(name) ?? '');
  } else holds = (element) => element.child(left) !== undefined;
  return negated ? (element) => !holds(element) : holds;
}
