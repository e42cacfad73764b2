/**
 * Resources without some of their elements (docs/access.md, 7 Redaction). The text is cut apart and slices of it are kept, so that digits
 * stay. Of a resource that anything may be hidden of the narrative goes too, since it says the same in words.
 */
import { definitions } from './definitions/definitions.ts';
import { typeProperties } from './definitions/type-properties.ts';
import { endOfArray, endOfValue, objectMembers } from './json/members.ts';
import { isResourceType } from './resource-types.ts';
import { type Condition, type Expression, parseExpression, type Step } from './search/expression.ts';
import type { SearchParameter } from './search/index-value.ts';
import { searchParameters } from './search/parameters.ts';

/** An element that is hidden, `Patient.address` or `Patient.contact.telecom`, or of which only the year is given out. */
export interface HiddenElement {
  path: string;
  keepsYear: boolean;
}

/** What is hidden of the properties of an object, by name. */
interface Node {
  hidden?: 'whole' | 'after the year';
  children: Map<string, Node>;
}

const compiled = new WeakMap<readonly HiddenElement[], Map<string, Node>>();

/**
 * The text without what is hidden of the resource and of those within it.
 * @param hidden remembered by this array: give the same one for the same elements
 */
export function redact(text: string, hidden: readonly HiddenElement[]): string {
  const types = nodesOf(hidden);
  const own = text.indexOf('"resourceType":');
  const isNested = text.indexOf('"resourceType":', own + 1) >= 0;
  return rewritten(text, 0, undefined, types, isNested).text;
}

/** Whether anything is hidden of resources of a type. */
export function hidesOf(hidden: readonly HiddenElement[], type: string): boolean {
  return hidden.some(({ path }) => path.startsWith(`${type}.`));
}

function nodesOf(hidden: readonly HiddenElement[]): Map<string, Node> {
  let types = compiled.get(hidden);
  if (types) return types;
  types = new Map();
  for (const { path, keepsYear } of hidden) {
    const [type, ...names] = path.split('.') as [string, ...string[]];
    const node = types.get(type) ?? { children: new Map([['text', { hidden: 'whole', children: new Map() }]]) };
    types.set(type, node);
    hide(node, type, names, keepsYear ? 'after the year' : 'whole');
  }
  compiled.set(hidden, types);
  return types;
}

function hide(parent: Node, type: string, [name, ...rest]: readonly string[], how: NonNullable<Node['hidden']>): void {
  for (const property of propertiesNamed(type, name!)) {
    const node: Node = parent.children.get(property.name) ?? { children: new Map() };
    parent.children.set(property.name, node);
    if (rest.length > 0) hide(node, property.type, rest, how);
    else if (node.hidden !== 'whole') node.hidden = how;
  }
}

/** The properties that are an element, or one form of it. */
function propertiesNamed(type: string, name: string) {
  return [...(typeProperties(type)?.values() ?? [])].filter((one) => one.name === name || one.choice === name);
}

/** A value without what is hidden of it, empty where nothing of it is left; and where it ended. */
function rewritten(
  text: string,
  start: number,
  given: Node | undefined,
  types: Map<string, Node>,
  isNested: boolean,
): { text: string; end: number } {
  const first = text[start];
  if (first === '[') {
    const items: string[] = [];
    const end = endOfArray(text, start, (at) => {
      const item = rewritten(text, at, given, types, isNested);
      if (item.text !== '') items.push(item.text);
      return item.end;
    });
    return { text: items.length > 0 ? `[${items.join(',')}]` : '', end };
  }
  const object = first === '{' ? objectMembers(text, start) : undefined;
  if (!object) {
    const end = endOfValue(text, start);
    return { text: text.slice(start, end), end };
  }
  const { members, end } = object;
  const own = members.find(({ key }) => key === 'resourceType');
  const node = own ? types.get(JSON.parse(text.slice(own.start, own.end))) : given;
  if (!node && !isNested) return { text: text.slice(start, end), end };
  const kept: string[] = [];
  for (const member of members) {
    const isBeside = member.key[0] === '_';
    const child = node?.children.get(isBeside ? member.key.slice(1) : member.key);
    if (child?.hidden === 'whole' || (child?.hidden && isBeside)) continue;
    const value = child?.hidden
      ? yearOf(text.slice(member.start, member.end))
      : (child || isNested) && !isBeside
        ? rewritten(text, member.start, child, types, isNested).text
        : text.slice(member.start, member.end);
    if (value !== '') kept.push(`${JSON.stringify(member.key)}:${value}`);
  }
  return { text: kept.length > 0 ? `{${kept.join(',')}}` : '', end };
}

