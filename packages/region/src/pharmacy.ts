/**
 * Corner Street Pharmacy: what it handed out, as FHIR R4 transaction Bundles. Every entry is a PUT under an id of the
 * pharmacy's own, so that a bundle sent twice changes nothing.
 */

import { DAY_MS, dayOf, HOUR_MS, isoDate, isoLocal } from './calendar.ts';
import type { Drug } from './codes/medications.ts';
import type { SiteTelling } from './hospital.ts';
import { allergyFact, type Fact, medicationFact, type Outgoing, SYSTEMS } from './outgoing.ts';
import type { Household, Person } from './people.ts';
import { randomFrom } from './random.ts';
import { demographicsAt, type Registration, register } from './registrations.ts';
import { OIDS, siteOf } from './sites.ts';
import type { Allergy, Course, Story } from './story.ts';

const SITE = siteOf('corner-pharmacy');
const BASE = 'https://corner-pharmacy.example.org';

interface Fill {
  course: Course;
  number: number;
  at: number;
}

/** What the pharmacy knows of one person and the bundles it sends about them. */
export function pharmacyTelling(home: Household, story: Story): SiteTelling {
  const { person } = story;
  const fills = fillsOf(home, story);
  if (fills.length === 0) return { registrations: [], outgoing: [] };
  const random = randomFrom(home.seed, 'pharmacy', person.ordinal);
  const since = random.chance(0.5) ? Math.min(fills[0]!.at, home.from) : fills[0]!.at;
  const registration = register(person, 'corner-pharmacy', since, home.seed);
  const outgoing = [...byReport(fills)].map((batch): Outgoing => {
    const at = batch.at(-1)!.at + 10 * HOUR_MS;
    const asked = story.allergies.filter((allergy) => allergy.allergen.category === 'medication' && allergy.onset < at);
    const told = person.ordinal % 3 === 0 || person.scenario === 'showcase' ? asked : [];
    const drugs = [...new Set(batch.map((fill) => fill.course.drug))];
    const states: Fact[] = [...drugs.map(medicationFact), ...told.map((allergy) => allergyFact(allergy.allergen))];
    const write = (controlId: string): string =>
      JSON.stringify(bundle(person, registration, batch, told, at, controlId));
    return { site: 'corner-pharmacy', dialect: 'fhir', type: 'Bundle', at, states, write };
  });
  return { registrations: [registration], outgoing };
}

/** Every hand-over of every dispensed course in the told years, in time order. */
function fillsOf(home: Household, story: Story): Fill[] {
  const fills: Fill[] = [];
  for (const course of story.courses) {
    if (!course.dispensed) continue;
    const end = Math.min(course.stop ?? home.until, home.until);
    const step = course.drug.daysSupply * DAY_MS;
    let number = Math.max(0, Math.ceil((home.from - course.start) / step));
    for (let at = course.start + number * step; at < end - DAY_MS; at += step) {
      fills.push({ course, number: ++number, at: dayOf(at) + 10 * HOUR_MS + (story.person.ordinal % 400) * 60_000 });
    }
  }
  return fills.sort((a, b) => a.at - b.at || (a.course.id < b.course.id ? -1 : 1));
}

/** The pharmacy reports a customer's hand-overs together, half a year at most after the first of them. */
function* byReport(fills: readonly Fill[]): Generator<Fill[]> {
  let batch: Fill[] = [];
  for (const fill of fills) {
    if (batch.length > 0 && fill.at - batch[0]!.at > 170 * DAY_MS) {
      yield batch;
      batch = [];
    }
    batch.push(fill);
  }
  if (batch.length > 0) yield batch;
}

function bundle(
  person: Person,
  registration: Registration,
  batch: readonly Fill[],
  allergies: readonly Allergy[],
  at: number,
  controlId: string,
): object {
  const id = `cp-${registration.number.slice(3)}`;
  const subject = { reference: `Patient/${id}` };
  const courses = [...new Set(batch.map((fill) => fill.course))];
  const drugs = [...new Set(courses.map((course) => course.drug))];
  const resources = [
    patient(person, registration, at, id),
    ...drugs.map(medication),
    ...courses.map((course) => request(course, subject, at)),
    ...batch.map((fill) => dispense(fill, subject)),
    ...allergies.map((allergy) => intolerance(allergy, id, subject)),
  ];
  return {
    resourceType: 'Bundle',
    identifier: { system: `${BASE}/bundles`, value: controlId },
    type: 'transaction',
    timestamp: isoLocal(at),
    entry: resources.map((resource) => {
      const url = `${resource.resourceType}/${resource.id}`;
      return { fullUrl: `${BASE}/fhir/${url}`, resource, request: { method: 'PUT', url } };
    }),
  };
}

interface Resource {
  resourceType: string;
  id: string;
}

