/** Which files are HL7 v2 cases, and the messages in them: bare, framed (MLLP), one after another, or in a batch. */
import { isParseError, MllpDecoder, splitBatch } from '@causeway/hl7v2';
import type { CaseFile } from '../case-files.ts';

export interface MessageCase {
  id: string;
  bytes: Uint8Array;
}

export interface MessageFile {
  messages: MessageCase[];
  /** Why the file could not be cut into messages, or what the cutting lost. */
  refusal?: string;
  lost?: string;
}

const VERTICAL_TAB = 0x0b;

/** True for files that begin as HL7 v2 does, and for any that is named `.hl7`. */
export function isMessageFile({ id, bytes }: CaseFile): boolean {
  if (/\.(xml|json|csv|fhir|md)$/i.test(id)) return false;
  return /hl7$/i.test(id) || /^[\uFEFF\s\u000b]*(MSH|FHS|BHS)[^A-Za-z0-9]/.test(headOf(bytes));
}

/** The messages of a file, each under the file's id and, when there are several, its number from 1. */
export function messagesIn({ id, bytes }: CaseFile): MessageFile {
  const contents = bytes[0] === VERTICAL_TAB ? framed(bytes) : [bytes];
  const messages: Uint8Array[] = [];
  for (const content of contents) {
    if (!holdsSeveral(content)) {
      messages.push(content);
      continue;
    }
    const file = splitBatch(content);
    if (isParseError(file)) return { messages: [], refusal: `${file.code}: ${file.message}` };
    messages.push(...file.batches.flatMap((batch) => batch.messages.map((message) => message.bytes)));
  }
  const written = contents.reduce((sum, content) => sum + headersIn(content), 0);
  const cases = messages.map((message, index) => ({
    id: messages.length === 1 ? id : `${id}#${index + 1}`,
    bytes: message,
  }));
  const lost = written > messages.length ? `${written - messages.length} of ${written} messages are lost` : undefined;
  return { messages: cases, lost };
}

function framed(bytes: Uint8Array): Uint8Array[] {
  const decoder = new MllpDecoder();
  const events = [...decoder.push(bytes), ...decoder.end()];
  return events.flatMap((event) => (event.content.length > 0 ? [event.content] : []));
}

function holdsSeveral(bytes: Uint8Array): boolean {
  return /^[\uFEFF\s]*(FHS|BHS)[^A-Za-z0-9]/.test(headOf(bytes)) || headersIn(bytes) > 1;
}

function headersIn(bytes: Uint8Array): number {
  return [
    ...Buffer.from(bytes)
      .toString('latin1')
      .matchAll(/(?<=^|[\r\n])MSH[^A-Za-z0-9\s]/g),
  ].length;
}

function headOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 64)).toString('utf8').replaceAll('\0', '');
}
