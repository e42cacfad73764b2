/** Statements that their source takes back as a whole. */
import type { Resource } from '@medplum/fhirtypes';

/** Where each type says that it was entered in error; what tells of no statement about a patient is not withdrawn. */
const STATUS: Readonly<Record<string, 'status' | 'verificationStatus' | 'lifecycleStatus'>> = {
  AllergyIntolerance: 'verificationStatus',
  CarePlan: 'status',
  CareTeam: 'status',
  Communication: 'status',
  Condition: 'verificationStatus',
  Coverage: 'status',
  DeviceRequest: 'status',
  DeviceUseStatement: 'status',
  DiagnosticReport: 'status',
  DocumentReference: 'status',
  Encounter: 'status',
  FamilyMemberHistory: 'status',
  Goal: 'lifecycleStatus',
  Immunization: 'status',
  Media: 'status',
  MedicationDispense: 'status',
  MedicationRequest: 'status',
  MedicationStatement: 'status',
  Observation: 'status',
  Procedure: 'status',
  ServiceRequest: 'status',
};

const VERIFICATION: Readonly<Record<string, string>> = {
  AllergyIntolerance: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification',
  Condition: 'http://terminology.hl7.org/CodeSystem/condition-ver-status',
};

const ERROR = 'entered-in-error';

/** Whether resources of a type can be withdrawn: people, places, and what is known of documents stay. */
export function canBeWithdrawn(type: string): boolean {
  return Object.hasOwn(STATUS, type);
}

/** The resource as entered in error, all else as it was; undefined where it is so already, or its type cannot be. */
export function withdrawn(resource: Resource): Resource | undefined {
  const { resourceType: type } = resource;
  if (!canBeWithdrawn(type)) return undefined;
  const element = STATUS[type]!;
  const known = (resource as unknown as Record<string, unknown>)[element];
  if (element !== 'verificationStatus') {
    return known === ERROR ? undefined : ({ ...resource, [element]: ERROR } as Resource);
  }
  const codings = (known as { coding?: { code?: string }[] } | undefined)?.coding ?? [];
  if (codings.some(({ code }) => code === ERROR)) return undefined;
  // Invariants con-5 and ait-2: what was entered in error has no clinical status.
  const { clinicalStatus: _, ...rest } = resource as unknown as Record<string, unknown>;
  const status = { coding: [{ system: VERIFICATION[type]!, code: ERROR }] };
  return { ...rest, verificationStatus: status } as unknown as Resource;
}
