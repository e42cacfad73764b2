/**
 * Fetching what others name (key sets, endpoints of a provider) without letting them reach into the hub's own network: https only, no
 * redirects, no address of special use, and the address that was checked is the one that is connected to, whatever the
 * name resolves to a moment later.
 */
import { lookup } from 'node:dns';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import ipaddr from 'ipaddr.js';

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
export function guardedFetch(address: string, allowed: readonly string[], sent = asksForJson): Promise<Response> {
  const url = new URL(address);
  const isAllowed = allowed.some((base) => isBelow(url, new URL(base)));
  if (url.protocol !== 'https:' && !isAllowed) return Promise.reject(new Error('Key sets are fetched by https only.'));
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (!isAllowed && ipaddr.isValid(literal) && !isPublic(literal)) return Promise.reject(refusal());
  const options: RequestOptions = {
    method: sent.method,
    headers: {
      ...sent.headers,
      ...(sent.body === undefined ? {} : { 'content-length': Buffer.byteLength(sent.body) }),
    },
    signal: AbortSignal.timeout(limits.milliseconds),
    ...(isAllowed ? {} : { lookup: publicLookup }),
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const asking = send(url, options, (answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > limits.bytes) asking.destroy(new Error('The key set is too large.'));
        else chunks.push(chunk);
      });
      answer.on('error', reject);
      answer.on('end', () => {
        const headers = new Headers();
        for (const name of ['content-type', 'cache-control', 'expires']) {
          const value = answer.headers[name];
          if (typeof value === 'string') headers.set(name, value);
        }
        const status = answer.statusCode ?? 500;
        // A redirect is no answer: it could lead anywhere.
        if (status >= 300 && status < 400) reject(new Error('The key set’s address redirects, which is not followed.'));
        else resolve(new Response(status === 204 ? null : Buffer.concat(chunks), { status, headers }));
      });
    });
    asking.on('error', reject);
    asking.end(sent.body);
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
    if (addresses.length === 0 || !addresses.every(({ address }) => isPublic(address))) return callback(refusal(), '');
    if (options.all) return callback(null, addresses);
    callback(null, addresses[0]!.address, addresses[0]!.family);
  });
};

function refusal(): NodeJS.ErrnoException {
  return new Error('The address is not one of the public internet.');
}

function isBelow(url: URL, base: URL): boolean {
  const path = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`;
  return url.origin === base.origin && (url.pathname === base.pathname || url.pathname.startsWith(path));
}
