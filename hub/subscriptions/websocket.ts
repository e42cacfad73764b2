/**
 * Notifications over WebSocket (Subscriptions R5 Backport 1.1, "Websockets"): a client asks for a token of its
 * subscriptions, connects, sends `bind-with-token` and the token, and is sent notifications from there on. What it missed
 * while it was not connected it asks for with `$events`.
 */
import { createHmac } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Database } from '../database/index.ts';
import { signToken, verifyToken } from '../secrets/index.ts';
import type { Definition } from './definition.ts';
import type { NotificationType } from './notification.ts';
import { type Event, eventsOf, type Kept, keptOf } from './store.ts';

export const websocketPath = '/fhir/websocket';
const tokenSeconds = 300;
const lookMs = 250;
const aliveMs = 30_000;
const mostBound = 100;
const mostSockets = 1_000;
/** What a client may leave unread before it is let go; it catches up with `$events`. */
const mostUnread = 4 * 1024 * 1024;

export interface WebsocketParts {
  database: Database;
  tokenKey: Buffer;
  definition(kept: Kept): Promise<Definition | undefined>;
  /** Writes a notification of what may be told, and records that it is. Undefined where nobody may be told any more. */
  told(
    kept: Kept,
    definition: Definition,
    type: NotificationType,
    events: readonly Event[],
  ): Promise<string | undefined>;
  /** Records what somebody asked for who is not known. */
  refused(from: string, what: string, status: number): Promise<void>;
  fault(error: unknown): void;
}

interface Bound {
  socket: WebSocket;
  definition: Definition;
  /** The last event that was sent on this socket. */
  told: number;
  lastSent: number;
}

export class WebsocketChannel {
  readonly #parts: WebsocketParts;
  readonly #key: Buffer;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024 });
  readonly #bound = new Map<string, Set<Bound>>();
  #timer: NodeJS.Timeout | undefined;
  #aliveTimer: NodeJS.Timeout | undefined;
  readonly #silent = new WeakSet<WebSocket>();
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(parts: WebsocketParts) {
    this.#parts = parts;
    // Of its own, so that a token for a socket opens nothing else.
    this.#key = createHmac('sha256', parts.tokenKey).update('subscription sockets').digest();
  }

  /** A token for subscriptions, by their ids. */
  async token(ids: readonly string[]): Promise<{ token: string; expires: Date }> {
    const claims = { subject: ids.join(' '), role: 'subscriber', expiresInSeconds: tokenSeconds };
    return { token: await signToken(this.#key, claims), expires: new Date(Date.now() + tokenSeconds * 1_000) };
  }

  /** Takes connections of an HTTP server at `websocketPath`. */
  listen(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#timer = setInterval(() => this.look(), lookMs);
    this.#aliveTimer = setInterval(() => this.#letGoOfSilent(), aliveMs);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#aliveTimer);
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await this.#looking;
  }

  /** Looks for what those who are connected have to be told; where that is being done, once more after it. */
  look(): void {
    if (this.#bound.size === 0) return;
    this.#again = true;
    this.#looking ??= this.#lookAgain()
      .catch((error) => this.#parts.fault(error))
      .finally(() => {
        this.#looking = undefined;
      });
  }

  async #lookAgain(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#look();
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const isKnown = request.url?.split('?')[0] === websocketPath;
    const from = request.socket.remoteAddress ?? 'unknown';
    if (!isKnown || this.#server.clients.size >= mostSockets) {
      if (!isKnown) void this.#record(from, 'a socket of an address that is none', 404);
      socket.end(`HTTP/1.1 ${isKnown ? '503 Service Unavailable' : '404 Not Found'}\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (client) => this.#serve(client, from));
  }

  #serve(client: WebSocket, from: string): void {
    client.on('pong', () => this.#silent.delete(client));
    client.on('error', () => client.terminate());
    client.on('close', () => this.#unbind(client));
    client.on('message', (data) => {
      const text = String(data);
      const token = /^bind-with-token:? +(\S+)\s*$/.exec(text)?.[1];
      if (token !== undefined) void this.#bind(client, token, from).catch((error) => this.#parts.fault(error));
      else void this.#refuse(client, from, 'Send bind-with-token and a token of $get-ws-binding-token.');
    });
  }

  async #refuse(client: WebSocket, from: string, reason: string): Promise<void> {
    await this.#record(from, websocketPath, 401);
    client.close(1008, reason);
  }

  #record(from: string, what: string, status: number): Promise<void> {
    return this.#parts.refused(from, what, status).catch((error) => this.#parts.fault(error));
  }

  async #bind(client: WebSocket, token: string, from: string): Promise<void> {
    const claims = await verifyToken(this.#key, token);
    if ('refused' in claims) return this.#refuse(client, from, claims.refused);
    const kept = await keptOf(this.#parts.database, { owner: undefined, ids: claims.subject.split(' ') });
    for (const one of kept.slice(0, mostBound)) {
      const definition = await this.#parts.definition(one);
      if (definition?.channel !== 'websocket' || client.readyState !== client.OPEN) continue;
      const bound: Bound = { socket: client, definition, told: one.events, lastSent: Date.now() };
      const handshake = await this.#parts.told(one, definition, 'handshake', []);
      if (handshake === undefined) continue;
      client.send(handshake);
      const others = this.#bound.get(one.rid);
      if (others) others.add(bound);
      else this.#bound.set(one.rid, new Set([bound]));
    }
  }

  #unbind(client: WebSocket): void {
    for (const [rid, some] of this.#bound) {
      for (const one of some) if (one.socket === client) some.delete(one);
      if (some.size === 0) this.#bound.delete(rid);
    }
  }

  async #look(): Promise<void> {
    const all = await keptOf(this.#parts.database, { owner: undefined, ids: undefined, rids: [...this.#bound.keys()] });
    const wanted = new Map(all.map((kept) => [kept.rid, kept]));
    for (const [rid, some] of this.#bound) {
      const kept = wanted.get(rid);
      for (const one of some) {
        if (!kept || kept.state === 'off') one.socket.close(1000, 'The subscription has ended.');
        else await this.#tell(kept, one);
      }
    }
  }

  async #tell(kept: Kept, bound: Bound): Promise<void> {
    const { socket, definition } = bound;
    while (socket.readyState === socket.OPEN && bound.told < kept.events) {
      const wanted = { from: bound.told + 1, to: kept.events, limit: definition.most };
      const events = await eventsOf(this.#parts.database, kept.rid, wanted);
      if (events.length === 0) break;
      const text = await this.#parts.told(kept, definition, 'event-notification', events);
      if (text === undefined) return socket.close(1008, 'Whoever asked for this may not ask for it any more.');
      this.#send(bound, text);
      bound.told = events.at(-1)!.number;
    }
    const { heartbeat } = definition;
    if (heartbeat === undefined || bound.lastSent + heartbeat * 1_000 > Date.now()) return;
    const text = await this.#parts.told(kept, definition, 'heartbeat', []);
    if (text !== undefined) this.#send(bound, text);
  }

  #send(bound: Bound, text: string): void {
    if (bound.socket.bufferedAmount > mostUnread) bound.socket.terminate();
    else bound.socket.send(text);
    bound.lastSent = Date.now();
  }

  #letGoOfSilent(): void {
    for (const client of this.#server.clients) {
      if (this.#silent.has(client)) client.terminate();
      this.#silent.add(client);
      client.ping();
    }
  }
}
