/**
 * Compiles search parameters of one resource type into one tree over the resource's JSON properties: what parameters
 * share of their paths is walked once. Types are known from the definitions, so that a choice becomes its properties
 * and each leaf its converter while compiling.
 */
import type { Definitions } from '../definitions/definitions.ts';
import type { Condition, Expression, Step } from './expression.ts';
import type { IndexValue, SearchParameterType } from './index-value.ts';
import { referencedType } from './references.ts';
import type { ExtractContext } from './values.ts';
import { converterFor } from './values.ts';

/** Adds what is found at an element. */
export type Emitter = (element: unknown, out: IndexValue[], context: ExtractContext) => void;

/**
 * A property of its parent's element, or (without a property) the same element under a condition, or the contained resource
 * that it refers to.
 */
export interface PlanNode {
  property: string;
  /** The only array item that is meant, or -1. */
  index: number;
  condition: ((element: object) => boolean) | undefined;
  /** What tells conditions apart, so that equal ones share a node. */
  key: string;
  children: PlanNode[];
  emitters: Emitter[];
  isResolved?: true;
}

/** A place in the tree with the type of its elements. */
export interface Place {
  node: PlanNode;
  parent: PlanNode;
  type: string;
  /** The value set to which a required binding binds the element. */
  valueSet?: string;
  /** The element that this is, or that this is one form of; undefined where a resource can have several. */
  element?: string;
}

export function planNode(property = '', index = -1, key = '', condition?: PlanNode['condition']): PlanNode {
  return { property, index, condition, key, children: [], emitters: [] };
}

/** Runs a tree over an element. */
export function runPlan(node: PlanNode, element: unknown, out: IndexValue[], context: ExtractContext): void {
  const { emitters, children } = node;
  for (let i = 0; i < emitters.length; i++) emitters[i]!(element, out, context);
  if (children.length === 0 || typeof element !== 'object' || element === null) return;
  for (let i = 0; i < children.length; i++) {
    const child = children[i]!;
    if (child.property === '') {
      const same = child.isResolved ? containedIn(context.resource, element) : element;
      if (same && (child.isResolved || child.condition?.(same))) runPlan(child, same, out, context);
      continue;
    }
    const value = (element as Record<string, unknown>)[child.property];
    if (value === undefined || value === null) continue;
    if (!Array.isArray(value)) runPlan(child, value, out, context);
    else if (child.index >= 0) {
      if (child.index < value.length) runPlan(child, value[child.index], out, context);
    } else {
      for (let k = 0; k < value.length; k++) {
        const item: unknown = value[k];
        if (item !== null) runPlan(child, item, out, context);
      }
    }
  }
}

/** The contained resource that a Reference names. */
function containedIn(resource: object, element: object): object | undefined {
  const { reference } = element as { reference?: unknown };
  if (typeof reference !== 'string' || !reference.startsWith('#')) return undefined;
  const { contained } = resource as { contained?: unknown };
  if (!Array.isArray(contained)) return undefined;
  return contained.find((one: { id?: unknown } | null) => one?.id === reference.slice(1)) as object | undefined;
}

/** Where an expression leads, from the root of a tree over `type`; a sentence when it leads nowhere. */
export function placesOf(defs: Definitions, root: PlanNode, type: string, expression: Expression): Place[] | string {
  if (expression.kind === 'and') return 'a boolean has no place';
  if (expression.kind === 'union') {
    const places: Place[] = [];
    for (const part of expression.parts) {
      const found = placesOf(defs, root, type, part);
      if (typeof found === 'string') return found;
      places.push(...found);
    }
    return places;
  }
  const start: Place = { node: root, parent: root, type };
  const isTyped = expression.root === type || expression.root === 'Resource' || expression.root === 'DomainResource';
  const steps: Step[] = isTyped ? expression.steps : [{ kind: 'member', name: expression.root }, ...expression.steps];
  return follow(defs, [start], steps);
}

/** Puts converters for a parameter at its places; how many places take one. */
export function emitAt(places: Place[], kind: SearchParameterType, param: string): number {
  let count = 0;
  for (const { node, type } of places) {
    const convert = converterFor(kind, type);
    if (convert === undefined) continue;
    count++;
    node.emitters.push((element, out, context) => convert(element, param, out, context));
  }
  return count;
}

/** Takes away branches at whose end nothing is done. */
export function prunePlan(node: PlanNode): void {
  for (const child of node.children) prunePlan(child);
  node.children = node.children.filter((child) => child.children.length > 0 || child.emitters.length > 0);
}

function follow(defs: Definitions, start: Place[], steps: Step[]): Place[] | string {
  let places = start;
  for (const step of steps) {
    const next: Place[] = [];
    for (const place of places) next.push(...stepFrom(defs, place, step));
    if (next.length === 0) return `no element fits the step ${describe(step)} from ${places[0]?.type ?? 'there'}`;
    places = next;
  }
  return places;
}

