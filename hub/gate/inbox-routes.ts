/** The inbox over HTTP: HL7 v2, C-CDA and FHIR Bundles as messages, committed before the answer. */

import type { ParseError } from '@causeway/hl7v2';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Receiver } from '../inbox/index.ts';
import { type BundleHead, giveBack, type LargeBodies, largeBytes, RecordError } from '../record/index.ts';
import type { Participants } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import type { Certified } from './certified.ts';
import { recognise, startOf } from './recognise.ts';
import type { Sending } from './sending.ts';

export interface InboxParts {
  receiver: Receiver;
  participants: Participants;
  authenticator: Authenticator;
  sending: Sending;
  certified: Certified;
  largeBodies: LargeBodies;
}

/** Who may send messages. */
export const senders = ['system', 'integration-engineer', 'administrator'];

export function inboxRoutes(app: FastifyInstance, parts: InboxParts): void {
  const take = async (request: FastifyRequest) => {
    const who = await parts.authenticator.caller(request);
    if (!senders.includes(who.role))
      throw new RecordError(403, 'forbidden', `The role ${who.role} may not send messages.`);
    const sent = request.body as Buffer | undefined;
    if (!sent || sent.length === 0) throw new RecordError(400, 'required', 'The request has no body.');
    const { body, head, unreadable } = await readBefore(parts.largeBodies, who.who, sent);
    request.body = body;
    const origin = { ...parts.certified.origin(request, who), unreadable };
    const received = await parts.sending.judged(recognise(body, origin, parts.participants, head));
    if (received.refused === undefined) return parts.receiver.receive(received);
    await parts.receiver.receive(received);
    if (body.length >= largeBytes) giveBack(body);
    throw new RecordError(422, 'structure', received.refused);
  };
  app.post('/inbox', async (request, reply) => reply.code(202).send(await take(request)));
  app.post('/ccda', async (request, reply) => reply.code(202).send(await take(request)));
}

/** What is known of a large body that was read beside everything else; of a document only the header is read, here. */
async function readBefore(
  bodies: LargeBodies,
  who: string,
  body: Buffer,
): Promise<{ body: Buffer; head?: BundleHead; unreadable?: ParseError | undefined }> {
  const start = body.length < largeBytes ? '' : startOf(body);
  if (start.startsWith('{')) return bodies.bundle(who, body);
  return start.startsWith('MSH') ? bodies.message(who, body) : { body };
}
