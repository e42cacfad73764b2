/** Brands: the Bundle that any app may fetch, and what administrators say of the network and of participants. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Authorization } from '../authorization/index.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog, Participants } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { jsonBody } from './body.ts';

export interface BrandParts {
  authorization: Authorization;
  authenticator: Authenticator;
  accessLog: AccessLog;
  participants: Participants;
}

type Key = { Params: { key: string } };

export function brandRoutes(app: FastifyInstance, parts: BrandParts): void {
  const { authorization, authenticator, accessLog, participants } = parts;
  const { brands } = authorization;
  const administrator = async (request: FastifyRequest): Promise<Caller> => {
    const who = await authenticator.caller(request, 'change-brand');
    if (who.role === 'administrator') return who;
    throw new RecordError(403, 'forbidden', `The role ${who.role} may not do this.`);
  };
  /** Undefined: the network's own. @throws RecordError 404 */
  const named = (request: FastifyRequest): string | undefined => {
    const { key } = request.params as { key?: string };
    if (key === undefined || participants.all().some((one) => one.key === key)) return key;
    throw new RecordError(404, 'not-found', 'There is no participant of this key.');
  };

  app.get('/brands', async (request, reply) => {
    const { text, digest, changed } = await authorization.brandBundle();
    reply.header('etag', `W/"${digest}"`).header('last-modified', changed.toUTCString());
    reply.header('cache-control', 'public, max-age=3600');
    const known = String(request.headers['if-none-match'] ?? '').split(/,\s*/);
    if (known.some((one) => one === '*' || one.replace(/^W\//, '') === `"${digest}"`)) return reply.code(304).send();
    return reply.type('application/fhir+json; charset=utf-8').send(text);
  });

  for (const url of ['/api/brand', '/api/participants/:key/brand']) {
    app.get<Key>(url, async (request) => {
      await administrator(request);
      return { brand: (await brands.of(named(request))) ?? null };
    });

    app.put<Key>(url, async (request) => {
      const who = await administrator(request);
      const key = named(request);
      await brands.put(key, jsonBody(request));
      await accessLog.record(who, { action: 'change-brand', what: key ?? 'network', status: 200 });
      return { brand: await brands.of(key) };
    });

    app.delete<Key>(url, async (request, reply) => {
      const who = await administrator(request);
      const key = named(request);
      await brands.remove(key);
      await accessLog.record(who, { action: 'remove-brand', what: key ?? 'network', status: 204 });
      return reply.code(204).send();
    });
  }
}
