/** Fetching what others name (key sets, endpoints of a provider), guarded as `guardedRequest` is. */
import { type GuardedRequest, guardedRequest } from '../guarded-request.ts';

const limits = { bytes: 256 * 1024, milliseconds: 5_000 };

/** What is sent; without it, a GET that asks for JSON. */
export interface Sent {
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
}

const asksForJson: Sent = { method: 'GET', headers: { accept: 'application/json' }, body: undefined };

/**
 * Fetches an address. @param allowed addresses below which private networks and http are fine too
 * @throws Error where the address may not be fetched, or what it gives is too large or too slow
 */
export async function guardedFetch(
  address: string,
  allowed: readonly string[],
  { method, headers: sent, body }: Sent = asksForJson,
): Promise<Response> {
  const asked: GuardedRequest = { method, headers: sent, ...limits };
  if (body !== undefined) asked.body = Buffer.from(body);
  const answer = await guardedRequest(address, allowed, asked);
  const headers = new Headers();
  for (const name of ['content-type', 'cache-control', 'expires'] as const) {
    const value = answer.headers[name];
    if (value !== undefined) headers.set(name, value);
  }
  const { status } = answer;
  return new Response(status === 204 ? null : new Uint8Array(answer.body), { status, headers });
}
