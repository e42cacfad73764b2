/**
 * Create, update and delete, by id and by condition (FHIR R4 §3.1.0.4, §3.1.0.7, §3.1.0.8), under If-Match and
 * If-None-Match (§3.1.0.5).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Preconditions, RecordError } from '../record/index.ts';
import { asRequested } from '../subscriptions/index.ts';
import { auditOf, bodyText, type Params, pathOf, removalAudit, removalsAudit, writer } from './fhir-exchange.ts';
import { formParameters } from './fhir-format.ts';
import { returnPreference } from './fhir-prefer.ts';
import { sendOutcome, sendWritten, setVersion } from './fhir-send.ts';
import type { PublishParts } from './mhd-publish.ts';
import { isSimplifiedPublish, simplifiedPublish } from './mhd-routes.ts';

type Exchange = FastifyRequest<{ Params: Params }>;

export function fhirWriteRoutes(app: FastifyInstance, parts: PublishParts): void {
  const { record } = parts;

  app.post<{ Params: Params }>('/fhir/:type', async (request, reply) => {
    const who = await writer(parts, request, 'create');
    const { type } = request.params;
    const scanned = record.scan(asRequested(bodyText(request), type), type);
    if (isSimplifiedPublish(scanned)) return simplifiedPublish(app, parts, request, reply, who, scanned);
    const condition = single(request.headers['if-none-exist']);
    const made = await record.create(who, scanned, condition, auditOf(who, 'create', pathOf(request)));
    return sendWritten(request, reply, type, made);
  });

  app.put<{ Params: Params }>('/fhir/:type/:id', async (request, reply) => {
    const who = await writer(parts, request, 'update');
    const { type, id } = request.params;
    const scanned = record.scan(asRequested(bodyText(request), type), type);
    const made = await record.update(who, scanned, id, preconditions(request), auditOf(who, 'update', pathOf(request)));
    return sendWritten(request, reply, type, made);
  });

  app.put<{ Params: Params }>('/fhir/:type', async (request, reply) => {
    const who = await writer(parts, request, 'update');
    const { type } = request.params;
    const query = conditionOf(request);
    const scanned = record.scan(bodyText(request), type);
    const audit = auditOf(who, 'update', pathOf(request));
    const made = await record.conditionalUpdate(who, scanned, query, preconditions(request), audit);
    return sendWritten(request, reply, type, made);
  });

  app.delete<{ Params: Params }>('/fhir/:type/:id', async (request, reply) => {
    const who = await writer(parts, request, 'delete');
    const { type, id } = request.params;
    refuseBody(request);
    const audit = removalAudit(who, 'delete', pathOf(request), `${type}/${id}`);
    const removed = await record.remove(who, type, id, preconditions(request), audit);
    if (removed) setVersion(reply, removed);
    return sendRemoved(request, reply, removed ? 1 : 0);
  });

  app.delete<{ Params: Params }>('/fhir/:type', async (request, reply) => {
    const who = await writer(parts, request, 'delete');
    const { type } = request.params;
    refuseBody(request);
    const query = conditionOf(request);
    const audit = removalsAudit(who, 'delete', pathOf(request));
    const removed = await record.conditionalRemove(who, type, query, preconditions(request), audit);
    return sendRemoved(request, reply, removed.length);
  });
}

/** The preconditions in a request's headers. */
export function preconditions(request: FastifyRequest): Preconditions {
  return { ifMatch: single(request.headers['if-match']), ifNoneMatch: single(request.headers['if-none-match']) };
}

/** The condition in the address of a conditional interaction. @throws RecordError 400 where there is none */
export function conditionOf(request: Exchange): string {
  const query = new URLSearchParams(request.url.split('?')[1] ?? '');
  for (const name of formParameters) query.delete(name);
  if (query.size > 0) return String(query);
  const { type } = request.params;
  const text = `The address needs an id, ${type}/[id], or a condition, ${type}?identifier=[system]|[value].`;
  throw new RecordError(400, 'required', text);
}

function sendRemoved(request: FastifyRequest, reply: FastifyReply, count: number): FastifyReply {
  if (returnPreference(request) !== 'OperationOutcome') return reply.code(204).send();
  const diagnostics =
    count === 0
      ? 'There was nothing to delete.'
      : count === 1
        ? 'The resource is deleted; its history is kept.'
        : `${count} resources are deleted; their history is kept.`;
  return sendOutcome(request, reply, 200, [{ severity: 'information', code: 'informational', diagnostics }]);
}

function refuseBody(request: FastifyRequest): void {
  if (request.body instanceof Buffer && request.body.length > 0) {
    throw new RecordError(400, 'invalid', 'A delete has no body; the address says what is deleted.');
  }
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header;
}
