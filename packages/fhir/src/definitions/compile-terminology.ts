/**
 * Compiles the published value sets and code systems of R4 (HL7's own, v2 tables and v3, ISO's countries and currencies)
 * into lines of JSON: what says which codes there are and which lie below which, without the words.
 */
import type {
  CodeSystem,
  CodeSystemConcept,
  CodeSystemConceptProperty,
  ValueSet,
  ValueSetComposeInclude,
  ValueSetExpansionContains,
} from '@medplum/fhirtypes';
import { publishedResources } from './compile.ts';

/** Changes whenever the lines do, so that kept ones of another shape are not used. */
export const TERMINOLOGY_FORMAT = 1;

const files = ['valuesets.json', 'v2-tables.json', 'v3-codesystems.json', 'valuesets-medplum-generated.json'];
/** Languages as they are made up of parts have no list of all codes, whatever the published file says. */
const endless = 'urn:ietf:bcp:47';

/** A line for each resource, which begins with its type, URL and version; of several versions the newest comes first. */
export function compileTerminology(): string {
  const resources = files.flatMap(publishedResources).filter(isTerminology);
  resources.reverse();
  return resources.map((resource) => `${JSON.stringify(compiled(resource))}\n`).join('');
}

function isTerminology(resource: { resourceType: string; url?: string }): resource is CodeSystem | ValueSet {
  return ['CodeSystem', 'ValueSet'].includes(resource.resourceType) && resource.url !== endless;
}

function compiled(resource: CodeSystem | ValueSet): object {
  const { resourceType, url, version } = resource;
  if (resource.resourceType === 'CodeSystem') {
    const { content, concept } = resource;
    return { resourceType, url, version, content, concept: concept?.map(compiledConcept) };
  }
  const { compose, expansion } = resource;
  return {
    resourceType,
    url,
    version,
    compose: compose && { include: compose.include?.map(compiledPart), exclude: compose.exclude?.map(compiledPart) },
    expansion: expansion && { contains: expansion.contains?.map(compiledContained) },
  };
}

function compiledConcept({ code, concept, property }: CodeSystemConcept): object {
  const relations = property?.filter(isRelation);
  return {
    code,
    concept: concept?.map(compiledConcept),
    property: relations?.length ? relations : undefined,
  };
}

function isRelation({ code }: CodeSystemConceptProperty): boolean {
  return code === 'parent' || code === 'child';
}

function compiledPart({ system, concept, filter, valueSet }: ValueSetComposeInclude): object {
  return { system, concept: concept?.map(({ code }) => ({ code })), filter, valueSet };
}

function compiledContained({ system, code, contains }: ValueSetExpansionContains): object {
  return { system, code, contains: contains?.map(compiledContained) };
}
