/**
 * Signing in to the screens and out: by a password, then a second factor where there is one, or by a passkey alone. A
 * sign-in that is not complete is a session that is good for nothing but the next step.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';
import {
  type AccessLog,
  type Accounts,
  accessOf,
  type Refused,
  type RelyingParty,
  type Session,
  type Shown,
  type SignedIn,
  type SignIn,
  type User,
} from '../trust/index.ts';
import { jsonBody, text } from './body.ts';
import type { RateLimits } from './rate-limits.ts';
import { isUnattended, mustBeOwnChange, relyingParty, sessionToken, setSession } from './session-cookie.ts';

export interface DemoAccount {
  username: string;
  password: string;
  name: string;
  role: string;
}

export interface AuthParts {
  accounts: Accounts;
  accessLog: AccessLog;
  rateLimits: RateLimits;
  demoAccounts: DemoAccount[];
  external: { name: string } | undefined;
}

export function authRoutes(app: FastifyInstance, parts: AuthParts): void {
  const { accounts, demoAccounts, external } = parts;

  app.post('/auth/login', async (request, reply) => {
    mustBeOwnChange(request);
    const body = jsonBody(request);
    const username = text(body, 'username', 200);
    const password = text(body, 'password', 1_000);
    return limited(parts, request, async () => {
      const signedIn = await accounts.signIn(username, password, agentOf(request));
      const wrong = 'The user name or the password is not right.';
      return answered(parts, request, reply, username, signedIn, wrong);
    });
  });

  app.post('/auth/login/passkey/options', async (request) => {
    mustBeOwnChange(request);
    return accounts.passkeys.options('passkey-sign-in', neededParty(request));
  });

  app.post('/auth/login/passkey', async (request, reply) => {
    mustBeOwnChange(request);
    const { passkey } = jsonBody(request);
    return limited(parts, request, async () => {
      const signedIn = await accounts.signInByPasskey(passkey, neededParty(request), agentOf(request));
      const wrong = 'This passkey is not one of an account here, or its answer came too late.';
      return answered(parts, request, reply, undefined, signedIn, wrong);
    });
  });

  /** The second step: `{code}` or `{passkey}`. */
  app.post('/auth/second-factor', async (request, reply) => {
    const { token, session } = await currentSession(accounts, request);
    if (session.pending !== 'factor') throw new RecordError(409, 'conflict', 'No second factor is asked for.');
    const shown = shownOf(request, false);
    return limited(parts, request, async () => {
      const signedIn = await accounts.goOn(token, session, shown);
      return answered(parts, request, reply, session.username, signedIn, 'That is not right, or was used already.');
    });
  });

  app.get('/auth/ways', async (request) => ({
    passkey: relyingParty(request) !== undefined,
    external: external ? { name: external.name } : null,
  }));

  /** What a sign-in that was begun elsewhere still needs. */
  app.get('/auth/step', async (request) => {
    const { session } = await currentSession(accounts, request);
    return stepOf(accounts, session.username, session.pending);
  });

  app.get('/auth/session', async (request) => {
    const token = sessionToken(request);
    const user = token === undefined ? undefined : await accounts.session(token, isUnattended(request));
    if (!user) throw new RecordError(401, 'login', 'Nobody is signed in.');
    return { user: shown(user) };
  });

  app.post('/auth/logout', async (request, reply) => {
    mustBeOwnChange(request);
    const token = sessionToken(request);
    if (token !== undefined) await accounts.signOut(token);
    setSession(reply, undefined);
    return reply.code(204).send();
  });

  app.get('/auth/demo-accounts', async () => ({ accounts: demoAccounts }));
}

/** The session of a request that changes something of it, whatever is pending. @throws RecordError 401, 403 */
export async function currentSession(
  accounts: Accounts,
  request: FastifyRequest,
): Promise<{ token: string; session: Session }> {
  mustBeOwnChange(request);
  const token = sessionToken(request);
  const session = token === undefined ? undefined : await accounts.sessions.find(token);
  if (!session) throw new RecordError(401, 'login', 'Sign in first.');
  return { token: token!, session };
}

