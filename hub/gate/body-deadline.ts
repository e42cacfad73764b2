/**
 * How long a request may take to arrive. Node's own limit is one for all requests; here the uploads that may be of any
 * size are given as long as they need, as long as something comes.
 */
import type { FastifyInstance } from 'fastify';

export interface BodyDeadline {
  /** Milliseconds until a body must be whole. */
  wholeMs: number;
  /** For addresses of long uploads: milliseconds without a byte. */
  silentMs: number;
  /** Those addresses, as they are registered. */
  uploads: readonly string[];
}

const timedOut = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

/** Ends requests whose bodies take too long with 408. */
export function bodyDeadline(app: FastifyInstance, { wholeMs, silentMs, uploads }: BodyDeadline): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { raw } = request;
    const hasBody = raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > 0;
    if (hasBody) {
      const { socket } = raw;
      const end = () => {
        socket.end(timedOut);
        raw.destroy();
      };
      const isUpload = uploads.includes(request.routeOptions.url ?? '');
      const timer = isUpload ? undefined : setTimeout(end, wholeMs);
      if (isUpload) {
        socket.setTimeout(silentMs);
        raw.once('timeout', end);
      }
      const arrived = () => {
        clearTimeout(timer);
        if (isUpload) socket.setTimeout(0);
      };
      raw.once('end', arrived).once('close', arrived);
    }
    done();
  });
}
