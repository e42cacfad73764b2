/** Which HL7 v2 message tells of a change, and of which resources it is made. */
import {
  type Envelope,
  isWithdrawn,
  type OutboundMessage,
  personEvent,
  recordNumber,
  type V2MessageCode,
  visitEvent,
} from '@causeway/mapping/outbound';
import type {
  AllergyIntolerance,
  Appointment,
  DiagnosticReport,
  DocumentReference,
  Encounter,
  Identifier,
  Observation,
  Patient,
  Resource,
} from '@medplum/fhirtypes';
import { isHubSummary, isReplacedSummary } from '../care/index.ts';
import type { Content } from './content.ts';

export interface ToldMessage {
  message: OutboundMessage;
  /** With the Patient that PID is to name. */
  envelope: Envelope;
}

/** The message, or why there is none. */
export function v2MessageOf(
  content: Content,
  envelope: Envelope,
  wanted: readonly V2MessageCode[] | undefined,
): ToldMessage | string {
  const { topic, focus, beside, before } = content;
  const tell = (code: string, event: string, resources: Resource[]) => ({
    message: { code, event, resources },
    envelope,
  });
  const all = [focus, ...beside];
  switch (topic) {
    case 'result':
      return tell('ORU', 'R01', marked(all, before));
    case 'discharge-summary':
    case 'document':
      if (isReplacedSummary(focus)) return replaced(focus as DocumentReference, envelope);
      if (envelope.kind === 'new' && isReplacement(focus as DocumentReference)) return tell('MDM', 'T10', all);
      return tell('MDM', { new: 'T02', correction: 'T08', retraction: 'T11' }[envelope.kind], all);
    case 'person':
      return person(content, envelope);
    case 'visit':
      return tell('ADT', visitEventOf(focus as Encounter, before[0] as Encounter | undefined, envelope.kind), all);
    case 'appointment':
      return tell('SIU', appointmentEvent(focus as Appointment, envelope.kind), all);
    case 'prescription':
      return tell('RDE', 'O11', all);
    case 'immunization':
      return tell('VXU', 'V04', all);
    case 'allergy':
      return tell('ADT', 'A60', [allergy(focus as AllergyIntolerance, envelope.kind), ...beside]);
    case 'linked':
      return tell('ADT', envelope.kind === 'retraction' ? 'A37' : 'A24', [focus]);
    case 'consent':
    case 'referral-answer':
      return `HL7 v2 has no message that tells of it (${topic}).`;
    case 'order': {
      const code = wanted?.find((one) => one === 'OMG' || one === 'OML') ?? 'ORM';
      return tell(code, { OMG: 'O19', OML: 'O21', ORM: 'O01' }[code as 'ORM'], all);
    }
  }
}

/** A summary of the hub's own is obsolete (T03): what took its place is told of by itself. */
function replaced(summary: DocumentReference, envelope: Envelope): ToldMessage {
  return {
    message: { code: 'MDM', event: 'T03', resources: [{ ...summary, content: [] }] },
    envelope: { ...envelope, kind: 'correction' },
  };
}

/** Whether a document takes the place of a summary that the recipient has from the hub; see `replaced-told.ts`. */
function isReplacement({ relatesTo }: DocumentReference): boolean {
  const isHub = (reference: string | undefined) => isHubSummary(/^DocumentReference\/(.+)$/.exec(reference ?? '')?.[1]);
  return relatesTo?.some(({ code, target }) => code === 'replaces' && isHub(target.reference)) === true;
}

/**
 * A person's demographics as the other site has them, beside the destination's own number, or those by which it was introduced. One that the site has merged
 * is A40, with the one that stays in PID; one that turned out to be another person, or is gone, A37. Never A23 or A29, by
 * which a receiver might delete its own record.
 */
