/** Users and roles: administrators make accounts, change their roles, close, unlock and reset them. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';
import {
  type AccessLog,
  type AccessNote,
  type Accounts,
  type Role,
  roles,
  type UserChange,
  type Users,
} from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { jsonBody, text } from './body.ts';
import { sessionToken } from './session-cookie.ts';

export interface UserParts {
  users: Users;
  accounts: Accounts;
  authenticator: Authenticator;
  accessLog: AccessLog;
}

type Name = { Params: { username: string } };

/** `system` is for tokens, not for people. */
const given: readonly Role[] = roles.filter((role) => role !== 'system');

export function userRoutes(app: FastifyInstance, parts: UserParts): void {
  const { users, authenticator, accessLog } = parts;
  const administrator = (request: FastifyRequest, action: string) =>
    authenticator.inPerson(request, ['administrator'], action);
  /** Whoever changes accounts proved within the last minutes who it is; a token of a script stands for itself. */
  const changing = async (request: FastifyRequest, action: string): Promise<Caller> => {
    const who = await administrator(request, action);
    const token = request.headers.authorization === undefined ? sessionToken(request) : undefined;
    if (token === undefined || (await parts.accounts.sessions.find(token))?.isFresh) return who;
    throw new RecordError(403, 'forbidden', 'Prove again who you are, then try once more.');
  };
  const noteOf = (who: Caller, action: string, username: string, reason?: string): AccessNote => ({
    access: who,
    entry: { action, what: `account/${username}`, status: 200, ...(reason ? { reason } : {}) },
  });

  app.get<{ Querystring: { q?: string } }>('/api/users', async (request) => {
    const who = await administrator(request, 'list-users');
    const looked = String(request.query.q ?? '').slice(0, 100);
    const found = await users.list(looked);
    await accessLog.record(who, { action: 'list-users', what: looked, status: 200 });
    return { users: found, roles: given };
  });

  app.post('/api/users', async (request, reply) => {
    const who = await changing(request, 'make-user');
    const body = jsonBody(request);
    const username = text(body, 'username', 200).trim();
    if (!/^[\p{L}\p{N}][\p{L}\p{N}._@+-]*$/u.test(username)) {
      const allowed = 'A user name has letters, digits and . _ @ + -, and begins with a letter or digit.';
      throw new RecordError(400, 'value', allowed, 'username');
    }
    const user = {
      username,
      name: text(body, 'name', 200).trim(),
      role: roleOf(body.role),
      organization: text(body, 'organization', 200).trim(),
    };
    const password = await accessLog.change(async (transaction) => {
      const made = await users.make(user, transaction);
      if (made === undefined) throw new RecordError(409, 'conflict', 'This user name is taken.', 'username');
      return { made, note: noteOf(who, 'make-user', username, user.role) };
    });
    return reply.code(201).send({ username, password });
  });

  app.patch<Name>('/api/users/:username', async (request) => {
    const who = await changing(request, 'change-user');
    const { username } = request.params;
    const change = changeOf(jsonBody(request));
    if (username === who.who && (change.role !== undefined || change.isDisabled === true)) {
      throw new RecordError(409, 'conflict', 'Nobody changes the own role, or closes the own account.');
    }
    await accessLog.change(async (transaction) => {
      if (!(await users.change(username, change, transaction))) throw noUser();
      return { made: undefined, note: noteOf(who, 'change-user', username, JSON.stringify(change).slice(0, 500)) };
    });
    return { username };
  });

  app.post<Name>('/api/users/:username/unlock', async (request, reply) => {
    const who = await changing(request, 'unlock-user');
    const { username } = request.params;
    await accessLog.change(async (transaction) => {
      await users.unlock(username, transaction);
      return { made: undefined, note: noteOf(who, 'unlock-user', username) };
    });
    return reply.code(204).send();
  });

  app.post<Name>('/api/users/:username/reset', async (request) => {
    const who = await changing(request, 'reset-user');
    const { username } = request.params;
    if (username === who.who) throw new RecordError(409, 'conflict', 'Nobody resets the own account.');
    const password = await accessLog.change(async (transaction) => {
      const made = await users.reset(username, transaction);
      if (made === undefined) throw noUser();
      return { made, note: noteOf(who, 'reset-user', username) };
    });
    return { username, password };
  });
}

/** @throws RecordError 400 */
function changeOf(body: { [name: string]: unknown }): UserChange {
  const { role, isDisabled, mayEmergency } = body;
  return {
    ...(body.name === undefined ? {} : { name: text(body, 'name', 200).trim() }),
    ...(role === undefined ? {} : { role: roleOf(role) }),
    ...(body.organization === undefined ? {} : { organization: text(body, 'organization', 200).trim() }),
    ...(isDisabled === undefined ? {} : { isDisabled: isDisabled === true }),
    ...(mayEmergency === undefined ? {} : { mayEmergency: mayEmergency === true }),
  };
}

/** @throws RecordError 400 */
function roleOf(role: unknown): Role {
  const known = given.find((one) => one === role);
  if (known) return known;
  throw new RecordError(400, 'value', `role must be one of ${given.join(', ')}.`, 'role');
}

function noUser(): RecordError {
  return new RecordError(404, 'not-found', 'There is no account of this name.');
}
