/**
 * Patch, by id and by condition (https://hl7.org/fhir/R4/http.html#patch): JSON Patch and FHIRPath Patch, under If-Match
 * and If-None-Match.
 */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Patch, RecordError } from '../record/index.ts';
import { auditOf, bodyText, type FhirParts, type Params, pathOf, writer } from './fhir-exchange.ts';
import { isFhirMediaType, mediaTypeOf } from './fhir-format.ts';
import { sendWritten } from './fhir-send.ts';
import { conditionOf, preconditions } from './fhir-write-routes.ts';

export function fhirPatchRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { record } = parts;

  app.patch<{ Params: Params }>('/fhir/:type/:id', async (request, reply) => {
    const who = await writer(parts, request, 'patch');
    const { type, id } = request.params;
    const audit = auditOf(who, 'patch', pathOf(request));
    const made = await record.patch(who, type, id, patchOf(request), preconditions(request), audit);
    return sendWritten(request, reply, type, made);
  });

  app.patch<{ Params: Params }>('/fhir/:type', async (request, reply) => {
    const who = await writer(parts, request, 'patch');
    const { type } = request.params;
    const query = conditionOf(request);
    const audit = auditOf(who, 'patch', pathOf(request));
    const made = await record.conditionalPatch(who, type, query, patchOf(request), preconditions(request), audit);
    return sendWritten(request, reply, type, made);
  });
}

/** The media types of patches, for `Accept-Patch` (RFC 5789 §3.1). */
const patchMediaTypes = 'application/json-patch+json, application/fhir+json, application/fhir+xml';

/** The patch that a request brings. @throws RecordError 400, 415 */
function patchOf(request: FastifyRequest): Patch {
  const mediaType = mediaTypeOf(request.headers['content-type'] ?? '');
  if (mediaType === 'application/json-patch+json') return { kind: 'json', text: jsonPatchText(request) };
  if (isFhirMediaType(mediaType)) return { kind: 'fhirpath', text: bodyText(request) };
  const text =
    'A patch is sent as application/json-patch+json (a JSON Patch), or as application/fhir+json or application/fhir+xml (Parameters with a FHIRPath Patch).';
  throw new RecordError(415, 'not-supported', text).with('accept-patch', patchMediaTypes);
}

function jsonPatchText(request: FastifyRequest): string {
  const body = request.body as Buffer | undefined;
  if (!body || body.length === 0) {
    throw new RecordError(400, 'required', 'The request has no body; send a JSON Patch, an array of operations.');
  }
  if (!isUtf8(body)) throw new RecordError(400, 'structure', 'The body is not UTF-8, which JSON has to be.');
  return body.toString('utf8');
}
