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
import type { Participant } from '../trust/index.ts';
import type { Content } from './content.ts';
import { controlIdOf } from './control-id.ts';
import { resultsIn } from './focus.ts';
import { v2MessageOf } from './v2-message.ts';

export interface Composed {
  controlId: string;
  dialect: 'hl7v2' | 'fhir';
  bytes: Uint8Array;
}

/** Writes the message, or says why it cannot be written. */
export function compose(
  delivery: { id: string; created: Date; kind: Envelope['kind'] },
  content: Content,
  destination: Participant,
  origin: Participant,
): Composed | string {
  const { endpoint, identifierSystem } = destination;
  if (!identifierSystem) return 'The destination has no system of record numbers; register it with one.';
  const controlId = controlIdOf(delivery.id);
  const v2 = endpoint?.dialect === 'hl7v2' ? endpoint : undefined;
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
  if (v2) {
    const told = v2MessageOf(content, envelope, v2.messages);
    if (typeof told === 'string') return told;
    const bytes = writeV2(told.message, told.envelope);
    if (typeof bytes === 'string') return bytes;
    return { controlId, dialect: 'hl7v2', bytes: v2.acknowledgement === 'enhanced' ? enhanced(bytes) : bytes };
  }
  const { topic } = content;
  if (topic !== 'result' && topic !== 'discharge-summary') return `As FHIR no ${topic} is delivered.`;
  const bundle =
    topic === 'result'
      ? writeResultBundle(resultOf(content), envelope)
      : writeDocumentBundle({ document: content.focus as DocumentReference }, envelope);
  return typeof bundle === 'string'
    ? bundle
    : { controlId, dialect: 'fhir', bytes: Buffer.from(JSON.stringify(bundle)) };
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
