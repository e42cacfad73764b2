/**
 * Connections by HTTPS over which nothing is sent before somebody has said that nothing is held against the certificate at the
 * other end: whether it is revoked is found out after the handshake, which checks everything else of it.
 */
import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';

/** Why the certificate of a connection is not taken, as the rest of a sentence; undefined where nothing is against it. Never rejects. */
export type Distrust = (socket: TLSSocket) => Promise<string | undefined>;

/** The certificate at the other end is not taken. */
export class Distrusted extends Error {
  override name = 'Distrusted';
}

/** A connection is used for no longer than what was said of its certificate holds. */
const longestMs = 60_000;
/** Sessions are not gone on with: a client is not told of the certificate then (Node 24). */
const options: AgentOptions = { keepAlive: true, scheduling: 'lifo', timeout: 5_000, maxCachedSessions: 0 };

const agents = new WeakMap<Distrust, DistrustingAgent>();

/** The agent that asks somebody: the same for the same one, so that connections are kept. */
export function distrustingAgent(distrust: Distrust): Agent {
  const known = agents.get(distrust);
  if (known) return known;
  const agent = new DistrustingAgent(distrust);
  agents.set(distrust, agent);
  return agent;
}

type Made = (error: Error | null, socket: Duplex) => void;
type Connecting = Parameters<Agent['createConnection']>[0] & { ended?: AbortSignal };

class DistrustingAgent extends Agent {
  readonly #distrust: Distrust;
  readonly #begun = new WeakMap<Duplex, number>();

  constructor(distrust: Distrust) {
    super(options);
    this.#distrust = distrust;
  }

  override createConnection(to: Connecting, made: Made): undefined {
    const { ended } = to;
    const socket = super.createConnection(to) as TLSSocket;
    const failed = (error: Error) => made(error, socket);
    // Until it is given to its request, nobody else ends it with that.
    const end = () => socket.destroy(new Error('the request was broken off'));
    ended?.addEventListener('abort', end);
    socket.once('error', failed);
    socket.once('secureConnect', async () => {
      const why = await this.#distrust(socket);
      ended?.removeEventListener('abort', end);
      if (socket.destroyed)
        return failed(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
      socket.off('error', failed);
      if (why === undefined) {
        this.#begun.set(socket, Date.now());
        return made(null, socket);
      }
      socket.destroy();
      made(new Distrusted(`The certificate of the server is not taken: ${why}.`), socket);
    });
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const isFresh = Date.now() - (this.#begun.get(socket) ?? 0) < longestMs;
    // False where the server wants it closed, which its type does not say.
    return isFresh && (super.keepSocketAlive(socket) as unknown) !== false;
  }
}
