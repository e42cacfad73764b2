/**
 * The variables of an operation and the values of arguments (GraphQL, October 2021, sections 2.10, 6.1.2). FHIR has no
 * input types of its own for queries, so every value is a text, a boolean, or a list of these; numbers keep their digits.
 * Only a mutation takes an object, the resource.
 */
import type { OperationDefinitionNode, TypeNode, ValueNode } from 'graphql/language';
import { GraphqlError, type Location } from './errors.ts';

export type ArgumentValue = string | boolean | null | ArgumentValue[];

/** Stands for a variable that holds an object, which no argument but a mutation's takes. */
export const OBJECT = Symbol('object');

/** By name; a variable that has no value is not in it. */
export type Variables = ReadonlyMap<string, ArgumentValue | typeof OBJECT>;

/** Takes what the request gives for the operation's variables. What the operation does not declare is left alone. */
export function readVariables(operation: OperationDefinitionNode, given: Readonly<Record<string, unknown>>): Variables {
  const variables = new Map<string, ArgumentValue | typeof OBJECT>();
  for (const definition of operation.variableDefinitions ?? []) {
    const name = definition.variable.name.value;
    if (variables.has(name)) throw new GraphqlError(`The variable $${name} is declared twice.`, placeOf(definition));
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (isObject(value) && isInput(definition.type)) variables.set(name, OBJECT);
    else if (value !== undefined) variables.set(name, coerced(name, value, definition.type, placeOf(definition)));
    else if (definition.defaultValue) variables.set(name, argumentValue(definition.defaultValue, variables));
    else if (definition.type.kind === 'NonNullType')
      throw new GraphqlError(`The variable $${name} needs a value.`, placeOf(definition));
  }
  return variables;
}

/** The value of an argument. @throws GraphqlError for a variable without a value, and for an object */
export function argumentValue(node: ValueNode, variables: Variables): ArgumentValue {
  switch (node.kind) {
    case 'Variable': {
      const value = variables.get(node.name.value);
      if (value === OBJECT) throw new GraphqlError('An object is no value here.', placeOf(node));
      if (value !== undefined) return value;
      throw new GraphqlError(`The variable $${node.name.value} is not declared, or has no value.`, placeOf(node));
    }
    case 'StringValue':
    case 'EnumValue':
    case 'IntValue':
    case 'FloatValue':
    case 'BooleanValue':
      return node.value;
    case 'NullValue':
      return null;
    case 'ListValue':
      return node.values.map((value) => argumentValue(value, variables));
    default:
      throw new GraphqlError('An object is no value here.', placeOf(node));
  }
}

/** Where a node begins. */
export function placeOf(node: { loc?: { startToken: Location } | undefined }): Location | undefined {
  return node.loc && { line: node.loc.startToken.line, column: node.loc.startToken.column };
}

function coerced(name: string, value: unknown, type: TypeNode, place: Location | undefined): ArgumentValue {
  const wrong = (what: string) => new GraphqlError(`The variable $${name} must be ${what}.`, place);
  if (type.kind === 'NonNullType') {
    if (value === null) throw wrong('given');
    return coerced(name, value, type.type, place);
  }
  if (value === null) return null;
  if (type.kind === 'ListType') {
    return (Array.isArray(value) ? value : [value]).map((one) => coerced(name, one, type.type, place));
  }
  const digits = digitsOf(value);
  switch (type.name.value) {
    case 'Boolean':
      if (typeof value !== 'boolean') throw wrong('true or false');
      return value;
    case 'Int':
      if (digits === undefined || !/^-?\d+$/.test(digits)) throw wrong('a whole number');
      return digits;
    case 'Float':
      if (digits === undefined) throw wrong('a number');
      return digits;
    default:
      if (digits !== undefined) return digits;
      if (typeof value === 'boolean') return value;
      if (typeof value !== 'string') throw wrong('a text');
      return value;
  }
}

/** A number's digits, also where it is held as its text. */
function digitsOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'object' && JSON.isRawJSON(value)
    ? String((value as { rawJSON: string }).rawJSON)
    : undefined;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

/** Whether a type is one that FHIR's own schema has for what is sent: none of GraphQL's, no list. */
function isInput(type: TypeNode): boolean {
  if (type.kind === 'NonNullType') return isInput(type.type);
  return type.kind === 'NamedType' && !['Boolean', 'Int', 'Float', 'String', 'ID'].includes(type.name.value);
}
