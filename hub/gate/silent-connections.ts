/** Connections on which no request has come yet: a server that stops does not wait for them. */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

export function silentConnections(app: FastifyInstance): void {
  const silent = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  app.server.on('request', ({ socket }) => silent.delete(socket));
  app.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy();
  });
}
