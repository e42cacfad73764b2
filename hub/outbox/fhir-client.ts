/** Sends FHIR transactions by HTTP POST; a 2xx says that the destination has them. */
import type { Answer, Client, Timeouts } from './answer.ts';

const shownCharacters = 300;
const readBytes = 64 * 1024;

export class FhirClient implements Client {
  readonly #url: string;
  readonly #timeouts: Timeouts;
  readonly #stop = new AbortController();

  constructor(to: { url: string }, timeouts: Timeouts) {
    this.#url = to.url;
    this.#timeouts = timeouts;
  }

  async send(bytes: Uint8Array, controlId: string): Promise<Answer> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: {
          'content-type': 'application/fhir+json',
          accept: 'application/fhir+json',
          'x-request-id': controlId,
        },
        body: bytes as Uint8Array<ArrayBuffer>,
        redirect: 'error',
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#timeouts.answerMs)]),
      });
      const text = await beginning(response);
      if (response.ok) return { kind: 'delivered' };
      const reason = `Answered ${response.status}: ${diagnostics(text)}`;
      const later = response.status >= 500 || [408, 425, 429].includes(response.status);
      return { kind: later ? 'unreachable' : 'refused', reason };
    } catch (error) {
      return { kind: 'unreachable', reason: `The connection failed: ${causeOf(error as Error)}.` };
    }
  }

  close(): void {
    this.#stop.abort();
  }
}

/** The first bytes of the answer; the rest is read and let go, so that the connection can be used again. */
async function beginning(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    if (text.length < readBytes) text += decoder.decode(chunk, { stream: true });
  }
  return text.slice(0, readBytes);
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

function causeOf(error: Error): string {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? (error.name === 'TimeoutError' ? 'no answer in time' : error.message);
}
