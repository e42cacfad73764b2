/**
 * Makes a resource fit for its profile of the guide. What a profile demands and the record lacks is said to be unknown;
 * nothing is made up. What fits no profile all the same (a corrected result: the guide knows final ones only) is told as it
 * is and claims none, which the guide's open slices allow.
 */
import type {
  AllergyIntolerance,
  Condition,
  Device,
  DiagnosticReport,
  HumanName,
  ImagingStudy,
  Organization,
  Patient,
  Practitioner,
  Resource,
  Specimen,
} from '@medplum/fhirtypes';
import { absent, isChosen, isThere } from './absent.ts';
import { ipsProfile } from './codes.ts';
import { fitObservation } from './fit-observation.ts';

/** What is asked of resources beyond themselves. */
export interface Surroundings {
  /** `Patient/[id]`. */
  patient: string;
  /** Whether a device is one that the patient uses, not one that measured something. */
  isUsed(device: Device): boolean;
}

/** A copy that fits, with the profile that it meets. */
export function fit(resource: Resource, around: Surroundings): Resource {
  return withContained(fitted(resource, around));
}

function fitted(resource: Resource, around: Surroundings): Resource {
  switch (resource.resourceType) {
    case 'Patient':
      return claiming('Patient-uv-ips', fitPatient(resource));
    case 'AllergyIntolerance':
      return claiming('AllergyIntolerance-uv-ips', fitAllergy(resource));
    case 'Condition':
      return claiming('Condition-uv-ips', fitCondition(resource));
    case 'MedicationStatement':
      return claiming('MedicationStatement-uv-ips', timed(resource, 'effective'));
    case 'MedicationRequest':
      return claiming('MedicationRequest-uv-ips', resource);
    case 'Medication':
      return claiming('Medication-uv-ips', having(resource, 'code'));
    case 'Immunization':
      return claiming('Immunization-uv-ips', timed(resource, 'occurrence'));
    case 'Procedure':
      return claiming('Procedure-uv-ips', timed(having(resource, 'code'), 'performed'));
    case 'DeviceUseStatement':
      return claiming('DeviceUseStatement-uv-ips', timed(resource, 'timing'));
    case 'Device':
      return fitDevice(resource, around);
    case 'DiagnosticReport':
      return fitReport(resource);
    case 'Observation':
      return fitObservation(resource);
    case 'Organization':
      return claiming('Organization-uv-ips', having<Organization>(resource, 'name'));
    case 'Practitioner':
      return claiming('Practitioner-uv-ips', fitPractitioner(resource));
    case 'PractitionerRole':
      return claiming('PractitionerRole-uv-ips', resource);
    case 'Specimen':
      return claiming('Specimen-uv-ips', having<Specimen>(resource, 'type'));
    case 'ImagingStudy':
      return claiming<ImagingStudy>('ImagingStudy-uv-ips', resource);
    default:
      return resource;
  }
}

/** A medication that a resource contains has to have a code too. */
function withContained(resource: Resource): Resource {
  const { contained } = resource as { contained?: Resource[] };
  if (!contained?.some(({ resourceType }) => resourceType === 'Medication')) return resource;
  const coded = contained.map((one) => (one.resourceType === 'Medication' ? having(one, 'code') : one));
  return { ...resource, contained: coded } as Resource;
}

/** The resource with a profile beside those that it claims. */
export function claiming<T extends Resource>(profile: string, resource: T): T {
  const url = ipsProfile(profile);
  const { meta } = resource;
  if (meta?.profile?.includes(url)) return resource;
  return { ...resource, meta: { ...meta, profile: [...(meta?.profile ?? []), url] } };
}

/** The resource with an element that it has to have. Primitive elements say so beside their name. */
function having<T extends Resource>(resource: T, name: string): T {
  if (isThere(resource, name)) return resource;
  const isPrimitive = resource.resourceType === 'Organization' && name === 'name';
  return { ...resource, [isPrimitive ? `_${name}` : name]: absent() };
}

/** The resource with a time `stem[x]` that it has to have. */
export function timed<T extends Resource>(resource: T, stem: string): T {
  return isChosen(resource, stem) ? resource : { ...resource, [`_${stem}DateTime`]: absent() };
}

/** What links the Patient to those of its sources is no part of a summary: they are not in it. */
function fitPatient({ link: _, ...patient }: Patient): Patient {
  const names = (patient.name ?? [{}]).map((name) => (isNamed(name) ? name : { ...name, _text: absent() }));
  const fitted: Patient = { ...patient, name: names };
  return isThere(patient, 'birthDate') ? fitted : ({ ...fitted, _birthDate: absent() } as Patient);
}

/** Invariant ips-pat-1. */
function isNamed(name: HumanName): boolean {
  return ['family', 'given', 'text'].some((part) => isThere(name, part));
}

function fitPractitioner(practitioner: Practitioner): Practitioner {
  return practitioner.name === undefined ? { ...practitioner, name: [absent() as HumanName] } : practitioner;
}

/** Invariant ait-1 of R4. */
function fitAllergy(allergy: AllergyIntolerance): AllergyIntolerance {
  return allergy.clinicalStatus === undefined ? { ...allergy, clinicalStatus: absent() } : allergy;
}

/** Where a condition has abated and says nothing else, it is inactive: remission and resolution are kinds of that (con-4). */
function fitCondition(condition: Condition): Condition {
  const coded = having(condition, 'code');
  if (condition.clinicalStatus !== undefined) return coded;
  const system = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
  const abated = { coding: [{ system, code: 'inactive' }] };
  return { ...coded, clinicalStatus: isChosen(condition, 'abatement') ? abated : absent() };
}

/** Whoever uses a device is the patient that it is of. */
function fitDevice(device: Device, around: Surroundings): Device {
  if (!around.isUsed(device)) return claiming('Device-observer-uv-ips', device);
  return claiming('Device-uv-ips', device.patient ? device : { ...device, patient: { reference: around.patient } });
}

/** Of a report’s categories the profile takes one: the first by which results are told apart, or the first. */
function fitReport(report: DiagnosticReport): DiagnosticReport {
  const { category = [] } = report;
  const service = category.find(({ coding }) =>
    coding?.some(({ system }) => system === 'http://terminology.hl7.org/CodeSystem/v2-0074'),
  );
  const one = service ?? category[0] ?? absent();
  const fitted = timed({ ...report, category: [one] }, 'effective');
  return report.status === 'final' ? claiming('DiagnosticReport-uv-ips', fitted) : fitted;
}
