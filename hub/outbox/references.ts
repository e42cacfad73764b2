/** Which of the resources that a focus refers to a message tells of. */
import type { Resource } from '@medplum/fhirtypes';
import { ridOf } from '../record/index.ts';

export interface Reference {
  type: string;
  rid: string;
}

/** Who, where and with what: told wherever they are named. */
const parties = new Set([
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'Device',
  'Medication',
  'Specimen',
  'HealthcareService',
  'RelatedPerson',
]);

/** What a focus tells of besides: by its type, the elements and the types of what they refer to. */
const told: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  DiagnosticReport: { result: ['Observation'], basedOn: ['ServiceRequest'], encounter: ['Encounter'] },
  DocumentReference: { context: ['Encounter'] },
  Encounter: { diagnosis: ['Condition'] },
  Immunization: { encounter: ['Encounter'] },
  MedicationRequest: { basedOn: ['MedicationRequest'], encounter: ['Encounter'] },
  Task: { focus: ['ServiceRequest'], basedOn: ['ServiceRequest'] },
  ServiceRequest: { encounter: ['Encounter'], reasonReference: ['Condition'] },
};

/** The references of a resource that are followed; of the focus more than of what it refers to. */
export function referencesOf(resource: Resource, isFocus: boolean): Reference[] {
  const found: Reference[] = [];
  const own = isFocus ? (told[resource.resourceType] ?? {}) : {};
  for (const [name, value] of Object.entries(resource)) walk(value, new Set(own[name] ?? []), found);
  return found;
}

function walk(value: unknown, more: ReadonlySet<string>, found: Reference[]): void {
  if (Array.isArray(value)) for (const item of value) walk(item, more, found);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      if (name !== 'reference' || typeof inner !== 'string') walk(inner, more, found);
      else {
        const [, type, id] = /^([A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/.exec(inner) ?? [];
        if (type !== undefined && id !== undefined && (parties.has(type) || more.has(type)))
          found.push({ type, rid: ridOf(id) });
      }
    }
  }
}
