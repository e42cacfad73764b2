/**
 * A change (https://hl7.org/fhir/R4/graphql.html#mutations): `PatientCreate(res:)`, `PatientUpdate(id:, res:)`,
 * `PatientDelete(id:)`. One a request, so that a request changes all that it says or nothing.
 */
import { isResourceType } from '@causeway/fhir';
import type { ArgumentNode, FieldNode, OperationDefinitionNode, ValueNode } from 'graphql/language';
import { GraphqlError, type Location } from './errors.ts';
import type { Change, Resource } from './source.ts';
import { argumentValue, placeOf, type Variables } from './variables.ts';

export interface Mutation {
  /** The name in the answer. */
  key: string;
  change: Change;
  field: FieldNode;
  place: Location | undefined;
}

/**
 * The one change of an operation.
 * @param given the values of variables as they came: a resource among them keeps its own form
 * @throws GraphqlError for several changes, and for what is none
 */
export function mutationOf(
  operation: OperationDefinitionNode,
  variables: Variables,
  given: Readonly<Record<string, unknown>>,
): Mutation {
  const [field, ...others] = operation.selectionSet.selections;
  if (field?.kind !== 'Field' || others.length > 0) {
    const text =
      'A mutation is one field, such as PatientCreate(res: …); a transaction Bundle makes several changes at once.';
    throw new GraphqlError(text, placeOf(operation), 'not-supported');
  }
  const place = placeOf(field);
  const [directive] = [...(operation.directives ?? []), ...(field.directives ?? [])];
  if (directive) throw new GraphqlError(`@${directive.name.value} is not for a mutation.`, place);
  const name = field.name.value;
  const [, type = '', kind] = /^(\w+)(Create|Update|Delete)$/.exec(name) ?? [];
  if (!isResourceType(type)) {
    throw new GraphqlError(
      `${name} is no mutation: there are PatientCreate, PatientUpdate, PatientDelete, and so on.`,
      place,
    );
  }
  if ((kind === 'Delete') === (field.selectionSet !== undefined)) {
    const text =
      kind === 'Delete'
        ? 'gives nothing back: it takes no selections'
        : 'gives the resource back: say in braces what of it';
    throw new GraphqlError(`${name} ${text}.`, place);
  }
  const values = new ChangeArguments(field, operation, variables, given);
  const change: Change =
    kind === 'Create'
      ? { kind: 'create', type, resource: values.resource(type) }
      : kind === 'Update'
        ? { kind: 'update', type, id: values.id(), resource: values.resource(type) }
        : { kind: 'delete', type, id: values.id() };
  values.end();
  return { key: (field.alias ?? field.name).value, change, field, place };
}

class ChangeArguments {
  readonly #name: string;
  readonly #place: Location | undefined;
  readonly #nodes: Map<string, ArgumentNode>;
  readonly #declared: Set<string>;
  readonly #variables: Variables;
  readonly #given: Readonly<Record<string, unknown>>;

  constructor(
    field: FieldNode,
    operation: OperationDefinitionNode,
    variables: Variables,
    given: Readonly<Record<string, unknown>>,
  ) {
    this.#name = field.name.value;
    this.#place = placeOf(field);
    this.#nodes = new Map((field.arguments ?? []).map((node) => [node.name.value, node]));
    if (this.#nodes.size < (field.arguments ?? []).length) throw this.#wrong('has an argument twice');
    this.#declared = new Set((operation.variableDefinitions ?? []).map(({ variable }) => variable.name.value));
    this.#variables = variables;
    this.#given = given;
  }

  id(): string {
    const value = argumentValue(this.#take('id').value, this.#variables);
    if (typeof value !== 'string') throw this.#wrong('needs the argument id, a text');
    return value;
  }

  /** The argument `res`; its type may be left out, since the field says it. */
  resource(type: string): Resource {
    const value = this.#plain(this.#take('res').value);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.#wrong('needs the argument res, a resource');
    }
    return { resourceType: type, ...value };
  }

  /** @throws GraphqlError for arguments that were not taken */
  end(): void {
    const [other] = this.#nodes.keys();
    if (other !== undefined) throw this.#wrong(`takes no argument ${other}`);
  }

  #take(name: string): ArgumentNode {
    const node = this.#nodes.get(name);
    if (!node) throw this.#wrong(`needs the argument ${name}`);
    this.#nodes.delete(name);
    return node;
  }

  /** A value as JSON has it; numbers keep their digits. */
  #plain(node: ValueNode): unknown {
    switch (node.kind) {
      case 'Variable': {
        const name = node.name.value;
        if (this.#declared.has(name) && Object.hasOwn(this.#given, name)) return this.#given[name];
        return argumentValue(node, this.#variables);
      }
      case 'IntValue':
      case 'FloatValue':
        return JSON.rawJSON(node.value);
      case 'NullValue':
        return null;
      case 'ListValue':
        return node.values.map((value) => this.#plain(value));
      case 'ObjectValue': {
        const members = node.fields.map(({ name, value }) => [name.value, this.#plain(value)] as const);
        if (new Set(members.map(([name]) => name)).size < members.length) throw this.#wrong('has a member twice');
        return Object.fromEntries(members);
      }
      default:
        return node.value;
    }
  }

  #wrong(what: string): GraphqlError {
    return new GraphqlError(`${this.#name} ${what}.`, this.#place);
  }
}
