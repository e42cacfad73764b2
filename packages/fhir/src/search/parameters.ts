/**
 * Every search parameter of a resource type, R4's, US Core's and custom ones, compiled when the type is first asked for; and those
 * which could not be compiled, with the reason.
 */
import type { SearchParameterDefinition } from '../definitions/artifact.ts';
import type { Definitions } from '../definitions/definitions.ts';
import { definitions } from '../definitions/definitions.ts';
import { isResourceType, resourceTypes } from '../resource-types.ts';
import type { CustomParameter } from './custom-parameters.ts';
import type { Expression } from './expression.ts';
import { parseExpression } from './expression.ts';
import type { IndexValue, SearchParameter } from './index-value.ts';
import type { Place, PlanNode } from './plan.ts';
import { conditionOf, emitAt, placesOf, planNode, prunePlan, runPlan } from './plan.ts';
import { relate } from './relations.ts';
import { converterFor } from './values.ts';

/** A parameter that search cannot use, and why. */
export interface UncompiledParameter {
  resourceType: string;
  code: string;
  reason: string;
}

/** What is compiled for one resource type. */
export interface TypeSearch {
  parameters: SearchParameter[];
  uncompiled: UncompiledParameter[];
  plan: PlanNode;
}

/**
 * Parameters the record keeps in columns or rows of its own: listed, but `extract` gives no values for them. `near` is
 * about places on the earth (Location.position).
 */
export const COLUMN_PARAMETERS: ReadonlySet<string> = new Set(['_id', '_lastUpdated', 'near']);

/** The search parameters of a resource type, by code; none for an unknown type. */
export function searchParameters(resourceType: string): SearchParameter[] {
  return typeSearch(resourceType)?.parameters ?? [];
}

/** All parameters of all types that could not be compiled. Compiles every type. */
export function uncompiled(): UncompiledParameter[] {
  return resourceTypes().flatMap((type) => typeSearch(type)?.uncompiled ?? []);
}

/** What is compiled for a resource type; undefined for an unknown one. */
export function typeSearch(resourceType: string): TypeSearch | undefined {
  if (!isResourceType(resourceType)) return undefined;
  const defs = definitions();
  const key = `search ${resourceType}`;
  let compiled = defs.derived.get(key) as TypeSearch | undefined;
  if (compiled === undefined) {
    compiled = compileType(defs, resourceType);
    defs.derived.set(key, compiled);
  }
  return compiled;
}

/** Puts the named parameters of a type into one tree. */
export function planOf(defs: Definitions, resourceType: string, codes: readonly string[]): PlanNode {
  const wanted = definitionsFor(defs, resourceType).filter(({ code }) => codes.includes(code));
  return treeOf(defs, resourceType, wanted);
}

function treeOf(defs: Definitions, resourceType: string, parameters: readonly SearchParameterDefinition[]): PlanNode {
  const plan = planNode();
  for (const definition of parameters) addParameter(defs, plan, resourceType, definition);
  prunePlan(plan);
  return plan;
}

function compileType(defs: Definitions, resourceType: string): TypeSearch {
  const plan = planNode();
  const compiled: { definition: CustomParameter; parameter: SearchParameter }[] = [];
  const failed: UncompiledParameter[] = [];
  for (const definition of definitionsFor(defs, resourceType)) {
    const { code } = definition;
    if (compiled.some(({ parameter }) => parameter.code === code)) continue;
    const added = COLUMN_PARAMETERS.has(code) ? {} : addParameter(defs, plan, resourceType, definition);
    if (typeof added === 'string') failed.push({ resourceType, code, reason: added });
    else compiled.push({ definition, parameter: describe(resourceType, definition, added) });
  }
  prunePlan(plan);
  const parameters = compiled.map(({ parameter }) => parameter);
  const builtIn = new Set(builtInParameters(defs, resourceType).map(({ url }) => url));
  relate(parameters.filter(({ url }) => builtIn.has(url)));
  parameters.sort((a, b) => (a.code < b.code ? -1 : 1));
  if (!parameters.some(({ unionOf }) => unionOf)) return { parameters, uncompiled: failed, plan };
  // What is searched as others are needs no values of its own.
  const separate = compiled.filter(({ parameter }) => !parameter.unionOf && !COLUMN_PARAMETERS.has(parameter.code));
  const definitions = separate.map(({ definition }) => definition);
  return { parameters, uncompiled: failed, plan: treeOf(defs, resourceType, definitions) };
}

