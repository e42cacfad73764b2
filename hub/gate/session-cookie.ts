/** The cookies of the screens, and where a request that brings one comes from. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';
import type { RelyingParty } from '../trust/index.ts';

/** How browsers reach the hub, and how long they keep a session's token. */
export interface PagesAddress {
  /** Scheme, host and port; undefined where only the address on which the hub listens is known. */
  publicUrl: string | undefined;
  /** Whether the hub itself speaks HTTPS. */
  isHttps: boolean;
  sessionSeconds: number;
}

declare module 'fastify' {
  interface FastifyInstance {
    pages: PagesAddress;
  }
}

export function pagesAt(app: FastifyInstance, address: PagesAddress): void {
  app.decorate('pages', address);
}

/** The address of the hub's pages. */
export function ownAddress({ server, host, protocol }: FastifyRequest): string {
  return server.pages.publicUrl ?? `${protocol}://${host}`;
}

/** For which host passkeys are made; undefined where it has no name, which passkeys need. */
export function relyingParty({ server, hostname, host, protocol }: FastifyRequest): RelyingParty | undefined {
  const { publicUrl } = server.pages;
  if (publicUrl === undefined)
    return hostname === 'localhost' ? { id: hostname, origin: `${protocol}://${host}` } : undefined;
  const { hostname: id, origin } = new URL(publicUrl);
  return /^\[|^[\d.]+$/.test(id) ? undefined : { id, origin };
}

/** The token of the session that a request brings. */
export function sessionToken(request: FastifyRequest): string | undefined {
  return cookieOf(request, sessionName(request.server));
}

/** Gives the browser the token of a session; without one, takes it away. */
export function setSession(reply: FastifyReply, token: string | undefined): void {
  const { server } = reply;
  const seconds = token === undefined ? 0 : server.pages.sessionSeconds;
  const cookie = `${sessionName(server)}=${token ?? ''}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;
  reply.header('set-cookie', isSecure(server) ? `${cookie}; Secure` : cookie);
}

/** By https no other host of the domain, and nothing that was sent in the clear, can set a cookie of this name (RFC 6265bis, 4.1.3.2). */
function sessionName(server: FastifyInstance): string {
  return isSecure(server) ? '__Host-causeway_session' : 'causeway_session';
}

export function isSecure({ pages }: FastifyInstance): boolean {
  return pages.isHttps || (pages.publicUrl?.startsWith('https:') ?? false);
}

export function cookieOf(request: FastifyRequest, name: string): string | undefined {
  return new RegExp(`(?:^|;\\s*)${name}=([A-Za-z0-9_-]+)`).exec(request.headers.cookie ?? '')?.[1];
}

/** Whether a page asks by itself, with nobody at the screen: that does not keep a session. */
export function isUnattended(request: FastifyRequest): boolean {
  return request.headers['x-unattended'] !== undefined;
}

/**
 * Browsers say where a request comes from; only the hub's own pages may sign in, or change anything by a cookie.
 * @throws RecordError 403
 */
export function mustBeOwnChange(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD' || isOwnRequest(request)) return;
  throw new RecordError(403, 'forbidden', 'A request that changes something must come from the hub’s own pages.');
}

function isOwnRequest(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = request.headers;
  const own = request.server.pages.publicUrl ?? `${request.protocol}://${request.host}`;
  return origin === undefined || origin === own || origin === `${request.protocol}://${request.host}`;
}
