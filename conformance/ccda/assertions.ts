/** What resources say to be so, and what not: by type and code, for statements of which a denial must stay one. */
import type { CodeableConcept, Resource } from '@medplum/fhirtypes';

export type Said = 'so' | 'not so';

/** For each `Type code` how it is said; both when it is said twice. */
export function assertions(resources: readonly Resource[]): Map<string, Set<Said>> {
  const found = new Map<string, Set<Said>>();
  for (const resource of resources) {
    const concept = conceptOf(resource);
    const code = concept?.coding?.[0]?.code ?? concept?.text;
    if (code === undefined) continue;
    const key = `${resource.resourceType.replace(/^Medication.*/, 'Medication')} ${code}`;
    const known = found.get(key) ?? new Set<Said>();
    found.set(key, known.add(isDenied(resource) ? 'not so' : 'so'));
  }
  return found;
}

function conceptOf(resource: Resource): CodeableConcept | undefined {
  switch (resource.resourceType) {
    case 'AllergyIntolerance':
    case 'Condition':
    case 'Procedure':
    case 'ServiceRequest':
      return resource.code;
    case 'Immunization':
      return resource.vaccineCode;
    case 'MedicationRequest':
    case 'MedicationStatement':
      return resource.medicationCodeableConcept;
    default:
      return undefined;
  }
}

function isDenied(resource: Resource): boolean {
  const { verificationStatus, status, doNotPerform } = resource as {
    verificationStatus?: CodeableConcept;
    status?: string;
    doNotPerform?: boolean;
  };
  return (
    verificationStatus?.coding?.[0]?.code === 'refuted' ||
    doNotPerform === true ||
    status === 'not-taken' ||
    status === 'not-done'
  );
}
