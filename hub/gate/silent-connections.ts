/** Connections on which no request has come yet: a server that stops does not wait for them. */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

export function silentConnections(app: FastifyInstance): void {
  // By HTTPS a request comes over another object than the connection that was made.
  const silent = new Map<string, Socket>();
  app.server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    silent.set(peer, socket);
    socket.once('close', () => {
      if (silent.get(peer) === socket) silent.delete(peer);
    });
  });
  app.server.on('request', ({ socket }) => silent.delete(peerOf(socket)));
  app.addHook('preClose', async () => {
    for (const socket of silent.values()) socket.destroy();
  });
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
