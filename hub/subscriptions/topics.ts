/**
 * The topics that can be subscribed to, as data: which change of a resource is an event of which topic. Their URLs are
 * what `Subscription.criteria` names (Subscriptions R5 Backport, "Topic-Based Subscription Components").
 */
import type {
  AllergyIntolerance,
  Appointment,
  DiagnosticReport,
  DocumentReference,
  Encounter,
  MedicationRequest,
  Observation,
  Patient,
  Resource,
  ServiceRequest,
  Task,
} from '@medplum/fhirtypes';

export interface Topic {
  url: string;
  title: string;
  /** The type of the resources that its events are about. */
  type: string;
  /**
   * Whether a change is an event.
   * @param before what was there; undefined for what is new
   * @param after what is there; undefined for what was deleted
   */
  isEvent(before: Resource | undefined, after: Resource | undefined): boolean;
  /** Of a topic about several types: all of them, the first included. */
  types?: readonly string[];
  /** What a filter may name as `trigger`. */
  triggers?: readonly string[];
  /** Of the topics about persons: what has to happen to a source patient. */
  link?: 'linked' | 'unlinked';
}

export const topicBase = 'urn:causeway:SubscriptionTopic:';

/** Classes of encounters in which somebody stays (v3-ActCode, ActInpatientEncounterCode and near). */
const staying = new Set(['IMP', 'ACUTE', 'NONAC', 'OBSENC', 'SS']);
const isStay = (encounter: Encounter) => staying.has(encounter.class?.code ?? '');
const under = new Set(['arrived', 'triaged', 'in-progress', 'onleave']);
const told = new Set(['partial', 'preliminary', 'final', 'amended', 'corrected', 'appended']);
const corrected = new Set(['amended', 'corrected', 'appended', 'entered-in-error', 'cancelled']);
/** Critically abnormal (v3-ObservationInterpretation). */
const critical = new Set(['AA', 'HH', 'LL', 'HU', 'LU']);
const over = new Set(['stopped', 'cancelled', 'completed', 'entered-in-error', 'on-hold']);
const closed = new Set(['completed', 'revoked', 'entered-in-error']);
/** Referrals of SNOMED CT: of a patient, to a service, to a specialist. */
const referrals = ['3457005', '306206005', '103696004'];
const called = new Set(['cancelled', 'noshow', 'entered-in-error']);

export const topics: readonly Topic[] = [
  topic(
    'admitted',
    'A patient was admitted',
    'Encounter',
    became<Encounter>((e) => isStay(e) && under.has(e.status)),
  ),
  topic(
    'transferred',
    'A patient was transferred to another place',
    'Encounter',
    (before: Encounter | undefined, after: Encounter | undefined) =>
      before !== undefined && after !== undefined && under.has(after.status) && placeOf(after) !== placeOf(before),
  ),
  topic(
    'discharged',
    'A patient was discharged',
    'Encounter',
    became<Encounter>((e) => isStay(e) && e.status === 'finished'),
  ),
  topic(
    'encounter-start',
    'An encounter of any kind began',
    'Encounter',
    became<Encounter>((e) => under.has(e.status)),
  ),
  topic(
    'encounter-end',
    'An encounter of any kind ended',
    'Encounter',
    became<Encounter>((e) => e.status === 'finished'),
  ),
  topic(
    'result',
    'A report is there',
    'DiagnosticReport',
    became<DiagnosticReport>((r) => told.has(r.status)),
  ),
  topic(
    'result-corrected',
    'A report was corrected or taken back',
    'DiagnosticReport',
    (before: DiagnosticReport | undefined, after: DiagnosticReport | undefined) =>
      before !== undefined && told.has(before.status) && (after === undefined || corrected.has(after.status)),
  ),
  topic(
    'result-critical',
    'A result is critical',
    'Observation',
    became<Observation>((o) =>
      (o.interpretation ?? []).some(({ coding }) => coding?.some(({ code }) => critical.has(code ?? ''))),
    ),
  ),
  topic(
    'document',
    'A document is there',
    'DocumentReference',
    became<DocumentReference>((d) => d.status === 'current'),
  ),
  topic(
    'medication-started',
    'A medicine was ordered',
    'MedicationRequest',
    became<MedicationRequest>((m) => m.status === 'active'),
  ),
  topic(
    'medication-changed',
    'The order of a medicine was changed',
    'MedicationRequest',
    (before: MedicationRequest | undefined, after: MedicationRequest | undefined) =>
      before?.status === 'active' &&
      after?.status === 'active' &&
      (differs(before.dosageInstruction, after.dosageInstruction) ||
        differs(before.medicationCodeableConcept, after.medicationCodeableConcept)),
  ),
  topic(
    'medication-stopped',
    'A medicine was stopped',
    'MedicationRequest',
    (before: MedicationRequest | undefined, after: MedicationRequest | undefined) =>
      before?.status === 'active' && (after === undefined || over.has(after.status)),
  ),
  topic(
    'allergy',
    'An allergy was stated',
    'AllergyIntolerance',
    became<AllergyIntolerance>(
      (a) =>
        !hasCode(a.clinicalStatus, 'resolved', 'inactive') &&
        !hasCode(a.verificationStatus, 'refuted', 'entered-in-error'),
    ),
  ),
  topic(
    'order',
    'A service was ordered',
    'ServiceRequest',
    became<ServiceRequest>((s) => s.status === 'active'),
  ),
  topic(
    'order-closed',
    'An order of a service was completed or revoked',
    'ServiceRequest',
    became<ServiceRequest>((s) => closed.has(s.status)),
  ),
  topic(
    'referral-sent',
    'A patient was referred',
    'ServiceRequest',
    became<ServiceRequest>((s) => isReferral(s) && s.status === 'active'),
  ),
  topic(
    'referral-accepted',
    'Whoever was asked for a service accepted it',
    'Task',
    became<Task>((t) => isAboutRequest(t) && ['accepted', 'in-progress'].includes(t.status)),
  ),
  topic(
    'referral-declined',
    'Whoever was asked for a service declined it',
    'Task',
    became<Task>((t) => isAboutRequest(t) && ['rejected', 'failed', 'cancelled'].includes(t.status)),
  ),
  topic(
    'referral-closed',
    'A referral was completed or revoked',
    'ServiceRequest',
    became<ServiceRequest>((s) => isReferral(s) && closed.has(s.status)),
  ),
  topic(
    'appointment',
    'An appointment was made',
    'Appointment',
    became<Appointment>((a) => a.status === 'booked'),
  ),
  topic(
    'appointment-changed',
    'An appointment was moved',
    'Appointment',
    (before: Appointment | undefined, after: Appointment | undefined) =>
      before !== undefined && after !== undefined && differs([before.start, before.end], [after.start, after.end]),
  ),
  topic(
    'appointment-cancelled',
    'An appointment was cancelled or missed',
    'Appointment',
    became<Appointment>((a) => called.has(a.status)),
  ),
  topic(
    'death',
    'A patient has died',
    'Patient',
    became<Patient>((p) => p.deceasedBoolean === true || p.deceasedDateTime !== undefined),
  ),
  topic(
    'record-merged',
    'A site merged a record into another of its own',
    'Patient',
    became<Patient>((p) => (p.link ?? []).some(({ type }) => type === 'replaced-by')),
  ),
  ofPersons('person-merged', 'Records of two sites turned out to be of one person', 'linked'),
  ofPersons('person-split', 'Records of two sites turned out to be of different persons', 'unlinked'),
  patientDataFeed(),
  topic('consent-changed', 'A consent was filed, changed or taken back', 'Consent', () => true),
];