/** What the browser is told of a session, whose token it is given. */
export async function signedInAnswer(accounts: Accounts, reply: FastifyReply, signedIn: SignedIn): Promise<object> {
  const { user, token, pending } = signedIn;
  setSession(reply, token);
  return pending === undefined ? { user: shown(user) } : stepOf(accounts, user.username, pending);
}

async function stepOf(accounts: Accounts, username: string, pending: Session['pending']): Promise<object> {
  if (pending !== 'factor') return { next: pending ?? null };
  const [{ hasTotp }, passkeys] = await Promise.all([accounts.factors(username), accounts.passkeys.of(username)]);
  return { next: pending, hasTotp, hasPasskey: passkeys.length > 0 };
}

/** What somebody shows to prove who it is. @throws RecordError 400, 409 */
export function shownOf(request: FastifyRequest, mayBePassword: boolean): Shown {
  const body = jsonBody(request);
  if (body.passkey !== undefined) return { passkey: body.passkey, party: neededParty(request) };
  if (mayBePassword && body.code === undefined) return { password: text(body, 'password', 1_000) };
  return { code: text(body, 'code', 100) };
}

/** @throws RecordError 409 where the hub has no name */
export function neededParty(request: FastifyRequest): RelyingParty {
  const party = relyingParty(request);
  if (party) return party;
  const text = 'Passkeys need a host with a name: use the hub’s public address, or localhost.';
  throw new RecordError(409, 'conflict', text);
}

/** Why a proof is refused. @param wrong said where it is not right */
export function refusal({ refused }: Refused, wrong: RecordError): RecordError {
  if (refused === 'wrong') return wrong;
  return new RecordError(429, 'too-costly', 'This account is locked for a few minutes after too many wrong attempts.');
}

export function agentOf(request: FastifyRequest): string {
  return String(request.headers['user-agent'] ?? '');
}

/** Tries that fail count against the address they come from. */
async function limited<T>({ rateLimits }: AuthParts, request: FastifyRequest, decide: () => Promise<T>): Promise<T> {
  rateLimits.check('sign-in', request.ip);
  try {
    return await decide();
  } catch (error) {
    if (error instanceof RecordError) await rateLimits.failed('sign-in', request.ip);
    throw error;
  }
}

async function answered(
  parts: AuthParts,
  request: FastifyRequest,
  reply: FastifyReply,
  username: string | undefined,
  signedIn: SignIn,
  wrong: string,
): Promise<object> {
  if ('refused' in signedIn) {
    // Not waited for: how long an answer takes does not tell which accounts there are.
    told.add(request);
    void recordFailure(parts, request, username).catch(() => {});
    throw refusal(signedIn, new RecordError(401, 'login', wrong));
  }
  const before = sessionToken(request);
  if (before !== undefined && before !== signedIn.token) await parts.accounts.signOut(before);
  if (signedIn.pending === undefined) await recordSignIn(parts, request, signedIn.user);
  return signedInAnswer(parts.accounts, reply, signedIn);
}

export function recordSignIn(
  { accessLog }: Pick<AuthParts, 'accessLog'>,
  { ip }: FastifyRequest,
  user: User,
): Promise<void> {
  return accessLog.record({ ...accessOf(user), address: ip }, { action: 'sign-in', what: 'session', status: 200 });
}

async function recordFailure(
  { accounts, accessLog }: AuthParts,
  request: FastifyRequest,
  username: string | undefined,
): Promise<void> {
  const user = username === undefined ? undefined : await accounts.find(username);
  if (user) {
    const access = { ...accessOf(user), address: request.ip };
    return accessLog.record(access, { action: 'sign-in', what: 'session', status: 401 });
  }
  await accessLog.strangers.refused(request.ip, `POST ${request.routeOptions.url}`, 401);
}

/** Requests whose failure is recorded. */
const told = new WeakSet<FastifyRequest>();

/** Whether the record of accesses is told of a sign-in that failed. */
export function isSignInTold(request: FastifyRequest): boolean {
  return told.has(request);
}

function shown({ username, name, role, organization }: User): User {
  return { username, name, role, organization };
}
