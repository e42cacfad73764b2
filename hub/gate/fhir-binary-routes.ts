/**
 * Binary in its own form (https://hl7.org/fhir/R4/binary.html#rest): bytes of any content type go in and come out as they
 * are; as a FHIR resource only where FHIR's own media types are asked for. What is sent is hostile until proven
 * otherwise, so a browser is told to save it, not to show it.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RecordError, type StoredResource } from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import { documentOf } from './ccda-documents.ts';
import { patientsOf } from './fhir-answers.ts';
import { sendDocument } from './fhir-docref-routes.ts';
import { auditOf, bodyText, type Params, pathOf, recordAccess, writer } from './fhir-exchange.ts';
import { accepts, formatOf, isFhirMediaType, mediaTypeOf } from './fhir-format.ts';
import { isUnchanged } from './fhir-read-routes.ts';
import { sendResource, sendWritten, setVersion } from './fhir-send.ts';
import { preconditions } from './fhir-write-routes.ts';
import { isOriginal, type OriginalParts, sendOriginal } from './original-documents.ts';

type Exchange = FastifyRequest<{ Params: Omit<Params, 'type'> }>;

export function fhirBinaryRoutes(app: FastifyInstance, parts: OriginalParts): void {
  const { record, authenticator } = parts;
  const answer = async (
    request: Exchange,
    reply: FastifyReply,
    who: Caller,
    action: string,
    stored: StoredResource,
  ) => {
    const isKnown = isUnchanged(stored, request.headers['if-none-match'], request.headers['if-modified-since']);
    const content = isKnown || wantsResource(request) ? undefined : contentOf(request, stored);
    await recordAccess(parts, who, action, pathOf(request), 200, patientsOf([stored]));
    reply.header('vary', 'accept');
    if (isKnown) {
      setVersion(reply, stored);
      return reply.code(304).send();
    }
    return content ? sendContent(reply, stored, content) : sendResource(request, reply, stored);
  };

  app.get('/fhir/Binary/:id', async (request: Exchange, reply) => {
    if (request.params.id.startsWith('$')) throw parts.addresses.refusal('GET', request.url);
    const who = await authenticator.caller(request, 'read');
    const { id } = request.params;
    if (documentOf(id)) return sendDocument(request, reply, parts, who, { id, asResource: wantsResource(request) });
    if (isOriginal(id)) return sendOriginal(request, reply, parts, who, { id, asResource: wantsResource(request) });
    return answer(request, reply, who, 'read', await record.read(who, 'Binary', id));
  });

  app.get('/fhir/Binary/:id/_history/:version', async (request: Exchange, reply) => {
    const who = await authenticator.caller(request, 'vread');
    const { id, version } = request.params;
    return answer(request, reply, who, 'vread', await record.vread(who, 'Binary', id, version));
  });

  app.post('/fhir/Binary', async (request, reply) => {
    const who = await writer(parts, request, 'create');
    const scanned = record.scan(binaryText(request, undefined), 'Binary');
    const made = await record.create(who, scanned, undefined, auditOf(who, 'create', pathOf(request)));
    return sendWritten(request, reply, 'Binary', made);
  });

  app.put('/fhir/Binary/:id', async (request: Exchange, reply) => {
    const who = await writer(parts, request, 'update');
    const { id } = request.params;
    const scanned = record.scan(binaryText(request, id), 'Binary');
    const made = await record.update(who, scanned, id, preconditions(request), auditOf(who, 'update', pathOf(request)));
    return sendWritten(request, reply, 'Binary', made);
  });
}

/** Whether the request names FHIR's own media types, or a format for the answer. */
function wantsResource(request: FastifyRequest): boolean {
  if (/[?&]_format=/.test(request.url)) return true;
  return String(request.headers.accept ?? '')
    .split(',')
    .some((range) => isFhirMediaType(mediaTypeOf(range)));
}

/** @throws RecordError 406 where the content is of a type that is not wanted (IHE MHD, ITI-68) */
function contentOf(request: FastifyRequest, stored: StoredResource): Content {
  const { contentType, data, securityContext } = JSON.parse(stored.text) as Omit<Content, 'type'> & {
    contentType?: string;
  };
  const type = contentType && mediaType.test(contentType) ? contentType : 'application/octet-stream';
  if (!accepts(request, type)) {
    throw new RecordError(406, 'not-supported', `The content is ${type}, and is sent as that, or as a Binary.`);
  }
  return { type, data, securityContext };
}

interface Content {
  type: string;
  data?: string | undefined;
  securityContext?: { reference?: string } | undefined;
}

function sendContent(
  reply: FastifyReply,
  stored: StoredResource,
  { type, data, securityContext }: Content,
): FastifyReply {
  setVersion(reply, stored);
  reply
    .header('content-type', type)
    .header('content-disposition', 'attachment')
    .header('content-security-policy', "sandbox; default-src 'none'");
  const context = securityContext?.reference;
  if (context && printable.test(context)) reply.header('x-security-context', context);
  return reply.send(Buffer.from(data ?? '', 'base64'));
}

/** A media type with parameters, as it may stand in a header (RFC 9110 §8.3.1). */
const mediaType =
  /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(?:\s*;\s*[\w.-]{1,50}=(?:"[\x20\x21\x23-\x5b\x5d-\x7e]{0,100}"|[\w.+-]{1,100})){0,5}$/;
const printable = /^[\x21-\x7e]{1,1000}$/;

/** The body as the JSON of a Binary: as it is where it is one, else put around the bytes. @throws RecordError 400, 415 */
function binaryText(request: FastifyRequest, id: string | undefined): string {
  const header = request.headers['content-type'];
  const body = request.body as Buffer | undefined;
  if (header === undefined || isResource(mediaTypeOf(header), body)) return bodyText(request);
  if (!mediaType.test(header)) {
    throw new RecordError(
      415,
      'not-supported',
      'The Content-Type of a Binary must be a media type, such as image/png.',
    );
  }
  const context = request.headers['x-security-context'];
  if (context !== undefined && (typeof context !== 'string' || !printable.test(context))) {
    throw new RecordError(
      400,
      'value',
      'X-Security-Context must be a reference, such as Patient/1.',
      'X-Security-Context',
    );
  }
  return JSON.stringify({
    resourceType: 'Binary',
    id,
    contentType: header,
    ...(context ? { securityContext: { reference: context } } : {}),
    ...(body && body.length > 0 ? { data: body.toString('base64') } : {}),
  });
}

/** FHIR's own media types bring resources; the generic ones where the content is one. */
function isResource(type: string, body: Buffer | undefined): boolean {
  if (isFhirMediaType(type)) return true;
  const format = formatOf(type);
  if (!format || !body) return false;
  const start = body.subarray(0, 4_096).toString('latin1');
  return format === 'json'
    ? /"resourceType"\s*:\s*"Binary"/.test(start)
    : /<Binary[\s>][^<]*http:\/\/hl7\.org\/fhir/.test(start);
}
