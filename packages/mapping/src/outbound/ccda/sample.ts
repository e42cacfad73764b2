/** A person's record for tests: made up, with each kind of statement once. */
import type { Encounter, Organization, Patient, Resource } from '@medplum/fhirtypes';
import type { CcdaOptions } from './writer.ts';

const LOINC = 'http://loinc.org';
const SNOMED = 'http://snomed.info/sct';
const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem/';
const subject = { reference: 'Patient/7d1f0f5e-1111-4a11-8a11-000000000001' };

export const PATIENT: Patient = {
  resourceType: 'Patient',
  id: '7d1f0f5e-1111-4a11-8a11-000000000001',
  identifier: [{ system: 'urn:oid:2.16.840.1.113883.19.5', value: 'P-17' }],
  name: [{ use: 'usual', family: "O'Brien & Söhne", given: ['Ada', 'M.'] }],
  gender: 'female',
  birthDate: '1957-03',
  address: [{ use: 'home', line: ['4 Mill Lane', 'Flat 2'], city: 'Harbor', state: 'Maine', postalCode: '04001' }],
  telecom: [{ system: 'phone', value: '+1 207 555 0101', use: 'home' }],
  communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en' }] }, preferred: true }],
};

export const CUSTODIAN: Organization = {
  resourceType: 'Organization',
  id: '7d1f0f5e-1111-4a11-8a11-000000000002',
  identifier: [{ system: 'urn:oid:2.16.840.1.113883.19', value: 'HUB' }],
  name: 'Harbor Region',
  telecom: [{ system: 'phone', value: '+1 207 555 0100', use: 'work' }],
  address: [{ line: ['1 Quay'], city: 'Harbor', state: 'ME', postalCode: '04001', country: 'US' }],
};

export const OPTIONS: CcdaOptions = {
  kind: 'ccd',
  id: '7d1f0f5e-1111-4a11-8a11-000000000003',
  time: '2026-03-05T10:15:00-05:00',
  custodian: CUSTODIAN,
  software: { manufacturer: 'Causeway', name: 'Causeway' },
};

export const STAY: Encounter = {
  resourceType: 'Encounter',
  id: '7d1f0f5e-1111-4a11-8a11-000000000004',
  status: 'finished',
  class: { system: `${TERMINOLOGY}v3-ActCode`, code: 'IMP', display: 'inpatient encounter' },
  subject,
  period: { start: '2026-02-01T08:00:00-05:00', end: '2026-02-04T11:30:00-05:00' },
  diagnosis: [{ condition: { reference: 'Condition/7d1f0f5e-1111-4a11-8a11-000000000010' } }],
  hospitalization: {
    dischargeDisposition: {
      coding: [{ system: `${TERMINOLOGY}discharge-disposition`, code: 'home', display: 'Home' }],
    },
  },
};

function concept(system: string, code: string, display?: string) {
  return { coding: [{ system, code, display }] };
}

/** The record, with the stay. */
export function record(): Resource[] {
  return [
    PATIENT,
    {
      resourceType: 'Practitioner',
      id: 'doctor',
      identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' }],
      name: [{ family: 'Ng', given: ['Lee'], suffix: ['MD'] }],
    },
    {
      resourceType: 'AllergyIntolerance',
      id: '7d1f0f5e-1111-4a11-8a11-000000000005',
      patient: subject,
      clinicalStatus: concept(`${TERMINOLOGY}allergyintolerance-clinical`, 'active'),
      verificationStatus: concept(`${TERMINOLOGY}allergyintolerance-verification`, 'confirmed'),
      type: 'allergy',
      category: ['medication'],
      criticality: 'high',
      code: concept(RXNORM, '7980', 'penicillin G'),
      onsetDateTime: '1998',
      recorder: { reference: 'Practitioner/doctor' },
      reaction: [{ manifestation: [concept(SNOMED, '247472004', 'Wheal')], severity: 'moderate' }],
    },
    {
      resourceType: 'Condition',
      id: '7d1f0f5e-1111-4a11-8a11-000000000010',
      subject,
      clinicalStatus: concept(`${TERMINOLOGY}condition-clinical`, 'active'),
      verificationStatus: concept(`${TERMINOLOGY}condition-ver-status`, 'confirmed'),
      category: [concept(`${TERMINOLOGY}condition-category`, 'problem-list-item')],
      code: {
        coding: [{ system: SNOMED, code: '38341003', display: 'Hypertension' }],
        text: 'High blood pressure <treated>',
      },
      onsetDateTime: '2019-06',
      note: [{ text: 'Checked at home & by us' }],
    },
    {
      resourceType: 'MedicationStatement',
      id: '7d1f0f5e-1111-4a11-8a11-000000000011',
      subject,
      status: 'active',
      medicationCodeableConcept: concept(RXNORM, '314076', 'lisinopril 10 MG Oral Tablet'),
      effectivePeriod: { start: '2019-07-01' },
      dosage: [
        {
          text: 'One tablet each morning',
          timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } },
          doseAndRate: [{ doseQuantity: { value: 1 } }],
        },
      ],
    },
    {
      resourceType: 'Observation',
      id: '7d1f0f5e-1111-4a11-8a11-000000000012',
      subject,
      status: 'final',
      category: [concept(`${TERMINOLOGY}observation-category`, 'laboratory')],
      code: concept(LOINC, '2345-7', 'Glucose'),
      effectiveDateTime: '2026-02-02T07:10:00-05:00',
      valueQuantity: { value: 110, unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' },
      interpretation: [concept(`${TERMINOLOGY}v3-ObservationInterpretation`, 'H')],
      referenceRange: [{ low: { value: 70, unit: 'mg/dL' }, high: { value: 99, unit: 'mg/dL' } }],
    },
    {
      resourceType: 'Observation',
      id: '7d1f0f5e-1111-4a11-8a11-000000000013',
      subject,
      status: 'final',
      category: [concept(`${TERMINOLOGY}observation-category`, 'vital-signs')],
      code: concept(LOINC, '85354-9', 'Blood pressure panel'),
      effectiveDateTime: '2026-02-02T07:00:00-05:00',
      component: [
        {
          code: concept(LOINC, '8480-6', 'Systolic'),
          valueQuantity: { value: 142, unit: 'mm[Hg]', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
        },
        {
          code: concept(LOINC, '8462-4', 'Diastolic'),
          valueQuantity: { value: 88, unit: 'mm[Hg]', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
        },
      ],
    },
    {
      resourceType: 'Procedure',
      id: '7d1f0f5e-1111-4a11-8a11-000000000014',
      subject,
      status: 'completed',
      code: concept(SNOMED, '80146002', 'Appendectomy'),
      performedDateTime: '1975',
    },
    STAY,
  ];
}
