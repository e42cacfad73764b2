/**
 * The arguments of fields: which elements of a list are wanted (https://hl7.org/fhir/R4/graphql.html#list) and what a
 * search looks for (https://hl7.org/fhir/R4/graphql.html#searching).
 */
import { searchParameters, typeProperties } from '@causeway/fhir';
import { GraphqlError, type Location } from './errors.ts';
import { type Expression, parseFhirPath } from './fhirpath/parse.ts';
import type { Field } from './plan.ts';
import type { ArgumentValue } from './variables.ts';

/** Which elements are wanted: those with these values in a property, and for which the expression is true; then a part. */
export interface ElementFilter {
  equal: { property: string; values: string[] }[];
  fhirpath: Expression | undefined;
  offset: number;
  count: number | undefined;
}

/** What a search looks for. */
export interface SearchArguments {
  /** Names and values as REST has them (https://hl7.org/fhir/R4/search.html). */
  parameters: [name: string, value: string][];
  /** The search parameter by which what is found refers to the resource at hand. */
  reference: string | undefined;
  fhirpath: Expression | undefined;
  /** Whether the query says itself how many it wants. */
  isCounted: boolean;
}

/** @throws GraphqlError for an argument that the type has no property for */
export function elementFilter(field: Field, type: string): ElementFilter {
  const filter: ElementFilter = { equal: [], fhirpath: undefined, offset: 0, count: undefined };
  for (const [name, value] of field.arguments) {
    if (name === 'fhirpath') filter.fhirpath = expressionOf(value, field.place);
    else if (name === '_offset') filter.offset = wholeNumber(name, value, field.place);
    else if (name === '_count') filter.count = wholeNumber(name, value, field.place);
    else if (typeProperties(type)?.get(name)?.isPrimitive)
      filter.equal.push({ property: name, values: textsOf(value) });
    else {
      throw new GraphqlError(
        `${field.name} takes no argument ${name}; there are fhirpath, _offset, _count and the primitive elements of ${type}.`,
        field.place,
      );
    }
  }
  return filter;
}

/** Search parameters that would bring other resources among the matches. */
const withoutSense = new Set(['_include', '_revinclude', '_contained', '_containedType']);
const controls = new Set(['_count', '_sort', '_filter', '_total']);

/**
 * @param within `resource` for a search from a resource, which has to say how what it finds refers to that
 * @throws GraphqlError for an argument that is no search parameter of the type
 */
export function searchArguments(
  field: Field,
  type: string,
  form: 'list' | 'connection',
  within: 'root' | 'resource',
): SearchArguments {
  const search: SearchArguments = { parameters: [], reference: undefined, fhirpath: undefined, isCounted: false };
  for (const [name, value] of field.arguments) {
    if (name === 'fhirpath') search.fhirpath = expressionOf(value, field.place);
    else if (name === '_reference') search.reference = referenceParameter(field, type, value);
    else if (name === 'cursor' || name === '_cursor') {
      if (form !== 'connection' || within !== 'root') {
        throw new GraphqlError(`${name} is for a ${type}Connection at the root of a query.`, field.place);
      }
      search.parameters.push(['_cursor', textsOf(value).join(',')]);
    } else {
      const code = parameterCode(field, type, name);
      if (code === '_id' && within === 'resource')
        throw new GraphqlError(`${field.name} takes no id here.`, field.place);
      search.isCounted ||= code === '_count';
      search.parameters.push([code, textsOf(value).map(withoutComma).join(',')]);
    }
  }
  if (within === 'resource' && search.reference === undefined) {
    throw new GraphqlError(
      `${field.name} needs the argument _reference here: the search parameter of ${type} that refers to this resource.`,
      field.place,
    );
  }
  if (within === 'root' && search.reference !== undefined) {
    throw new GraphqlError('_reference has a meaning inside of a resource only.', field.place);
  }
  return search;
}

/** The id in `Patient(id: example)`. */
export function idArgument(field: Field): string {
  const value = field.arguments.get('id') ?? field.arguments.get('_id');
  if (typeof value === 'string' && field.arguments.size === 1) return value;
  throw new GraphqlError(`${field.name} takes one argument, id; ${field.name}List searches.`, field.place);
}

/** The arguments of a Reference's `resource`. */
export function targetArguments(field: Field): { optional: boolean; type: string | undefined } {
  let optional = false;
  let type: string | undefined;
  for (const [name, value] of field.arguments) {
    if (name === 'optional' && typeof value === 'boolean') optional = value;
    else if (name === 'type' && typeof value === 'string') type = value;
    else throw new GraphqlError('resource takes optional: true or false, and type: a resource type.', field.place);
  }
  return { optional, type };
}

/** An expression, parsed. @throws GraphqlError for what is not understood */
export function expressionOf(value: ArgumentValue, place: Location | undefined): Expression {
  const parsed = typeof value === 'string' ? parseFhirPath(value) : 'it has to be a text';
  if (typeof parsed === 'string')
    throw new GraphqlError(`The FHIRPath expression is not understood: ${parsed}.`, place);
  return parsed;
}

/** A search parameter's code: GraphQL's names have `_` where FHIR's have `-`. */
function parameterCode(field: Field, type: string, name: string): string {
  if (withoutSense.has(name)) throw new GraphqlError(`A search takes no ${name} in GraphQL.`, field.place);
  if (controls.has(name)) return name;
  const known = searchParameters(type);
  const code = name.startsWith('_') ? name : name.replaceAll('_', '-');
  if (known.some((parameter) => parameter.code === code)) return code;
  if (name === 'id') return '_id';
  throw new GraphqlError(
    `${name} is no search parameter of ${type}. Modifiers, chains and conditions joined by "and" go into _filter.`,
    field.place,
  );
}

function referenceParameter(field: Field, type: string, value: ArgumentValue): string {
  const code = typeof value === 'string' ? value.replaceAll('_', '-') : '';
  const isReference = searchParameters(type).some((one) => one.code === code && one.type === 'reference');
  if (isReference) return code;
  throw new GraphqlError(`_reference has to name a reference parameter of ${type}, such as subject.`, field.place);
}

function textsOf(value: ArgumentValue): string[] {
  return Array.isArray(value) ? value.flatMap(textsOf) : [String(value)];
}

/** A comma is part of the value, since alternatives are a list. */
function withoutComma(value: string): string {
  return value.replace(/(?<!\\),/g, '\\,');
}

function wholeNumber(name: string, value: ArgumentValue, place: Location | undefined): number {
  if (typeof value === 'string' && /^\d{1,9}$/.test(value)) return Number(value);
  throw new GraphqlError(`The argument ${name} must be a whole number.`, place);
}
