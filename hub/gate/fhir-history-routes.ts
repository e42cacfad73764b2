/** History of one resource, of a type, of everything (FHIR R4 §3.1.0.12). */
import type { FastifyInstance } from 'fastify';
import { bundle, historyEntry, patientsOf } from './fhir-answers.ts';
import { baseUrl, type FhirParts, type Params, pathOf, queryOf, recordAccess } from './fhir-exchange.ts';
import { answerForm } from './fhir-format.ts';
import { historyParameters } from './fhir-history-parameters.ts';
import { isLenient } from './fhir-prefer.ts';
import { shown } from './fhir-search-bundle.ts';
import { sendBundle } from './fhir-send.ts';

export function fhirHistoryRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { record, authenticator } = parts;
  for (const address of ['/fhir/_history', '/fhir/:type/_history', '/fhir/:type/:id/_history']) {
    app.get<{ Params: Partial<Params> }>(address, async (request, reply) => {
      const who = await authenticator.caller(request, 'history');
      const query = queryOf(request);
      const form = answerForm(request);
      const page = historyParameters(query, isLenient(request));
      const { versions, ids, next, total } = await record.history(who, request.params, page);
      await recordAccess(parts, who, 'history', pathOf(request), 200, patientsOf(versions, ids));
      const base = baseUrl(request);
      const links = [['self', `${base}${pathOf(request)}`]];
      if (next !== undefined) {
        query.set('_cursor', String(next));
        links.push(['next', `${base}${pathOf(request).split('?')[0]}?${query}`]);
      }
      const entries = versions.map((stored, i) => historyEntry(base, shown(stored, form.subset), ids[i]!));
      return sendBundle(request, reply, bundle('history', links, entries, total), form);
    });
  }
}
