import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Distrust } from './distrusting-agent.ts';
import { guardedRequest, Refused } from './guarded-request.ts';
import { TestAuthority } from './testing-certificates.ts';

let authority: TestAuthority;
let server: Server;
let url: string;
let requests: (string | undefined)[];
let connections = 0;

beforeAll(async () => {
  authority = new TestAuthority();
  const { certificate, key } = authority.issue('server');
  const files = { cert: readFileSync(certificate), key: readFileSync(key) };
  server = createServer(files, (request, response) => {
    requests.push(request.headers.authorization);
    if (request.url === '/never') return;
    response.end('well');
  });
  server.on('connection', () => connections++);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  authority.remove();
});
beforeEach(() => {
  requests = [];
  connections = 0;
});

const ask = (distrust: Distrust, path = '/', signal?: AbortSignal) =>
  guardedRequest(url + path, [url], {
    ...{ method: 'GET', headers: { authorization: 'secret' }, milliseconds: 10_000, bytes: 100 },
    ...(signal ? { signal } : {}),
    tls: { ca: readFileSync(authority.certificate) },
    distrust,
  });

test('whose certificate is not taken is sent nothing, and it is said why', async () => {
  const told = ask(async () => 'the certificate of CN=server is revoked');
  await expect(told).rejects.toThrow(Refused);
  await expect(told).rejects.toThrow(
    'The certificate of the server is not taken: the certificate of CN=server is revoked.',
  );
  expect([connections, requests]).toEqual([1, []]);
});

test('whose certificate is taken is sent what it is, over a connection that is kept', async () => {
  let asked = 0;
  const distrust: Distrust = async (socket) => {
    asked++;
    expect(socket.authorized).toBe(true);
    return undefined;
  };
  for (let i = 0; i < 3; i++) expect((await ask(distrust)).body.toString()).toBe('well');
  expect([connections, asked, requests]).toEqual([1, 1, ['secret', 'secret', 'secret']]);
});

test('what another asked about is not asked about here', async () => {
  expect((await ask(async () => undefined)).status).toBe(200);
  await expect(ask(async () => 'it is revoked')).rejects.toThrow('it is revoked');
  expect([connections, requests]).toEqual([2, ['secret']]);
});

test('that is broken off while it is asked, and where the other end goes away meanwhile, ends', async () => {
  const stop = new AbortController();
  const distrust: Distrust = async () => {
    stop.abort();
    return new Promise(() => {});
  };
  await expect(ask(distrust, '/', stop.signal)).rejects.toThrow();
  const left: Distrust = async (socket) => {
    socket.destroy();
    return undefined;
  };
  await expect(ask(left)).rejects.toThrow('the connection was closed');
  expect(requests).toEqual([]);
});

test('each connection shows the certificate, also after one that might be gone on with', async () => {
  const distrust: Distrust = async (socket) => {
    // By then the session has been told.
    await new Promise((later) => setTimeout(later, 20));
    expect([socket.isSessionReused(), socket.getPeerCertificate().subject?.CN]).toEqual([false, 'server']);
    return 'it is revoked';
  };
  for (let i = 0; i < 3; i++) await expect(ask(distrust)).rejects.toThrow('it is revoked');
});

test('a certificate that nobody signed is refused before it is asked about', async () => {
  let asked = 0;
  const distrust: Distrust = async () => {
    asked++;
    return undefined;
  };
  const told = guardedRequest(url, [url], { method: 'GET', headers: {}, milliseconds: 10_000, bytes: 100, distrust });
  await expect(told).rejects.toThrow(/certificate/);
  expect(asked).toBe(0);
});
