/**
 * How a summary says that something is not known: data-absent-reason where a profile demands an element that the record
 * lacks, and the guide's own codes where there is nothing to list.
 */
import type { CodeableConcept, Element, Resource } from '@medplum/fhirtypes';
import { ABSENT_UNKNOWN, ipsProfile } from './codes.ts';

const DATA_ABSENT_REASON = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';

/** An element of which it is not known what it is. */
export function absent(): Element {
  return { extension: [{ url: DATA_ABSENT_REASON, valueCode: 'unknown' }] };
}

/** Whether an element, also a primitive one, is there. */
export function isThere(holder: object, name: string): boolean {
  return Object.hasOwn(holder, name) || Object.hasOwn(holder, `_${name}`);
}

/** Whether an element `stem[x]` is there in any of its types. */
export function isChosen(holder: object, stem: string): boolean {
  return Object.keys(holder).some((key) => new RegExp(`^_?${stem}[A-Z]`).test(key));
}

const NO_INFORMATION = {
  medications: { code: 'no-medication-info', display: 'No information about medications' },
  allergies: { code: 'no-allergy-info', display: 'No information about allergies' },
  problems: { code: 'no-problem-info', display: 'No information about problems' },
} as const;

export type Demanded = keyof typeof NO_INFORMATION;

/** The resource that stands in a section of the guide that has to have an entry, where the record has none for it. */
export function noInformation(kind: Demanded, id: string, patient: string): Resource {
  const concept: CodeableConcept = { coding: [{ system: ABSENT_UNKNOWN, ...NO_INFORMATION[kind] }] };
  const reference = { reference: patient };
  const status = (system: string) => ({
    coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code: 'active' }],
  });
  const meta = (name: string) => ({ profile: [ipsProfile(name)] });
  switch (kind) {
    case 'medications':
      return {
        resourceType: 'MedicationStatement',
        id,
        meta: meta('MedicationStatement-uv-ips'),
        status: 'unknown',
        medicationCodeableConcept: concept,
        subject: reference,
        _effectiveDateTime: absent(),
      } as Resource;
    case 'allergies':
      return {
        resourceType: 'AllergyIntolerance',
        id,
        meta: meta('AllergyIntolerance-uv-ips'),
        clinicalStatus: status('allergyintolerance-clinical'),
        code: concept,
        patient: reference,
      };
    case 'problems':
      return {
        resourceType: 'Condition',
        id,
        meta: meta('Condition-uv-ips'),
        clinicalStatus: status('condition-clinical'),
        code: concept,
        subject: reference,
      };
  }
}
