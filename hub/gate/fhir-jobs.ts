/** What all requests that are answered later have in common. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Job } from '../bulk/index.ts';
import { baseUrl } from './fhir-exchange.ts';
import { sendOutcome } from './fhir-send.ts';

/** Whether a client asks to be answered later (RFC 7240 §4.1). */
export function prefersAsync(request: FastifyRequest): boolean {
  const { prefer } = request.headers;
  return prefer !== undefined && /(?:^|[,;\s])respond-async\b/.test(String(prefer));
}

/** Says that a job was accepted and where its status is. */
export function accepted(request: FastifyRequest, reply: FastifyReply, job: Job): FastifyReply {
  reply.header('content-location', `${baseUrl(request)}/_bulk/${job.id}`).header('preference-applied', 'respond-async');
  const diagnostics = 'The job is accepted; its status is at the address of Content-Location.';
  return sendOutcome(request, reply, 202, [{ severity: 'information', code: 'informational', diagnostics }]);
}