/** The year of a date, in quotes; nothing of what is none. */
function yearOf(value: string): string {
  return /^"\d{4}/.test(value) ? `${value.slice(0, 5)}"` : '';
}

const never = new Set(['id', 'meta', 'implicitRules', 'resourceType']);

/** Why an element cannot be hidden; undefined where it can. */
export function hidingFault(path: string, keepsYear: boolean): string | undefined {
  const [type, ...names] = path.split('.') as [string, ...string[]];
  if (!isResourceType(type) || names.length === 0) return `${path} names no element of a type of resource`;
  let types = [type];
  for (const [depth, name] of names.entries()) {
    if (depth === 0 && never.has(name)) return `${path} is what a resource is known by`;
    const found = types.flatMap((one) => propertiesNamed(one, name));
    if (found.length === 0) return `${path} is no element that there is`;
    const required = types.some((one) =>
      [...definitions().propertiesOf(one).values()].some(
        ({ name: own, choice, element }) => element[1] > 0 && (own === name || choice === name),
      ),
    );
    if (required) return `${path} has to be there`;
    types = found.map((one) => one.type);
  }
  if (types.some((one) => one === 'Reference')) return `${path} is a reference, by which resources belong together`;
  const isPlace = searchParameters(type).some(
    (parameter) => parameter.type === 'reference' && pathsOf(parameter, type).some((of) => touches(of, names)),
  );
  if (isPlace) return `${path} has references, by which resources belong together`;
  if (keepsYear && !types.every((one) => /^(date|dateTime|instant)$/.test(one))) return `${path} is no date`;
  return undefined;
}

/** An element that may be hidden, and whether its year alone can be given out. */
export interface HidableElement {
  path: string;
  isDate: boolean;
}

/** Of every element; to hide them is to hide the element. */
const ofEveryElement = new Set(['id', 'extension', 'modifierExtension', 'contained', 'text', 'language']);

/** The elements of a type of resource that may be hidden, and their parts, in the order of the definitions. */
export function hidableElements(type: string): HidableElement[] {
  const found: HidableElement[] = [];
  const add = (parent: string, path: string, isWithin: boolean): void => {
    const names = new Set<string>();
    for (const { name, choice, type: own, isPrimitive } of typeProperties(parent)?.values() ?? []) {
      const element = choice ?? name;
      if (names.has(element) || ofEveryElement.has(element)) continue;
      names.add(element);
      const at = `${path}.${element}`;
      if (hidingFault(at, false) === undefined) found.push({ path: at, isDate: hidingFault(at, true) === undefined });
      if (!isWithin && !isPrimitive && choice === undefined && own !== 'Reference') add(own, at, true);
    }
  };
  add(type, type, false);
  return found;
}

/** Whether a search by a parameter of a type tells of an element that is hidden. */
export function tellsOfHidden(parameter: SearchParameter, type: string, hidden: readonly HiddenElement[]): boolean {
  const own = hidden.filter(({ path }) => path.startsWith(`${type}.`));
  if (own.length === 0) return false;
  const paths = pathsOf(parameter, type);
  return own.some(({ path }) => {
    const names = elementNames(type, path.split('.').slice(1));
    return paths.some((of) => touches(of, names));
  });
}

/** Names as the definitions have them: of one form of an element that has several, the element's. */
function elementNames(type: string, [name, ...rest]: readonly string[]): string[] {
  const [property] = propertiesNamed(type, name!);
  if (!property) return [name!, ...rest];
  return [property.choice ?? property.name, ...(rest.length > 0 ? elementNames(property.type, rest) : [])];
}

function touches(one: readonly string[], other: readonly string[]): boolean {
  return one.slice(0, other.length).every((name, i) => name === other[i]);
}

const everything: string[][] = [[]];

/** The elements that a parameter looks at, as their names; one without a name is the whole resource. */
function pathsOf(parameter: SearchParameter, type: string): string[][] {
  const { code, unionOf, composite, expression } = parameter;
  // Of a place its address tells as much as its position.
  if (code === 'near') return [['position'], ['address']];
  const parts = (unionOf ?? composite?.asParameters ?? []).flatMap((part) => {
    const found = searchParameters(type).find((one) => one.code === part);
    return found && found !== parameter ? pathsOf(found, type) : everything;
  });
  if (parts.length > 0 && !composite?.ofElements) return parts;
  const parsed = parseExpression(expression);
  return [...parts, ...(typeof parsed === 'string' ? everything : pathsOfExpression(parsed, type))];
}

function pathsOfExpression(expression: Expression, type: string): string[][] {
  if (expression.kind === 'union') return expression.parts.flatMap((part) => pathsOfExpression(part, type));
  if (expression.kind === 'and') return expression.parts.flatMap((part) => pathsOfCondition([], part, type));
  const isTyped = [type, 'Resource', 'DomainResource'].includes(expression.root);
  return pathsOfSteps(isTyped ? [] : [expression.root], expression.steps, type);
}

/** The place where the steps lead, and those that their conditions look at. */
function pathsOfSteps(from: readonly string[], steps: readonly Step[], type: string): string[][] {
  const path = [...from];
  const found: string[][] = [];
  for (const step of steps) {
    if (step.kind === 'member') path.push(step.name);
    else if (step.kind === 'extension') path.push('extension');
    else if (step.kind === 'where') found.push(...pathsOfCondition(path, step.condition, type));
  }
  return [...found, path].map((names) => (names.length === 0 ? names : elementNames(type, names)));
}

function pathsOfCondition(from: readonly string[], condition: Condition, type: string): string[][] {
  if (!('steps' in condition)) return [];
  const [first, ...rest] = condition.steps;
  const isTyped = from.length === 0 && first?.kind === 'member' && first.name === type;
  return pathsOfSteps(from, isTyped ? rest : condition.steps, type);
}
