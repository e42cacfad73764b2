/** Read and vread (FHIR R4 §3.1.0.2, §3.1.0.3). */
import type { FastifyInstance } from 'fastify';
import { etag, patientsOf } from './fhir-answers.ts';
import { type FhirParts, type Params, pathOf, recordAccess } from './fhir-exchange.ts';
import { sendResource } from './fhir-send.ts';

export function fhirReadRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { record, authenticator } = parts;

  app.get<{ Params: Params }>('/fhir/:type/:id', async (request, reply) => {
    const who = await authenticator.caller(request, 'read');
    const { type, id } = request.params;
    const stored = await record.read(who, type, id);
    await recordAccess(parts, who, 'read', pathOf(request), 200, patientsOf([stored]));
    if (request.headers['if-none-match'] === etag(stored.version)) return reply.code(304).send();
    return sendResource(request, reply, stored);
  });

  app.get<{ Params: Params }>('/fhir/:type/:id/_history/:version', async (request, reply) => {
    const who = await authenticator.caller(request, 'vread');
    const { type, id, version } = request.params;
    const stored = await record.vread(who, type, id, version);
    await recordAccess(parts, who, 'vread', pathOf(request), 200, patientsOf([stored]));
    return sendResource(request, reply, stored);
  });
}
