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
    else if (key === 'meta') meta = isSummary ? summaryValue(walk, defs, typeRules(defs, 'Meta')) : walk.slice();
    else if (isWhole) {
      if (key === 'text') walk.pass();
      else rest += `,${JSON.stringify(key)}:${walk.slice()}`;
    } else {
      const rule = rules.properties.get(key) ?? (key[0] === '_' ? rules.properties.get(key.slice(1)) : undefined);
      if (rule === undefined || !(isKept(rule) || keeps(rule.name, rule.choice, rule.inSummary))) walk.pass();
      else if (!isSummary || rule.json !== undefined) rest += `,"${key}":${walk.slice()}`;
      else rest += `,"${key}":${summaryValue(walk, defs, rule.rules ?? typeRules(defs, rule.type))}`;
    }
  }
  return `${head},"meta":${tagged(meta)}${rest}}`;
}

/** Whether a property at the root is kept, besides the mandatory ones. */
type Keeps = (name: string, choice: string | undefined, inSummary: boolean) => boolean;

function rootOf(summary: 'true' | 'text' | 'data'): Keeps {
  return summary === 'true' ? (_name, _choice, inSummary) => inSummary : (name) => name === 'text';
}

function elementsOf(elements: readonly string[], type: string): Keeps {
  const own = `${type}.`;
  const names = new Set(elements.map((name) => (name.startsWith(own) ? name.slice(own.length) : name)));
  return (name, choice) =>
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

/** An object, or an array of them, with what a summary holds; types without any mark for summaries are kept whole. */
function summaryValue(walk: JsonWalk, defs: Definitions, rules: TypeRules): string {
  if (walk.first !== '[') return summaryObject(walk, defs, rules);
  let items = '';
  for (let more = walk.firstItem(); more; more = walk.nextItem()) {
    items += (items === '' ? '' : ',') + summaryObject(walk, defs, rules);
  }
  return `[${items}]`;
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
    const rule = rules.properties.get(key) ?? (key[0] === '_' ? rules.properties.get(key.slice(1)) : undefined);
    if (rule === undefined || !(rule.inSummary || isKept(rule))) {
      walk.pass();
      continue;
    }
    const value =
      rule.json !== undefined ? walk.slice() : summaryValue(walk, defs, rule.rules ?? typeRules(defs, rule.type));
    members += `${members === '' ? '' : ','}"${key}":${value}`;
  }
  return `{${members}}`;
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
