/**
 * C-CDA documents as they came, as Binaries under ids that tell the message: `original.[message]`, and `.body` behind it for
 * what a document without sections carries (`nonXMLBody`). They are given out whole, to those who may see all that was made
 * of them (IHE MHD, ITI-68).
 */
import { parseCda } from '@causeway/ccda';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Messages } from '../inbox/index.ts';
import { RecordError } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import type { Caller } from './authenticate.ts';
import { uuid } from './document-addresses.ts';
import { type FhirParts, pathOf, recordAccess } from './fhir-exchange.ts';
import { accepts } from './fhir-format.ts';
import { sendText } from './fhir-send.ts';

export interface OriginalParts extends FhirParts {
  messages: Messages;
}

const idForm = new RegExp(`^original\\.(${uuid})(\\.body)?$`);

/** Whether an id is that of an original. */
export function isOriginal(id: string): boolean {
  return idForm.test(id);
}

/** Sends an original, as it is, or as a Binary where FHIR's media types are asked for. @throws RecordError 404, 406, 410 */
export async function sendOriginal(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: OriginalParts,
  who: Caller,
  { id, asResource }: { id: string; asResource: boolean },
): Promise<FastifyReply> {
  const [, message, body] = idForm.exec(id)!;
  const isOpen = await parts.messages.isOpenTo(who, message!);
  const document = isOpen ? await parts.messages.document(message!) : undefined;
  if (!document) throw new RecordError(404, 'not-found', 'There is no Binary of this id.');
  const { contentType, bytes } = body ? bodyOf(document.bytes) : { contentType: 'text/xml', bytes: document.bytes };
  if (!asResource && !accepts(request, contentType)) {
    throw new RecordError(406, 'not-supported', `The document is ${contentType}, and is sent as that alone.`);
  }
  await recordAccess(parts, who, 'read', pathOf(request), 200, document.person ? [document.person] : []);
  reply.header('vary', 'accept').header('cache-control', 'no-store');
  if (asResource) {
    return sendText(
      request,
      reply,
      JSON.stringify({ resourceType: 'Binary', id, contentType, data: bytes.toString('base64') }),
    );
  }
  return reply
    .header('content-type', contentType)
    .header('content-disposition', 'attachment')
    .header('content-security-policy', "sandbox; default-src 'none'")
    .send(bytes);
}

/** An original, or what it carries; undefined where an access may not see all of it. @throws RecordError 404, 410 */
export async function originalOf(
  messages: Messages,
  access: Access,
  message: string,
  part: 'whole' | 'body',
): Promise<{ contentType: string; bytes: Buffer } | undefined> {
  const document = (await messages.isOpenTo(access, message)) ? await messages.document(message) : undefined;
  if (!document) return undefined;
  return part === 'body' ? bodyOf(document.bytes) : { contentType: 'text/xml', bytes: document.bytes };
}

/** What a document without sections carries. @throws RecordError 404 */
function bodyOf(document: Buffer): { contentType: string; bytes: Buffer } {
  const parsed = parseCda(document);
  const text = parsed.ok ? parsed.document.nonXmlBody : undefined;
  if (!text) throw new RecordError(404, 'not-found', 'There is no Binary of this id.');
  const mediaType = text.attr('mediaType') ?? '';
  const isBase64 = text.attr('representation') === 'B64';
  return {
    contentType: /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/.test(mediaType) ? mediaType : 'application/octet-stream',
    bytes: Buffer.from(text.text, isBase64 ? 'base64' : 'utf8'),
  };
}
