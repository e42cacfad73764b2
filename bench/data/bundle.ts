/**
 * Transaction bundles in the shape that Synthea's exporter gives one person's story: encounters, each with what was
 * found, measured, given and billed, tied together by `urn:uuid:` references: some 18 resources a visit, of 1.1 KB each.
 */
import type { Patient, Resource } from '@medplum/fhirtypes';
import { patientOf, sized, two } from './patient.ts';
import { type Draws, drawsFrom, seedOf } from './random.ts';

/** A transaction and what a client needs to ask for it afterwards. */
export interface PatientStory {
  /** The Bundle's JSON. */
  text: string;
  /** How many resources it creates. */
  resources: number;
  /** Place of the Patient among the entries. */
  patientEntry: number;
  family: string;
  birthDate: string;
}

/** The year of the first visit; one a year follows. */
const firstYear = 2005;

const loinc = 'http://loinc.org';
const snomed = 'http://snomed.info/sct';
const ucum = 'http://unitsofmeasure.org';

/** Code, display, unit, low and high of what is measured at a visit. */
const vitals: [string, string, string, number, number][] = [
  ['8302-2', 'Body Height', 'cm', 150, 195],
  ['29463-7', 'Body Weight', 'kg', 50, 120],
  ['39156-5', 'Body Mass Index', 'kg/m2', 18, 35],
  ['8867-4', 'Heart rate', '/min', 55, 100],
  ['9279-1', 'Respiratory rate', '/min', 12, 18],
  ['72514-3', 'Pain severity', '{score}', 0, 8],
];
const laboratory: [string, string, string, number, number][] = [
  ['2339-0', 'Glucose', 'mg/dL', 65, 140],
  ['6299-2', 'Urea Nitrogen', 'mg/dL', 7, 20],
  ['38483-4', 'Creatinine', 'mg/dL', 1, 3],
  ['2947-0', 'Sodium', 'mmol/L', 136, 144],
  ['6298-4', 'Potassium', 'mmol/L', 3, 5],
  ['4548-4', 'Hemoglobin A1c', '%', 4, 8],
  ['2093-3', 'Total Cholesterol', 'mg/dL', 150, 240],
  ['2571-8', 'Triglycerides', 'mg/dL', 80, 200],
];
const conditions: [string, string][] = [
  ['59621000', 'Essential hypertension'],
  ['44054006', 'Diabetes mellitus type 2'],
  ['195662009', 'Acute viral pharyngitis'],
  ['10509002', 'Acute bronchitis'],
  ['444814009', 'Viral sinusitis'],
];
const medications: [string, string][] = [
  ['314076', 'lisinopril 10 MG Oral Tablet'],
  ['860975', 'metformin 500 MG Oral Tablet'],
  ['308136', 'amlodipine 2.5 MG Oral Tablet'],
];

/** Fewest and most visits of a person whose transaction is as large as Synthea's are on average (390 KB). */
export const syntheaSize: Visits = [16, 21];

/** Fewest and most visits of a story. */
export type Visits = readonly [fewest: number, most: number];

/**
 * The story of person number `serial` of a run; `run` keeps the people of several runs apart.
 * @param patientBytes size of the Patient's JSON where it is not to be 3.5 KB
 */
export function patientStory(
  run: string,
  serial: number,
  [fewest, most]: Visits = [6, 11],
  patientBytes?: number,
): PatientStory {
  const draws = drawsFrom(seedOf(`${run} ${serial}`));
  const entries: { fullUrl: string; resource: Resource; request: { method: 'POST'; url: string } }[] = [];
  const add = (resource: Resource): string => {
    const fullUrl = `urn:uuid:${draws.uuid()}`;
    entries.push({ fullUrl, resource, request: { method: 'POST', url: resource.resourceType } });
    return fullUrl;
  };
  const whole = patientOf(draws, `${run}-${serial}`);
  const patient: Patient = patientBytes === undefined ? whole : sized(whole, patientBytes);
  const subject = { reference: add(patient) };
  const organization = { reference: add(organizationOf(draws)), display: 'Bench Clinic' };
  const practitioner = { reference: add(practitionerOf(draws)), display: 'Dr. Bench' };
  const visits = draws.integer(fewest, most);
  for (let visit = 0; visit < visits; visit++) addVisit(draws, add, { subject, organization, practitioner }, visit);
  return {
    text: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: entries }),
    resources: entries.length,
    patientEntry: 0,
    family: patient.name![0]!.family!,
    birthDate: patient.birthDate!,
  };
}

interface Reference {
  reference: string;
  display?: string;
}

interface Around {
  subject: Reference;
  organization: Reference;
  practitioner: Reference;
}

