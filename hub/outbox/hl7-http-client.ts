/**
 * Sends HL7 v2 over HTTP, as HAPI specifies it: a message is POSTed, the acknowledgement is the answer, whatever its status.
 * In enhanced mode CA says that the destination has the message; what came of it is told over a connection of its own.
 */
import { isParseError, parseMessage } from '@causeway/hl7v2';
import type { Hl7HttpEndpoint } from '../trust/index.ts';
import type { Answer, Client, Timeouts, V2Outgoing } from './answer.ts';
import { type HttpParts, HttpSender, isPassing } from './http-post.ts';
import { answerOf } from './mllp-client.ts';

export class Hl7HttpClient implements Client {
  readonly #to: Hl7HttpEndpoint;
  readonly #sender: HttpSender;

  constructor(to: Hl7HttpEndpoint, parts: HttpParts, { answerMs }: Timeouts) {
    this.#to = to;
    this.#sender = new HttpSender(to, parts, answerMs);
  }

  async send({ bytes, controlId }: V2Outgoing): Promise<Answer> {
    const headers = { 'content-type': 'application/hl7-v2; charset=utf-8' };
    const answer = await this.#sender.post(this.#to.url, headers, bytes);
    if (answer.status === undefined) return { kind: 'unreachable', reason: answer.reason, mayHave: answer.mayHave };
    const acknowledgement = parseMessage(Buffer.from(answer.text));
    if (!isParseError(acknowledgement) && acknowledgement.get('MSA-2') === controlId) {
      const said = answerOf(acknowledgement);
      // To a sender of original mode CA says no more than that it has the message.
      return said.kind === 'accepted' && this.#to.acknowledgement !== 'enhanced' ? { kind: 'delivered' } : said;
    }
    const reason = `Answered ${answer.status} without an acknowledgement of the message.`;
    return answer.ok || isPassing(answer.status)
      ? { kind: 'unreachable', reason, afterMs: answer.afterMs, mayHave: true }
      : { kind: 'refused', reason };
  }

  close(): void {
    this.#sender.close();
  }
}
