import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { startTestHub } from '../testing.ts';

it('a hub that stops does not wait for connections on which nothing was asked', async () => {
  const hub = await startTestHub();
  const { port, hostname } = new URL(hub.url);
  const sockets = ['', 'GET /fhir/metadata HTTP/1.1\r\n'].map((sent) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    if (sent !== '') socket.write(sent);
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  expect((await hub.get('/fhir/metadata')).status).toBe(200);
  const begun = performance.now();
  await hub.stop();
  expect(performance.now() - begun).toBeLessThan(15_000);
  for (const socket of sockets) socket.destroy();
});