function addVisit(draws: Draws, add: (resource: Resource) => string, around: Around, visit: number): void {
  const { subject, organization, practitioner } = around;
  const day = `${firstYear + visit}-${two(draws.integer(1, 12))}-${two(draws.integer(1, 28))}`;
  const at = `${day}T${two(draws.integer(8, 16))}:${two(draws.integer(0, 59))}:00-05:00`;
  const encounter = {
    reference: add({
      resourceType: 'Encounter',
      meta: profile('us-core-encounter'),
      identifier: [{ use: 'official', system: 'https://bench.example/encounter', value: draws.uuid() }],
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      type: [concept(snomed, '185349003', 'Encounter for check up (procedure)')],
      subject,
      participant: [
        {
          type: [concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'PPRF', 'primary performer')],
          period: { start: at, end: at },
          individual: practitioner,
        },
      ],
      period: { start: at, end: at },
      serviceProvider: organization,
    }),
  };
  const measured = { subject, encounter, effectiveDateTime: at, issued: at.replace('-05:00', '.000-05:00') };
  for (const [code, display, unit, low, high] of vitals) {
    add(observation(measured, 'vital-signs', code, display, quantity(draws, unit, low, high)));
  }
  add({
    ...observation(measured, 'vital-signs', '85354-9', 'Blood pressure panel', undefined),
    component: (['8480-6', '8462-4'] as const).map((code, i) => ({
      code: concept(loinc, code, i === 0 ? 'Systolic Blood Pressure' : 'Diastolic Blood Pressure'),
      valueQuantity: quantity(draws, 'mm[Hg]', i === 0 ? 100 : 60, i === 0 ? 150 : 95),
    })),
  });
  if (visit % 2 === 0) {
    const result = laboratory.map(([code, display, unit, low, high]) => ({
      reference: add(observation(measured, 'laboratory', code, display, quantity(draws, unit, low, high))),
      display,
    }));
    add({
      resourceType: 'DiagnosticReport',
      meta: profile('us-core-diagnosticreport-lab'),
      status: 'final',
      category: [concept('http://terminology.hl7.org/CodeSystem/v2-0074', 'LAB', 'Laboratory')],
      code: concept(loinc, '51990-0', 'Basic Metabolic Panel'),
      ...measured,
      performer: [organization],
      result,
    });
  }
  const [code, display] = draws.pick(conditions);
  const condition = add({
    resourceType: 'Condition',
    meta: profile('us-core-condition-encounter-diagnosis'),
    clinicalStatus: concept('http://terminology.hl7.org/CodeSystem/condition-clinical', 'resolved', 'Resolved'),
    verificationStatus: concept('http://terminology.hl7.org/CodeSystem/condition-ver-status', 'confirmed', 'Confirmed'),
    category: [concept('http://terminology.hl7.org/CodeSystem/condition-category', 'encounter-diagnosis', 'Diagnosis')],
    code: concept(snomed, code, display),
    subject,
    encounter,
    onsetDateTime: at,
    recordedDate: at,
  });
  add({
    resourceType: 'Procedure',
    meta: profile('us-core-procedure'),
    status: 'completed',
    code: concept(snomed, '430193006', 'Medication reconciliation (procedure)'),
    subject,
    encounter,
    performedPeriod: { start: at, end: at },
    reasonReference: [{ reference: condition, display }],
  });
  const [drug, drugName] = draws.pick(medications);
  add({
    resourceType: 'MedicationRequest',
    meta: profile('us-core-medicationrequest'),
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: concept('http://www.nlm.nih.gov/research/umls/rxnorm', drug, drugName),
    subject,
    encounter,
    authoredOn: at,
    requester: practitioner,
    reasonReference: [{ reference: condition }],
    dosageInstruction: [
      {
        sequence: 1,
        text: 'Take 1 tablet by mouth daily.',
        timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } },
        asNeededBoolean: false,
      },
    ],
  });
  if (visit % 3 === 0) {
    add({
      resourceType: 'Immunization',
      meta: profile('us-core-immunization'),
      status: 'completed',
      vaccineCode: concept('http://hl7.org/fhir/sid/cvx', '140', 'Influenza, seasonal, injectable, preservative free'),
      patient: subject,
      encounter,
      occurrenceDateTime: at,
      primarySource: true,
    });
  }
  addBill(draws, add, around, { encounter, at, condition });
}

