/**
 * The definitions in use. A caller with a kept artifact hands it to `loadDefinitions` at start; without one they are
 * compiled from the npm package at the first use.
 */
import type { DefinitionsArtifact, ElementDefinition, SearchParameterDefinition, TypeDefinition } from './artifact.ts';
import { ARTIFACT_FORMAT } from './artifact.ts';
import { compileDefinitions } from './compile.ts';

/** The artifact with what is looked up often. */
export class Definitions {
  readonly artifact: DefinitionsArtifact;
  readonly parametersByUrl: Map<string, SearchParameterDefinition>;
  /** What others derive from the definitions, made when first asked for. */
  readonly derived = new Map<string, unknown>();
  private readonly properties = new Map<string, Map<string, Property>>();

  constructor(artifact: DefinitionsArtifact) {
    this.artifact = artifact;
    this.parametersByUrl = new Map(artifact.searchParameters.map((parameter) => [parameter.url, parameter]));
  }

  type(name: string): TypeDefinition | undefined {
    return Object.hasOwn(this.artifact.types, name) ? this.artifact.types[name] : undefined;
  }

  /** The JSON properties of a type: a choice element gives one for each of its types. */
  propertiesOf(typeName: string): Map<string, Property> {
    const known = this.properties.get(typeName);
    if (known !== undefined) return known;
    const properties = new Map<string, Property>();
    const definition = this.type(typeName);
    const summary = new Set(definition?.summary);
    for (const [position, element] of (definition?.elements ?? []).entries()) {
      const [name, , , types] = element;
      const inSummary = summary.has(position);
      if (!name.endsWith('[x]')) {
        properties.set(name, { name, element, type: types[0] ?? 'Element', choice: undefined, inSummary });
        continue;
      }
      const choice = name.slice(0, -3);
      for (const type of types) {
        const property = choice + type[0]?.toUpperCase() + type.slice(1);
        properties.set(property, { name: property, element, type, choice, inSummary });
      }
    }
    this.properties.set(typeName, properties);
    return properties;
  }
}

/** One JSON property and the element it belongs to. */
export interface Property {
  name: string;
  element: ElementDefinition;
  type: string;
  /** `value` for `valueQuantity`. */
  choice: string | undefined;
  /** Whether `_summary=true` holds it. */
  inSummary: boolean;
}

let current: Definitions | undefined;

/** Uses an artifact from now on; returns false, and changes nothing, when it has another format. */
export function loadDefinitions(artifact: DefinitionsArtifact): boolean {
  if (artifact?.format !== ARTIFACT_FORMAT) return false;
  current = new Definitions(artifact);
  return true;
}

/** The definitions in use, compiled now if none were loaded. */
export function definitions(): Definitions {
  current ??= new Definitions(compileDefinitions());
  return current;
}

/** The names of all elements of R4 that can have one of these types, such as `uri`. */
export function elementNamesOf(types: readonly string[]): ReadonlySet<string> {
  const defs = definitions();
  const key = `names of ${types.join()}`;
  let names = defs.derived.get(key) as Set<string> | undefined;
  if (names === undefined) {
    names = new Set();
    for (const type of Object.keys(defs.artifact.types)) {
      for (const property of defs.propertiesOf(type).values()) {
        if (types.includes(property.type)) names.add(property.name);
      }
    }
    defs.derived.set(key, names);
  }
  return names;
}
