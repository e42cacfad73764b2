/** A document as MDM (HL7 v2.5.1 chapter 9.6): T02 new, T08 changed, T11 withdrawn. */
import { MessageBuilder } from '@causeway/hl7v2';
import type { Attachment } from '@medplum/fhirtypes';
import { type Envelope, type OutboundDocument, type OutboundKind, recordNumber } from './envelope.ts';
import { dtm } from './v2/values/primitives.ts';
import { cwe, ei, pid } from './v2-values.ts';

const events: Record<OutboundKind, string> = { new: 'T02', correction: 'T08', retraction: 'T11' };
const structures: Record<OutboundKind, string> = { new: 'MDM_T02', correction: 'MDM_T02', retraction: 'MDM_T01' };
const completion: Record<string, string> = { preliminary: 'PA', final: 'AU', amended: 'AU', 'entered-in-error': 'CA' };

/**
 * Writes the message; a retraction names the document and carries nothing of it.
 * @returns a sentence where the recipient's Patient has no record number of the destination
 */
export function writeMdm({ document }: OutboundDocument, envelope: Envelope): Uint8Array | string {
  const number = recordNumber(envelope);
  if (number === undefined) return 'The recipient is known by no record number of the destination.';
  const { recipient, origin, kind } = envelope;
  const message = new MessageBuilder({
    sendingApplication: 'CAUSEWAY',
    sendingFacility: 'HUB',
    receivingApplication: recipient.application,
    receivingFacility: recipient.facility,
    time: dtm(envelope.time),
    type: ['MDM', events[kind], structures[kind]],
    controlId: envelope.controlId,
    version: '2.5.1',
  });
  message.segment('EVN', { 1: events[kind], 2: dtm(envelope.time) });
  message.segment(
    'PID',
    pid(recipient.patient, number, { name: recipient.authority, system: recipient.identifierSystem }),
  );
  message.segment('PV1', { 1: '1', 2: 'N' });
  const author = document.author?.find(({ display }) => display)?.display;
  const identifier = document.masterIdentifier ?? { system: 'urn:causeway:authority::CAUSEWAY', value: document.id! };
  message.segment('TXA', {
    1: '1',
    2: cwe(document.type, origin.key),
    3: document.content?.[0]?.attachment?.contentType?.startsWith('text/') === false ? 'AP' : 'TX',
    4: dtm(document.context?.period?.start ?? document.date),
    6: dtm(document.date),
    9: author ? ['', author] : undefined,
    12: ei(identifier),
    17: kind === 'retraction' ? 'CA' : (completion[document.docStatus ?? ''] ?? 'AU'),
    19: kind === 'retraction' ? 'CA' : 'AV',
  });
  if (kind !== 'retraction') {
    let index = 0;
    for (const { attachment } of document.content ?? []) {
      for (const [type, value] of contentOf(attachment)) {
        message.segment('OBX', {
          1: ++index,
          2: type,
          3: cwe(document.type, origin.key),
          4: '1',
          5: value,
          11: 'F',
          15: [origin.key, origin.name, 'L'],
        });
      }
    }
  }
  return message.toBytes();
}

/** Text as TX, a line each; anything else as ED; what lies elsewhere as RP. */
function contentOf(attachment: Attachment | undefined): [string, string | (string | undefined)[]][] {
  if (attachment?.data) {
    const contentType = attachment.contentType ?? 'application/octet-stream';
    if (/^text\/plain\b/i.test(contentType)) {
      const text = new TextDecoder().decode(
        Uint8Array.from(atob(attachment.data), (character) => character.charCodeAt(0)),
      );
      return text.split('\n').map((line) => ['TX', line]);
    }
    const [type = '', subtype = ''] = contentType.split(';')[0]!.split('/');
    return [['ED', ['', type, subtype.toUpperCase(), 'Base64', attachment.data]]];
  }
  return attachment?.url ? [['RP', [attachment.url]]] : [];
}