/** The custom parameters in use; see `useSearchParameters`. */
export const customParameters: { list: readonly CustomParameter[]; version: number } = { list: [], version: 0 };

function definitionsFor(defs: Definitions, resourceType: string): CustomParameter[] {
  return [...builtInParameters(defs, resourceType), ...ofType(customParameters.list, resourceType)];
}

/** The definitions of R4 and US Core for a resource type. */
export function builtInParameters(defs: Definitions, resourceType: string): SearchParameterDefinition[] {
  return ofType(defs.artifact.searchParameters, resourceType);
}

function ofType<T extends SearchParameterDefinition>(parameters: readonly T[], resourceType: string): T[] {
  const bases = new Set([resourceType, 'Resource', ...(PLAIN_RESOURCES.has(resourceType) ? [] : ['DomainResource'])]);
  return parameters.filter((parameter) => parameter.base.some((base) => bases.has(base)));
}

/** Types that are no DomainResource. */
export const PLAIN_RESOURCES: ReadonlySet<string> = new Set(['Binary', 'Bundle', 'Parameters']);

/** What is learnt while compiling: a composite's components, the value sets of a code, how many values there can be. */
type Added = Pick<SearchParameter, 'components' | 'composite' | 'valueSets' | 'isSingle'>;

/** Compiles one parameter into the tree; a sentence when it cannot be. */
export function addParameter(
  defs: Definitions,
  plan: PlanNode,
  resourceType: string,
  definition: SearchParameterDefinition,
): Added | string {
  const { code, type } = definition;
  if (definition.expression === undefined) return 'the definition has no path; it needs an index over whole texts';
  const expression = parseExpression(ownExpression(definition.expression, resourceType));
  if (typeof expression === 'string') return expression;
  if (expression.kind === 'and') {
    const conditions = expression.parts.map((part) => conditionOf(defs, resourceType, part));
    plan.emitters.push((element, out) => {
      const isTrue = conditions.every((holds) => holds(element as object));
      out.push({ param: code, kind: 'token', code: String(isTrue) });
    });
    return {};
  }
  if (type === 'composite') return addComposite(defs, plan, resourceType, definition, expression);
  const places = placesOf(defs, plan, resourceType, expression);
  if (typeof places === 'string') return places;
  if (emitAt(places, type, code) > 0) {
    if (type === 'token') return valueSetsOf(defs, places);
    return type === 'date' && isOneElement(places) ? { isSingle: true } : {};
  }
  return `a ${type} parameter cannot be found in elements of type ${places.map((place) => place.type).join(', ')}`;
}

/** Whether places are those of one element, which a resource has once at most: in one of its types. */
function isOneElement([first, ...more]: Place[]): boolean {
  if (first?.element === undefined) return false;
  return more.every(({ element, parent }) => element === first.element && parent === first.parent);
}

/** The value sets of places that are all codes, where each binds its codes to one of which all codes are known. */
function valueSetsOf(defs: Definitions, places: Place[]): Added {
  const bound = places.map(({ type, valueSet }) => (type === 'code' ? valueSet : undefined));
  const known = bound.filter((url) => url !== undefined && Object.hasOwn(defs.artifact.valueSets, url)) as string[];
  return known.length === places.length ? { valueSets: [...new Set(known)] } : {};
}

/** No more combinations than this come from one element, whatever is in it. */
const MAX_COMBINATIONS = 256;

