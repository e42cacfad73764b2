/**
 * The MLLP server: a plain port, a port with TLS, or both. A positive acknowledgement leaves only after the message is on
 * disk (see `take-v2.ts`).
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import type { ConnectionRevocation } from '../authorization/index.ts';
import type { Certificates, Participants } from '../trust/index.ts';
import type { Origin } from './accept.ts';
import type { ApplicationAcks } from './application-acks.ts';
import { type ConnectionTiming, MllpConnection, usualTiming } from './mllp-connection.ts';
import { MllpLoad } from './mllp-load.ts';
import type { RefusedMessages } from './refused-messages.ts';
import type { V2Gate } from './take-v2.ts';
import { ServerCertificate, type TlsFiles } from './tls.ts';

export interface MllpOptions {
  host: string;
  /** The plain port; undefined: none. */
  port: number | undefined;
  tls: (TlsFiles & { port: number; reloadMs?: number }) | undefined;
  maximumFrameBytes: number;
  /** Over both ports. */
  maximumConnections: number;
  /** Silence after which a connection is closed; 0: never. */
  idleMs: number;
  timing?: Partial<ConnectionTiming>;
}

export interface MllpParts {
  gate: V2Gate;
  acks: ApplicationAcks;
  participants: Participants;
  /** Told of those by which senders connect. */
  certificates?: Pick<Certificates, 'seen'>;
  /** Which of them are not taken. */
  revocation?: Pick<ConnectionRevocation, 'distrust'>;
  refused?: Pick<RefusedMessages, 'told'>;
  log: Logger;
}

export interface MllpServer {
  port: number | undefined;
  tlsPort: number | undefined;
  close(): Promise<void>;
}

/** How soon the system looks whether the other side of a silent connection is still there. */
const keepAliveMs = 60_000;

/** Starts the ports; resolves when they listen, rejects when one is taken or its certificate cannot be used. */
export async function startMllp(options: MllpOptions, parts: MllpParts): Promise<MllpServer> {
  const { log } = parts;
  const connections = new Set<MllpConnection>();
  const sockets = new Set<Socket>();
  const load = new MllpLoad();
  const timing = { ...usualTiming, idleMs: options.idleMs, ...options.timing };
  const serve = (socket: Socket, origin: Origin): MllpConnection => {
    const { maximumFrameBytes } = options;
    const connection = new MllpConnection(socket, origin, { ...parts, load, maximumFrameBytes, timing });
    load.joined(connection);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
    return connection;
  };
  /** Whether the certificate of a connection is not taken, which is then recorded. */
  const isDistrusted = async (socket: TLSSocket): Promise<boolean> => {
    const reason = await parts.revocation?.distrust(socket);
    if (reason === undefined) return false;
    log.warn('an MLLP connection was closed: its certificate is revoked, or it cannot be learned whether it is');
    const { certified, address } = originOf(socket, parts);
    await parts.refused?.told({ certified, address }, 'MLLP by TLS', 403);
    return true;
  };
  // Nothing is read of a connection before its certificate is taken.
  const serveSecure = async (socket: TLSSocket) => {
    const passOver = () => {};
    socket.on('error', passOver);
    const isRefused = await isDistrusted(socket);
    if (isRefused) socket.destroy();
    if (socket.destroyed) return;
    socket.off('error', passOver);
    const connection = serve(socket, originOf(socket, parts));
    const again = setInterval(async () => {
      if (!socket.destroyed && (await isDistrusted(socket))) {
        clearInterval(again);
        await connection.finish();
      }
    }, timing.askedAgainMs).unref();
    socket.on('close', () => clearInterval(again));
  };
  // Counted from the first packet, so that whoever does not finish a handshake takes a place as well.
  const admit = (socket: Socket) => {
    if (sockets.size >= options.maximumConnections) {
      log.warn({ limit: options.maximumConnections }, 'an MLLP connection over the limit was closed');
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  };
  // Half open: a sender that closes its side after the last message still gets its answers.
  const socketOptions = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs };
  const listening: { server: Server; port: number }[] = [];
  const close = async () => {
    certificate?.stop();
    const closed = listening.map(({ server }) => new Promise((done) => server.close(done)));
    await Promise.all([...connections].map((connection) => connection.finish()));
    for (const socket of sockets) socket.destroySoon();
    await Promise.all(closed);
  };
  let certificate: ServerCertificate | undefined;
  try {
    let plain: Server | undefined;
    if (options.port !== undefined) {
      plain = createServer(socketOptions, (socket) => {
        if (!socket.destroyed) serve(socket, { byCertificate: true, address: socket.remoteAddress });
      });
      plain.prependListener('connection', admit);
      listening.push({ server: plain, port: await listen(plain, options.host, options.port, log) });
    }
    let secure: Server | undefined;
    if (options.tls) {
      certificate = new ServerCertificate('MLLP over TLS', options.tls, log);
      const settings = { ...socketOptions, ...certificate.options() };
      const server = createTlsServer(settings, (socket) => void serveSecure(socket));
      certificate.keepCurrent(server, options.tls.reloadMs);
      server.prependListener('connection', admit);
      server.on('tlsClientError', (error) =>
        log.warn({ error: error.message }, 'an MLLP connection was not made by TLS'),
      );
      secure = server;
      listening.push({ server, port: await listen(server, options.host, options.tls.port, log) });
    }
    const portOf = (server: Server | undefined) => listening.find((one) => one.server === server)?.port;
    return { port: plain && portOf(plain), tlsPort: secure && portOf(secure), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Who a connection with TLS speaks for. */
function originOf(socket: TLSSocket, { participants, certificates }: MllpParts): Origin {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  const site = certificate && participants.byCertificate(certificate.fingerprint256);
  if (site !== undefined) certificates?.seen({ participant: site }, certificate!);
  return { byCertificate: true, site, certified: site, address: socket.remoteAddress };
}

function listen(server: Server, host: string, port: number, log: Logger): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.on('error', (error) => log.error({ error: error.message }, 'the MLLP server failed'));
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}
