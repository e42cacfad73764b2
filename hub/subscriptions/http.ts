/** Notifications over HTTP: sent to what a client names, and so never into the hub's own network. */
import { xmlFromJson } from '@causeway/fhir';
import type { Distrust } from '../distrusting-agent.ts';
import { guardedRequest, Refused, retryAfterMs } from '../guarded-request.ts';
import type { Definition } from './definition.ts';

const longestWaitMs = 3_600_000;

/** Why a channel did not take a notification, and for how many milliseconds it asks to be left alone. */
export interface Untaken {
  reason: string;
  afterMs: number;
}

/** Which endpoints are reached. */
export interface Reach {
  /** Addresses below which they may lie in private networks, or be plain http. */
  allowed: readonly string[];
  /** What may be held against their certificates. */
  distrust?: Distrust | undefined;
}

/**
 * @param refusal finds in an answer why what was sent was not taken after all
 * @returns undefined where the endpoint took it
 */
export async function postHook(
  { headers, mime, timeout }: Pick<Definition, 'headers' | 'mime' | 'timeout'>,
  method: 'POST' | 'PUT',
  url: string,
  json: string | undefined,
  { allowed, distrust }: Reach,
  refusal: (answer: string) => string | undefined = () => undefined,
): Promise<Untaken | undefined> {
  const body = json === undefined ? '' : mime === 'application/fhir+xml' ? xmlOf(json) : json;
  const type: [string, string][] = mime && json !== undefined ? [['content-type', `${mime}; fhirVersion=4.0`]] : [];
  try {
    const answer = await guardedRequest(url, allowed, {
      method,
      headers: Object.fromEntries([...headers, ...type]),
      body: Buffer.from(body),
      milliseconds: timeout * 1_000,
      bytes: 1024 * 1024,
      distrust,
    });
    const { status } = answer;
    const isTaken = status >= 200 && status < 300;
    const reason = isTaken ? refusal(answer.body.toString()) : `The endpoint answered ${status}.`;
    if (reason === undefined) return undefined;
    return { reason, afterMs: Math.min(retryAfterMs(answer.headers['retry-after']) ?? 0, longestWaitMs) };
  } catch (error) {
    return { reason: reasonOf(error as NodeJS.ErrnoException), afterMs: 0 };
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const { name, code, message } = error;
  if (name === 'TimeoutError' || name === 'AbortError') return 'The endpoint did not answer in time.';
  if (error instanceof Refused) return message;
  return `The endpoint was not reached: ${code ?? 'the connection failed'}.`;
}

function xmlOf(json: string): string {
  const xml = xmlFromJson(json);
  if (typeof xml !== 'string') throw new Error('A notification cannot be written as XML.');
  return xml;
}
