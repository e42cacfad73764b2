/**
 * A person's record as `$everything` gives it, sorted for the chart: by type, withdrawn statements apart.
 */
import type { Patient, Resource, ResourceType } from '@medplum/fhirtypes';
import { isWithdrawn } from './source.ts';

export interface PersonRecord {
  patient: Patient | undefined;
  /** Every statement that stands, by resource type; the Patient itself is not among them. */
  byType: Partial<Record<ResourceType, Resource[]>>;
  /** Statements their source withdrew (`entered-in-error`). */
  withdrawn: Resource[];
  /** `Type/id` → resource, for the references between them. */
  byReference: ReadonlyMap<string, Resource>;
  /** How many facts stand. */
  factCount: number;
}

/** Types that serve other facts, or keep books on them, and are no facts about the person on their own. */
const SUPPORTING = new Set<string>([
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'Medication',
  'Provenance',
  'Binary',
  'OperationOutcome',
  'Specimen',
  'ServiceRequest',
  'Account',
  'Composition',
  'Device',
]);

/**
 * @param resources all pages of `$everything`
 * @param patientId the id by which the person was asked for; chooses among several Patients
 */
export function readRecord(resources: readonly Resource[], patientId: string): PersonRecord {
  const byReference = new Map(resources.map((resource) => [`${resource.resourceType}/${resource.id}`, resource]));
  const patients = resources.filter((resource) => resource.resourceType === 'Patient');
  const byType: PersonRecord['byType'] = {};
  const withdrawn: Resource[] = [];
  let factCount = 0;
  for (const resource of byReference.values()) {
    if (resource.resourceType === 'Patient') continue;
    const isFact = !SUPPORTING.has(resource.resourceType);
    if (isFact && isWithdrawn(resource)) {
      withdrawn.push(resource);
      continue;
    }
    byType[resource.resourceType] ??= [];
    byType[resource.resourceType]!.push(resource);
    if (isFact) factCount += 1;
  }
  return {
    patient: patients.find((patient) => patient.id === patientId) ?? patients[0],
    byType,
    withdrawn,
    byReference,
    factCount,
  };
}

/** The standing statements of one type. */
export function factsOf<T extends ResourceType>(record: PersonRecord, type: T) {
  return (record.byType[type] ?? []) as Extract<Resource, { resourceType: T }>[];
}

/** Types on record that the chart has no section of its own for, so that nothing is left out in silence. */
export function otherTypes(record: PersonRecord, shown: ReadonlySet<string>): ResourceType[] {
  return (Object.keys(record.byType) as ResourceType[]).filter((type) => !SUPPORTING.has(type) && !shown.has(type));
}

/** The resource a reference names: contained in `holder`, or elsewhere in the record. */
export function resolve(record: PersonRecord, reference: string | undefined, holder?: Resource): Resource | undefined {
  if (!reference) return undefined;
  if (reference.startsWith('#')) {
    const contained = (holder as { contained?: Resource[] } | undefined)?.contained;
    return contained?.find((resource) => resource.id === reference.slice(1));
  }
  return record.byReference.get(reference.split('/').slice(-2).join('/'));
}
