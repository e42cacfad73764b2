/** A delivery's content in the destination's dialect. */
import { editMessage, isParseError, parseMessage } from '@causeway/hl7v2';
import {
  type BundleForm,
  type Envelope,
  isWithdrawn,
  type OutboundResult,
  writeResultBundle,
  writeStatementBundle,
  writeV2,
} from '@causeway/mapping/outbound';
import type {
  Bundle,
  DiagnosticReport,
  DocumentReference,
  Encounter,
  Identifier,
  Observation,
  Resource,
  ServiceRequest,
  Task,
} from '@medplum/fhirtypes';
import { isReplacedSummary } from '../care/index.ts';
import type { Participant, Route } from '../trust/index.ts';
import type { Outgoing } from './answer.ts';
import { withCodes } from './code-maps.ts';
import { type Content, isOf } from './content.ts';
import { controlIdOf } from './control-id.ts';
import { resultsIn } from './focus.ts';
import { v2MessageOf } from './v2-message.ts';

/** Writes the message, or says why it cannot be written, or that there is none for such a route. */
export function compose(
  delivery: { id: string; seq: number; created: Date; kind: Envelope['kind'] },
  stated: Content,
  destination: Participant,
  { to, codes, topics }: Route,
  origin: Participant,
): Outgoing | string | { notFor: string } {
  const [focus, ...beside] = withCodes([stated.focus, ...stated.beside], codes);
  const content = { ...stated, focus: focus!, beside, before: withCodes(stated.before, codes) };
  const introduced = !isOf(content.recipient, destination.key);
  const { identifierSystem = '' } = destination;
  if (!identifierSystem && !introduced) return 'The destination has no system of record numbers; register it with one.';
  const controlId = controlIdOf(delivery.id);
  const v2 = to.dialect === 'hl7v2' ? to : undefined;
  const envelope: Envelope = {
    controlId,
    deliveryId: delivery.id,
    time: delivery.created.toISOString(),
    kind: delivery.kind,
    version: v2?.version,
    introduced,
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
    seq: delivery.seq,
    about: {
      deliveryId: delivery.id,
      kind: delivery.kind,
      topic: content.topic,
      created: delivery.created,
      patient: content.recipient,
      origin: envelope.origin,
    },
  });
  if (to.dialect === 'hl7v2') {
    const told = v2MessageOf(content, envelope, to.messages);
    if (typeof told === 'string') return told;
    if (isNoTransfer(content, told.message.event, topics))
      return { notFor: 'The visit changed, but nobody was moved.' };
    const bytes = writeV2(told.message, told.envelope);
    if (typeof bytes === 'string') return bytes;
    return outgoing('application/hl7-v2; charset=utf-8', to.acknowledgement === 'enhanced' ? enhanced(bytes) : bytes);
  }
  if (to.dialect === 'ccda') {
    const isTakenBack = delivery.kind === 'retraction';
    const { document = isTakenBack ? undefined : storedCcda(content.focus) } = content;
    if (isTakenBack && document === undefined) {
      return isReplacedSummary(content.focus)
        ? { notFor: 'The document that took its place is told by itself.' }
        : 'A C-CDA can be replaced by whoever wrote it, not taken back by another; tell the receiver.';
    }
    return document
      ? outgoing('application/xml', typeof document === 'string' ? Buffer.from(document) : document)
      : { notFor: 'The document is no C-CDA.' };
  }
  const { form = 'transaction' } = to;
  const bundle = bundleOf(content, { ...envelope, destination: to.url }, form);
  if (typeof bundle === 'string') return bundle;
  const sent = outgoing('application/fhir+json', Buffer.from(JSON.stringify(bundle)));
  return form === 'message' ? { ...sent, operation: '$process-message' } : sent;
}

/** Of a visit in progress a route may take transfers only. */
function isNoTransfer({ topic, focus }: Content, event: string, topics: Route['topics']): boolean {
  if (topic !== 'visit' || !topics || topics.includes('visit') || (focus as Encounter).status === 'finished')
    return false;
  return event === 'A08' || (['A02', 'A06', 'A07'].includes(event) && !topics.includes('transferred'));
}

function bundleOf(content: Content, stated: Envelope, form: BundleForm): Bundle | string {
  const { topic, focus } = content;
  // A summary of the hub's own is obsolete, not wrong: it goes as it is, without content.
  const isReplaced = isReplacedSummary(focus);
  const envelope: Envelope = isReplaced ? { ...stated, kind: 'correction' } : stated;
  // A Patient of another site's would take the place of the destination's own.
  if (topic === 'person' || topic === 'linked') return 'As FHIR no person is delivered.';
  return topic === 'result'
    ? writeResultBundle(resultOf(content), envelope, form)
    : writeStatementBundle(
        [
          topic === 'referral-answer'
            ? answerOf(content)
            : isReplaced
              ? withoutContent(focus as DocumentReference)
              : focus,
        ],
        envelope,
        form,
      );
}

/** R4 demands content. */
function withoutContent(document: DocumentReference): DocumentReference {
  return { ...document, content: [{ attachment: { title: 'Replaced' } }] };
}

/** The answer to a request, which it names by its number: the request does not go along. */
function answerOf({ focus, beside }: Content): Resource {
  const request = beside.find(({ resourceType }) => resourceType === 'ServiceRequest') as ServiceRequest | undefined;
  if (!request) return focus;
  const isPlacer = ({ type }: Identifier) => type?.coding?.some(({ code }) => code === 'PLAC');
  const identifier = request.identifier?.find(isPlacer) ?? request.identifier?.[0];
  const own = { system: 'urn:causeway:authority::CAUSEWAY', value: request.id! };
  return { ...(focus as Task), focus: { type: 'ServiceRequest', identifier: identifier ?? own } };
}

/** The C-CDA that a document is, as it came. */
function storedCcda(focus: Resource): Uint8Array | undefined {
  for (const { attachment } of (focus as DocumentReference).content ?? []) {
    const bytes = attachment.data === undefined ? undefined : Buffer.from(attachment.data, 'base64');
    if (bytes?.subarray(0, 4_096).includes('ClinicalDocument')) return bytes;
  }
  return undefined;
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
