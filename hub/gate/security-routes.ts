/**
 * What somebody sets up for signing in: password, authenticator app, passkeys, recovery codes; and the sessions there are.
 * Changes need that it was proved within the last minutes who it is; afterwards the session goes on under another token.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authorization } from '../authorization/index.ts';
import type { Database, Transaction } from '../database/index.ts';
import { RecordError } from '../record/index.ts';
import {
  type AccessLog,
  type Accounts,
  accessOf,
  type Connection,
  connectionsOf,
  isSameIssuer,
  type Proof,
  type Session,
} from '../trust/index.ts';
import { currentSession, neededParty, recordSignIn, refusal, shownOf, signedInAnswer } from './auth-routes.ts';
import { jsonBody, text } from './body.ts';
import { relyingParty } from './session-cookie.ts';

export interface SecurityParts {
  accounts: Accounts;
  accessLog: AccessLog;
  database: Database;
  authorization: Pick<Authorization, 'signsInElsewhere'>;
  external: { name: string; issuer: string } | undefined;
}

type Id = { Params: { id: string } };

export const shortestPassword = 12;
const mostPasskeys = 20;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function securityRoutes(app: FastifyInstance, parts: SecurityParts): void {
  const { accounts, external, database, authorization } = parts;
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
    const [connections, factors, keys, all, user] = await Promise.all([
      connectionsOf(database, username),
      accounts.factors(username),
      passkeys.of(username),
      sessions.of(username),
      accounts.find(username),
    ]);
    const isNamed = ({ issuer }: Connection) => external !== undefined && isSameIssuer(issuer, external.issuer);
    return {
      username,
      pending,
      isFresh,
      ...factors,
      isExternal: connections.some(isNamed),
      providers: connections.filter((one) => !isNamed(one)),
      canConnect: authorization.signsInElsewhere(),
      passkeys: keys,
      canPasskey: relyingParty(request) !== undefined,
      external: external ? { name: external.name } : null,
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
    return changed(parts, reply, current, 'change-password', async (transaction) => {
      await accounts.setPassword(username, password, transaction);
      await sessions.endOf(username, { keep: number }, transaction);
    });
  });

  app.post('/auth/totp', async (request) => {
    const { session } = await changing(parts, request, 'enrol');
    return totp.begin(session.username);
  });

  app.post('/auth/totp/confirm', async (request, reply) => {
    const current = await changing(parts, request, 'enrol');
    const { username } = current.session;
    const secret = await totp.confirm(username, text(jsonBody(request), 'code', 20));
    if (!secret) {
      const wrong = 'The code is not right. Wait for the next one, and look at the clock of the device.';
      throw new RecordError(403, 'forbidden', wrong, 'code');
    }
    const keep = (transaction: Transaction) => totp.keep(username, secret, transaction);
    return changed(parts, reply, current, 'add-totp', keep, 'totp');
  });

  app.delete('/auth/totp', async (request, reply) => {
    const current = await changing(parts, request);
    const { username } = current.session;
    await mustKeepOne(parts, username, (await passkeys.of(username)).length);
    return changed(parts, reply, current, 'remove-totp', async (transaction) => {
      if (!(await totp.remove(username, transaction))) throw none('There is no authenticator app.');
    });
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
    const { username } = current.session;
    const credential = await passkeys.made(username, neededParty(request), body.passkey);
    if (!credential) throw notTaken();
    const keep = async (transaction: Transaction) => {
      if (!(await passkeys.keep(username, credential, name, transaction))) throw notTaken();
    };
    return changed(parts, reply, current, 'add-passkey', keep, 'passkey');
  });

  app.delete<Id>('/auth/passkeys/:id', async (request, reply) => {
    const current = await changing(parts, request);
    const { username } = current.session;
    const { hasTotp } = await accounts.factors(username);
    await mustKeepOne(parts, username, (await passkeys.of(username)).length - 1 + (hasTotp ? 1 : 0));
    return changed(parts, reply, current, 'remove-passkey', async (transaction) => {
      if (!(await passkeys.remove(username, request.params.id, transaction))) throw none('There is no such passkey.');
    });
  });

  app.post('/auth/recovery-codes', async (request, reply) => {
    const current = await changing(parts, request);
    return changed(parts, reply, current, 'make-recovery-codes', async (transaction) => ({
      recoveryCodes: await totp.makeRecoveryCodes(current.session.username, transaction),
    }));
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

/**
 * Changes something, and records that in one transaction; then gives the session another token. With the first factor come
 * recovery codes.
 * @param make what it returns is told beside
 */
async function changed(
  { accounts, accessLog }: SecurityParts,
  reply: FastifyReply,
  { token, session }: Current,
  action: string,
  make: (transaction: Transaction) => Promise<unknown>,
  proof?: Proof,
): Promise<object> {
  const { username, pending } = session;
  const user = await accounts.find(username);
  if (!user) throw new RecordError(401, 'login', 'Your session has ended.');
  const told = await accessLog.change(async (transaction) => {
    const made = { ...((await make(transaction)) as object | undefined) };
    const access = { ...accessOf(user), address: reply.request.ip };
    const note = { access, entry: { action, what: 'account', status: 200 } };
    const isFirst = proof !== undefined && (await accounts.factors(username, transaction)).recoveryCodes === 0;
    if (!isFirst) return { made, note };
    return { made: { ...made, recoveryCodes: await accounts.totp.makeRecoveryCodes(username, transaction) }, note };
  });
  const signedIn = await accounts.advance(token, session, proof);
  if (!signedIn) throw new RecordError(401, 'login', 'Your session has ended.');
  if (pending !== undefined && signedIn.pending === undefined) await recordSignIn({ accessLog }, reply.request, user);
  return { ...(await signedInAnswer(accounts, reply, signedIn)), ...told };
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

function notTaken(): RecordError {
  return new RecordError(403, 'forbidden', 'The passkey could not be taken, or the answer came too late.', 'passkey');
}
