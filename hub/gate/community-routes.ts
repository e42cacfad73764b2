/** The trust communities of the hub (UDAP) for administrators, and the identity providers at which it is a client. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Authorization } from '../authorization/index.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';

export interface CommunityParts {
  authorization: Authorization;
  authenticator: Authenticator;
  accessLog: AccessLog;
}

export function communityRoutes(
  app: FastifyInstance,
  { authorization, authenticator, accessLog }: CommunityParts,
): void {
  const administrator = async (request: FastifyRequest): Promise<Caller> => {
    const who = await authenticator.caller(request);
    if (who.role === 'administrator') return who;
    throw new RecordError(403, 'forbidden', `The role ${who.role} may not do this.`);
  };

  app.get('/api/trust-communities', async (request) => {
    await administrator(request);
    return authorization.trust();
  });

  app.delete<{ Querystring: { address?: string } }>('/api/identity-providers', async (request, reply) => {
    const who = await administrator(request);
    const { address = '' } = request.query;
    await accessLog.change(async (transaction) => {
      if (!(await authorization.forgetProvider(address, transaction)))
        throw new RecordError(404, 'not-found', 'The hub is no client of an identity provider at this address.');
      const entry = { action: 'forget-provider', what: address.slice(0, 500), status: 204 };
      return { made: undefined, note: { access: who, entry } };
    });
    return reply.code(204).send();
  });
}
