/** A27: what a destination was to be shown (its Authorization header, a message) reaches no other address. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HttpSender } from './http-post.ts';

const secret = 'Bearer qzx-secret';
const seen: { at: string; authorization: string | undefined; body: string }[] = [];
let servers: Server[];
let own: string;
let other: string;
let redirectTo = '';
let secretFile: string;

beforeAll(async () => {
  secretFile = join(mkdtempSync(join(tmpdir(), 'causeway-')), 'authorization');
  writeFileSync(secretFile, `${secret}\n`);
  const listening = (name: string, answer: (request: IncomingMessage) => { status: number; location?: string }) =>
    new Promise<Server>((resolve) => {
      const server = createServer(async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk);
        seen.push({ at: name, authorization: request.headers.authorization, body: Buffer.concat(chunks).toString() });
        const { status, location } = answer(request);
        response.writeHead(status, location === undefined ? {} : { location }).end('x');
      }).listen(0, '127.0.0.1', () => resolve(server));
    });
  servers = [
    await listening('own', ({ url }) => (url === '/here' ? { status: 200 } : { status: 307, location: redirectTo })),
    await listening('other', () => ({ status: 200 })),
  ];
  [own, other] = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`) as [
    string,
    string,
  ];
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(dirname(secretFile), { recursive: true });
});

const send = (url: string, allowed = [own]) => {
  const parts = { allowed: () => allowed, keys: async () => [] };
  const sender = new HttpSender({ url, authorization: secretFile }, parts, 5_000);
  return sender.post(url, {}, Buffer.from('MSH|^~\\&|'));
};

it('goes to no private network, and over no plain http, where the hub was not told to', async () => {
  expect(await send(`${own}/here`, [])).toEqual({
    status: undefined,
    reason: 'Only https addresses are asked.',
    mayHave: false,
  });
  expect(await send(`${own.replace('http:', 'https:')}/here`, [])).toMatchObject({
    reason: expect.stringContaining('public internet'),
  });
  expect(seen).toEqual([]);
});

it('goes to the address itself', async () => {
  expect(await send(`${own}/here`)).toMatchObject({ status: 200 });
  expect(seen.splice(0)).toEqual([{ at: 'own', authorization: secret, body: 'MSH|^~\\&|' }]);
});

it.each([
  ['another origin', () => `${other}/here`],
  ['the same origin', () => `${own}/here`],
  ['an address that begins like it', () => `${own}.evil.invalid/here`],
  ['one with a name in it', () => `${own.replace('://', '://user@')}/here`],
])('follows no redirect to %s, and takes none for success', async (_, location) => {
  redirectTo = location();
  const answer = await send(`${own}/moved`);
  expect(answer.status).toBe(undefined);
  expect(JSON.stringify(answer)).not.toContain('qzx-secret');
  expect(seen.splice(0).map(({ at }) => at)).toEqual(['own']);
});
