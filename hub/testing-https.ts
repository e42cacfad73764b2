/** Requests by HTTPS with a client certificate, as a client's own HTTP library makes them. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { TestAuthority, TestCertificate } from './testing-certificates.ts';

/** Fetches over connections of its own, which it keeps. */
export interface TlsClient {
  fetch(url: string, init?: RequestInit): Promise<Response>;
  close(): void;
}

/** @param shown the certificate that is shown */
export function tlsClient(authority: TestAuthority, shown?: TestCertificate): TlsClient {
  const files = shown && { cert: readFileSync(shown.certificate), key: readFileSync(shown.key) };
  const agent = new Agent({ keepAlive: true, ca: readFileSync(authority.certificate), ...files });
  return {
    fetch: async (url, init = {}) => {
      const asked = new Request(url, init);
      const body = Buffer.from(await asked.arrayBuffer());
      const headers = { ...Object.fromEntries(asked.headers), 'content-length': String(body.length) };
      return new Promise((resolve, reject) => {
        const sent = request(url, { agent, method: asked.method, headers }, async (answer) => {
          const chunks = await Array.fromAsync(answer as AsyncIterable<Buffer>).catch(reject);
          const { statusCode: status = 0 } = answer;
          const told = new Headers();
          for (const [name, value] of Object.entries(answer.headers)) told.set(name, String(value));
          const empty = status === 204 || status === 304;
          if (chunks) resolve(new Response(empty ? null : Buffer.concat(chunks), { status, headers: told }));
        });
        sent.on('error', reject);
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}
