/**
 * What a message's first bytes say: dialect, sender, type, identity. A frame, encoding or header that is wrong is
 * refused here, with the reason; content is left to the inbox.
 */
import { createHash } from 'node:crypto';
import { parseCdaHead } from '@causeway/ccda';
import { isParseError, type Message, type MessageHeader, type ParseError, parseMessage } from '@causeway/hl7v2';
import type { Received } from '../inbox/index.ts';
import { type QueryKind, queryKind } from '../query/index.ts';
import { type Access, keyOf, type Participants } from '../trust/index.ts';

/** What is known of who sends, beside what the message says. */
export interface Origin {
  /** The participant that a token or a client certificate stands for. */
  site?: string | undefined;
  /** The charset that the transport told. */
  charset?: string | undefined;
  /** Whose token it came with. */
  caller?: Access;
  /** Whether a participant's messages need its certificate here. */
  byCertificate?: boolean;
  /** The participant that the client certificate of the connection stands for. */
  certified?: string | undefined;
  /** The network address of a connection without a caller. */
  address?: string | undefined;
  /** Why an HL7 v2 message cannot be read, where it was read before. */
  unreadable?: ParseError | undefined;
}

/** An HL7 v2 message, or what is wrong with it, ready for the inbox. `query`: it asks, and is answered by what it asks for. */
export function acceptV2(
  bytes: Uint8Array,
  participants: Participants,
  origin: Origin = {},
): { received: Received; parsed: Message | ParseError; query?: QueryKind | undefined } {
  const { charset } = origin;
  const parsed = origin.unreadable ?? parseMessage(bytes, charset === undefined ? {} : { charset });
  const header = parsed.header;
  const named = isParseError(parsed)
    ? participants.bySender(header?.sendingFacility ?? '', header?.sendingApplication ?? '')
    : participants.bySender(parsed.get('MSH-4.1') ?? '', parsed.get('MSH-3.1') ?? '');
  const source = origin.site ?? named;
  const common = {
    bytes,
    dialect: 'hl7v2' as const,
    source,
    charset,
    sequence: sequenceOf(header, source, participants),
  };
  const impostor = impostorReason(named, origin, participants);
  if (isParseError(parsed)) {
    const startsLink = isLinkStart(header) && parsed.code === 'missing-message-type' && header.controlId !== undefined;
    const controlId = header?.controlId ?? '';
    if (startsLink && impostor === undefined) {
      return { received: { ...common, type: 'link', controlId, lane: `${source} link`, settled: true }, parsed };
    }
    const refused = impostor ?? parsed.message;
    return { received: { ...common, type: 'unreadable', controlId, lane: 'refused', refused }, parsed };
  }
  const { code, event } = parsed.type;
  const patient = parsed.get('PID-3.1') ?? parsed.get('PID-2.1') ?? '';
  const query = queryKind(code, event);
  const settled = code === 'ACK' || query !== undefined || (isLinkStart(header) && parsed.segments.length === 1);
  const received: Received = {
    ...common,
    type: event ? `${code}^${event}` : code,
    controlId: parsed.controlId,
    lane: patient ? `${source} ${patient}` : `${source} ${parsed.controlId}`,
    settled,
    applicationWish: settled || impostor !== undefined ? undefined : applicationWish(header),
    refused:
      impostor ??
      (query ? refusedQuery(query, source, participants, origin) : isQuestion(code) ? questionReason : undefined),
  };
  return { received, parsed, query };
}

export const questionReason =
  'Of the queries of HL7 v2 the hub answers QBP^Q22, Q23 and Q11, QRY^A19 and VXQ^V01: ask for anything else by FHIR.';

/** Why a query is not answered: who asks may not. */
function refusedQuery(
  { topic }: QueryKind,
  source: string,
  participants: Participants,
  { caller }: Origin,
): string | undefined {
  if (topic === undefined) return undefined;
  if (caller?.refused !== undefined) return caller.refused;
  if (caller && caller.homes !== 'all') return `The role ${caller.role} may not read these records.`;
  if (caller?.grant) return 'What an app was granted is good for FHIR only.';
  return participants.byKey(source).queries?.includes(topic)
    ? undefined
    : `The sender may not ask for ${topic}: nobody allowed it to (queries of the participant ${source}).`;
}

