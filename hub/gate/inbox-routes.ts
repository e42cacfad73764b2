/** The inbox over HTTP: HL7 v2, C-CDA and FHIR Bundles as messages, committed before the answer. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Receiver } from '../inbox/index.ts';
import { RecordError } from '../record/index.ts';
import type { Participants } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import type { Certified } from './certified.ts';
import { recognise } from './recognise.ts';
import type { Sending } from './sending.ts';

export interface InboxParts {
  receiver: Receiver;
  participants: Participants;
  authenticator: Authenticator;
  sending: Sending;
  certified: Certified;
}

/** Who may send messages. */
export const senders = ['system', 'integration-engineer', 'administrator'];

export function inboxRoutes(app: FastifyInstance, parts: InboxParts): void {
  const take = async (request: FastifyRequest) => {
    const who = await parts.authenticator.caller(request);
    if (!senders.includes(who.role))
      throw new RecordError(403, 'forbidden', `The role ${who.role} may not send messages.`);
    const body = request.body as Buffer | undefined;
    if (!body || body.length === 0) throw new RecordError(400, 'required', 'The request has no body.');
    const received = await parts.sending.judged(
      recognise(body, parts.certified.origin(request, who), parts.participants),
    );
    if (received.refused === undefined) return parts.receiver.receive(received);
    await parts.receiver.receive(received);
    throw new RecordError(422, 'structure', received.refused);
  };
  app.post('/inbox', async (request, reply) => reply.code(202).send(await take(request)));
  app.post('/ccda', async (request, reply) => reply.code(202).send(await take(request)));
}
