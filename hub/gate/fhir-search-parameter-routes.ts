/** `SearchParameter/[id]/$status`, an operation of this server's own: how far a custom search parameter is. */
import type { FastifyInstance } from 'fastify';
import { type FhirParts, type Params, pathOf, recordAccess } from './fhir-exchange.ts';
import { sendText } from './fhir-send.ts';
import { operationParameters } from './operation-parameters.ts';

export function fhirSearchParameterRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { record, authenticator } = parts;
  app.get<{ Params: Params }>('/fhir/SearchParameter/:id/$status', async (request, reply) => {
    const who = await authenticator.caller(request, 'status');
    operationParameters(parts, request, {});
    const { id } = request.params;
    await record.read(who, 'SearchParameter', id);
    const { state, done, total } = await record.parameters.progress(id);
    await recordAccess(parts, who, 'status', pathOf(request), 200);
    const parameter = [
      { name: 'state', valueCode: state },
      { name: 'done', valueInteger: done },
      ...(total === undefined ? [] : [{ name: 'total', valueInteger: total }]),
    ];
    return sendText(request, reply, JSON.stringify({ resourceType: 'Parameters', parameter }));
  });
}
