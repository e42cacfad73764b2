/**
 * The operations of a FHIRPath Patch, read from its Parameters (https://hl7.org/fhir/R4/fhirpatch.html#format), and the
 * elements their `value` parts describe.
 */
import type { Property } from '../definitions/definitions.ts';
import { definitions } from '../definitions/definitions.ts';
import type { ExactObject, ExactValue } from '../json/exact.ts';
import { isExactObject, memberOf } from '../json/exact.ts';
import type { NewElement } from './elements.ts';
import { formsOf, isPrimitive, putElement } from './elements.ts';
import { PatchRefusal } from './refusal.ts';

export const OPERATION_TYPES = ['add', 'insert', 'delete', 'replace', 'move'] as const;

export type OperationType = (typeof OPERATION_TYPES)[number];

/** One operation; its parts by their names, each there once. */
export interface Operation {
  type: OperationType;
  path: string;
  parts: ReadonlyMap<string, ExactObject>;
}

/** Reads one parameter as an operation. @throws PatchRefusal */
export function operationOf(parameter: ExactValue): Operation {
  if (!isExactObject(parameter) || memberOf(parameter, 'name') !== 'operation') {
    throw new PatchRefusal('structure', 'each parameter of a FHIRPath Patch is named "operation"');
  }
  const list = memberOf(parameter, 'part') ?? [];
  if (!Array.isArray(list)) throw new PatchRefusal('structure', 'part has to be an array');
  const parts = new Map<string, ExactObject>();
  for (const part of list) {
    const name = isExactObject(part) ? memberOf(part, 'name') : undefined;
    if (typeof name !== 'string' || !PARTS.includes(name)) {
      throw new PatchRefusal('structure', `an operation has parts named ${PARTS.join(', ')} only`);
    }
    if (parts.has(name)) throw new PatchRefusal('structure', `the part ${name} may be there once`);
    parts.set(name, part as ExactObject);
  }
  const type = textPart(parts, 'type');
  if (!isOperationType(type)) {
    throw new PatchRefusal('value', `the part type has to be one of ${OPERATION_TYPES.join(', ')}`);
  }
  return { type, path: textPart(parts, 'path'), parts };
}

/** The kind of an operation where it can be told, for an error. */
export function kindOf(parameter: ExactValue): string | undefined {
  try {
    return operationOf(parameter).type;
  } catch {
    return undefined;
  }
}

/** A part that is a text. @throws PatchRefusal where it is missing */
export function textPart(parts: Operation['parts'], name: string): string {
  const part = parts.get(name);
  const value = part && simpleValue(part);
  if (typeof value === 'string' && value !== '') return value;
  const right = name === 'type' ? 'valueCode' : 'valueString';
  throw new PatchRefusal('required', `the part ${name} is missing or has no ${right}`);
}

/** A part that is a whole number from 0. @throws PatchRefusal */
export function numberPart(parts: Operation['parts'], name: string): number {
  const part = parts.get(name);
  const value = part && simpleValue(part);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new PatchRefusal('required', `the part ${name} is missing or has no valueInteger from 0`);
}

/** The element that a `value` part describes, as the child `name` of a type. @throws PatchRefusal where it does not suit */
export function elementFrom(part: ExactObject | undefined, ownerType: string, name: string): NewElement {
  if (part === undefined) throw new PatchRefusal('required', 'the part value is missing');
  const forms = formsOf(ownerType, name);
  if (forms.length === 0) throw unknownName(ownerType, name);
  const contents = Object.keys(part).filter((key) => key !== 'name' && key !== 'id' && key !== 'extension');
  const resource = memberOf(part, 'resource');
  const nested = memberOf(part, 'part');
  const keys = new Set(contents.map((key) => (key.startsWith('_') ? key.slice(1) : key)));
  if (keys.size !== 1) {
    throw new PatchRefusal(
      'structure',
      `the part for ${shown(name)} has to have one value[x], or parts, or a resource`,
    );
  }
  if (resource !== undefined) return { ...formFor(forms, 'Resource', name), value: resource, beside: undefined };
  if (nested !== undefined) return nestedElement(forms, nested, name);
  const key = [...keys][0]!;
  const given = definitions().propertiesOf('Parameters.parameter').get(key);
  if (given?.choice !== 'value') {
    const sentence = `the part for ${shown(name)} has a member that a part cannot have; what value[x] has no type for, such as an Extension, is given by parts`;
    throw new PatchRefusal('structure', sentence);
  }
  const value = memberOf(part, key);
  const beside = memberOf(part, `_${key}`);
  if (isPrimitive(given.type) ? beside !== undefined && !isExactObject(beside) : !isExactObject(value)) {
    throw new PatchRefusal('value', `the value for ${shown(name)} is not a ${given.type}`);
  }
  return { ...formFor(forms, given.type, name), value, beside: beside as ExactObject | undefined };
}

