/** What a type allows and requires of a JSON object, made from the definitions once per type. */
import type { Definitions } from '../definitions/definitions.ts';
import type { PrimitiveCheck } from './primitives.ts';
import { primitiveCheck } from './primitives.ts';

/** One JSON property of a type. */
export interface PropertyRule {
  name: string;
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
  properties: Map<string, PropertyRule>;
  required: RequiredRule[];
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

function compileRules(defs: Definitions, type: string): TypeRules {
  const isResource = defs.type(type)?.kind === 'resource';
  const properties = new Map<string, PropertyRule>();
  const required = new Map<string, RequiredRule>();
  for (const [name, property] of defs.propertiesOf(type)) {
    const [elementName, min, max, , valueSet] = property.element;
    const elementType = isResource && name === 'id' ? 'id' : property.type;
    properties.set(name, {
      name,
      step: property.choice === undefined ? name : `${property.choice}.ofType(${property.type})`,
      type: elementType,
      isArray: max !== 1,
      max,
      choice: property.choice,
      primitive: primitiveCheck(elementType),
      codes: elementType === 'code' ? codesOf(defs, valueSet) : undefined,
      valueSet,
      rules: undefined,
    });
    if (min === 0) continue;
    const rule = required.get(elementName) ?? { name: elementName, properties: [] };
    rule.properties.push(name);
    required.set(elementName, rule);
  }
  return { type, properties, required: [...required.values()] };
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
