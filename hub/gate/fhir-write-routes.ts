/** Create, update and delete (FHIR R4 §3.1.0.4 to §3.1.0.8). */
import type { FastifyInstance } from 'fastify';
import { etag } from './fhir-answers.ts';
import { auditOf, bodyText, type FhirParts, type Params, pathOf, writer } from './fhir-exchange.ts';
import { sendWritten } from './fhir-send.ts';

export function fhirWriteRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { record } = parts;

  app.post<{ Params: Params; Body: Buffer }>('/fhir/:type', async (request, reply) => {
    const who = await writer(parts, request, 'create');
    const scanned = record.scan(bodyText(request), request.params.type);
    const ifNoneExist = request.headers['if-none-exist'];
    const condition = typeof ifNoneExist === 'string' ? ifNoneExist : undefined;
    const made = await record.create(who, scanned, condition, auditOf(who, 'create', pathOf(request)));
    return sendWritten(request, reply, request.params.type, made);
  });

  app.put<{ Params: Params; Body: Buffer }>('/fhir/:type/:id', async (request, reply) => {
    const who = await writer(parts, request, 'update');
    const { type, id } = request.params;
    const scanned = record.scan(bodyText(request), type);
    const ifMatch = request.headers['if-match'];
    const made = await record.update(scanned, id, ifMatch, auditOf(who, 'update', pathOf(request)));
    return sendWritten(request, reply, type, made);
  });

  app.put<{ Params: Params; Body: Buffer }>('/fhir/:type', async (request, reply) => {
    const who = await writer(parts, request, 'update');
    const { type } = request.params;
    const query = request.url.split('?')[1] ?? '';
    const scanned = record.scan(bodyText(request), type);
    const made = await record.conditionalUpdate(who, scanned, query, auditOf(who, 'update', pathOf(request)));
    return sendWritten(request, reply, type, made);
  });

  app.delete<{ Params: Params }>('/fhir/:type/:id', async (request, reply) => {
    const who = await writer(parts, request, 'delete');
    const { type, id } = request.params;
    const version = await record.remove(type, id, request.headers['if-match'], () => ({
      access: who,
      entry: { action: 'delete', what: pathOf(request), status: 204, patients: type === 'Patient' ? [id] : [] },
    }));
    if (version !== undefined) reply.header('etag', etag(version));
    return reply.code(204).send();
  });
}
