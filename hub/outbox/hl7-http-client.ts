/**
 * Sends HL7 v2 over HTTP, as HAPI specifies it: a message is POSTed, the acknowledgement is the answer, whatever its status.
 * In enhanced mode CA says that the destination has the message; what came of it is told over a connection of its own.
 */
import { readFile } from 'node:fs/promises';
import { isParseError, parseMessage } from '@causeway/hl7v2';
import type { Hl7HttpEndpoint } from '../trust/index.ts';
import type { Answer, Client, Timeouts, V2Outgoing } from './answer.ts';
import { isPassing, post } from './http-post.ts';
import { answerOf } from './mllp-client.ts';

export class Hl7HttpClient implements Client {
  readonly #to: Hl7HttpEndpoint;
  readonly #timeouts: Timeouts;
  readonly #stop = new AbortController();

  constructor(to: Hl7HttpEndpoint, timeouts: Timeouts) {
    this.#to = to;
    this.#timeouts = timeouts;
  }

  async send({ bytes, controlId }: V2Outgoing): Promise<Answer> {
    const headers: Record<string, string> = { 'content-type': 'application/hl7-v2; charset=utf-8' };
    if (this.#to.authorization !== undefined) {
      const value = await readFile(this.#to.authorization, 'utf8').catch(() => undefined);
      if (value === undefined)
        return { kind: 'unreachable', reason: 'The file with its authorization cannot be read.' };
      headers.authorization = value.trim();
    }
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#timeouts.answerMs)]);
    const answer = await post(this.#to.url, headers, bytes, signal);
    if (typeof answer === 'string') return { kind: 'unreachable', reason: answer };
    const acknowledgement = parseMessage(Buffer.from(answer.text));
    if (!isParseError(acknowledgement) && acknowledgement.get('MSA-2') === controlId) {
      const said = answerOf(acknowledgement);
      // To a sender of original mode CA says no more than that it has the message.
      return said.kind === 'accepted' && this.#to.acknowledgement !== 'enhanced' ? { kind: 'delivered' } : said;
    }
    const reason = `Answered ${answer.status} without an acknowledgement of the message.`;
    return answer.ok || isPassing(answer.status)
      ? { kind: 'unreachable', reason, afterMs: answer.afterMs }
      : { kind: 'refused', reason };
  }

  close(): void {
    this.#stop.abort();
  }
}