function addBill(
  draws: Draws,
  add: (resource: Resource) => string,
  { subject, organization, practitioner }: Around,
  visit: { encounter: Reference; at: string; condition: string },
): void {
  const { encounter, at, condition } = visit;
  const type = concept('http://terminology.hl7.org/CodeSystem/claim-type', 'professional', 'Professional');
  const money = () => ({ value: draws.integer(4000, 90_000) / 100, currency: 'USD' as const });
  const insurance = { display: 'Bench Mutual' };
  const service = concept(snomed, '185349003', 'Encounter for check up (procedure)');
  const claim = add({
    resourceType: 'Claim',
    status: 'active',
    type,
    use: 'claim',
    patient: subject,
    billablePeriod: { start: at, end: at },
    created: at,
    provider: organization,
    priority: concept('http://terminology.hl7.org/CodeSystem/processpriority', 'normal', 'Normal'),
    diagnosis: [{ sequence: 1, diagnosisReference: { reference: condition } }],
    insurance: [{ sequence: 1, focal: true, coverage: insurance }],
    item: [{ sequence: 1, productOrService: service, encounter: [encounter] }],
    total: money(),
  });
  const adjudication = [
    'Line Beneficiary Coinsurance Amount',
    'Line Processed Amount',
    'Line Submitted Charge',
    'Line Allowed Charge',
  ].map((display, i) => ({
    category: concept('https://bluebutton.cms.gov/resources/codesystem/adjudication', `line_${i}`, display),
    amount: money(),
  }));
  add({
    resourceType: 'ExplanationOfBenefit',
    identifier: [{ system: 'https://bench.example/claim', value: draws.uuid() }],
    status: 'active',
    type,
    use: 'claim',
    patient: subject,
    billablePeriod: { start: at, end: at },
    created: at,
    insurer: insurance,
    provider: practitioner,
    claim: { reference: claim },
    outcome: 'complete',
    careTeam: [
      {
        sequence: 1,
        provider: practitioner,
        role: concept('http://terminology.hl7.org/CodeSystem/claimcareteamrole', 'primary', 'Primary provider'),
      },
    ],
    diagnosis: [{ sequence: 1, diagnosisReference: { reference: condition } }],
    insurance: [{ focal: true, coverage: insurance }],
    item: [
      {
        sequence: 1,
        category: concept('https://bluebutton.cms.gov/resources/variables/line_cms_type_srvc_cd', '1', 'Medical care'),
        productOrService: service,
        servicedPeriod: { start: at, end: at },
        encounter: [encounter],
        adjudication,
      },
    ],
    total: [
      {
        category: concept('http://terminology.hl7.org/CodeSystem/adjudication', 'submitted', 'Submitted Amount'),
        amount: money(),
      },
    ],
    payment: { amount: money() },
  });
}

function observation(
  measured: { subject: Reference; encounter: Reference; effectiveDateTime: string; issued: string },
  category: 'vital-signs' | 'laboratory',
  code: string,
  display: string,
  valueQuantity: ReturnType<typeof quantity> | undefined,
) {
  return {
    resourceType: 'Observation' as const,
    meta: profile(category === 'laboratory' ? 'us-core-observation-lab' : 'us-core-vital-signs'),
    status: 'final' as const,
    category: [concept('http://terminology.hl7.org/CodeSystem/observation-category', category, category)],
    code: concept(loinc, code, display),
    ...measured,
    ...(valueQuantity ? { valueQuantity } : {}),
  };
}

function organizationOf(draws: Draws): Resource {
  return {
    resourceType: 'Organization',
    identifier: [{ system: 'https://bench.example/organization', value: draws.uuid() }],
    active: true,
    type: [concept('http://terminology.hl7.org/CodeSystem/organization-type', 'prov', 'Healthcare Provider')],
    name: 'Bench Clinic',
    telecom: [{ system: 'phone', value: '555-100-2000' }],
    address: [{ line: ['1 Harbor Road'], city: 'Easton', state: 'MA', postalCode: '02334', country: 'US' }],
  };
}

function practitionerOf(draws: Draws): Resource {
  return {
    resourceType: 'Practitioner',
    identifier: [
      { system: 'http://hl7.org/fhir/sid/us-npi', value: String(9_900_000_000 + draws.integer(0, 99_999_999)) },
    ],
    active: true,
    name: [{ family: 'Bench', given: ['Alex'], prefix: ['Dr.'] }],
    gender: 'other',
  };
}

function concept(system: string, code: string, display: string) {
  return { coding: [{ system, code, display }], text: display };
}

function quantity(draws: Draws, unit: string, low: number, high: number) {
  return { value: Math.round((low + draws.unit() * (high - low)) * 100) / 100, unit, system: ucum, code: unit };
}

function profile(name: string) {
  return { profile: [`http://hl7.org/fhir/us/core/StructureDefinition/${name}`] };
}
