/** A27: what a destination was to be shown (its Authorization header, a message) reaches no other address. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { post, waitOf } from './http-post.ts';

const secret = 'Bearer qzx-secret';
const seen: { at: string; authorization: string | undefined; body: string }[] = [];
let servers: Server[];
let own: string;
let other: string;
let redirectTo = '';

beforeAll(async () => {
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
});

const send = (url: string) =>
  post(url, { authorization: secret }, Buffer.from('MSH|^~\\&|'), AbortSignal.timeout(5_000));

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
  expect(answer).toEqual(expect.any(String));
  expect(answer).not.toContain('qzx-secret');
  expect(seen.splice(0).map(({ at }) => at)).toEqual(['own']);
});

it('reads for how long a destination wants to be left alone, in seconds and as a date', () => {
  const now = Date.UTC(2026, 0, 31, 9, 30);
  expect(waitOf('120', now)).toBe(120_000);
  expect(waitOf('Sat, 31 Jan 2026 09:31:00 GMT', now)).toBe(60_000);
  for (const said of ['Sat, 31 Jan 2026 09:29:00 GMT', 'soon', '-5', '', null])
    expect(waitOf(said, now)).toBeUndefined();
});
