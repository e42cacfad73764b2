/** History of one resource, of a type, of everything (FHIR R4 §3.1.0.12). */
import type { FastifyInstance } from 'fastify';
import { bundle, historyEntry, patientsOf } from './fhir-answers.ts';
import { baseUrl, type FhirParts, type Params, pathOf, queryOf, recordAccess } from './fhir-exchange.ts';
import { countOf, cursorOf, dateParameter } from './fhir-parameters.ts';
import { sendBundle } from './fhir-send.ts';

export function fhirHistoryRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { record, authenticator } = parts;
  for (const address of ['/fhir/_history', '/fhir/:type/_history', '/fhir/:type/:id/_history']) {
    app.get<{ Params: Partial<Params> }>(address, async (request, reply) => {
      const who = await authenticator.caller(request, 'history');
      const query = queryOf(request);
      const page = { count: countOf(query), ...historyPage(query) };
      const { versions, next } = await record.history(who, request.params, page);
      await recordAccess(parts, who, 'history', pathOf(request), 200, patientsOf(versions));
      const base = baseUrl(request);
      const links = [['self', request.url.replace('/fhir', base)]];
      if (next !== undefined) {
        query.set('_cursor', String(next));
        links.push(['next', `${base}${request.url.split('?')[0]!.slice('/fhir'.length)}?${query}`]);
      }
      const entries = versions.map((stored) => historyEntry(base, stored));
      return sendBundle(request, reply, bundle('history', links, entries, undefined));
    });
  }
}

function historyPage(query: URLSearchParams): { before?: number; since?: Date } {
  const cursor = cursorOf(query);
  const since = dateParameter(query, '_since');
  return { ...(cursor === undefined ? {} : { before: Number(cursor) }), ...(since ? { since } : {}) };
}
