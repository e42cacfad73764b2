/** Signing in and out of the screens. */
import type { FastifyInstance } from 'fastify';
import { RecordError } from '../record/index.ts';
import type { Accounts, User } from '../trust/index.ts';
import { sessionCookie, sessionToken } from './authenticate.ts';
import { jsonBody, text } from './body.ts';

export interface DemoAccount {
  username: string;
  password: string;
  name: string;
  role: string;
}

export interface AuthParts {
  accounts: Accounts;
  demoAccounts: DemoAccount[];
}

const sessionSeconds = 12 * 3600;

export function authRoutes(app: FastifyInstance, { accounts, demoAccounts }: AuthParts): void {
  app.post('/auth/login', async (request, reply) => {
    const body = jsonBody(request);
    const result = await accounts.signIn(text(body, 'username', 200), text(body, 'password', 1_000));
    if ('refused' in result) {
      if (result.refused === 'locked') {
        throw new RecordError(
          429,
          'too-costly',
          'This account is locked for a few minutes after too many wrong passwords.',
        );
      }
      throw new RecordError(401, 'login', 'The user name or the password is not right.');
    }
    const cookie = `${sessionCookie}=${result.token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${sessionSeconds}`;
    reply.header('set-cookie', request.protocol === 'https' ? `${cookie}; Secure` : cookie);
    return { user: shown(result.user) };
  });

  app.get('/auth/session', async (request) => {
    const token = sessionToken(request);
    const user = token === undefined ? undefined : await accounts.session(token);
    if (!user) throw new RecordError(401, 'login', 'Nobody is signed in.');
    return { user: shown(user) };
  });

  app.post('/auth/logout', async (request, reply) => {
    const token = sessionToken(request);
    if (token !== undefined) await accounts.signOut(token);
    reply.header('set-cookie', `${sessionCookie}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`);
    return reply.code(204).send();
  });

  app.get('/auth/demo-accounts', async () => ({ accounts: demoAccounts }));
}

function shown({ username, name, role, organization }: User): User {
  return { username, name, role, organization };
}
