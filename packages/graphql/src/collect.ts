/**
 * The fields that an object of a type is asked for: branches that mean its type put in, fields of one name in the answer
 * merged (GraphQL, October 2021, sections 5.3.2, 6.3.2), and each checked against FHIR's definitions. What can be told
 * without data is checked before anything is read.
 */
import { isResourceType } from '@causeway/fhir';
import {
  type ElementFilter,
  elementFilter,
  expressionOf,
  idArgument,
  type SearchArguments,
  searchArguments,
  targetArguments,
} from './arguments.ts';
import { GraphqlError, type Location } from './errors.ts';
import type { Expression } from './fhirpath/parse.ts';
import { type Field, isBranch, type Selection, type Shape } from './plan.ts';
import { ANY_RESOURCE, isFieldOfSomeResource, isKnownType, isMeant, meaningOf, nameOf, ROOT } from './types.ts';

/** Selections of fields that were merged. */
export type SelectionGroup = readonly (readonly Selection[])[];

interface Common {
  key: string;
  name: string;
  shape: Shape;
  slice: Expression | undefined;
  group: SelectionGroup;
  place: Location | undefined;
}

/** A field to be answered. */
export type Collected = Common &
  (
    | { kind: 'typename' }
    | { kind: 'scalar'; type: string; isList: boolean }
    | { kind: 'complex'; type: string; isList: boolean; filter: ElementFilter }
    | { kind: 'target'; isOptional: boolean; groupFor(type: string): SelectionGroup | undefined }
    | { kind: 'single'; type: string; id: string }
    | { kind: 'list' | 'connection'; type: string; search: SearchArguments; wantsCount: boolean }
  );

export class Collector {
  readonly #known = new WeakMap<SelectionGroup, Map<string, readonly Collected[]>>();

  /** The fields for an object of a concrete type. @throws GraphqlError for a field that the type has not */
  fieldsFor(group: SelectionGroup, type: string): readonly Collected[] {
    let byType = this.#known.get(group);
    if (!byType) {
      byType = new Map();
      this.#known.set(group, byType);
    }
    let fields = byType.get(type);
    if (!fields) {
      const nodes = new Map<string, Field[]>();
      for (const selections of group) gather(selections, type, nodes);
      fields = [...nodes.values()].map((same) => this.#collected(same, type));
      byType.set(type, fields);
    }
    return fields;
  }

  #collected(fields: Field[], type: string): Collected {
    const field = fields[0]!;
    const { key, name, shape, place } = field;
    const meaning = meaningOf(type, name);
    if (!meaning) throw unknownField(name, type, place);
    if (meaning.kind !== 'target') for (const other of fields) checkSame(field, other);
    const group = fields.map(({ selections }) => selections).filter(({ length }) => length > 0);
    const isLeaf = meaning.kind === 'scalar' || meaning.kind === 'typename';
    if (isLeaf && (group.length > 0 || field.arguments.size > 0 || shape.flatten)) {
      throw new GraphqlError(`${name} is a single value: it takes no selections, arguments or @flatten.`, place);
    }
    if (!isLeaf && group.length === 0) {
      throw new GraphqlError(`${name} is an object: say in braces which of its fields are wanted.`, place);
    }
    const slice = shape.slice === undefined ? undefined : expressionOf(shape.slice, place);
    const common = { key, name, shape, slice, group, place };
    switch (meaning.kind) {
      case 'typename':
        return { ...common, kind: 'typename' };
      case 'scalar':
        return { ...common, ...meaning };
      case 'complex':
        this.#check(group, meaning.type);
        return { ...common, ...meaning, filter: elementFilter(field, meaning.type) };
      case 'target':
        return { ...common, kind: 'target', ...this.#target(fields) };
      case 'search': {
        const pageType = meaning.form === 'connection' ? `${meaning.type}Connection` : meaning.type;
        const asked = this.fieldsFor(group, pageType);
        if (meaning.form === 'single') return { ...common, kind: 'single', type: meaning.type, id: idArgument(field) };
        const search = searchArguments(field, meaning.type, meaning.form, type === ROOT ? 'root' : 'resource');
        const wantsCount = meaning.form === 'connection' && asked.some((one) => one.name === 'count');
        return { ...common, kind: meaning.form, type: meaning.type, search, wantsCount };
      }
    }
  }

  #target(fields: Field[]): { isOptional: boolean; groupFor(type: string): SelectionGroup | undefined } {
    const parts = fields.map((field) => ({ field, ...targetArguments(field) }));
    for (const { field, type } of parts) {
      if (type !== undefined && !isResourceType(type)) {
        throw new GraphqlError('The argument type has to be a resource type, such as Patient.', field.place);
      }
      this.#check([field.selections], type ?? ANY_RESOURCE);
    }
    const groups = new Map<string, SelectionGroup | undefined>();
    return {
      isOptional: parts.every(({ optional }) => optional),
      groupFor: (found) => {
        if (!groups.has(found)) {
          const meant = parts.filter(({ type }) => type === undefined || type === found);
          groups.set(found, meant.length === 0 ? undefined : meant.map(({ field }) => field.selections));
        }
        return groups.get(found);
      },
    };
  }

  /** Checks what can be told without data. */
  #check(group: SelectionGroup, type: string): void {
    if (type !== ANY_RESOURCE) {
      this.fieldsFor(group, type);
      return;
    }
    for (const selection of group.flat()) {
      if (isBranch(selection)) {
        checkCondition(selection.on, selection.place);
        const on = selection.on;
        this.#check([selection.selections], on !== undefined && isResourceType(on) ? on : ANY_RESOURCE);
      } else if (!isFieldOfSomeResource(selection.name)) {
        throw unknownField(selection.name, type, selection.place);
      }
    }
  }
}

function gather(selections: readonly Selection[], type: string, nodes: Map<string, Field[]>): void {
  for (const selection of selections) {
    if (isBranch(selection)) {
      checkCondition(selection.on, selection.place);
      if (isMeant(type, selection.on)) gather(selection.selections, type, nodes);
      continue;
    }
    const same = nodes.get(selection.key);
    if (same) same.push(selection);
    else nodes.set(selection.key, [selection]);
  }
}

function checkCondition(on: string | undefined, place: Location | undefined): void {
  if (on !== undefined && !isKnownType(on)) {
    throw new GraphqlError(`A fragment is for ${on}, which is no type of FHIR R4.`, place);
  }
}

function checkSame(one: Field, other: Field): void {
  const said = (field: Field) => JSON.stringify([field.name, [...field.arguments].sort(), field.shape]);
  if (one === other || said(one) === said(other)) return;
  throw new GraphqlError(
    `${one.key} is asked for in two ways; give one of them another name, such as other: ${other.name}.`,
    other.place,
  );
}

function unknownField(name: string, type: string, place: Location | undefined): GraphqlError {
  if (name === '__schema' || name === '__type') {
    const text = `${name}: this server answers no introspection; its types are those of FHIR R4 (https://hl7.org/fhir/R4/graphql.html).`;
    return new GraphqlError(text, place, 'not-supported');
  }
  if (type === ROOT) {
    const text = `${name} starts no query: there are Patient(id: …), PatientList(…), PatientConnection(…), and so for each resource type.`;
    return new GraphqlError(text, place);
  }
  return new GraphqlError(`${nameOf(type)} has no field ${name}.`, place);
}
