import { type AddressInfo, connect } from 'node:net';
import type { Readable } from 'node:stream';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bodyDeadline } from './body-deadline.ts';

let app: FastifyInstance;
beforeAll(async () => {
  app = Fastify({ requestTimeout: 0 });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.addContentTypeParser('text/lines', (_request, payload, done) => done(null, payload));
  bodyDeadline(app, { wholeMs: 300, silentMs: 300, uploads: ['/upload'] });
  app.post('/plain', async (request) => ({ length: (request.body as string).length }));
  app.post('/upload', async (request) => {
    let length = 0;
    for await (const chunk of request.body as Readable) length += chunk.length;
    return { length };
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => app.close());

/** Sends a body of ten bytes with pauses between them; resolves with what comes back until the connection ends. */
async function send(path: string, type: string, pauseMs: number, bytes = 10): Promise<string> {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => (answer += data));
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: 10\r\nconnection: close\r\n\r\n`,
  );
  for (let i = 0; i < bytes; i++) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if (!socket.writable) break;
    socket.write('x');
  }
  await ended;
  return answer;
}

it('takes what comes in time, and ends with 408 what does not', async () => {
  expect(await send('/plain', 'text/plain', 5)).toMatch(/^HTTP\/1\.1 200 [\s\S]*"length":10/);
  expect(await send('/plain', 'text/plain', 60)).toMatch(/^HTTP\/1\.1 408/);
  expect(await send('/plain', 'text/plain', 1, 3)).toMatch(/^HTTP\/1\.1 408/);
});

it('gives uploads as long as something comes', async () => {
  expect(await send('/upload', 'text/lines', 60)).toMatch(/^HTTP\/1\.1 200 [\s\S]*"length":10/);
  expect(await send('/upload', 'text/lines', 1, 3)).toMatch(/^HTTP\/1\.1 408/);
});
