/**
 * Requests to what a client names (a key set, the endpoint of a subscription) without letting it reach into the hub's own
 * network: https only (http too for what is signed by itself), no redirects, no address of special use, and the address that was checked is the one that is
 * connected to, whatever the name resolves to a moment later.
 */
import { lookup } from 'node:dns';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import ipaddr from 'ipaddr.js';
import { type Distrust, Distrusted, distrustingAgent } from './distrusting-agent.ts';

export interface GuardedRequest {
  method: string;
  headers: Record<string, string>;
  body?: Uint8Array;
  /** Until the answer is there whole. */
  milliseconds: number;
  /** Bytes of the answer; more of them are an error. */
  bytes: number;
  /** Breaks off. */
  signal?: AbortSignal;
  /** By which certificate the asked one is known, and that of the hub, in PEM. */
  tls?: { ca?: Buffer; cert?: Buffer; key?: Buffer; servername?: string };
  /** Whether http is fine: what comes is signed by itself. */
  isSigned?: boolean;
  /** What may be held against the certificate of the asked one; it is asked before anything is sent. */
  distrust?: Distrust | undefined;
}

export interface GuardedAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Why an address is not asked. */
export class Refused extends Error {
  override name = 'Refused';
}

/**
 * @param allowed addresses below which private networks and http are fine too
 * @throws Refused where the address may not be asked, or leads elsewhere @throws Error where no whole answer comes in time
 */
export async function guardedRequest(
  address: string,
  allowed: readonly string[],
  { milliseconds, bytes, signal, ...asked }: GuardedRequest,
): Promise<GuardedAnswer> {
  // A controller and a timer cost a fraction of what signals cost that are made of others.
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  const timer = setTimeout(stop, milliseconds);
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    const answer = await guardedStream(address, allowed, { ...asked, signal: stopping.signal });
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > bytes) {
        answer.destroy();
        throw new Refused('The answer is too large.');
      }
      chunks.push(chunk);
    }
    return { status: answer.statusCode ?? 500, headers: answer.headers, body: Buffer.concat(chunks) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** For how long an answer asks to be left alone (Retry-After, RFC 9110 §10.2.3: seconds or a date); undefined where it does not. */
export function retryAfterMs(header: string | undefined, now = Date.now()): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

/** As `guardedRequest`; the answer is read while it arrives, and must be read to its end or destroyed. */
export function guardedStream(
  address: string,
  allowed: readonly string[],
  {
    method,
    headers,
    body,
    tls,
    signal,
    isSigned = false,
    distrust,
  }: Pick<GuardedRequest, 'method' | 'headers' | 'body' | 'tls' | 'isSigned' | 'distrust'> & { signal: AbortSignal },
): Promise<IncomingMessage> {
  const url = new URL(address);
  const isAllowed = allowed.some((base) => isBelow(url, new URL(base)));
  if (url.protocol !== 'https:' && !isAllowed && !(isSigned && url.protocol === 'http:'))
    return Promise.reject(new Refused('Only https addresses are asked.'));
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (!isAllowed && ipaddr.isValid(literal) && !isPublic(literal)) return Promise.reject(notPublic());
  const options: RequestOptions = {
    method,
    headers: { ...headers, ...(body ? { 'content-length': String(body.length) } : {}) },
    signal,
    ...tls,
    ...(isAllowed ? {} : { lookup: publicLookup }),
    ...(distrust && url.protocol === 'https:' ? { agent: distrustingAgent(distrust), ended: signal } : {}),
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const sent = send(url, options, (answer) => {
      const status = answer.statusCode ?? 500;
      if (status < 300 || status >= 400) return resolve(answer);
      // A redirect is no answer: it could lead anywhere.
      answer.destroy();
      reject(new Refused('The address redirects, which is not followed.'));
    });
    sent.on('error', (error) => reject(error instanceof Distrusted ? new Refused(error.message) : error));
    sent.end(body);
  });
}

/** Whether an address is none of a private network, of the machine itself, of documentation or the like. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  return ipaddr.process(address).range() === 'unicast';
}

const publicLookup: NonNullable<RequestOptions['lookup']> = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '');
    if (addresses.length === 0 || !addresses.every(({ address }) => isPublic(address)))
      return callback(notPublic(), '');
    if (options.all) return callback(null, addresses);
    callback(null, addresses[0]!.address, addresses[0]!.family);
  });
};

function notPublic(): Refused {
  return new Refused('The address is not one of the public internet.');
}

function isBelow(url: URL, base: URL): boolean {
  const path = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`;
  return url.origin === base.origin && (url.pathname === base.pathname || url.pathname.startsWith(path));
}
