/**
 * Part of a resource: `_summary` and `_elements` (https://hl7.org/fhir/R4/search.html#summary,
 * https://hl7.org/fhir/R4/search.html#elements). The text is walked and slices of it are kept, so digits stay.
 */
import type { Definitions } from './definitions/definitions.ts';
import { definitions } from './definitions/definitions.ts';
import { JsonWalk } from './json/walk.ts';
import { isResourceType } from './resource-types.ts';
import type { PropertyRule, TypeRules } from './validation/type-rules.ts';
import { typeRules } from './validation/type-rules.ts';

/**
 * What to keep. `elements` are names at the root of a resource: `name`, `value` or `valueQuantity`, `Patient.name` for
 * that type alone.
 */
export type SubsetRequest = { summary: 'true' | 'text' | 'data' } | { elements: readonly string[] };

/**
 * The part of a resource that was asked for, as JSON without white space between the members kept: always with its type,
 * `id`, `meta` (tagged SUBSETTED), mandatory elements and modifier extensions (`data` leaves out the text and nothing else). `text` is the
 * text of a resource as stored; one that is not an object with an R4 resourceType is returned as it is.
 */
export function subset(text: string, request: SubsetRequest): string {
  const walk = new JsonWalk(text);
  const type = walk.first === '{' ? typeAhead(walk) : undefined;
  if (type === undefined) return text;
  const defs = definitions();
  const rules = typeRules(defs, type);
  const keeps = 'summary' in request ? rootOf(request.summary) : elementsOf(request.elements, type);
  const isSummary = 'summary' in request && request.summary === 'true';
  const isWhole = 'summary' in request && request.summary === 'data';
  let head = `{"resourceType":"${type}"`;
  let meta: string | undefined;
  let rest = '';
  for (let key = walk.firstKey(); key !== undefined; key = walk.nextKey()) {
    if (key === 'resourceType') walk.pass();
    else if (key === 'id') head += `,"id":${walk.slice()}`;
    else if (isWhole && key === 'text') walk.pass();
    else if (isWhole && key !== 'meta') rest += `,${JSON.stringify(key)}:${walk.slice()}`;
    else {
      const rule = ruleOf(rules, key);
      if (rule === undefined || !(isKept(rule) || key === 'meta' || keeps(rule))) {
        walk.pass();
        continue;
      }
      const value = isSummary && rule.json === undefined ? summaryValue(walk, defs, rule) : walk.slice();
      if (key === 'meta') meta = value;
      else if (value !== '') rest += `,"${key}":${value}`;
    }
  }
  return `${head},"meta":${tagged(meta)}${rest}}`;
}

/** Whether a property at the root is kept, besides the mandatory ones. */
type Keeps = (rule: PropertyRule) => boolean;

function rootOf(summary: 'true' | 'text' | 'data'): Keeps {
  return summary === 'true' ? ({ inSummary }) => inSummary : ({ name }) => name === 'text';
}

function elementsOf(elements: readonly string[], type: string): Keeps {
  const own = `${type}.`;
  const names = new Set(elements.map((name) => (name.startsWith(own) ? name.slice(own.length) : name)));
  return ({ name, choice }) =>
    names.has(name) || (choice !== undefined && (names.has(choice) || names.has(`${choice}[x]`)));
}

/** Mandatory elements, and what may turn the meaning of the rest around. */
function isKept(rule: PropertyRule): boolean {
  return rule.isRequired || rule.name === 'modifierExtension';
}

/** The type of the object under the cursor, which does not move; undefined when it is no R4 resource. */
function typeAhead(walk: JsonWalk): string | undefined {
  const start = walk.at;
  let type: string | undefined;
  for (let key = walk.firstKey(); key !== undefined && type === undefined; key = walk.nextKey()) {
    if (key === 'resourceType' && walk.first === '"') {
      type = walk.string();
      break;
    }
    walk.pass();
  }
  walk.at = start;
  return type !== undefined && isResourceType(type) ? type : undefined;
}

/**
 * A property's value with what a summary holds: an object, or an array of objects. Empty when nothing of it is left, but
 * for a mandatory element, which stays whole then. Types without any mark for summaries are kept whole.
 */
function summaryValue(walk: JsonWalk, defs: Definitions, rule: PropertyRule): string {
  const rules = typeRules(defs, rule.type);
  const start = walk.at;
  let part = '';
  if (walk.first === '[') {
    for (let more = walk.firstItem(); more; more = walk.nextItem()) {
      const item = summaryObject(walk, defs, rules);
      if (item !== '') part += part === '' ? item : `,${item}`;
    }
    if (part !== '') part = `[${part}]`;
  } else part = summaryObject(walk, defs, rules);
  return part === '' && isKept(rule) ? walk.text.slice(start, walk.at) : part;
}

function summaryObject(walk: JsonWalk, defs: Definitions, type: TypeRules): string {
  if (walk.first !== '{') return walk.slice();
  let rules = type;
  let members = '';
  if (rules.type === 'Resource') {
    const resourceType = typeAhead(walk);
    if (resourceType === undefined) return walk.slice();
    rules = typeRules(defs, resourceType);
    members = `"resourceType":"${resourceType}"`;
  } else if (!rules.hasSummary) return walk.slice();
  for (let key = walk.firstKey(); key !== undefined; key = walk.nextKey()) {
    const rule = ruleOf(rules, key);
    if (rule === undefined || !(rule.inSummary || isKept(rule))) {
      walk.pass();
      continue;
    }
    const value = rule.json !== undefined ? walk.slice() : summaryValue(walk, defs, rule);
    if (value !== '') members += `${members === '' ? '' : ','}"${key}":${value}`;
  }
  return members === '' ? '' : `{${members}}`;
}

/** The rule of a property, or of the primitive which `_name` stands beside. */
function ruleOf(rules: TypeRules, key: string): PropertyRule | undefined {
  return rules.properties.get(key) ?? (key[0] === '_' ? rules.properties.get(key.slice(1)) : undefined);
}

const TAG =
  '{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED","display":"subsetted"}';

/** `meta` with the tag that says that this is not the whole resource. */
function tagged(meta: string | undefined): string {
  if (meta?.[0] !== '{') return `{"tag":[${TAG}]}`;
  const walk = new JsonWalk(meta);
  let members = '';
  let tags = '';
  for (let key = walk.firstKey(); key !== undefined; key = walk.nextKey()) {
    const value = walk.slice();
    if (key === 'tag' && value.startsWith('[')) tags = value.slice(1, -1).trim();
    else members += `,${JSON.stringify(key)}:${value}`;
  }
  if (/"SUBSETTED"/.test(tags)) return meta;
  return `{${members === '' ? '' : `${members.slice(1)},`}"tag":[${tags === '' ? '' : `${tags},`}${TAG}]}`;
}