const PARTS = ['type', 'path', 'name', 'value', 'index', 'source', 'destination'];

function isOperationType(type: string): type is OperationType {
  return (OPERATION_TYPES as readonly string[]).includes(type);
}

function simpleValue(part: ExactObject): ExactValue | undefined {
  const key = Object.keys(part).find((name) => name.startsWith('value'));
  return key === undefined ? undefined : memberOf(part, key);
}

/** An element of a type that `value[x]` has not: built from parts, as deep as they go. */
function nestedElement(forms: Property[], parts: ExactValue, name: string): NewElement {
  const property = forms[0]!;
  if (forms.length > 1) {
    const right = forms.map((form) => form.name).join(', ');
    throw new PatchRefusal('value', `${shown(name)} has several types; name one where parts are given: ${right}`);
  }
  if (isPrimitive(property.type) || property.type === 'Resource') {
    throw new PatchRefusal('value', `${shown(name)} is a ${property.type}, which has no parts; give it a value`);
  }
  if (!Array.isArray(parts) || parts.length === 0) {
    throw new PatchRefusal('structure', `the parts for ${shown(name)} have to be an array with one item at least`);
  }
  const value: ExactObject = {};
  for (const part of parts) {
    const child = isExactObject(part) ? memberOf(part, 'name') : undefined;
    if (!isExactObject(part) || typeof child !== 'string') {
      throw new PatchRefusal('structure', `each part for ${shown(name)} needs a name: that of an element`);
    }
    putElement(value, elementFrom(part, property.type, child));
  }
  return { property, forms, value, beside: undefined };
}

/** The form of an element that takes a value of a type. */
function formFor(forms: Property[], type: string, name: string): { property: Property; forms: Property[] } {
  const exact = forms.find((form) => form.type === type);
  const property = exact ?? (forms.length === 1 && fits(type, forms[0]!.type) ? forms[0] : undefined);
  if (property !== undefined) return { property, forms };
  const right = forms.map((form) => (form.type.includes('.') ? 'parts' : form.type)).slice(0, 12);
  throw new PatchRefusal('value', `${shown(name)} does not take a ${type}; right is ${right.join(' or ')}`);
}

const QUANTITIES = ['Quantity', 'SimpleQuantity', 'Age', 'Count', 'Distance', 'Duration', 'MoneyQuantity'];
const NUMBERS = ['integer', 'unsignedInt', 'positiveInt', 'decimal'];

/** Whether a value of one type can stand for another: a code for a string, an Age for a Quantity. */
function fits(type: string, wanted: string): boolean {
  if (QUANTITIES.includes(type)) return QUANTITIES.includes(wanted);
  return isPrimitive(type) && isPrimitive(wanted) && jsonKind(type) === jsonKind(wanted);
}

function jsonKind(type: string): string {
  return NUMBERS.includes(type) ? 'number' : type === 'boolean' ? 'boolean' : 'string';
}

function unknownName(type: string, name: string): PatchRefusal {
  const known = [
    ...definitions()
      .propertiesOf(isPrimitive(type) ? 'Element' : type)
      .values(),
  ];
  const names = [...new Set(known.map((property) => property.choice ?? property.name))];
  const alike = names.find((one) => one.toLowerCase() === name.toLowerCase());
  const right = alike ?? names.join(', ');
  return new PatchRefusal('value', `${shown(name)} is no element of ${type} in R4; right is ${right}`);
}

/** A name that can only be an element's; anything else is not repeated. */
function shown(name: string): string {
  return /^[A-Za-z]{1,40}(?:\[x\])?$/.test(name) ? name : 'the name';
}
