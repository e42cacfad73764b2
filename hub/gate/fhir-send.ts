/** Sending FHIR answers: the one place where their headers, and what `Prefer` asks for, are decided. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Issue, StoredResource } from '../record/index.ts';
import { etag, outcomeOf } from './fhir-answers.ts';
import { baseUrl } from './fhir-exchange.ts';

const fhirJson = 'application/fhir+json; charset=utf-8';

/** Sends a stored version with its ETag and time. */
export function sendResource(
  request: FastifyRequest,
  reply: FastifyReply,
  stored: StoredResource,
  status = 200,
): FastifyReply {
  reply.code(status).header('etag', etag(stored.version)).header('last-modified', stored.updated.toUTCString());
  return sendText(request, reply, stored.text);
}

/** Sends what was written, as `Prefer: return` says. */
export function sendWritten(
  request: FastifyRequest,
  reply: FastifyReply,
  type: string,
  made: { status: number; id: string; version: number; updated: Date; text: string },
): FastifyReply {
  reply
    .code(made.status)
    .type(fhirJson)
    .header('etag', etag(made.version))
    .header('last-modified', made.updated.toUTCString())
    .header('location', `${baseUrl(request)}/${type}/${made.id}/_history/${made.version}`);
  const prefer = String(request.headers.prefer ?? '');
  if (prefer.includes('return=minimal')) return reply.send();
  if (prefer.includes('return=OperationOutcome')) {
    return sendOutcome(request, reply, made.status, [
      { severity: 'information', code: 'informational', diagnostics: 'Stored.' },
    ]);
  }
  return sendText(request, reply, made.text);
}

/** Sends a Bundle's text. */
export function sendBundle(request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
  return sendText(request, reply, text);
}

/** Sends an OperationOutcome of issues. */
export function sendOutcome(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  issues: readonly Issue[],
): FastifyReply {
  return sendText(request, reply.code(status), JSON.stringify(outcomeOf(issues)));
}

/** Sends a resource that is not stored (Parameters, CapabilityStatement, …), as canonical JSON text. */
export function sendText(_request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
  return reply.type(fhirJson).send(text);
}

/** Whether what is not understood may be left out with a warning. */
export function isLenient(request: FastifyRequest): boolean {
  return String(request.headers.prefer ?? '').includes('handling=lenient');
}