export function topicOf(url: string): Topic | undefined {
  return topics.find((one) => one.url === url);
}

function topic<R extends Resource>(
  name: string,
  title: string,
  type: string,
  isEvent: (before: R | undefined, after: R | undefined) => boolean,
): Topic {
  return { url: `${topicBase}${name}`, title, type, isEvent: isEvent as Topic['isEvent'] };
}

/**
 * US Core's Patient Data Feed (US Core 8, "Patient Data Feed"), driven by data: each change of a resource that can be seen
 * over FHIR. The first four types are those that it requires.
 */
function patientDataFeed(): Topic {
  const types = [
    'DiagnosticReport',
    'DocumentReference',
    'Encounter',
    'Observation',
    'AllergyIntolerance',
    'CarePlan',
    'CareTeam',
    'Condition',
    'Coverage',
    'Goal',
    'Immunization',
    'MedicationDispense',
    'MedicationRequest',
    'Patient',
    'Procedure',
    'QuestionnaireResponse',
    'RelatedPerson',
    'ServiceRequest',
  ];
  return {
    url: 'http://hl7.org/fhir/us/core/SubscriptionTopic/patient-data-feed',
    title: 'Something of a patient’s record is new or changed',
    type: types[0]!,
    types,
    triggers: ['feed-event'],
    isEvent: () => true,
  };
}

function ofPersons(name: string, title: string, link: 'linked' | 'unlinked'): Topic {
  return { ...topic(name, title, 'Patient', () => false), link };
}

/** By its code or category, or, as HL7 v2 has it, without the code of any service. */
function isReferral({ code, category = [] }: ServiceRequest): boolean {
  if (code === undefined && category.length > 0) return true;
  return [code, ...category].some((concept) => hasCode(concept, ...referrals));
}

function isAboutRequest({ focus }: Task): boolean {
  return /(^|\/)ServiceRequest\//.test(focus?.reference ?? '');
}

/** What holds now and did not before. */
function became<R extends Resource>(holds: (resource: R) => boolean) {
  return (before: R | undefined, after: R | undefined) =>
    after !== undefined && holds(after) && !(before !== undefined && holds(before));
}

function placeOf(encounter: Encounter): string | undefined {
  const places = encounter.location ?? [];
  const place = places.findLast(({ status }) => status === undefined || status === 'active');
  return place && JSON.stringify(place.location);
}

function hasCode(concept: { coding?: { code?: string }[] } | undefined, ...codes: string[]): boolean {
  return (concept?.coding ?? []).some(({ code }) => codes.includes(code ?? ''));
}

function differs(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}
