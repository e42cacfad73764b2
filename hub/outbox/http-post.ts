/** POSTs a message to a destination over HTTP. */
const readBytes = 64 * 1024;

export interface HttpAnswer {
  status: number;
  ok: boolean;
  /** The beginning of the body. */
  text: string;
  /** For how long it wants to be left alone (Retry-After). */
  afterMs: number | undefined;
}

/** Never rejects: where no answer came, says why. */
export async function post(
  url: string,
  headers: Record<string, string>,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<HttpAnswer | string> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: body as Uint8Array<ArrayBuffer>,
      redirect: 'error',
      signal,
    });
    const afterMs = waitOf(response.headers.get('retry-after'), Date.now());
    return { status: response.status, ok: response.ok, text: await beginning(response), afterMs };
  } catch (error) {
    return `The connection failed: ${causeOf(error as Error)}.`;
  }
}

/** Whether the same message may do better later, by the status of an answer that says no more. */
export function isPassing(status: number): boolean {
  return status >= 500 || [408, 425, 429].includes(status);
}

/** What Retry-After says, in seconds or as a date (RFC 9110, section 10.2.3), in milliseconds. */
export function waitOf(header: string | null | undefined, now: number): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
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

function causeOf(error: Error): string {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? (error.name === 'TimeoutError' ? 'no answer in time' : error.message);
}
