/** A delivery's content in the destination's dialect. */
import { editMessage, isParseError, parseMessage } from '@causeway/hl7v2';
import {
  type Envelope,
  isWithdrawn,
  type OutboundResult,
  writeDocumentBundle,
  writeResultBundle,
  writeV2,
} from '@causeway/mapping/outbound';
import type { DiagnosticReport, DocumentReference, Observation, ServiceRequest } from '@medplum/fhirtypes';
import type { Participant, Route } from '../trust/index.ts';
import type { Outgoing } from './answer.ts';
import type { Content } from './content.ts';
import { controlIdOf } from './control-id.ts';
import { resultsIn } from './focus.ts';
import { v2MessageOf } from './v2-message.ts';

/** Writes the message, or says why it cannot be written. */
export function compose(
  delivery: { id: string; created: Date; kind: Envelope['kind'] },
  content: Content,
  destination: Participant,
  { to }: Route,
  origin: Participant,
): Outgoing | string {
  const { identifierSystem } = destination;
  if (!identifierSystem) return 'The destination has no system of record numbers; register it with one.';
  const controlId = controlIdOf(delivery.id);
  const v2 = to.dialect === 'hl7v2' ? to : undefined;
  const envelope: Envelope = {
    controlId,
    deliveryId: delivery.id,
    time: delivery.created.toISOString(),
    kind: delivery.kind,
    version: v2?.version,
    recipient: {
      patient: content.recipient,
      identifierSystem,
      authority: destination.identifierAuthority,
      application: v2?.application ?? destination.sendingApplication,
      facility: v2?.facility ?? destination.sendingFacility,
    },
    origin: { key: origin.key, name: origin.name },
  };
  const outgoing = (mediaType: string, bytes: Uint8Array): Outgoing => ({
    controlId,
    bytes,
    mediaType,
    about: {
      deliveryId: delivery.id,
      kind: delivery.kind,
      topic: content.topic,
      created: delivery.created,
      patient: content.recipient,
      origin: envelope.origin,
    },
  });
  if (v2) {
    const told = v2MessageOf(content, envelope, v2.messages);
    if (typeof told === 'string') return told;
    const bytes = writeV2(told.message, told.envelope);
    if (typeof bytes === 'string') return bytes;
    return outgoing('application/hl7-v2; charset=utf-8', v2.acknowledgement === 'enhanced' ? enhanced(bytes) : bytes);
  }
  const { topic } = content;
  if (topic !== 'result' && topic !== 'discharge-summary') return `As FHIR no ${topic} is delivered.`;
  const bundle =
    topic === 'result'
      ? writeResultBundle(resultOf(content), envelope)
      : writeDocumentBundle({ document: content.focus as DocumentReference }, envelope);
  if (typeof bundle === 'string') return bundle;
  return outgoing('application/fhir+json', Buffer.from(JSON.stringify(bundle)));
}

function resultOf({ focus, beside }: Content): OutboundResult {
  const report = focus as DiagnosticReport;
  const request = beside.find(({ resourceType }) => resourceType === 'ServiceRequest') as ServiceRequest | undefined;
  return { report, observations: resultsIn(report, beside) as Observation[], request };
}

/** The message with both acknowledgements of enhanced mode asked for. */
function enhanced(bytes: Uint8Array): Uint8Array {
  const message = parseMessage(bytes);
  if (isParseError(message)) throw new Error(message.message);
  const edited = editMessage(message, [
    { path: 'MSH-15', value: 'AL' },
    { path: 'MSH-16', value: 'AL' },
  ]);
  if (isParseError(edited)) throw new Error(edited.message);
  return edited.toBytes();
}

/** Whether nothing of the content holds any more, so that sending it would only spread what was withdrawn. */
export function isEmptied({ focus, beside }: Content): boolean {
  if (isWithdrawn(focus as { status?: string })) return true;
  if (focus.resourceType !== 'DiagnosticReport') return false;
  const results = resultsIn(focus as DiagnosticReport, beside);
  return results.length > 0 && results.every(isWithdrawn);
}
