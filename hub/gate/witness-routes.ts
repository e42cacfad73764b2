/**
 * This hub as a witness of other logs (C2SP tlog-witness). Who asks is known by the signature on the checkpoint alone. What
 * is cosigned is no event, and what goes on by the size that is told is none: else two hubs that witness each other would
 * never come to rest. What is refused is one, as it is of any stranger.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Witness, WitnessAnswer } from '../audit/index.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog } from '../trust/index.ts';
import { logReaders } from './audit-log-routes.ts';
import type { Authenticator } from './authenticate.ts';

export interface WitnessRouteParts {
  witness: Witness;
  authenticator: Authenticator;
  accessLog: AccessLog;
}

/** A checkpoint with 64 signatures, and 63 hashes. */
const submissionBytes = 80 * 1024;

export function witnessRoutes(app: FastifyInstance, { witness, authenticator, accessLog }: WitnessRouteParts): void {
  const answered = async (request: FastifyRequest, reply: FastifyReply, answer: WitnessAnswer) => {
    const { status, type, body } = answer;
    if (status >= 400 && status !== 409) {
      await accessLog.strangers.refused(request.ip, `${request.method} ${request.routeOptions.url}`, status);
    }
    return reply.code(status).type(type).header('cache-control', 'no-store').send(body);
  };

  app.post('/witness/add-checkpoint', { bodyLimit: submissionBytes }, async (request, reply) => {
    const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
    return answered(request, reply, await witness.add(body));
  });

  app.get<{ Params: { log: string } }>('/witness/:log/checkpoint', async (request, reply) => {
    const checkpoint = await witness.checkpoint(request.params.log);
    const none = { status: 404, type: 'text/plain; charset=utf-8', body: 'This witness has cosigned no such log.\n' };
    return answered(request, reply, checkpoint === undefined ? none : { ...none, status: 200, body: checkpoint });
  });

  app.get('/api/audit/witness', async (request) => {
    await authenticator.inPerson(request, logReaders, 'audit-witness');
    const status = await witness.status();
    if (!status) throw new RecordError(404, 'not-found', 'This hub is no witness of other logs.');
    return status;
  });
}
