/**
 * Users of apps who are signed in by an identity provider that the app names (HL7 FHIR UDAP Security 2.0, "Tiered OAuth for User
 * Authentication"): the browser is sent there instead of to the page for signing in, and comes back to what the app asks for.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authorization, Vouched } from '../authorization/index.ts';
import type { Database } from '../database/index.ts';
import { RecordError } from '../record/index.ts';
import {
  type AccessLog,
  type Accounts,
  accessOf,
  connectionsOf,
  ExternalAccounts,
  readMapping,
  type Users,
} from '../trust/index.ts';
import { jsonBody } from './body.ts';
import { connect, freshUser, setKey, signInAs } from './external-routes.ts';
import { cookieOf, mustBeOwnChange } from './session-cookie.ts';

export interface IdpParts {
  authorization: Authorization;
  database: Database;
  accounts: Accounts;
  users: Users;
  accessLog: AccessLog;
}

const path = '/oauth/idp';
const cookie = { name: 'causeway_idp', path };

export function idpRoutes(app: FastifyInstance, parts: IdpParts): void {
  const { authorization, accounts, users, accessLog } = parts;

  app.get('/oauth/interaction/:uid', async (request, reply) => {
    const sent = await authorization.sentOn({ request: request.raw, response: reply.raw });
    if (!sent) return reply.callNotFound();
    if (sent.isRefused) await accessLog.strangers.refused(request.ip, 'GET /oauth/interaction/:uid', 403);
    else setKey(reply, cookie, sent.key);
    return reply.redirect(sent.address, 303);
  });

  app.post(path, async (request, reply) => {
    mustBeOwnChange(request);
    const username = await freshUser(accounts, request);
    const { idp } = jsonBody(request);
    if (typeof idp !== 'string') throw new RecordError(400, 'required', 'idp is missing.', 'idp');
    const { address, key } = await authorization.connectAt(idp, username);
    setKey(reply, cookie, key);
    return { address };
  });

  app.delete<{ Querystring: { idp?: string } }>(path, async (request, reply) => {
    const username = await freshUser(accounts, request);
    const { idp } = request.query;
    const user = (await accounts.find(username))!;
    const connections = await connectionsOf(parts.database, username);
    const known = connections.find(({ issuer, isMapped }) => issuer === idp && !isMapped);
    if (!known) throw new RecordError(404, 'not-found', 'Your account is not connected there by yourself.');
    const connected = new ExternalAccounts(accounts, users, undefined);
    await accessLog.change(async (transaction) => {
      await connected.disconnect(username, known.issuer, transaction);
      const entry = { action: 'disconnect-provider', what: 'account', status: 204 };
      return { made: undefined, note: { access: accessOf(user), entry } };
    });
    return reply.code(204).send();
  });

  app.get(`${path}/back`, async (request, reply) => {
    const key = cookieOf(request, cookie.name);
    setKey(reply, cookie, undefined);
    const query = request.url.slice(request.url.indexOf('?') >>> 0);
    const back = key === undefined ? undefined : await authorization.cameBack(query, key);
    if (!back) return refused(parts, request, reply, undefined, 'failed');
    if ('refused' in back) return refused(parts, request, reply, back.interaction, back.refused);
    const { vouched, idp, interaction } = back;
    if (vouched.connecting !== undefined) {
      const connected = new ExternalAccounts(accounts, users, undefined);
      return connect({ accounts, accessLog, connected }, reply, vouched, vouched.connecting);
    }
    const username = await accountOf(parts, idp, vouched);
    if (username === undefined) return refused(parts, request, reply, interaction, 'access_denied');
    const on = `/oauth/interaction/${interaction}`;
    return signInAs(parts, request, reply, { username, isMfa: vouched.isMfa, back: on });
  });
}

/** The account here of somebody for whom a provider vouches; undefined where nobody is meant. */
async function accountOf(
  { authorization, database, accounts, users }: IdpParts,
  idp: string,
  { issuer, subject, claims }: Vouched,
): Promise<string | undefined> {
  const file = await authorization.accountsFile(idp);
  const known = new ExternalAccounts(accounts, users, file === undefined ? undefined : readMapping(file));
  return database.transaction((transaction) => known.account(issuer, subject, claims, transaction));
}

/** The app is told, where it is known which asked; else the user. */
async function refused(
  { authorization, accessLog }: IdpParts,
  request: FastifyRequest,
  reply: FastifyReply,
  interaction: string | undefined,
  error: string,
): Promise<FastifyReply> {
  await accessLog.strangers.refused(request.ip, `GET ${path}/back`, error === 'access_denied' ? 403 : 401);
  const next = interaction === undefined ? undefined : await authorization.refuseInteraction(interaction, error);
  return reply.redirect(next ?? '/sign-in?refused=failed', 303);
}
