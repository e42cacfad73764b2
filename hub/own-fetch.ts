/**
 * Requests of the command line to the hub of the same settings. By HTTPS it is reached by whatever address this machine has,
 * which its certificate need not name: the hub is known by the certificate itself, as it lies in its file.
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

export interface OwnRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
  signal?: AbortSignal;
}

export type OwnFetch = (url: string, asked: OwnRequest) => Promise<Response>;

/** @param certificate the PEM file of the hub's certificate; without it the hub is asked by plain HTTP */
export function ownFetch(certificate: string | undefined): OwnFetch {
  if (certificate === undefined) return fetch;
  const own = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(readFileSync(certificate, 'utf8'))?.[0];
  const known = { ca: own ?? '', allowPartialTrustChain: true, checkServerIdentity: () => undefined };
  return (url, { body, ...asked }) =>
    new Promise((resolve, reject) => {
      const sent = request(url, { ...asked, ...known }, async (answer) => {
        const chunks: Buffer[] = [];
        try {
          for await (const chunk of answer) chunks.push(chunk);
        } catch (error) {
          reject(error);
          return;
        }
        const headers = new Headers();
        for (const [name, value] of Object.entries(answer.headers)) {
          if (typeof value === 'string') headers.set(name, value);
        }
        const { statusCode: status = 500, statusMessage: statusText = '' } = answer;
        const bytes = status === 204 || status === 304 ? null : Buffer.concat(chunks);
        resolve(new Response(bytes, { status, statusText, headers }));
      });
      sent.on('error', reject);
      sent.end(body);
    });
}