/** Whether a message of this type (MSH-9.1) asks, and waits for an answer that an acknowledgement is not. */
export function isQuestion(code: string): boolean {
  return /^(QBP|QSB|QVR|QRY|VXQ|SPQ|VTQ|EQQ|RQQ|OSQ|RQC|RQP|PIN)$/.test(code);
}

/** MSH-16, where it may lead to an answer (HL7 table 0155). */
function applicationWish(header: MessageHeader | undefined): string | undefined {
  const wish = header?.applicationAcknowledgement;
  return wish === undefined || wish === 'NE' || wish === '""' ? undefined : wish.slice(0, 2);
}

function isLinkStart(header: MessageHeader | undefined): header is MessageHeader {
  return header?.sequenceNumber === 0 || header?.sequenceNumber === -1;
}

function sequenceOf(
  header: MessageHeader | undefined,
  source: string,
  participants: Participants,
): Received['sequence'] {
  const number = header?.sequenceNumber;
  if (number === undefined || participants.byKey(source).transport?.sequenceNumbers === false) return undefined;
  const { sendingApplication, sendingFacility, receivingApplication, receivingFacility } = header!;
  const ends = [source, sendingApplication, sendingFacility, receivingApplication, receivingFacility];
  return { link: ends.map((end) => (end ?? '').slice(0, 100)).join('|'), number };
}

/** Why a message may not be taken as what its header says, where certificates stand for participants. */
function impostorReason(named: string, origin: Origin, participants: Participants): string | undefined {
  const { certified, site } = origin;
  if (certified === undefined) return uncertifiedReason(site ?? named, origin, participants);
  const isOther = named !== certified && participants.all().some(({ key }) => key === named);
  return isOther
    ? `The client certificate stands for ${certified}, and MSH-3 and MSH-4 say that the message is of ${named}.`
    : undefined;
}

/** Why what a participant sends is not taken as its own: it has certificates, and none of them was shown. */
export function uncertifiedReason(source: string, origin: Origin, participants: Participants): string | undefined {
  const { byCertificate, certified } = origin;
  return byCertificate && certified !== source && participants.byKey(source).transport?.certificates?.length
    ? `Messages of ${source} are taken with its client certificate only.`
    : undefined;
}

/**
 * A C-CDA document for the inbox, or the sentence that says why it is none. Of a large one only the header is read here;
 * what is wrong further down shows when it is converted.
 */
export function acceptCcda(bytes: Buffer, source: string | undefined, participants: Participants): Received | string {
  const parsed = parseCdaHead(bytes);
  if (!parsed.ok) return `Line ${parsed.error.line}, column ${parsed.error.column}: ${parsed.error.message}`;
  const { header, sections, looseEntries } = parsed.document;
  if (!header && sections.length + looseEntries.length === 0) {
    return 'The document has no CDA header, section or entry: a ClinicalDocument in namespace urn:hl7-org:v3 is expected.';
  }
  const custodian = header?.custodian?.find('assignedCustodian', 'representedCustodianOrganization');
  const root = custodian?.child('id')?.attr('root');
  const from = source ?? participants.byOid(root) ?? keyOf(custodian?.child('name')?.text ?? 'unknown');
  const patient = header?.recordTargets[0]?.find('patientRole', 'id');
  return {
    bytes,
    dialect: 'ccda',
    source: from,
    type: header?.title?.slice(0, 60) || header?.code?.displayName || 'C-CDA',
    controlId: header?.id ? `${header.id.root ?? ''}^${header.id.extension ?? ''}` : digest(bytes),
    lane: `${from} ${patient?.attr('root') ?? ''} ${patient?.attr('extension') ?? ''}`,
  };
}

/** A FHIR Bundle that a site sends as a message. */
export function acceptBundle(
  bytes: Buffer,
  source: string,
  patient: string | undefined,
  identifier: string | undefined,
): Received {
  return {
    bytes,
    dialect: 'fhir',
    source,
    type: 'Bundle',
    controlId: identifier ?? digest(bytes),
    lane: `${source} ${patient ?? ''}`,
  };
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}
