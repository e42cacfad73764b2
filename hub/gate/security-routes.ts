/**
 * What somebody sets up for signing in: password, authenticator app, passkeys, recovery codes; and the sessions there are.
 * Changes need that it was proved within the last minutes who it is; afterwards the session goes on under another token.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ExternalProvider } from '../authorization/index.ts';
import { RecordError } from '../record/index.ts';
import { type AccessLog, type Accounts, accessOf, type Proof, type Session } from '../trust/index.ts';
import { currentSession, neededParty, recordSignIn, refusal, shownOf, signedInAnswer } from './auth-routes.ts';
import { jsonBody, text } from './body.ts';
import { relyingParty } from './session-cookie.ts';

export interface SecurityParts {
  accounts: Accounts;
  accessLog: AccessLog;
  external: { provider: ExternalProvider } | undefined;
}

type Id = { Params: { id: string } };

export const shortestPassword = 12;
const mostPasskeys = 20;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function securityRoutes(app: FastifyInstance, parts: SecurityParts): void {
  const { accounts, external } = parts;
  const { passkeys, totp, sessions } = accounts;
  const complete = async (request: FastifyRequest) => {
    const current = await currentSession(accounts, request);
    if (current.session.pending !== undefined) throw new RecordError(401, 'login', 'Sign in first.');
    return current;
  };

  app.get('/auth/security', async (request) => {
    const { session } = await currentSession(accounts, request);
    const { username, number, isFresh, pending } = session;
    if (pending === 'factor') throw new RecordError(401, 'login', 'Sign in first.');
    const [factors, keys, all, user] = await Promise.all([
      accounts.factors(username),
      passkeys.of(username),
      sessions.of(username),
      accounts.find(username),
    ]);
    return {
      username,
      pending,
      isFresh,
      ...factors,
      passkeys: keys,
      canPasskey: relyingParty(request) !== undefined,
      external: external ? { name: external.provider.settings.name } : null,
      needsFactor: user !== undefined && accounts.needsFactor(user),
      sessions: all.map(({ number: id, ...shown }) => ({ id, ...shown, isThis: id === number })),
    };
  });

  app.post('/auth/passkey/options', async (request) => {
    const { session } = await currentSession(accounts, request);
    return passkeys.options('passkey-step-up', neededParty(request), session.username);
  });

  app.post('/auth/step-up', async (request, reply) => {
    const { token, session } = await complete(request);
    const signedIn = await accounts.goOn(token, session, shownOf(request, true));
    if ('refused' in signedIn) throw refusal(signedIn, new RecordError(403, 'forbidden', 'That is not right.'));
    return signedInAnswer(accounts, reply, signedIn);
  });

  app.post('/auth/password', async (request, reply) => {
    const current = await changing(parts, request, 'password');
    const { username, number } = current.session;
    const password = text(jsonBody(request), 'password', 1_000);
    mustBeGood(password, username);
    if (current.session.pending === 'password' && (await accounts.isPassword(username, password))) {
      throw new RecordError(400, 'value', 'Choose another password than the one that you were given.', 'password');
    }
    await accounts.setPassword(username, password);
    await sessions.endOf(username, { keep: number });
    return done(parts, reply, current, 'change-password');
  });

  app.post('/auth/totp', async (request) => {
    const { session } = await changing(parts, request, 'enrol');
    return totp.begin(session.username);
  });

  app.post('/auth/totp/confirm', async (request, reply) => {
    const current = await changing(parts, request, 'enrol');
    const { username } = current.session;
    if (!(await totp.confirm(username, text(jsonBody(request), 'code', 20)))) {
      throw new RecordError(
        403,
        'forbidden',
        'The code is not right. Wait for the next one, and look at the clock of the device.',
        'code',
      );
    }
    return done(parts, reply, current, 'add-totp', 'totp');
  });

  app.delete('/auth/totp', async (request, reply) => {
    const current = await changing(parts, request);
    const { username } = current.session;
    await mustKeepOne(parts, username, (await passkeys.of(username)).length);
    if (!(await totp.remove(username))) throw none('There is no authenticator app.');
    return done(parts, reply, current, 'remove-totp');
  });

  app.post('/auth/passkeys/options', async (request) => {
    const { session } = await changing(parts, request, 'enrol');
    const { username } = session;
    if ((await passkeys.of(username)).length >= mostPasskeys) {
      throw new RecordError(409, 'conflict', `An account has at most ${mostPasskeys} passkeys. Remove one first.`);
    }
    const user = await accounts.find(username);
    return passkeys.newOptions({ username, name: user?.name ?? username }, neededParty(request));
  });

  app.post('/auth/passkeys', async (request, reply) => {
    const current = await changing(parts, request, 'enrol');
    const body = jsonBody(request);
    const name = text(body, 'name', 100).trim();
    if (!(await passkeys.add(current.session.username, neededParty(request), body.passkey, name))) {
      throw new RecordError(
        403,
        'forbidden',
        'The passkey could not be taken, or the answer came too late.',
        'passkey',
      );
    }
    return done(parts, reply, current, 'add-passkey', 'passkey');
  });

  app.delete<Id>('/auth/passkeys/:id', async (request, reply) => {
    const current = await changing(parts, request);
    const { username } = current.session;
    const { hasTotp } = await accounts.factors(username);
    await mustKeepOne(parts, username, (await passkeys.of(username)).length - 1 + (hasTotp ? 1 : 0));
    if (!(await passkeys.remove(username, request.params.id))) throw none('There is no such passkey.');
    return done(parts, reply, current, 'remove-passkey');
  });

  app.post('/auth/recovery-codes', async (request, reply) => {
    const current = await changing(parts, request);
    const recoveryCodes = await totp.makeRecoveryCodes(current.session.username);
    return { ...(await done(parts, reply, current, 'make-recovery-codes')), recoveryCodes };
  });

  app.delete<Id>('/auth/sessions/:id', async (request, reply) => {
    const { session } = await complete(request);
    const { id } = request.params;
    const ended = uuid.test(id) ? await sessions.endOf(session.username, { number: id }) : 0;
    if (ended === 0) throw none('There is no such session.');
    return reply.code(204).send();
  });

  app.delete('/auth/sessions', async (request) => {
    const { session } = await complete(request);
    return { ended: await sessions.endOf(session.username, { keep: session.number }) };
  });
}

interface Current {
  token: string;
  session: Session;
}

/**
 * The session of a change.
 * @param open what may be pending for it, as a step of signing in
 * @throws RecordError 401; 403 where it was proved too long ago who it is
 */