function patient(
  person: Person,
  registration: Registration,
  at: number,
  id: string,
): Resource & Record<string, unknown> {
  const known = demographicsAt(person, registration, at);
  const { address } = known;
  const telecom = [
    known.phone && { system: 'phone', value: known.phone, use: 'home' },
    known.mobile && { system: 'phone', value: known.mobile, use: 'mobile' },
    known.email && { system: 'email', value: known.email },
  ].filter(Boolean);
  return {
    resourceType: 'Patient',
    id,
    identifier: [{ use: 'usual', system: SITE.identifierSystem, value: registration.number }],
    active: true,
    name: [
      {
        use: 'official',
        family: known.family,
        given: known.middle ? [known.given, known.middle] : [known.given],
        suffix: known.suffix ? [known.suffix] : undefined,
      },
    ],
    telecom: telecom.length > 0 ? telecom : undefined,
    gender: known.sex === 'F' ? 'female' : 'male',
    birthDate: known.birthDate,
    address: address && [
      {
        use: 'home',
        line: [address.line],
        city: address.city,
        state: address.state,
        postalCode: address.zip,
        country: 'US',
      },
    ],
  };
}

function medication(drug: Drug): Resource & Record<string, unknown> {
  return { resourceType: 'Medication', id: `cp-drug-${drug.rxnorm}`, code: codeOf(drug), status: 'active' };
}

function request(course: Course, subject: object, at: number): Resource & Record<string, unknown> {
  const { drug, prescriber } = course;
  const over = course.stop !== undefined && course.stop <= at;
  return {
    resourceType: 'MedicationRequest',
    id: `cp-rx-${course.id}`,
    identifier: [{ system: `${BASE}/prescriptions`, value: `RX${course.id}` }],
    status: over ? 'completed' : 'active',
    intent: 'order',
    medicationCodeableConcept: codeOf(drug),
    subject,
    authoredOn: isoDate(course.start),
    requester: {
      identifier: { system: `urn:oid:${OIDS.npi}`, value: prescriber.npi },
      display: `${prescriber.given} ${prescriber.family}, ${prescriber.degree}`,
    },
    reasonCode: [{ coding: [{ system: SYSTEMS.icd10, code: course.reason.icd10, display: course.reason.text }] }],
    dosageInstruction: [dosage(drug)],
    dispenseRequest: { quantity: { value: drug.quantity }, expectedSupplyDuration: days(drug) },
  };
}

function dispense({ course, number, at }: Fill, subject: object): Resource & Record<string, unknown> {
  const { drug } = course;
  return {
    resourceType: 'MedicationDispense',
    id: `cp-fill-${course.id}-${number}`,
    identifier: [{ system: `${BASE}/fills`, value: `${course.id}-${number}` }],
    status: 'completed',
    medicationReference: { reference: `Medication/cp-drug-${drug.rxnorm}`, display: drug.text },
    subject,
    authorizingPrescription: [{ reference: `MedicationRequest/cp-rx-${course.id}` }],
    quantity: { value: drug.quantity },
    daysSupply: days(drug),
    whenHandedOver: isoLocal(at),
    dosageInstruction: [dosage(drug)],
  };
}

function intolerance(allergy: Allergy, id: string, subject: object): Resource & Record<string, unknown> {
  const { allergen, reaction, severity } = allergy;
  return {
    resourceType: 'AllergyIntolerance',
    id: `${id}-al-${allergen.hospitalCode.toLowerCase()}`,
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
    },
    verificationStatus: {
      coding: [
        { system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification', code: 'unconfirmed' },
      ],
    },
    category: ['medication'],
    code: { coding: [{ system: SYSTEMS.rxnorm, code: allergen.rxnorm, display: allergen.text }], text: allergen.text },
    patient: subject,
    reaction: [{ manifestation: [{ text: reaction.text }], severity: severity.fhir }],
  };
}

function codeOf(drug: Drug): object {
  const coding: { system: string; code: string; display: string }[] = [
    { system: SYSTEMS.rxnorm, code: drug.rxnorm, display: drug.text },
  ];
  if (drug.ndc) coding.push({ system: SYSTEMS.ndc, code: drug.ndc, display: drug.text });
  return { coding, text: drug.text };
}

function dosage(drug: Drug): object {
  return {
    text: drug.sig,
    timing: { repeat: { frequency: drug.timesPerDay, period: 1, periodUnit: 'd' } },
    route: { text: drug.route },
    doseAndRate: [
      {
        doseQuantity: {
          value: drug.doseValue,
          system: 'http://unitsofmeasure.org',
          code: drug.doseUnit,
          unit: drug.doseUnit.replace(/[{}[\]]/g, ''),
        },
      },
    ],
  };
}

function days(drug: Drug): object {
  return { value: drug.daysSupply, unit: 'days', system: 'http://unitsofmeasure.org', code: 'd' };
}
