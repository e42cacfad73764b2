/**
 * HL7 over HTTP, as HAPI specifies it: `POST /hl7` with an HL7 v2 message, or a batch, as body and `application/hl7-v2` as
 * content type. The answer is the acknowledgement, with status 200 for AA and CA, 400 for AR and CR, 500 for AE and CE. The
 * charset of the content type counts, not MSH-18; the answer is in it too.
 */
import { type AcknowledgementCode, charsetLabel } from '@causeway/hl7v2';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { giveBack, type LargeBodies, largeBytes, RecordError } from '../record/index.ts';
import type { AnswerWay, ApplicationAcks } from './application-acks.ts';
import type { Authenticator } from './authenticate.ts';
import type { Certified } from './certified.ts';
import { senders } from './inbox-routes.ts';
import { startOf } from './recognise.ts';
import type { V2Gate } from './take-v2.ts';

export interface Hl7HttpParts {
  gate: V2Gate;
  acks: ApplicationAcks;
  authenticator: Authenticator;
  certified: Certified;
  largeBodies: LargeBodies;
}

const contentTypes = new Set(['application/hl7-v2', 'x-application/hl7-v2+er7', 'text/hl7v2', 'text/plain', '']);
const statusOf: { [code in AcknowledgementCode]: number } = { AA: 200, CA: 200, AR: 400, CR: 400, AE: 500, CE: 500 };
/** How long a request whose sender wants the application acknowledgement only waits for it. */
const applicationMs = 30_000;

export function hl7HttpRoutes(
  app: FastifyInstance,
  { gate, acks, authenticator, certified, largeBodies }: Hl7HttpParts,
): void {
  app.post('/hl7', async (request, reply) => {
    const who = await authenticator.caller(request);
    if (!senders.includes(who.role)) {
      throw new RecordError(403, 'forbidden', `The role ${who.role} may not send messages.`);
    }
    const sent = request.body as Buffer | undefined;
    if (!sent || sent.length === 0) throw new RecordError(400, 'required', 'The request has no body.');
    const charset = charsetOf(request);
    const isLarge = sent.length >= largeBytes && startOf(sent).startsWith('MSH');
    const { body, unreadable } = isLarge
      ? await largeBodies.message(who.who, sent, charset)
      : { body: sent, unreadable: undefined };
    request.body = body;
    const way = new OneAnswer();
    const answer = await gate.take(body, { ...certified.origin(request, who), charset, unreadable }, way);
    // It was kept, and nothing else is to be done with it.
    if (unreadable) giveBack(body);
    const isLast = answer !== undefined || acks.pending(way) === 0;
    const later = isLast ? way.close() : await way.wait(applicationMs);
    await acks.closed(way);
    // One answer only goes back: that of the application says more than that the message was taken.
    if (later) {
      const code = /\rMSA.(A[AER])/.exec(later.toString('latin1'))?.[1] as AcknowledgementCode | undefined;
      return write(reply, later, statusOf[code ?? 'AA'], charset ?? 'utf-8');
    }
    if (answer) return write(reply, answer.bytes, statusOf[answer.code], charset ?? answer.encoding);
    return reply.code(isLast ? 204 : 202).send();
  });
}

/** The charset that the request declares. @throws RecordError 415 */
function charsetOf(request: FastifyRequest): string | undefined {
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '').split(';').map((part) => part.trim());
  if (!contentTypes.has(type.toLowerCase())) {
    throw new RecordError(415, 'not-supported', 'HL7 v2 in ER7 is taken here: Content-Type: application/hl7-v2.');
  }
  const charset = parameters
    .map((parameter) => /^charset="?([^"]+)"?$/i.exec(parameter)?.[1])
    .find((name) => name !== undefined);
  if (charset !== undefined && charsetLabel(charset) === undefined) {
    throw new RecordError(415, 'not-supported', 'The charset of the Content-Type is not one that this server reads.');
  }
  return charset;
}

function write(reply: FastifyReply, bytes: Uint8Array, status: number, charset: string): FastifyReply {
  return reply.code(status).header('content-type', `application/hl7-v2; charset=${charset}`).send(Buffer.from(bytes));
}

/** Takes the application acknowledgement for the answer to a request. */
class OneAnswer implements AnswerWay {
  #bytes: Buffer | undefined;
  #closed = false;
  #arrived: (() => void) | undefined;

  send(bytes: Uint8Array): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    this.#bytes = Buffer.from(bytes);
    this.#arrived?.();
    return Promise.resolve(true);
  }

  async wait(ms: number): Promise<Buffer | undefined> {
    if (!this.#bytes) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.close();
  }

  /** Takes no more; the acknowledgement that has come. */
  close(): Buffer | undefined {
    this.#closed = true;
    return this.#bytes;
  }
}
