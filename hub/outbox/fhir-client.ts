/** Sends FHIR transactions by HTTP POST; a 2xx says that the destination has them. */
import type { Answer, Client, Outgoing, Timeouts } from './answer.ts';
import { isPassing, post } from './http-post.ts';

const shownCharacters = 300;

export class FhirClient implements Client {
  readonly #url: string;
  readonly #timeouts: Timeouts;
  readonly #stop = new AbortController();

  constructor(to: { url: string }, timeouts: Timeouts) {
    this.#url = to.url;
    this.#timeouts = timeouts;
  }

  async send({ bytes, controlId, mediaType }: Outgoing): Promise<Answer> {
    const headers = {
      'content-type': mediaType,
      accept: 'application/fhir+json',
      'x-request-id': controlId,
    };
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#timeouts.answerMs)]);
    const answer = await post(this.#url, headers, bytes, signal);
    if (typeof answer === 'string') return { kind: 'unreachable', reason: answer };
    if (answer.ok) return { kind: 'delivered' };
    const reason = `Answered ${answer.status}: ${diagnostics(answer.text)}`;
    return isPassing(answer.status)
      ? { kind: 'unreachable', reason, afterMs: answer.afterMs }
      : { kind: 'refused', reason };
  }

  close(): void {
    this.#stop.abort();
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
