/**
 * The message header (MSH) read leniently: what an acknowledgement and the gate need, even when the message itself
 * is refused. Fields are undefined when empty.
 */
import type { Delimiters } from './delimiters.ts';

export interface MessageHeader {
  readonly delimiters: Delimiters;
  /** MSH-3 to MSH-6, raw text in the message's own delimiters. */
  readonly sendingApplication?: string;
  readonly sendingFacility?: string;
  readonly receivingApplication?: string;
  readonly receivingFacility?: string;
  /** MSH-9 components. */
  readonly messageCode?: string;
  readonly triggerEvent?: string;
  readonly messageStructure?: string;
  /** MSH-10. */
  readonly controlId?: string;
  /** MSH-11, raw text. */
  readonly processingId?: string;
  /** MSH-12, first component. */
  readonly version?: string;
  /** MSH-13, where it is a whole number; -1 and 0 start a link anew (chapter 2, section 2.10.1). */
  readonly sequenceNumber?: number;
  /** MSH-15 and MSH-16 (HL7 table 0155: AL, NE, ER, SU). */
  readonly acceptAcknowledgement?: string;
  readonly applicationAcknowledgement?: string;
  /** MSH-18, each repetition. */
  readonly charsets: readonly string[];
}

/**
 * Reads a header segment.
 *
 * @param line the MSH (or BHS, FHS) segment without its terminator
 */
export function readHeader(line: string, delimiters: Delimiters): MessageHeader {
  const fields = line.split(delimiters.field, 30);
  const raw = (n: number): string | undefined => fields[n - 1]?.trim() || undefined;
  const [messageCode, triggerEvent, messageStructure] = (raw(9) ?? '').split(delimiters.component);
  return {
    delimiters,
    sendingApplication: raw(3),
    sendingFacility: raw(4),
    receivingApplication: raw(5),
    receivingFacility: raw(6),
    messageCode: messageCode || undefined,
    triggerEvent: triggerEvent || undefined,
    messageStructure: messageStructure || undefined,
    controlId: raw(10),
    processingId: raw(11),
    version: raw(12)?.split(delimiters.component)[0]?.trim() || undefined,
    sequenceNumber: wholeNumber(raw(13)),
    acceptAcknowledgement: raw(15),
    applicationAcknowledgement: raw(16),
    charsets: splitOptional(raw(18), delimiters.repetition).map((name) => name.trim()),
  };
}

/** At most 15 digits, as data type NM has in this field (and as a number holds exactly). */
function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^(-1|\+?\d{1,15})$/.test(text) ? Number(text) : undefined;
}

function splitOptional(text: string | undefined, delimiter: string): string[] {
  if (text === undefined) {
    return [];
  }
  return delimiter === '' ? [text] : text.split(delimiter);
}
