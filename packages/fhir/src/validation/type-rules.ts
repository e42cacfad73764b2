/** What a type allows and requires of a JSON object or an XML element, made from the definitions once per type. */
import type { Definitions } from '../definitions/definitions.ts';
import type { PrimitiveCheck } from './primitives.ts';
import { primitiveCheck } from './primitives.ts';

/** How the value of a primitive stands in JSON. */
export type JsonKind = 'string' | 'number' | 'boolean';

/** One JSON property of a type. */
export interface PropertyRule {
  name: string;
  /** Its place among the type's properties, which is the order of XML elements. */
  order: number;
  /** Ids of elements (not of resources) and `Extension.url` are attributes in XML. */
  isAttribute: boolean;
  /** Whether `_summary=true` holds it. */
  inSummary: boolean;
  isRequired: boolean;
  /** Undefined for what is not primitive. */
  json: JsonKind | undefined;
  /** The step in a FHIRPath expression: `value.ofType(Quantity)` for `valueQuantity`. */
  step: string;
  type: string;
  isArray: boolean;
  /** At most this many items; -1 for no limit. */
  max: number;
  /** The choice element this is one form of. */
  choice: string | undefined;
  primitive: PrimitiveCheck | undefined;
  codes: ReadonlySet<string> | undefined;
  valueSet: string | undefined;
  /** The rules of `type`, kept here when first needed. */
  rules: TypeRules | undefined;
}

/** An element which has to be there, as any of its properties. */
export interface RequiredRule {
  name: string;
  properties: string[];
}

export interface TypeRules {
  type: string;
  /** In the order of the definitions. */
  properties: Map<string, PropertyRule>;
  required: RequiredRule[];
  /** Whether any element of the type is marked for summaries. */
  hasSummary: boolean;
}

/** The rules of a type; an unknown type has no properties. */
export function typeRules(defs: Definitions, type: string): TypeRules {
  const key = `rules ${type}`;
  let rules = defs.derived.get(key) as TypeRules | undefined;
  if (rules === undefined) {
    rules = compileRules(defs, type);
    defs.derived.set(key, rules);
  }
  return rules;
}

const JSON_KINDS: ReadonlyMap<string, JsonKind> = new Map([
  ['boolean', 'boolean'],
  ['integer', 'number'],
  ['unsignedInt', 'number'],
  ['positiveInt', 'number'],
  ['decimal', 'number'],
]);

function compileRules(defs: Definitions, type: string): TypeRules {
  const isResource = defs.type(type)?.kind === 'resource';
  const properties = new Map<string, PropertyRule>();
  const required = new Map<string, RequiredRule>();
  for (const [name, property] of defs.propertiesOf(type)) {
    const [elementName, min, max, , valueSet] = property.element;
    const elementType = isResource && name === 'id' ? 'id' : property.type;
    const primitive = primitiveCheck(elementType);
    properties.set(name, {
      name,
      order: properties.size,
      isAttribute: !isResource && (name === 'id' || (type === 'Extension' && name === 'url')),
      inSummary: property.inSummary,
      isRequired: min > 0,
      json: primitive === undefined ? undefined : (JSON_KINDS.get(elementType) ?? 'string'),
      step: property.choice === undefined ? name : `${property.choice}.ofType(${property.type})`,
      type: elementType,
      isArray: max !== 1,
      max,
      choice: property.choice,
      primitive,
      codes: elementType === 'code' ? codesOf(defs, valueSet) : undefined,
      valueSet,
      rules: undefined,
    });
    if (min === 0) continue;
    const rule = required.get(elementName) ?? { name: elementName, properties: [] };
    rule.properties.push(name);
    required.set(elementName, rule);
  }
  const hasSummary = (defs.type(type)?.summary?.length ?? 0) > 0;
  return { type, properties, required: [...required.values()], hasSummary };
}

function codesOf(defs: Definitions, valueSet: string | undefined): ReadonlySet<string> | undefined {
  if (valueSet === undefined || !Object.hasOwn(defs.artifact.valueSets, valueSet)) return undefined;
  const key = `codes ${valueSet}`;
  let codes = defs.derived.get(key) as ReadonlySet<string> | undefined;
  if (codes === undefined) {
    codes = new Set(defs.artifact.valueSets[valueSet]);
    defs.derived.set(key, codes);
  }
  return codes;
}
