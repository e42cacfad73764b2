/** What a type of FHIR R4 consists of, for readers that follow resources by the names of their JSON properties. */
import { definitions } from './definitions.ts';

/** One JSON property of a type; a choice element gives one for each of its types. */
export interface TypeProperty {
  /** `birthDate`, `valueQuantity`. */
  name: string;
  /** A type name; a backbone element's is its path (`Patient.contact`), any resource's is `Resource`. */
  type: string;
  isList: boolean;
  isPrimitive: boolean;
  /** `value` for `valueQuantity`. */
  choice: string | undefined;
}

const kept = new WeakMap<object, Map<string, ReadonlyMap<string, TypeProperty>>>();

/** The properties of a resource type, a data type or a backbone element, by name; undefined for what is no such type. */
export function typeProperties(typeName: string): ReadonlyMap<string, TypeProperty> | undefined {
  const current = definitions();
  const kind = current.type(typeName)?.kind;
  if (kind === undefined || kind === 'primitive') return undefined;
  let known = kept.get(current);
  if (!known) {
    known = new Map();
    kept.set(current, known);
  }
  let properties = known.get(typeName);
  if (!properties) {
    properties = new Map(
      [...current.propertiesOf(typeName).values()].map(({ name, element, type, choice }) => [
        name,
        { name, type, isList: element[2] !== 1, isPrimitive: current.type(type)?.kind === 'primitive', choice },
      ]),
    );
    known.set(typeName, properties);
  }
  return properties;
}

/** The names of all types that have properties. */
export function complexTypeNames(): string[] {
  return Object.entries(definitions().artifact.types)
    .filter(([, { kind }]) => kind !== 'primitive')
    .map(([name]) => name);
}
