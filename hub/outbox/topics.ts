/** Which topic a resource belongs to, and what of it is over. */
import type {
  AllergyIntolerance,
  DocumentReference,
  Encounter,
  MedicationRequest,
  Resource,
  Task,
} from '@medplum/fhirtypes';
import type { Topic } from '../trust/index.ts';

const dischargeSummary = '18842-5';

const topicOfType: Readonly<Record<string, Topic>> = {
  DiagnosticReport: 'result',
  DocumentReference: 'discharge-summary',
  Patient: 'person',
  Encounter: 'visit',
  Appointment: 'appointment',
  MedicationRequest: 'prescription',
  Immunization: 'immunization',
  ServiceRequest: 'order',
  AllergyIntolerance: 'allergy',
  Task: 'referral-answer',
  Consent: 'consent',
};

/** Of these, whoever comes to care for a person is not told what is there: it has a Patient of its own; an answer is news. */
const notCaughtUp: ReadonlySet<string> = new Set(['Patient', 'Task']);

/** @param resource undefined where it is gone: a document then counts as a discharge summary */
export function topicOf(type: string, resource: Resource | undefined): Topic | undefined {
  if (resource === undefined) return topicOfType[type];
  if (type === 'Task' && !isAboutRequest(resource as Task)) return undefined;
  if (type !== 'DocumentReference') return topicOfType[type];
  const codings = (resource as DocumentReference).type?.coding ?? [];
  return codings.some(({ code }) => code === dischargeSummary) ? 'discharge-summary' : 'document';
}

/** Types of which a site that comes to care for a person is told what is there. */
export function caughtUpTypes(wanted: ReadonlySet<Topic>): string[] {
  return Object.entries(topicOfType).flatMap(([type, topic]) =>
    !notCaughtUp.has(type) && (wanted.has(topic) || (type === 'DocumentReference' && wanted.has('document')))
      ? type
      : [],
  );
}

const orders = new Set(['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order']);
const open: Readonly<Record<string, ReadonlySet<string | undefined>>> = {
  Appointment: new Set(['proposed', 'pending', 'booked', 'arrived', 'checked-in', 'waitlist']),
  MedicationRequest: new Set(['active', 'on-hold', 'draft']),
  ServiceRequest: new Set(['active', 'on-hold', 'draft']),
  Consent: new Set(['active', 'proposed', 'draft']),
};

/** Whether somebody was asked for a service by it. */
function isAboutRequest({ focus, basedOn = [] }: Task): boolean {
  return [focus, ...basedOn].some((one) => /(^|\/)ServiceRequest\//.test(one?.reference ?? ''));
}

/** Whether whoever does not know of it need not hear of it: a request that is done, or that is no order but a plan. */
export function isPast(resource: Resource): boolean {
  const { resourceType } = resource;
  if (resourceType === 'AllergyIntolerance') return isOvercome(resource as AllergyIntolerance);
  const { status, intent } = resource as MedicationRequest;
  if (intent !== undefined && (resourceType === 'MedicationRequest' || resourceType === 'ServiceRequest'))
    if (!orders.has(intent)) return true;
  return open[resourceType] !== undefined && !open[resourceType].has(status);
}

function isOvercome({ clinicalStatus, verificationStatus }: AllergyIntolerance): boolean {
  const codes = [clinicalStatus, verificationStatus].flatMap(
    (concept) => concept?.coding?.map(({ code }) => code) ?? [],
  );
  return codes.some((code) => code === 'resolved' || code === 'inactive' || code === 'refuted');
}

/** Whether a visit has ended: a site that comes to care for the person is told of those that have not. */
export function isOver(resource: Resource): boolean {
  return resource.resourceType === 'Encounter' && (resource as Encounter).status === 'finished';
}
