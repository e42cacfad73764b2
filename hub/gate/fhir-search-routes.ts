/** Search by GET and by POST (FHIR R4 §3.1.0.8). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FhirRecord } from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import { bundle, entry, outcomeOf, patientsOf } from './fhir-answers.ts';
import { baseUrl, type FhirParts, type Params, queryOf, recordAccess } from './fhir-exchange.ts';
import { isLenient } from './fhir-prefer.ts';
import { sendBundle } from './fhir-send.ts';

/** Parameters of a search by POST. */
const searchBytes = 64 * 1024;

export function fhirSearchRoutes(app: FastifyInstance, parts: FhirParts): void {
  const search = async (request: FastifyRequest, reply: FastifyReply, parameters: URLSearchParams) => {
    const who = await parts.authenticator.caller(request, 'search');
    const { type } = request.params as Params;
    const answer = await searchBundle(parts.record, who, type, parameters, baseUrl(request), isLenient(request));
    await recordAccess(parts, who, 'search', `/${type}?${parameters}`, 200, answer.patients);
    return sendBundle(request, reply, answer.text);
  };
  app.get<{ Params: Params }>('/fhir/:type', (request, reply) => search(request, reply, queryOf(request)));
  app.post<{ Params: Params; Body: Buffer }>('/fhir/:type/_search', { bodyLimit: searchBytes }, (request, reply) =>
    search(request, reply, new URLSearchParams(`${request.url.split('?')[1] ?? ''}&${request.body?.toString() ?? ''}`)),
  );
}

/** The answer to a search as text, and whose records it gives out. */
export async function searchBundle(
  record: FhirRecord,
  who: Caller,
  type: string,
  parameters: URLSearchParams,
  base: string,
  lenient: boolean,
): Promise<{ text: string; patients: string[] }> {
  const request = record.readSearch(type, parameters, lenient);
  const { matches, included, total, next } = await record.search(who, request);
  const query = new URLSearchParams(request.understood);
  const links = [['self', `${base}/${type}?${query}`]];
  if (next !== undefined) {
    query.set('_cursor', next);
    links.push(['next', `${base}/${type}?${query}`]);
  }
  const entries = [
    ...matches.map((stored) => entry(base, stored, 'match')),
    ...included.map((stored) => entry(base, stored, 'include')),
  ];
  if (request.warnings.length > 0) {
    entries.push(`{"resource":${JSON.stringify(outcomeOf(request.warnings))},"search":{"mode":"outcome"}}`);
  }
  return { text: bundle('searchset', links, entries, total), patients: patientsOf([...matches, ...included]) };
}