function person({ focus, beside }: Content, envelope: Envelope): ToldMessage | string {
  const patient = focus as Patient;
  if (envelope.introduced && envelope.kind === 'new') {
    return { message: { code: 'ADT', event: 'A28', resources: [patient, ...beside] }, envelope };
  }
  if (envelope.kind === 'retraction') {
    return { message: { code: 'ADT', event: 'A37', resources: [patient] }, envelope };
  }
  const isMerged = personEvent({ after: patient }) === 'A40';
  const named = isMerged ? (beside.find(({ resourceType }) => resourceType === 'Patient') as Patient) : patient;
  if (named === undefined) return 'The Patient that took its place is not in the record, or another person.';
  const { patient: known, identifierSystem } = envelope.recipient;
  const own: Identifier[] = envelope.introduced
    ? (known.identifier ?? [])
    : [{ system: identifierSystem, value: recordNumber(envelope)! }];
  const isOwn = ({ system, value }: Identifier) => own.some((one) => one.system === system && one.value === value);
  const others = (named.identifier ?? []).filter((one) => !isOwn(one));
  const resources = isMerged ? [patient] : beside;
  return {
    message: { code: 'ADT', event: isMerged ? 'A40' : 'A31', resources },
    envelope: {
      ...envelope,
      recipient: { ...envelope.recipient, patient: { ...named, identifier: [...own, ...others] } },
    },
  };
}

/** An allergy by its number (IAM-7), that of its source or the hub's; one that is taken back without more than what it is. */
function allergy(stated: AllergyIntolerance, kind: Envelope['kind']): AllergyIntolerance {
  const { resourceType, id, patient, code } = stated;
  const identifier = stated.identifier ?? [{ system: 'urn:causeway:authority::CAUSEWAY', value: id! }];
  if (kind !== 'retraction') return { ...stated, identifier };
  return {
    resourceType,
    id,
    patient,
    code,
    identifier,
    verificationStatus: { coding: [{ code: 'entered-in-error' }] },
  };
}

/** What is taken back is cancelled (A11, A38): A23 might delete more than the visit. */
function visitEventOf(after: Encounter, before: Encounter | undefined, kind: Envelope['kind']): string {
  return kind === 'retraction'
    ? visitEvent({ before, after: { ...after, status: 'cancelled' } })
    : visitEvent({ before, after });
}

function appointmentEvent({ status }: Appointment, kind: Envelope['kind']): string {
  if (status === 'cancelled') return 'S15';
  if (kind === 'retraction') return 'S17';
  if (status === 'noshow') return 'S26';
  return kind === 'new' ? 'S12' : 'S14';
}

const final = new Set(['final', 'corrected', 'amended']);

/** Results and reports that were told as final and differ are corrected ones, also where their source does not say so. */
function marked(resources: Resource[], before: Resource[]): Resource[] {
  if (before.length === 0) return resources;
  const earlier = new Map(before.map((one) => [`${one.resourceType}/${one.id}`, one]));
  let isCorrected = false;
  const results = resources.map((resource) => {
    const told = earlier.get(`${resource.resourceType}/${resource.id}`);
    if (resource.resourceType !== 'Observation' || !told) return resource;
    if (isWithdrawn(resource) && !isWithdrawn(told as Observation)) isCorrected = true;
    if (resource.status !== 'final' || !final.has((told as Observation).status) || same(resource, told))
      return resource;
    isCorrected = true;
    return { ...resource, status: 'corrected' as const };
  });
  return results.map((resource) => {
    const told = earlier.get(`${resource.resourceType}/${resource.id}`) as DiagnosticReport | undefined;
    if (resource.resourceType !== 'DiagnosticReport' || resource.status !== 'final') return resource;
    const differs = told !== undefined && final.has(told.status) && (isCorrected || !same(resource, told));
    return differs ? { ...resource, status: 'corrected' as const } : resource;
  });
}

function same(a: Resource, b: Resource): boolean {
  return JSON.stringify({ ...a, meta: undefined }) === JSON.stringify({ ...b, meta: undefined });
}
