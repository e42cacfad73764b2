/** Hands requests below `/oauth` to `oidc-provider`, a Koa application, under the name that the hub is known by. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type Provider from 'oidc-provider';

export const mountPath = '/oauth';

/** A request as it is to be answered. */
export interface Handed {
  method: string;
  /** Path and query below the mount path. */
  url: string;
  body?: Buffer;
  contentType?: string;
}

/**
 * Answers a request. Its body has been read; it is handed on as a stream of its own, and with the host of the issuer, so
 * that no header decides which addresses an answer names.
 */
export async function handTo(
  { issuer, answer }: { issuer: string; answer: ReturnType<Provider['callback']> },
  request: IncomingMessage,
  response: ServerResponse,
  handed: Handed,
): Promise<void> {
  const { host, protocol } = new URL(issuer);
  const headers: IncomingMessage['headers'] = { ...request.headers, host };
  headers['x-forwarded-proto'] = protocol.slice(0, -1);
  delete headers['x-forwarded-host'];
  delete headers['transfer-encoding'];
  delete headers['content-length'];
  delete headers['content-type'];
  if (handed.body) {
    headers['content-length'] = String(handed.body.length);
    if (handed.contentType !== undefined) headers['content-type'] = handed.contentType;
  }
  const stream = Readable.from(handed.body ? [handed.body] : []);
  const incoming = Object.assign(stream, {
    headers,
    method: handed.method,
    url: handed.url,
    originalUrl: `${mountPath}${handed.url}`,
    socket: request.socket,
    connection: request.socket,
    httpVersion: request.httpVersion,
    httpVersionMajor: request.httpVersionMajor,
    httpVersionMinor: request.httpVersionMinor,
  });
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  if (!response.hasHeader('cache-control')) response.setHeader('cache-control', 'no-store');
  await answer(incoming as unknown as IncomingMessage, response);
}
