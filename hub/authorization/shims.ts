/**
 * What real SMART clients send and expect that `oidc-provider` does not take or give of itself, put right before a
 * request reaches it and after it has answered.
 */
import { decodeJwt } from 'jose';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { launchScopes } from './client-rules.ts';
import { type LaunchContext, type OAuthGrants, scopesOf } from './grants.ts';
import type { Udap } from './udap/udap.ts';

/**
 * A request for authorization as parameters. Users are always asked, so `prompt=consent` is true of every request; without
 * it `offline_access` would be passed over in silence, which SMART apps ask for alone.
 */
export function withConsent(parameters: URLSearchParams): URLSearchParams {
  if (parameters.has('request_uri') || parameters.getAll('prompt').includes('none')) return parameters;
  const prompts = (parameters.get('prompt') ?? '').split(' ').filter((prompt) => prompt !== '');
  const changed = new URLSearchParams(parameters);
  if (parameters.getAll('prompt').length <= 1) changed.set('prompt', [...new Set([...prompts, 'consent'])].join(' '));
  return changed;
}

/**
 * A token request that refreshes and names no client (SMART's table of parameters has none) gets the one of the refresh
 * token, where that is a public one: a confidential client still has to show who it is.
 */
export async function withClient(
  provider: Provider,
  parameters: URLSearchParams,
  isAuthenticated: boolean,
): Promise<URLSearchParams> {
  const names = ['client_id', 'client_assertion'];
  const token = parameters.get('refresh_token');
  const isRefresh = parameters.get('grant_type') === 'refresh_token' && token !== null;
  if (!isRefresh || isAuthenticated || names.some((name) => parameters.has(name))) return parameters;
  const found = await provider.RefreshToken.find(token);
  const client = found?.clientId === undefined ? undefined : await provider.Client.find(found.clientId);
  if (client?.clientAuthMethod !== 'none') return parameters;
  const changed = new URLSearchParams(parameters);
  changed.set('client_id', client.clientId);
  return changed;
}

/** A registration whose `scope` may name any scope for resources, which the provider’s own list cannot hold. */
export function withAllowedScopes(body: { [name: string]: unknown }): { [name: string]: unknown } {
  const { scope, client_id: _id, client_secret: _secret, ...rest } = body;
  const { allowed_scopes: _own, may_introspect: _may, udap_community: _community, udap_uri: _uri, ...kept } = rest;
  return { ...kept, ...(scope === undefined ? {} : { allowed_scopes: scope }) };
}

/**
 * After the provider: the token’s answer has all granted scopes and the launch context (SMART App Launch 2.2, "Response"
 * of the token endpoint), introspection has them too ("Token Introspection"), and registration has `scope` again.
 * @param styleUrl where apps find the look of the hub's pages
 */
export function completeAnswers(grants: OAuthGrants, styleUrl: string): Parameters<Provider['use']>[0] {
  return async (ctx, next) => {
    await next();
    const { oidc } = ctx as unknown as KoaContextWithOIDC;
    const body = ctx.body as { [name: string]: unknown } | undefined;
    // SMART asks for it beside Cache-Control, for caches of HTTP/1.0.
    ctx.set('pragma', 'no-cache');
    if (ctx.status >= 300 || typeof body !== 'object' || body === null) return;
    if (ctx.path === '/token') Object.assign(body, await tokenContext(oidc, grants, styleUrl));
    if (ctx.path === '/introspect' && body.active === true) {
      Object.assign(body, await introspected(oidc, grants, styleUrl));
    }
    if (ctx.path === '/register') ctx.body = registered(body);
  };
}

/**
 * After the provider: the ID token of a client that asked who the user is (UDAP Tiered OAuth) is signed by the hub's certificate
 * in the client's trust community, where that is an identity provider of it.
 */
export function signedIdTokens(udap: Pick<Udap, 'isProvider' | 'idToken'>): Parameters<Provider['use']>[0] {
  return async (ctx, next) => {
    await next();
    const { oidc } = ctx as unknown as KoaContextWithOIDC;
    const body = ctx.body as { id_token?: string } | undefined;
    const isAsked = ctx.path === '/token' && ctx.status < 300 && typeof body?.id_token === 'string';
    if (!isAsked || !oidc.entities.Grant?.getOIDCScope().split(' ').includes('udap')) return;
    const { udap_community: community } = oidc.client!;
    if (udap.isProvider(community)) body.id_token = await udap.idToken(community, decodeJwt(body.id_token!));
  };
}

/**
 * Who is signed in is the hub’s business: what the provider remembers of a user ends with the request for authorization,
 * so that the next one in the same browser is whoever is signed in then.
 */
export const forgetSignIn: Parameters<Provider['use']>[0] = async (ctx, next) => {
  await next();
  const { oidc } = ctx as unknown as KoaContextWithOIDC;
  if (oidc?.route === 'resume' && oidc.session?.accountId !== undefined) await oidc.session.destroy();
};

async function tokenContext(
  oidc: KoaContextWithOIDC['oidc'],
  grants: OAuthGrants,
  styleUrl: string,
): Promise<{ [name: string]: unknown }> {
  const { AccessToken: token, Grant: grant } = oidc.entities;
  if (!token || !grant) return {};
  const context = await grants.context(token.grantId!);
  const asked = oidc.params?.scope as string | undefined;
  const about = grant
    .getOIDCScope()
    .split(' ')
    .filter((scope) => scope !== '');
  const kept = asked === undefined ? about : about.filter((scope) => asked.split(' ').includes(scope));
  return {
    scope: [...kept, ...(token.scope ?? '').split(' ')].filter((scope) => scope !== '').join(' '),
    ...shownContext(context, kept, styleUrl),
  };
}

async function introspected(
  oidc: KoaContextWithOIDC['oidc'],
  grants: OAuthGrants,
  styleUrl: string,
): Promise<{ [name: string]: unknown }> {
  const { Grant: grant, AccessToken: token } = oidc.entities;
  if (!grant || !token) return {};
  const about = scopesOf(grant as never).filter((scope) => launchScopes.includes(scope));
  return {
    scope: [...about, ...(token.scope ?? '').split(' ')].filter((scope) => scope !== '').join(' '),
    ...shownContext(await grants.context(token.grantId!), about, styleUrl),
  };
}

/** What of the context an app is told. */
export function shownContext(
  context: LaunchContext | undefined,
  scopes: string[],
  styleUrl: string,
): { [name: string]: unknown } {
  const { patient, encounter, fhirUser, isEmbedded, about, intent, tenant } = context ?? {};
  return {
    ...(patient === undefined ? {} : { patient, need_patient_banner: isEmbedded !== true, smart_style_url: styleUrl }),
    ...(encounter === undefined ? {} : { encounter }),
    ...(about === undefined ? {} : { fhirContext: about.map((reference) => ({ reference })) }),
    ...(intent === undefined ? {} : { intent }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(fhirUser === undefined || !scopes.includes('fhirUser') ? {} : { fhirUser }),
  };
}

function registered({ allowed_scopes: scope, ...body }: { [name: string]: unknown }): { [name: string]: unknown } {
  return { ...body, scope };
}
