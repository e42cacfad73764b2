/** The documents of a mail: its attachments, and what a zip of IHE XDM holds ("XDR and XDM for Direct Messaging"). */
import {
  contentType,
  decodedBody,
  type Entity,
  field,
  leavesOf,
  parameterized,
  readXdm,
  UnopenedMail,
} from '../mail/index.ts';
import { unstructuredDocument } from './unstructured-document.ts';

/**
 * The bytes of each. A PDF in a zip of XDM, whose metadata says whose it is, comes within a document that says so itself. What
 * people read beside the documents, the text of the mail, is none of them.
 * @param sender the name of the organisation
 * @param mostBytes of all documents together
 * @throws UnopenedMail
 */
export async function documentsOf(mail: Entity, sender: string, mostBytes: number): Promise<Buffer[]> {
  const leaves = leavesOf(mail);
  if (!leaves) throw new UnopenedMail('The parts of the mail cannot be told from each other.');
  const documents: Buffer[] = [];
  let left = mostBytes;
  for (const leaf of leaves.filter(isDocument)) {
    const bytes = decodedBody(leaf);
    if (bytes.length === 0) continue;
    const packed = isZip(bytes) ? await readXdm(bytes, { bytes: left }) : undefined;
    const found = packed?.map((one) => unstructuredDocument(one, sender) ?? one.bytes) ?? [bytes];
    for (const one of found) left -= one.length;
    if (left < 0) throw new UnopenedMail(`The documents of the mail have more than ${mostBytes} bytes.`);
    documents.push(...found);
  }
  return documents;
}

/** Everything but text without a name that is to be shown. */
function isDocument(leaf: Entity): boolean {
  const { value, parameters } = contentType(leaf);
  if (value !== 'text/plain' && value !== 'text/html') return true;
  const disposition = parameterized(field(leaf, 'content-disposition') ?? '');
  return disposition.value === 'attachment' || [parameters.name, disposition.parameters.filename].some(Boolean);
}

function isZip(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).toString('latin1') === 'PK\x03\x04';
}
