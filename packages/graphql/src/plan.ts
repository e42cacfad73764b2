/**
 * What is to be selected: the operation's selections with fragments put in, variables replaced, and `@skip` and
 * `@include` (GraphQL, October 2021, section 3.13) decided. Size is bounded while fragments are put in, so that none can
 * multiply.
 */
import type {
  ArgumentNode,
  DirectiveNode,
  FieldNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql/language';
import { GraphqlError, type Location, tooCostly } from './errors.ts';
import type { GraphqlLimits } from './limits.ts';
import { type ArgumentValue, argumentValue, placeOf, type Variables } from './variables.ts';

export interface Field {
  /** The name in the answer. */
  key: string;
  name: string;
  arguments: ReadonlyMap<string, ArgumentValue>;
  shape: Shape;
  /** Empty for a field without selections. */
  selections: readonly Selection[];
  place: Location | undefined;
}

/** The directives with which FHIR reshapes an answer (https://hl7.org/fhir/R4/graphql.html#flattening). */
export interface Shape {
  flatten: boolean;
  first: boolean;
  singleton: boolean;
  /** The FHIRPath of `@slice(path:)`. */
  slice: string | undefined;
}

/** Selections that apply to one type only; to every type without a condition. */
export interface Branch {
  on: string | undefined;
  selections: readonly Selection[];
  place: Location | undefined;
}

export type Selection = Field | Branch;

/** Whether a selection is a branch. */
export function isBranch(selection: Selection): selection is Branch {
  return 'on' in selection;
}

/** The selections of an operation or of a mutation's field. @throws GraphqlError */
export function planOf(
  of: OperationDefinitionNode | FieldNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: Variables,
  limits: Pick<GraphqlLimits, 'fields' | 'aliases'>,
): readonly Selection[] {
  const [directive] = of.directives ?? [];
  if (directive) throw new GraphqlError(`@${directive.name.value} is not for an operation.`, placeOf(directive));
  return new Planner(fragments, variables, limits).selections(of.selectionSet, []);
}

class Planner {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #variables: Variables;
  readonly #limits: Pick<GraphqlLimits, 'fields' | 'aliases'>;
  #parts = 0;
  #aliases = 0;

  constructor(
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    variables: Variables,
    limits: Pick<GraphqlLimits, 'fields' | 'aliases'>,
  ) {
    this.#fragments = fragments;
    this.#variables = variables;
    this.#limits = limits;
  }

  /** @param within the fragments that these selections stand in */
  selections(set: SelectionSetNode | undefined, within: readonly string[]): readonly Selection[] {
    const selections: Selection[] = [];
    for (const node of set?.selections ?? []) {
      const place = placeOf(node);
      if (++this.#parts > this.#limits.fields) {
        throw tooCostly('The query selects too much', this.#limits.fields, 'fields, fragments put in', place);
      }
      if (!this.#isIncluded(node.directives)) continue;
      if (node.kind === 'Field') {
        if (node.alias && ++this.#aliases > this.#limits.aliases) {
          throw tooCostly('The query has too many aliases', this.#limits.aliases, 'of them', place);
        }
        selections.push({
          key: (node.alias ?? node.name).value,
          name: node.name.value,
          arguments: this.#arguments(node.arguments),
          shape: this.#shape(node.directives),
          selections: this.selections(node.selectionSet, within),
          place,
        });
        continue;
      }
      for (const { name } of node.directives ?? []) {
        if (!isCondition(name.value)) throw new GraphqlError(`@${name.value} is not for a fragment.`, place);
      }
      if (node.kind === 'InlineFragment') {
        const on = node.typeCondition?.name.value;
        selections.push({ on, selections: this.selections(node.selectionSet, within), place });
        continue;
      }
      const name = node.name.value;
      const fragment = this.#fragments.get(name);
      if (!fragment) throw new GraphqlError(`There is no fragment ${name}.`, place);
      if (within.includes(name)) {
        throw new GraphqlError(`The fragment ${name} contains itself: ${[...within, name].join(' → ')}.`, place);
      }
      const inner = this.selections(fragment.selectionSet, [...within, name]);
      selections.push({ on: fragment.typeCondition.name.value, selections: inner, place });
    }
    return selections;
  }

  #arguments(nodes: readonly ArgumentNode[] | undefined): ReadonlyMap<string, ArgumentValue> {
    const values = new Map<string, ArgumentValue>();
    for (const node of nodes ?? []) {
      const name = node.name.value;
      if (values.has(name)) throw new GraphqlError(`The argument ${name} is there twice.`, placeOf(node));
      const value = argumentValue(node.value, this.#variables);
      if (value === null) throw new GraphqlError(`The argument ${name} has no value.`, placeOf(node));
      values.set(name, value);
    }
    return values;
  }

  #isIncluded(directives: readonly DirectiveNode[] | undefined): boolean {
    let included = true;
    for (const node of directives ?? []) {
      if (!isCondition(node.name.value)) continue;
      const condition = this.#arguments(node.arguments);
      const value = condition.get('if');
      if (typeof value !== 'boolean' || condition.size > 1) {
        throw new GraphqlError(`@${node.name.value} takes if: true or if: false.`, placeOf(node));
      }
      if (value === (node.name.value === 'skip')) included = false;
    }
    return included;
  }

  #shape(directives: readonly DirectiveNode[] | undefined): Shape {
    const shape: Shape = { flatten: false, first: false, singleton: false, slice: undefined };
    for (const node of directives ?? []) {
      const name = node.name.value;
      if (isCondition(name)) continue;
      const given = this.#arguments(node.arguments);
      if (name === 'slice') {
        const path = given.get('path') ?? given.get('fhirpath');
        if (typeof path !== 'string' || given.size > 1) {
          throw new GraphqlError('@slice takes path, a FHIRPath expression as text.', placeOf(node));
        }
        shape.slice = path;
      } else if ((name === 'flatten' || name === 'first' || name === 'singleton') && given.size === 0) {
        shape[name] = true;
      } else {
        throw new GraphqlError(
          `@${name} is not understood${given.size > 0 ? ' with an argument' : ''}; there are @skip, @include, @flatten, @first, @singleton and @slice.`,
          placeOf(node),
        );
      }
    }
    return shape;
  }
}

function isCondition(directive: string): boolean {
  return directive === 'skip' || directive === 'include';
}
