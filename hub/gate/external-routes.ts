/**
 * Signing in through the external provider, and connecting an account with it: the browser is sent there, and comes back with
 * a code and the cookie that it was sent with.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ExternalProvider, ExternalRefused, type Vouched } from '../authorization/index.ts';
import { RecordError } from '../record/index.ts';
import { type Accounts, accessOf, type ExternalAccounts } from '../trust/index.ts';
import { agentOf, currentSession, recordSignIn } from './auth-routes.ts';
import { jsonBody } from './body.ts';
import { bindProven, type ProofedParts } from './proofed-binding.ts';
import { cookieOf, isSecure, mustBeOwnChange, ownAddress, sessionToken, setSession } from './session-cookie.ts';

export interface ExternalParts extends ProofedParts {
  accounts: Accounts;
  /** Undefined where there is no provider. */
  external: { issuer: string; provider: ExternalProvider; accounts: ExternalAccounts } | undefined;
}

const path = '/auth/external';
const cookie = { name: 'causeway_external', path };
const cookieSeconds = 600;

export function externalRoutes(app: FastifyInstance, parts: ExternalParts): void {
  const { external, accounts, accessLog } = parts;
  if (!external) return;

  app.post(path, async (request, reply) => {
    mustBeOwnChange(request);
    const { back, connect } = jsonBody(request);
    const connecting = connect === true ? await freshUser(accounts, request) : undefined;
    const redirectUri = `${ownAddress(request)}${path}/back`;
    const wanted = { back: typeof back === 'string' && isOwnPath(back) ? back : undefined, connecting };
    const { address, key } = await external.provider.begin(redirectUri, wanted).catch(unreachable);
    setKey(reply, cookie, key);
    return { address };
  });

  app.get(`${path}/back`, async (request, reply) => {
    const key = cookieOf(request, cookie.name);
    setKey(reply, cookie, undefined);
    const query = request.url.slice(request.url.indexOf('?') >>> 0);
    try {
      if (key === undefined) throw new ExternalRefused('the browser brings no cookie');
      const vouched = await external.provider.end(query, key);
      return await (vouched.connecting === undefined
        ? signIn(parts, request, reply, vouched)
        : connect({ ...parts, connected: external.accounts }, reply, vouched, vouched.connecting));
    } catch (error) {
      if (!(error instanceof ExternalRefused)) throw error;
      await accessLog.strangers.refused(request.ip, `GET ${path}/back`, 401);
      return reply.redirect('/sign-in?refused=failed', 303);
    }
  });

  app.delete(path, async (request, reply) => {
    const username = await freshUser(accounts, request);
    const { hasPassword } = await accounts.factors(username);
    if (!hasPassword && (await accounts.passkeys.of(username)).length === 0) {
      throw new RecordError(
        409,
        'conflict',
        'You could not sign in any more: choose a password or add a passkey first.',
      );
    }
    const user = (await accounts.find(username))!;
    await accessLog.change(async (transaction) => {
      const isDone = await external.accounts.disconnect(username, external.issuer, transaction);
      if (!isDone) throw new RecordError(404, 'not-found', 'Your account is not connected.');
      const entry = { action: 'disconnect-provider', what: 'account', status: 204 };
      return { made: undefined, note: { access: accessOf(user), entry } };
    });
    return reply.code(204).send();
  });
}

async function signIn(
  parts: ExternalParts,
  request: FastifyRequest,
  reply: FastifyReply,
  { issuer, subject, claims, isMfa, back }: Vouched,
): Promise<FastifyReply> {
  const { accounts: known } = parts.external!;
  const username = await parts.database.transaction((transaction) =>
    known.account(issuer, subject, claims, transaction),
  );
  const proven = username === undefined ? undefined : known.provenOf(claims);
  const user = proven && (await parts.accounts.find(username!));
  if (user) await bindProven(parts, user, proven, issuer);
  if (username !== undefined) return signInAs(parts, request, reply, { username, isMfa, back });
  await parts.accessLog.strangers.refused(request.ip, `GET ${path}/back`, 403);
  return reply.redirect('/sign-in?refused=unknown', 303);
}

/** Signs somebody in for whom a provider vouched, and sends the browser on. */
export async function signInAs(
  { accounts, accessLog }: Pick<ExternalParts, 'accounts' | 'accessLog'>,
  request: FastifyRequest,
  reply: FastifyReply,
  { username, isMfa, back }: { username: string; isMfa: boolean; back: string | undefined },
): Promise<FastifyReply> {
  const before = sessionToken(request);
  if (before !== undefined) await accounts.signOut(before);
  const { user, token, pending } = await accounts.signInByProvider(username, isMfa, agentOf(request));
  setSession(reply, token);
  if (pending === undefined) await recordSignIn({ accessLog }, request, user);
  const on = back === undefined ? '' : `&back=${encodeURIComponent(back)}`;
  return reply.redirect(pending === undefined ? (back ?? '/') : `/sign-in?goOn=true${on}`, 303);
}

/** Connects an account with whom a provider vouches for, and sends the browser on. */
export async function connect(
  { accounts, accessLog, connected }: Pick<ExternalParts, 'accounts' | 'accessLog'> & { connected: ExternalAccounts },
  reply: FastifyReply,
  { issuer, subject }: Vouched,
  username: string,
): Promise<FastifyReply> {
  const user = await accounts.find(username);
  if (!user) return reply.redirect('/sign-in?refused=unknown', 303);
  const isDone = await accessLog.change(async (transaction) => {
    const made = await connected.connect(issuer, subject, username, transaction);
    const entry = { action: 'connect-provider', what: 'account', status: made ? 200 : 409 };
    return { made, note: { access: accessOf(user), entry } };
  });
  return reply.redirect(isDone ? '/security' : '/security?refused=taken', 303);
}

/** Whose session it is, where it was proved a moment ago. @throws RecordError 401, 403 */
export async function freshUser(accounts: Accounts, request: FastifyRequest): Promise<string> {
  const { session } = await currentSession(accounts, request);
  if (session.pending !== undefined) throw new RecordError(401, 'login', 'Sign in first.');
  if (!session.isFresh) throw new RecordError(403, 'forbidden', 'Prove again who you are, then try once more.');
  return session.username;
}

/** The browser comes back from another site, so that this cookie is Lax (RFC 6265bis, 5.6.7). */
export function setKey(
  reply: FastifyReply,
  { name, path }: { name: string; path: string },
  key: string | undefined,
): void {
  const secure = isSecure(reply.server) ? '; Secure' : '';
  const seconds = key === undefined ? 0 : cookieSeconds;
  reply.header('set-cookie', `${name}=${key ?? ''}; Path=${path}; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure}`);
}

function isOwnPath(back: string): boolean {
  return back.length <= 2_000 && /^\/(?![/\\])/.test(back);
}

function unreachable(error: unknown): never {
  if (!(error instanceof ExternalRefused)) throw error;
  throw new RecordError(503, 'transient', 'The other provider does not answer now. Sign in another way, or try again.');
}
