/**
 * `Prefer: respond-async` on searches, `$everything` and Bundles (FHIR R4 asynchronous request pattern,
 * https://hl7.org/fhir/R4/async.html): the request becomes a job, which is carried out by the same routes.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest, InjectOptions } from 'fastify';
import type { Bulk, DeferredRequest } from '../bulk/index.ts';
import { siteOf } from './authenticate.ts';
import { bundleChunks } from './fhir-bundle-body.ts';
import { baseUrl, type FhirParts, pathOf, recordAccess } from './fhir-exchange.ts';
import { answerForm } from './fhir-format.ts';
import { accepted, prefersAsync } from './fhir-jobs.ts';

/** The addresses whose requests may be answered later, by method. */
const deferrable: Record<string, readonly string[]> = {
  GET: [
    '/fhir',
    '/fhir/:type',
    '/fhir/:type/:id/:target',
    '/fhir/Patient/$everything',
    '/fhir/Patient/:id/$everything',
    '/fhir/Encounter/:id/$everything',
  ],
  POST: ['/fhir', '/fhir/_search', '/fhir/:type/_search'],
};
/** What of the request goes along; its answer is always FHIR JSON. */
const handedOn = ['content-type', 'host'];

export function fhirAsyncRoutes(app: FastifyInstance, parts: FhirParts & { bulk: Bulk }): void {
  app.addHook('preHandler', async (request, reply) => {
    const { url = '' } = request.routeOptions;
    if (!prefersAsync(request) || !deferrable[request.method]?.includes(url)) return;
    const who = await parts.authenticator.caller(request, 'defer');
    answerForm(request);
    const job = await parts.bulk.defer(who, requestOf(request), bodyOf(request, parts), addressOf(request));
    await recordAccess(parts, who, 'defer', `${request.method} ${pathOf(request)} as ${job.id}`, 202);
    return accepted(request, reply, job);
  });

  parts.bulk.performWith(async (access, { method, url, headers, body }) => {
    const lent = parts.authenticator.lend({ ...access, site: siteOf(access) });
    try {
      const answer = await app.inject({
        method: method as NonNullable<InjectOptions['method']>,
        url,
        headers: { ...headers, accept: 'application/fhir+json', authorization: `Bearer ${lent.token}` },
        ...(body ? { payload: body } : {}),
      });
      return { status: answer.statusCode, body: answer.body };
    } finally {
      lent.end();
    }
  });
}

function requestOf(request: FastifyRequest): DeferredRequest {
  const headers: Record<string, string> = {};
  for (const name of handedOn) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  const prefer = String(request.headers.prefer ?? '')
    .split(/[,;]/)
    .map((one) => one.trim())
    .filter((one) => one !== '' && !one.startsWith('respond-async') && !one.startsWith('wait'));
  if (prefer.length > 0) headers.prefer = prefer.join(', ');
  const once = request.method === 'POST' && request.routeOptions.url === '/fhir';
  return { method: request.method, url: request.url, headers, once };
}

/** The bytes of a body, whether it was read already or is still to come. */
async function* bodyOf(request: FastifyRequest, { bundleBytes }: FhirParts): AsyncGenerator<Buffer> {
  const body = request.body as Buffer | Readable | undefined;
  if (body instanceof Readable) yield* bundleChunks(request, bundleBytes);
  else if (body) yield body;
}

function addressOf(request: FastifyRequest): string {
  return request.url.replace('/fhir', baseUrl(request));
}
