/**
 * Batches over MLLP and HTTP (HL7 v2.9 chapter 2, section 2.10.3): their messages are taken one by one, and answered by a
 * batch of the acknowledgements. What stands around the messages is kept as a message of its own.
 */
import type { BatchFile } from '@causeway/hl7v2';
import type { Received } from '../inbox/index.ts';

/** Headers and trailers of a file, as they are kept. */
export function envelopeOf(file: BatchFile): Pick<Received, 'bytes' | 'type' | 'controlId'> {
  const lines = [file.header, ...file.batches.flatMap(({ header, trailer }) => [header, trailer]), file.trailer].filter(
    (line) => line !== undefined,
  );
  const controlId = fieldsOf(lines[0] ?? '')[10] ?? '';
  return { bytes: Buffer.from(lines.map((line) => `${line}\r`).join('')), type: 'batch', controlId };
}

/** The batch of acknowledgements that answers a file. What is odd about the file stands in its comments. */
export function batchAnswer(file: BatchFile, answers: Uint8Array[], controlId: string): Uint8Array {
  const header = file.batches.find((one) => one.header !== undefined)?.header ?? file.header ?? 'BHS|^~\\&';
  const separator = header[3] ?? '|';
  const comment = file.problems.map(({ message }) => message.replaceAll(separator, ' ')).join('; ');
  const parts: Uint8Array[] = [];
  const line = (...fields: string[]) => parts.push(Buffer.from(`${fields.join(separator)}\r`));
  if (file.header !== undefined) line(...answering('FHS', file.header, controlId));
  line(...answering('BHS', header, controlId));
  parts.push(...answers);
  line('BTS', String(answers.length), comment);
  if (file.header !== undefined) line('FTS', '1');
  return Buffer.concat(parts);
}

/** A header with sender and receiver swapped, that refers to the control id of the one answered (BHS-12, FHS-12). */
function answering(name: string, header: string, controlId: string): string[] {
  const [, encoding = '^~\\&', application = '', facility = '', toApplication = '', toFacility = ''] = fieldsOf(header);
  const reference = fieldsOf(header)[10] ?? '';
  return [name, encoding, toApplication, toFacility, application, facility, '', '', '', '', controlId, reference];
}

/** The fields of FHS or BHS; field n of the standard stands at n - 1. */
function fieldsOf(header: string): string[] {
  return header.split(header[3] ?? '|');
}
