/** Backend Services as the hub does them towards a receiver: discovered, shown by its key, kept, had anew when refused. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWK, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HttpClient } from './http-client.ts';

let server: Server;
let base: string;
let privateKey: JWK;
let publicKey: JWK;
/** Assertions by their id: none is taken twice. */
const used = new Set<string>();
let tokens = 0;
let revoked = '';
const posted: { path: string; headers: Record<string, unknown>; body: string }[] = [];

beforeAll(async () => {
  const pair = await generateKeyPair('ES384', { extractable: true });
  privateKey = { ...(await exportJWK(pair.privateKey)), kid: 'k', alg: 'ES384' };
  publicKey = { ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'ES384' };
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const answer = (status: number, value: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (request.url === '/fhir/.well-known/smart-configuration')
      return answer(200, { token_endpoint: `${base}/token` });
    if (request.url === '/token') {
      const form = new URLSearchParams(body);
      try {
        const { payload } = await jwtVerify(form.get('client_assertion')!, createLocalJWKSet({ keys: [publicKey] }), {
          issuer: 'causeway',
          subject: 'causeway',
          audience: `${base}/token`,
          maxTokenAge: '5 minutes',
        });
        if (used.has(payload.jti!) || form.get('scope') !== 'system/*.cud') throw new Error();
        used.add(payload.jti!);
      } catch {
        return answer(400, { error: 'invalid_client' });
      }
      return answer(200, { access_token: `t${++tokens}`, token_type: 'bearer', expires_in: 300 });
    }
    const { authorization } = request.headers;
    if (!authorization || authorization === `Bearer ${revoked}`) return answer(401, {});
    posted.push({ path: request.url!, headers: request.headers, body });
    return answer(200, {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const outgoing = {
  controlId: '0000000000000000000A',
  bytes: Buffer.from('{}'),
  mediaType: 'application/fhir+json',
  seq: 1,
  about: { deliveryId: '01890000-0000-7000-8000-000000000001' },
} as never as Parameters<HttpClient['send']>[0];

it('has one token for many messages, a new one when it was taken back, and none where the key is not known', async () => {
  const parts = { allowed: () => [base], keys: async () => [privateKey] };
  const place = { url: `${base}/fhir`, services: { clientId: 'causeway' } };
  const client = new HttpClient(place, parts, { connectMs: 5_000, answerMs: 5_000 });
  const send = () => client.send({ ...outgoing, operation: '$process-message' });
  expect(await Promise.all([send(), send()])).toEqual([{ kind: 'delivered' }, { kind: 'delivered' }]);
  expect(tokens).toBe(1);
  expect(posted[0]).toMatchObject({
    path: '/fhir/$process-message',
    headers: { authorization: 'Bearer t1', 'idempotency-key': '"01890000-0000-7000-8000-000000000001"' },
  });
  revoked = 't1';
  expect(await send()).toEqual({ kind: 'delivered' });
  expect(posted.at(-1)!.headers.authorization).toBe('Bearer t2');
  const stranger = await generateKeyPair('ES384', { extractable: true });
  const other = { ...(await exportJWK(stranger.privateKey)), kid: 'k', alg: 'ES384' };
  const unknown = new HttpClient(place, { ...parts, keys: async () => [other] }, { connectMs: 5_000, answerMs: 5_000 });
  expect(await unknown.send(outgoing)).toEqual({
    kind: 'unreachable',
    reason: 'Its authorization server gives no token (400).',
    mayHave: false,
  });
});
