/**
 * What clients ask of the authorization server is recorded before they are answered: who, what, with which outcome; never
 * what was handed out. Of those who name no client that there is, so much is recorded that strangers cannot fill the record.
 */

import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { type AccessLog, accessOf } from '../trust/index.ts';
import type { RegistrationAnswer } from './udap/udap.ts';

const actions: { [path: string]: string } = {
  '/authorize': 'authorize',
  '/token': 'token',
  '/introspect': 'introspect',
  '/revoke': 'revoke-token',
  '/par': 'push-request',
  '/register': 'register-client',
};

export function recorded(accessLog: AccessLog): Parameters<Provider['use']>[0] {
  return async (ctx, next) => {
    await next();
    // Where a user comes back to, the address ends in what the request is known by.
    const path = ctx.path.replace(/^(\/authorize)\/.*/, '$1');
    const action = actions[path];
    const { oidc } = ctx as unknown as KoaContextWithOIDC;
    const client = oidc?.client?.clientId;
    // A request that is put to the user is recorded with the answer.
    if (ctx.status < 400 && (action === undefined || action === 'authorize')) return;
    if (action === undefined || client === undefined) {
      const what = `${ctx.method} /oauth${path}`;
      if (ctx.status >= 400) await accessLog.strangers.refused(ctx.ip, what, ctx.status);
      return;
    }
    const who = oidc.account?.accountId ?? `client:${client}`;
    const access = accessOf({
      username: who,
      name: who,
      role: 'system',
      organization: 'none',
      participant: 'none',
      isApp: true,
    });
    const patient = (ctx.body as { patient?: unknown } | undefined)?.patient;
    await accessLog.record(
      { ...access, client },
      {
        action,
        what: `/oauth${path}${whatOf(path, oidc.params, ctx.body)}`.slice(0, 500),
        status: ctx.status,
        ...(typeof patient === 'string' ? { patients: [patient] } : {}),
      },
    );
  };
}

/** Records what became of a software statement; who signed one that is refused may be anybody. */
export async function recordRegistration(accessLog: AccessLog, answer: RegistrationAnswer): Promise<void> {
  const { registered, uri, status, body } = answer;
  const who = registered ? `client:${registered.client}` : 'client:unregistered';
  const access = accessOf({
    username: who,
    name: uri ?? who,
    role: 'system',
    organization: 'none',
    participant: 'none',
    isApp: true,
  });
  const what = ['/oauth/register', uri, registered?.outcome ?? body.error]
    .filter((part) => part !== undefined)
    .join(' ');
  const entry = { action: 'register-client', what: what.slice(0, 500), status };
  await accessLog.record(registered ? { ...access, client: registered.client } : access, entry);
}

/** The grant and the scopes of a token, or the error; nothing that opens anything. */
function whatOf(path: string, params: object | undefined, body: unknown): string {
  const { error, scope } = (typeof body === 'object' ? (body ?? {}) : {}) as { error?: string; scope?: string };
  const { grant_type: grantType } = (params ?? {}) as { grant_type?: string };
  const parts = [path === '/token' ? grantType : undefined, error, path === '/token' ? scope : undefined];
  return parts.map((part) => (part === undefined ? '' : ` ${part}`)).join('');
}
