/** Connections to destinations over MLLP, plain or with TLS 1.2 or newer, whose certificate is always verified. */
import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls';
import type { Distrust } from '../distrusting-agent.ts';
import type { EndpointTls, MllpEndpoint } from '../trust/index.ts';

/**
 * Connects; where that fails, answers the reason: a code of the system, or what is wrong with a certificate.
 * @param distrust what else may be held against the certificate
 */
export function connectMllp(
  to: MllpEndpoint,
  timeoutMs: number,
  distrust: Distrust | undefined,
): Promise<Socket | string> {
  return new Promise((resolve) => {
    let socket: Socket;
    try {
      socket = to.tls
        ? connectTls({ host: to.host, port: to.port, ...tlsOptions(to.host, to.tls) })
        : connect({ host: to.host, port: to.port });
    } catch (error) {
      resolve(codeOf(error as NodeJS.ErrnoException));
      return;
    }
    socket.setNoDelay(true).setKeepAlive(true, 30_000);
    const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), timeoutMs);
    const failed = (error: NodeJS.ErrnoException) => resolve(codeOf(error));
    const closed = () => {
      clearTimeout(timer);
      resolve('closed before an answer');
    };
    socket.once('error', failed).once('close', closed);
    socket.once(to.tls ? 'secureConnect' : 'connect', async () => {
      clearTimeout(timer);
      const why = socket instanceof TLSSocket ? await distrust?.(socket) : undefined;
      if (socket.destroyed) return;
      socket.off('error', failed).off('close', closed);
      if (why !== undefined) socket.destroy();
      resolve(why ?? socket);
    });
  });
}

/** The files are read at each connection, so that renewed certificates need no restart. */
function tlsOptions(host: string, { ca, certificate, key, serverName }: EndpointTls): ConnectionOptions {
  const name = serverName ?? (isIP(host) ? undefined : host);
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(name === undefined ? {} : { servername: name }),
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(certificate === undefined ? {} : { cert: readFileSync(certificate) }),
    ...(key === undefined ? {} : { key: readFileSync(key) }),
  };
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}