function addComposite(
  defs: Definitions,
  plan: PlanNode,
  resourceType: string,
  definition: SearchParameterDefinition,
  expression: Expression,
): Added | string {
  const { code } = definition;
  const places = placesOf(defs, plan, resourceType, expression);
  if (typeof places === 'string') return places;
  const described: SearchParameter['components'] = [];
  const combined = new Set<'resource' | 'element'>();
  let asParameters: string[] | undefined;
  for (const place of places) {
    const components: { root: PlanNode; ofResource: boolean }[] = [];
    const equals: string[] = [];
    for (const component of definition.components ?? []) {
      const root = planNode();
      const ofResource = component.expression.startsWith('%resource.');
      const relative = parseExpression(
        ofResource ? component.expression.slice('%resource.'.length) : component.expression,
      );
      if (typeof relative === 'string') return relative;
      const inner = placesOf(defs, root, ofResource ? resourceType : place.type, relative);
      if (typeof inner === 'string') return inner;
      const target = componentTarget(defs, definition, component.url, inner);
      if (target === undefined) return `its component ${component.expression} has no value of its type`;
      if (place.node === plan) equals.push(...parameterOf(defs, resourceType, target.type, root));
      emitAt(inner, target.type, target.code);
      prunePlan(root);
      components.push({ root, ofResource });
      if (described.length < (definition.components?.length ?? 0)) {
        described.push({ code: target.code, type: target.type, expression: component.expression });
      }
    }
    if (place.node === plan && equals.length === components.length) {
      combined.add('resource');
      asParameters = equals;
      continue;
    }
    combined.add('element');
    place.node.emitters.push((element, out, context) => {
      const lists: IndexValue[][] = [];
      for (const { root, ofResource } of components) {
        const values: IndexValue[] = [];
        runPlan(root, ofResource ? context.resource : element, values, context);
        if (values.length === 0) return;
        lists.push(values);
      }
      pushCombinations(out, code, lists);
    });
  }
  return {
    components: described,
    composite: { ofElements: combined.has('element'), ...(asParameters ? { asParameters } : {}) },
  };
}

/** The code of a built-in parameter of the type that looks at the same elements as a component does; at most one. */
function parameterOf(
  defs: Definitions,
  resourceType: string,
  kind: SearchParameter['type'],
  component: PlanNode,
): string[] {
  const same = builtInParameters(defs, resourceType).find(({ type, expression }) => {
    const parsed = type === kind && expression ? parseExpression(ownExpression(expression, resourceType)) : '';
    if (typeof parsed === 'string') return false;
    const root = planNode();
    return typeof placesOf(defs, root, resourceType, parsed) !== 'string' && isSamePlan(root, component);
  });
  return same ? [same.code] : [];
}

function isSamePlan(a: PlanNode, b: PlanNode): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Every choice of one value from each list, the first `MAX_COMBINATIONS` of them. */
function pushCombinations(out: IndexValue[], param: string, lists: IndexValue[][]): void {
  let combinations: IndexValue[][] = [[]];
  for (const values of lists) {
    const longer: IndexValue[][] = [];
    for (const before of combinations) {
      for (const value of values) {
        if (longer.length < MAX_COMBINATIONS) longer.push([...before, value]);
      }
    }
    combinations = longer;
  }
  for (const components of combinations) out.push({ param, kind: 'composite', components });
}

/**
 * The parameter a component is searched as: the one it names, or, where that cannot be found in the element (R4 names
 * the two of DocumentReference's `relationship` crosswise), another component's.
 */
function componentTarget(
  defs: Definitions,
  definition: SearchParameterDefinition,
  url: string,
  places: Place[],
): SearchParameterDefinition | undefined {
  for (const candidate of [url, ...(definition.components ?? []).map((component) => component.url)]) {
    const target = defs.parametersByUrl.get(candidate);
    if (target !== undefined && places.some((place) => converterFor(target.type, place.type) !== undefined))
      return target;
  }
  return undefined;
}

function describe(
  resourceType: string,
  definition: CustomParameter,
  { components, composite, valueSets, isSingle }: Added,
): SearchParameter {
  const { code, type, url, target, refusal } = definition;
  return {
    code,
    type,
    url,
    expression: ownExpression(definition.expression ?? '', resourceType),
    ...(target === undefined ? {} : { target }),
    ...(components === undefined ? {} : { components }),
    ...(composite === undefined ? {} : { composite }),
    ...(valueSets === undefined ? {} : { valueSets }),
    ...(isSingle === undefined ? {} : { isSingle }),
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** The branches of a union that are about this type. */
function ownExpression(expression: string, resourceType: string): string {
  const own = expression.split('|').filter((part) => {
    const start = /[A-Za-z]+/.exec(part)?.[0];
    return start === resourceType || start === 'Resource' || start === 'DomainResource';
  });
  return own.length === 0 ? expression.trim() : own.map((part) => part.trim()).join(' | ');
}