async function changing(
  { accounts }: SecurityParts,
  request: FastifyRequest,
  open?: 'enrol' | 'password',
): Promise<Current> {
  const current = await currentSession(accounts, request);
  const { pending, isFresh } = current.session;
  if (pending !== undefined && pending !== open) throw new RecordError(401, 'login', 'Sign in first.');
  if (!isFresh) throw new RecordError(403, 'forbidden', 'Prove again who you are, then try once more.');
  return current;
}

/** Records a change, and gives the session another token. With the first factor come recovery codes. */
async function done(
  parts: SecurityParts,
  reply: FastifyReply,
  { token, session }: Current,
  action: string,
  proof?: Proof,
): Promise<object> {
  const { accounts, accessLog } = parts;
  const { username, pending } = session;
  const signedIn = await accounts.advance(token, session, proof);
  if (!signedIn) throw new RecordError(401, 'login', 'Your session has ended.');
  await accessLog.record(accessOf(signedIn.user), { action, what: 'account', status: 200 });
  if (pending !== undefined && signedIn.pending === undefined) await recordSignIn(parts, signedIn.user);
  const answer = await signedInAnswer(accounts, reply, signedIn);
  if (proof === undefined || (await accounts.factors(username)).recoveryCodes > 0) return answer;
  return { ...answer, recoveryCodes: await accounts.totp.makeRecoveryCodes(username) };
}

/** @throws RecordError 409 where the account's role needs a second factor, and none would be left */
async function mustKeepOne({ accounts }: SecurityParts, username: string, left: number): Promise<void> {
  const user = await accounts.find(username);
  if (left > 0 || !user || !accounts.needsFactor(user)) return;
  throw new RecordError(409, 'conflict', 'Your role needs a second factor: set up another one first.');
}

/** NIST SP 800-63B-4, 3.1.1.2: length counts; rules on kinds of characters do not help. @throws RecordError 400 */
function mustBeGood(password: string, username: string): void {
  const isShort = password.length < shortestPassword;
  if (!isShort && !password.toLowerCase().includes(username.toLowerCase())) return;
  const wrong = isShort ? `needs at least ${shortestPassword} characters` : 'must not hold your user name';
  throw new RecordError(400, 'value', `The password ${wrong}.`, 'password');
}

function none(text: string): RecordError {
  return new RecordError(404, 'not-found', text);
}