function stepFrom(defs: Definitions, place: Place, step: Step): Place[] {
  switch (step.kind) {
    case 'member':
      return members(defs, place, step.name);
    case 'index': {
      const node = child(place.parent, place.node.property, step.index);
      return [{ ...place, node }];
    }
    case 'ofType': {
      const wanted = step.type.toLowerCase();
      if (place.type === 'Resource') return [resourceOf(place, step.type)];
      return place.type.toLowerCase() === wanted ? [place] : [];
    }
    case 'where':
      return [conditional(defs, place, step.condition)];
    case 'extension':
      return members(defs, place, 'extension').map((extension) =>
        conditional(defs, extension, { kind: 'equals', steps: [{ kind: 'member', name: 'url' }], literal: step.url }),
      );
    case 'resolve':
      return place.type === 'Reference' ? [resolved(place)] : [];
  }
}

/** The contained resource that a Reference names. */
function resolved(place: Place): Place {
  let node = place.node.children.find(({ isResolved }) => isResolved);
  if (node === undefined) {
    node = { ...planNode('', -1, 'resolve()'), isResolved: true };
    place.node.children.push(node);
  }
  return { node, parent: place.node, type: 'Resource' };
}

/** Resources of one type among those of any. */
function resourceOf(place: Place, type: string): Place {
  const key = `resourceType ${type}`;
  let node = place.node.children.find((it) => it.property === '' && it.key === key);
  if (node === undefined) {
    node = planNode('', -1, key, (element) => (element as { resourceType?: unknown }).resourceType === type);
    place.node.children.push(node);
  }
  return { node, parent: place.node, type };
}

function members(defs: Definitions, place: Place, name: string): Place[] {
  const properties = defs.propertiesOf(place.type);
  const exact = properties.get(name);
  const found = exact === undefined ? [...properties.values()].filter((it) => it.choice === name) : [exact];
  return found.map((property) => ({
    node: child(place.node, property.name, -1),
    parent: place.node,
    type: property.type,
    ...(property.element[4] === undefined ? {} : { valueSet: property.element[4] }),
    ...(isSingle(place) && property.element[2] === 1 ? { element: property.choice ?? property.name } : {}),
  }));
}

/** Whether a resource has one element at most at a place. */
function isSingle({ node, parent, element }: Place): boolean {
  return node === parent || element !== undefined;
}

function child(parent: PlanNode, property: string, index: number): PlanNode {
  let node = parent.children.find((it) => it.property === property && it.index === index);
  if (node === undefined) {
    node = planNode(property, index);
    parent.children.push(node);
  }
  return node;
}

function conditional(defs: Definitions, place: Place, condition: Condition): Place {
  const key = JSON.stringify(condition);
  let node = place.node.children.find((it) => it.property === '' && it.key === key);
  if (node === undefined) {
    node = planNode('', -1, key, conditionOf(defs, place.type, condition));
    place.node.children.push(node);
  }
  return { node, parent: place.node, type: place.type };
}

/** A condition on an element of a type. */
export function conditionOf(defs: Definitions, type: string, condition: Condition): (element: object) => boolean {
  if (condition.kind === 'resolvesTo') {
    return (element) => referencedType(element) === condition.type;
  }
  const valuesOf = valuesAt(defs, type, condition.steps);
  if (condition.kind === 'exists') return (element) => valuesOf(element).length > 0;
  const { literal } = condition;
  if (condition.kind === 'equals') return (element) => valuesOf(element).includes(literal);
  return (element) => valuesOf(element).some((value) => value !== literal);
}

function valuesAt(defs: Definitions, type: string, steps: Step[]): (element: object) => unknown[] {
  const only = steps[0];
  if (steps.length === 1 && only?.kind === 'member' && defs.propertiesOf(type).has(only.name)) {
    const { name } = only;
    return (element) => {
      const value = (element as Record<string, unknown>)[name];
      return value === undefined ? [] : [value];
    };
  }
  const root = planNode();
  const found: { values: unknown[] } = { values: [] };
  const relative = only?.kind === 'member' && only.name === type ? steps.slice(1) : steps;
  const places = follow(defs, [{ node: root, parent: root, type }], relative);
  if (typeof places !== 'string') {
    for (const place of places) place.node.emitters.push((element) => void found.values.push(element));
  }
  return (element) => {
    found.values = [];
    runPlan(root, element, [], { base: undefined, resource: element });
    return found.values;
  };
}

function describe(step: Step): string {
  return step.kind === 'member' ? step.name : `${step.kind}(…)`;
}
