/** A delivery's content in the destination's dialect. */

import { editMessage, isParseError, parseMessage } from '@causeway/hl7v2';
import {
  type Envelope,
  isWithdrawn,
  writeDocumentBundle,
  writeMdm,
  writeOru,
  writeResultBundle,
} from '@causeway/mapping';
import type { Participant } from '../trust/index.ts';
import type { Content } from './content.ts';
import { controlIdOf } from './control-id.ts';

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
  if (!destination.identifierSystem) return 'The destination has no system of record numbers; register it with one.';
  const controlId = controlIdOf(delivery.id);
  const envelope: Envelope = {
    controlId,
    deliveryId: delivery.id,
    time: delivery.created.toISOString(),
    kind: delivery.kind,
    recipient: {
      patient: content.recipient,
      identifierSystem: destination.identifierSystem,
      authority: destination.identifierAuthority,
      application: destination.sendingApplication,
      facility: destination.sendingFacility,
    },
    origin: { key: origin.key, name: origin.name },
  };
  const dialect = destination.endpoint?.dialect ?? 'fhir';
  if (dialect === 'hl7v2') {
    const bytes =
      content.topic === 'result' ? writeOru(content.result, envelope) : writeMdm(content.document, envelope);
    if (typeof bytes === 'string') return bytes;
    const isEnhanced = destination.endpoint?.dialect === 'hl7v2' && destination.endpoint.acknowledgement === 'enhanced';
    return { controlId, dialect, bytes: isEnhanced ? enhanced(bytes) : bytes };
  }
  const bundle =
    content.topic === 'result'
      ? writeResultBundle(content.result, envelope)
      : writeDocumentBundle(content.document, envelope);
  return typeof bundle === 'string' ? bundle : { controlId, dialect, bytes: Buffer.from(JSON.stringify(bundle)) };
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
export function isEmptied(content: Content): boolean {
  if (content.topic === 'document') return isWithdrawn(content.document.document);
  const { report, observations } = content.result;
  return isWithdrawn(report) || (observations.length > 0 && observations.every(isWithdrawn));
}
