/**
 * POSTs what a receiver takes as it is: FHIR Bundles and C-CDA documents. A 2xx says that the destination has it. Each goes
 * under an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), the same at every attempt.
 */
import type { HttpPlace } from '../trust/index.ts';
import type { Answer, Client, Outgoing, Timeouts } from './answer.ts';
import { type HttpParts, HttpSender, isPassing } from './http-post.ts';

const shownCharacters = 300;

export class HttpClient implements Client {
  readonly #url: string;
  readonly #sender: HttpSender;

  constructor(to: HttpPlace, parts: HttpParts, { answerMs }: Timeouts) {
    this.#url = to.url;
    this.#sender = new HttpSender(to, parts, answerMs);
  }

  async send({ bytes, controlId, mediaType, operation, about }: Outgoing): Promise<Answer> {
    const headers = {
      'content-type': mediaType,
      accept: 'application/fhir+json',
      prefer: 'return=minimal',
      'x-request-id': controlId,
      'idempotency-key': `"${about.deliveryId}"`,
    };
    const url = operation === undefined ? this.#url : `${this.#url.replace(/\/$/, '')}/${operation}`;
    const answer = await this.#sender.post(url, headers, bytes);
    if (answer.status === undefined) return { kind: 'unreachable', reason: answer.reason, mayHave: answer.mayHave };
    if (answer.ok) return { kind: 'delivered' };
    const said = diagnostics(answer.text);
    return isPassing(answer.status)
      ? { kind: 'unreachable', reason: `Answered ${answer.status}.`, said, afterMs: answer.afterMs, mayHave: true }
      : { kind: 'refused', reason: `Answered ${answer.status}: ${said}` };
  }

  close(): void {
    this.#sender.close();
  }
}

function diagnostics(text: string): string {
  try {
    const { issue } = JSON.parse(text) as { issue?: { diagnostics?: string; details?: { text?: string } }[] };
    const said = issue?.[0]?.diagnostics ?? issue?.[0]?.details?.text;
    if (said) return said.slice(0, shownCharacters);
  } catch {
    return 'no OperationOutcome';
  }
  return 'no reason given';
}
