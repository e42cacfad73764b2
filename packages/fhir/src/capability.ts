/** What the definitions contribute to a CapabilityStatement (https://hl7.org/fhir/R4/capabilitystatement.html). */
import type { CapabilityStatementRestResource, CapabilityStatementRestResourceSearchParam } from '@medplum/fhirtypes';
import { resourceTypes } from './resource-types.ts';
import { searchParameters } from './search/parameters.ts';

/**
 * One `rest.resource` for each given type (all of R4 by default) with its search parameters. Interactions, versioning
 * and includes are the server's to add; `supports` leaves out parameters its search cannot answer.
 */
export function capabilityResources(
  types: readonly string[] = resourceTypes(),
  supports: (type: string, code: string) => boolean = () => true,
): CapabilityStatementRestResource[] {
  return types.map((type) => ({
    type: type as CapabilityStatementRestResource['type'],
    profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
    searchParam: searchParameters(type)
      .filter((parameter) => supports(type, parameter.code))
      .map((parameter) => ({
        name: parameter.code,
        definition: parameter.url,
        type: parameter.type as CapabilityStatementRestResourceSearchParam['type'],
      })),
  }));
}
