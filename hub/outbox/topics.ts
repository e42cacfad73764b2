/** Which topic a resource belongs to, and what of it is over. */
import type { DocumentReference, Encounter, MedicationRequest, Resource } from '@medplum/fhirtypes';
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
};

/** @param resource undefined where it is gone: a document then counts as a discharge summary */
export function topicOf(type: string, resource: Resource | undefined): Topic | undefined {
  if (type !== 'DocumentReference' || resource === undefined) return topicOfType[type];
  const codings = (resource as DocumentReference).type?.coding ?? [];
  return codings.some(({ code }) => code === dischargeSummary) ? 'discharge-summary' : 'document';
}

/** Types of which a site that comes to care for a person is told what is there. Of the person it has its own Patient. */
export function caughtUpTypes(wanted: ReadonlySet<Topic>): string[] {
  return Object.entries(topicOfType).flatMap(([type, topic]) =>
    type !== 'Patient' && (wanted.has(topic) || (type === 'DocumentReference' && wanted.has('document'))) ? type : [],
  );
}

const orders = new Set(['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order']);
const open: Readonly<Record<string, ReadonlySet<string | undefined>>> = {
  Appointment: new Set(['proposed', 'pending', 'booked', 'arrived', 'checked-in', 'waitlist']),
  MedicationRequest: new Set(['active', 'on-hold', 'draft']),
  ServiceRequest: new Set(['active', 'on-hold', 'draft']),
};

/** Whether whoever does not know of it need not hear of it: a request that is done, or that is no order but a plan. */
export function isPast(resource: Resource): boolean {
  const { resourceType } = resource;
  const { status, intent } = resource as MedicationRequest;
  if (intent !== undefined && (resourceType === 'MedicationRequest' || resourceType === 'ServiceRequest'))
    if (!orders.has(intent)) return true;
  return open[resourceType] !== undefined && !open[resourceType].has(status);
}

/** Whether a visit has ended: a site that comes to care for the person is told of those that have not. */
export function isOver(resource: Resource): boolean {
  return resource.resourceType === 'Encounter' && (resource as Encounter).status === 'finished';
}
