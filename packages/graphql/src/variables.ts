/**
 * The variables of an operation and the values of arguments (GraphQL, October 2021, sections 2.10, 6.1.2). FHIR has no
 * input types of its own for queries, so every value is a text, a boolean, or a list of these; numbers keep their digits.
 */
import type { OperationDefinitionNode, TypeNode, ValueNode } from 'graphql/language';
import { GraphqlError, type Location } from './errors.ts';

export type ArgumentValue = string | boolean | null | ArgumentValue[];

/** By name; a variable that has no value is not in it. */
export type Variables = ReadonlyMap<string, ArgumentValue>;

/** Takes what the request gives for the operation's variables. What the operation does not declare is left alone. */
export function readVariables(operation: OperationDefinitionNode, given: Readonly<Record<string, unknown>>): Variables {
  const variables = new Map<string, ArgumentValue>();
  for (const definition of operation.variableDefinitions ?? []) {
    const name = definition.variable.name.value;
    if (variables.has(name)) throw new GraphqlError(`The variable $${name} is declared twice.`, placeOf(definition));
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value !== undefined) variables.set(name, coerced(name, value, definition.type, placeOf(definition)));
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
  switch (type.name.value) {
    case 'Boolean':
      if (typeof value !== 'boolean') throw wrong('true or false');
      return value;
    case 'Int':
      if (!Number.isInteger(value)) throw wrong('a whole number');
      return String(value);
    case 'Float':
      if (typeof value !== 'number') throw wrong('a number');
      return String(value);
    default:
      if (typeof value === 'number') return String(value);
      if (typeof value === 'boolean') return value;
      if (typeof value !== 'string') throw wrong('a text');
      return value;
  }
}
