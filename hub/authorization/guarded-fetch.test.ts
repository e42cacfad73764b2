/** A26, A27: key sets are fetched of the public internet alone, whatever a name resolves to, and nothing of ours goes along. */
import dns from 'node:dns';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { isPublic } from '../guarded-request.ts';
import { guardedFetch } from './guarded-fetch.ts';

const lookup = dns.lookup;
let port: number;
let connections = 0;
const sockets = createSocketServer((socket) => {
  connections++;
  socket.destroy();
});
let told: IncomingHttpHeaders[] = [];
const allowed = createServer((request, response) => {
  told.push(request.headers);
  response.end('{"keys":[]}');
});

beforeAll(async () => {
  await new Promise<void>((done) => sockets.listen(0, '127.0.0.1', done));
  await new Promise<void>((done) => allowed.listen(0, '127.0.0.1', done));
  port = (sockets.address() as AddressInfo).port;
});
afterEach(() => {
  dns.lookup = lookup;
  syncBuiltinESMExports();
  told = [];
});
afterAll(() => {
  sockets.close();
  allowed.close();
});

/** Names resolve to these, one answer after the other; returns how often was asked. */
function resolving(...answers: string[][]): () => number {
  let asked = 0;
  dns.lookup = ((_name: string, _options: object, callback: (error: null, found: dns.LookupAddress[]) => void) => {
    const found = answers[Math.min(asked++, answers.length - 1)]!;
    callback(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  }) as unknown as typeof dns.lookup;
  syncBuiltinESMExports();
  return () => asked;
}

it.each([
  '127.0.0.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '127.1',
  '0.0.0.0',
  '169.254.169.254',
  '10.0.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[fd00::1]',
  '[fe80::1]',
])('no address of the hub’s own network, however it is written: %s', async (host) => {
  await expect(guardedFetch(`https://${host}:${port}/jwks`, [])).rejects.toThrow('not one of the public internet');
  expect(connections).toBe(0);
});

it('no name that leads there, nor one of whose addresses does; and what was looked at is what is connected to', async () => {
  for (const addresses of [
    ['127.0.0.1'],
    ['::ffff:127.0.0.1'],
    ['8.8.8.8', '127.0.0.1'],
    ['127.0.0.1', '8.8.8.8'],
    [],
  ]) {
    const asked = resolving(addresses);
    await expect(guardedFetch(`https://keys.example:${port}/jwks`, [])).rejects.toThrow('not one of the public');
    expect(asked()).toBe(1);
  }
  // Asked once for a fetch: a name that says something else at the second time is not asked a second time.
  const asked = resolving(['10.0.0.1'], ['127.0.0.1']);
  await expect(guardedFetch(`https://rebinding.example:${port}/jwks`, [])).rejects.toThrow();
  expect(asked()).toBe(1);
  await expect(guardedFetch(`https://rebinding.example:${port}/jwks`, [])).rejects.toThrow();
  expect(asked()).toBe(2);
  expect(connections).toBe(0);
});

it('no address that only begins like an allowed one, and without a word of ours to those that are', async () => {
  const base = `http://127.0.0.1:${(allowed.address() as AddressInfo).port}`;
  expect((await guardedFetch(`${base}/keys/one`, [`${base}/keys`])).status).toBe(200);
  expect(told).toHaveLength(1);
  expect(Object.keys(told[0]!).toSorted()).toEqual(['accept', 'connection', 'host']);
  told = [];
  for (const address of [
    `${base}/keysx`,
    `${base}/keys/../secret`,
    `${base}/keys%2f..%2fsecret`,
    `${base}0/keys/one`,
    `${base.replace('127.0.0.1', '127.0.0.1.evil.invalid')}/keys/one`,
    `${base.replace('//', '//127.0.0.1@evil.invalid:')}`,
  ]) {
    await expect(
      Promise.resolve().then(() => guardedFetch(address, [`${base}/keys`])),
      address,
    ).rejects.toThrow();
  }
  expect(told).toEqual([]);
});

it('knows what is public', () => {
  expect(['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'].every(isPublic)).toBe(true);
  expect(['', 'localhost', '127.0.0.1', '224.0.0.1', '255.255.255.255', '2002:7f00:1::'].some(isPublic)).toBe(false);
});
