/** Patient `$everything` (https://hl7.org/fhir/R4/patient-operation-everything.html). */
import type { FastifyInstance } from 'fastify';
import { bundle, entry } from './fhir-answers.ts';
import { baseUrl, type FhirParts, type Params, pathOf, queryOf, recordAccess } from './fhir-exchange.ts';
import { countOf, cursorOf, dateParameter } from './fhir-parameters.ts';
import { sendBundle } from './fhir-send.ts';

export function fhirEverythingRoutes(app: FastifyInstance, parts: FhirParts): void {
  app.get<{ Params: Params }>('/fhir/Patient/:id/$everything', async (request, reply) => {
    const who = await parts.authenticator.caller(request, 'everything');
    const query = queryOf(request);
    const since = dateParameter(query, '_since');
    const { resources, next } = await parts.record.everything(who, request.params.id, {
      count: countOf(query, 1_000),
      after: cursorOf(query),
      types: query.get('_type')?.split(','),
      since,
    });
    await recordAccess(parts, who, 'everything', pathOf(request), 200, [request.params.id]);
    const base = baseUrl(request);
    const links = [['self', request.url.replace('/fhir', base)]];
    if (next !== undefined) {
      query.set('_cursor', next);
      links.push(['next', `${base}/Patient/${request.params.id}/$everything?${query}`]);
    }
    const entries = resources.map((stored) => entry(base, stored, 'match'));
    return sendBundle(request, reply, bundle('searchset', links, entries, undefined));
  });
}
