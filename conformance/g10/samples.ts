/** Resources of our own, so that each profile of US Core has one to be searched for, whatever else is loaded. */
import type { Json } from './matches.ts';
import type { Profile } from './us-core.ts';

const codes = (system: string, code: string) => ({ coding: [{ system, code }], text: code });
const loinc = 'http://loinc.org';
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const subject = { reference: 'Patient/sampled' };
const patient = subject;
const practitioner = { reference: 'Practitioner/sample-practitioner' };
const organization = { reference: 'Organization/sample-organization' };
const at = '2026-03-04T10:30:00Z';
const medicationReference = { reference: 'Medication/sample-medication' };
const address = [{ line: ['1 Quay Street'], city: 'Ellery Bay', state: 'MA', postalCode: '02101', country: 'US' }];
const identifier = [{ system: 'urn:sampled', value: 'S-1' }];

/** What others refer to; their ids are fixed. */
export const shared: readonly Json[] = [
  {
    resourceType: 'Organization',
    id: 'sample-organization',
    active: true,
    name: 'Sampled Clinic',
    address,
    identifier,
  },
  {
    resourceType: 'Practitioner',
    id: 'sample-practitioner',
    identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' }],
    name: [{ family: 'Sampler', given: ['Sam'] }],
  },
  {
    resourceType: 'Medication',
    id: 'sample-medication',
    code: codes('http://www.nlm.nih.gov/research/umls/rxnorm', '1049221'),
  },
  { resourceType: 'Location', id: 'sample-location', status: 'active', name: 'Sampled Ward', address: address[0] },
  {
    resourceType: 'Patient',
    id: 'sampled',
    identifier: [{ system: 'urn:sampled:mrn', value: 'M-77' }],
    name: [{ family: 'Ünderhill', given: ['Sampled'] }],
    gender: 'female',
    birthDate: '1980-05-06',
  },
  {
    resourceType: 'Encounter',
    id: 'sample-encounter',
    status: 'finished',
    class: { system: actCode, code: 'AMB' },
    type: [codes('http://snomed.info/sct', '308335008')],
    subject,
    period: { start: at, end: '2026-03-04T11:00:00Z' },
    location: [{ location: { reference: 'Location/sample-location' } }],
  },
];

/** By type what a resource of it needs. */
const bare: { [type: string]: Json } = {
  AllergyIntolerance: { patient, code: codes('http://snomed.info/sct', '91936005') },
  CarePlan: { status: 'active', intent: 'plan', subject },
  CareTeam: { status: 'active', subject, participant: [{ role: [{ text: 'doctor' }], member: practitioner }] },
  Condition: { subject, code: codes('http://snomed.info/sct', '38341003'), recordedDate: '2026-03-04' },
  Coverage: { status: 'active', beneficiary: patient, payor: [organization] },
  Device: { patient, type: codes('http://snomed.info/sct', '72506001') },
  DiagnosticReport: { status: 'final', subject, code: codes(loinc, '58410-2'), effectiveDateTime: at, issued: at },
  DocumentReference: {
    status: 'current',
    subject,
    date: at,
    content: [{ attachment: { contentType: 'text/plain', data: 'Tm90ZQ==' } }],
  },
  Goal: { lifecycleStatus: 'active', subject, description: { text: 'walk' }, startDate: '2026-03-04' },
  Immunization: {
    status: 'completed',
    patient,
    vaccineCode: codes('http://hl7.org/fhir/sid/cvx', '140'),
    occurrenceDateTime: at,
  },
  Location: { name: 'Sampled Annex', address: address[0] },
  MedicationDispense: { status: 'completed', subject, medicationReference, whenHandedOver: at },
  MedicationRequest: { status: 'active', intent: 'order', subject, medicationReference, authoredOn: at },
  Observation: { status: 'final', subject, code: codes(loinc, '718-7'), effectiveDateTime: at, valueString: 'seen' },
  Organization: { name: 'Sampled Clinic Two', address, identifier },
  Practitioner: { name: [{ family: 'Second', given: ['Sampler'] }], identifier },
  PractitionerRole: {
    practitioner,
    organization,
    specialty: [codes('http://nucc.org/provider-taxonomy', '207R00000X')],
  },
  Procedure: { status: 'completed', subject, code: codes('http://snomed.info/sct', '80146002'), performedDateTime: at },
  QuestionnaireResponse: {
    status: 'completed',
    subject,
    authored: at,
    questionnaire: 'http://example.org/questionnaire',
  },
  RelatedPerson: { patient, active: true, name: [{ family: 'Sampled', given: ['Parent'] }] },
  ServiceRequest: { status: 'active', intent: 'order', subject, code: codes(loinc, '24357-6'), authoredOn: at },
  Specimen: { subject, type: codes('http://snomed.info/sct', '119297000') },
};

/** A resource with the codes that a profile expects; undefined where it has none of its own. */
export function sampleOf({ version, name, resource, definitions }: Profile): Json | undefined {
  const own = bare[resource];
  if (!own) return undefined;
  const coded: Json = {};
  for (const element of ['category', 'code', 'type']) {
    const [value] = definitions.get(element)?.values ?? [];
    if (value === undefined) continue;
    const concept = codes(/^\d{3,5}-\d$|^L[AP]\d+-\d$/.test(value) ? loinc : `urn:sampled:${element}`, value);
    coded[element] = element === 'category' ? [concept] : concept;
  }
  return { resourceType: resource, id: idOf(`sample-${version}-${name}`), ...own, ...coded };
}

function idOf(text: string): string {
  return text.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 64);
}

/** A Provenance of a resource. */
export function provenanceOf({ resourceType, id }: Json): Json {
  return {
    resourceType: 'Provenance',
    id: `of-${id}`.slice(0, 64),
    target: [{ reference: `${resourceType}/${id}` }],
    recorded: at,
    agent: [{ who: practitioner, onBehalfOf: organization }],
  };
}
