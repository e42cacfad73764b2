/**
 * What a message's first bytes say: dialect, sender, type, identity. A frame, encoding or header that is wrong is
 * refused here, with the reason; content is left to the inbox.
 */
import { createHash } from 'node:crypto';
import { parseCda } from '@causeway/ccda';
import { isParseError, type Message, type ParseError, parseMessage } from '@causeway/hl7v2';
import type { Received } from '../inbox/index.ts';
import { keyOf, type Participants } from '../trust/index.ts';

/** An HL7 v2 message, or what is wrong with it, ready for the inbox. */
export function acceptV2(
  bytes: Uint8Array,
  participants: Participants,
): { received: Received; parsed: Message | ParseError } {
  const parsed = parseMessage(bytes);
  if (isParseError(parsed)) {
    const header = parsed.header;
    const received: Received = {
      bytes,
      dialect: 'hl7v2',
      source: participants.bySender(header?.sendingFacility ?? '', header?.sendingApplication ?? ''),
      type: 'unreadable',
      controlId: header?.controlId ?? '',
      lane: 'refused',
      refused: parsed.message,
    };
    return { received, parsed };
  }
  const source = participants.bySender(parsed.get('MSH-4.1') ?? '', parsed.get('MSH-3.1') ?? '');
  const { code, event } = parsed.type;
  const patient = parsed.get('PID-3.1') ?? parsed.get('PID-2.1') ?? '';
  const received: Received = {
    bytes,
    dialect: 'hl7v2',
    source,
    type: event ? `${code}^${event}` : code,
    controlId: parsed.controlId,
    lane: patient ? `${source} ${patient}` : `${source} ${parsed.controlId}`,
  };
  return { received, parsed };
}

/** A C-CDA document for the inbox, or the sentence that says why it is none. */
export function acceptCcda(bytes: Buffer, source: string | undefined, participants: Participants): Received | string {
  const parsed = parseCda(bytes);
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
