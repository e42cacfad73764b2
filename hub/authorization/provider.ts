/**
 * `oidc-provider` as this hub needs it: SMART App Launch 2.2 and Backend Services over one FHIR base, opaque access
 * tokens (so that a revocation holds at once on every hub, and a token tells its holder nothing), and no session of its
 * own beyond one request for authorization: who is signed in is the hub's business.
 */
import type { JWK } from 'jose';
import Provider, { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Database } from '../database/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import { includesScope, readScope } from '../trust/index.ts';
import type { Addresses } from './addresses.ts';
import { artifactAdapter } from './artifacts.ts';
import { checkAssertion, smartAlgorithms } from './assertion.ts';
import { clientAdapter } from './client-adapter.ts';
import { clientFault, launchScopes, ownMetadata, resourceScopes } from './client-rules.ts';
import { type Clients, isSecret } from './clients.ts';
import { dpopAlgorithms } from './dpop.ts';
import type { KeySets } from './key-sets.ts';
import { mutualTls, mutualTlsMethods } from './mutual-tls.ts';
import { problemPage } from './problem-page.ts';
import type { Udap } from './udap/udap.ts';

type Client = NonNullable<KoaContextWithOIDC['oidc']['client']>;

/** What the provider asks of the hub. */
export interface ProviderParts {
  database: Database;
  master: MasterKey;
  clients: Clients;
  keySets: KeySets;
  /** The trust communities of the hub. */
  udap: Udap | undefined;
  /** Whether the hub asks clients for certificates. */
  asksCertificates: boolean;
  /** The claims of a user; undefined where there is none of this name any more, or the sign-in that a token needs is over. */
  claims(username: string, grantId: string | undefined): Promise<UserClaims | undefined>;
}

export interface UserClaims {
  name: string;
  preferred_username: string;
  role: string;
  /** The key of the user's organisation. */
  organization: string;
  /** Absolute address of the user as a resource. */
  fhirUser?: string;
}

/** What is told of a user who is signed in elsewhere, beside `sub`: by these the account there is found. */
const signInClaims = ['name', 'preferred_username', 'role', 'organization', 'amr'];

const minutes = 60;
const days = 24 * 60 * minutes;
/** In seconds. */
const lifetimes = {
  access: 60 * minutes,
  system: 5 * minutes,
  code: 1 * minutes,
  idToken: 60 * minutes,
  interaction: 20 * minutes,
  offline: 365 * days,
  online: 12 * 60 * minutes,
  /** Three months at least, whichever they are. */
  refresh: 93 * days,
};

export function makeProvider(parts: ProviderParts, addresses: Addresses, keys: JWK[]): Provider {
  const provider = new Provider(addresses.issuer, configuration(parts, addresses, keys));
  provider.proxy = true;
  provider.Client.prototype.compareClientSecret = function compareClientSecret(this: Client, given: string) {
    return this.clientSecret !== undefined && isSecret(this.clientSecret, given);
  };
  return provider;
}

function configuration(parts: ProviderParts, addresses: Addresses, keys: JWK[]): Configuration {
  const { database, clients, master, keySets, udap, asksCertificates } = parts;
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true } as const;
  return {
    adapter: (kind: string) => (kind === 'Client' ? clientAdapter(clients) : artifactAdapter(database, kind)),
    jwks: { keys } as Configuration['jwks'],
    routes: {
      authorization: '/authorize',
      token: '/token',
      introspection: '/introspect',
      revocation: '/revoke',
      jwks: '/jwks',
      pushed_authorization_request: '/par',
      registration: '/register',
    },
    cookies: {
      names: { session: 'oauth_session', interaction: 'oauth_interaction', resume: 'oauth_resume' },
      long: { ...cookie, path: '/oauth' },
      short: cookie,
      keys: master.derived('causeway oauth cookies').map((key) => key.toString('base64url')),
    },
    responseTypes: ['code'],
    scopes: udap ? launchScopes : launchScopes.filter((scope) => scope !== 'udap'),
    claims: { openid: ['sub'], fhirUser: ['fhirUser'], profile: ['name', 'fhirUser'], udap: signInClaims },
    clientAuthMethods: [
      ...['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
      ...(asksCertificates ? mutualTlsMethods : []),
    ] as Configuration['clientAuthMethods'],
    clientDefaults: { grant_types: ['authorization_code', 'refresh_token'] },
    enabledJWA: {
      clientAuthSigningAlgValues: (udap ? [...smartAlgorithms, 'RS256', 'ES256'] : smartAlgorithms) as never,
      idTokenSigningAlgValues: ['RS256', 'ES384'],
      dPoPSigningAlgValues: dpopAlgorithms as never,
    },
    pkce: { required: () => true },
    extraParams: {
      aud: (ctx, value) => {
        checkAudience(ctx, addresses, value);
        checkState(ctx);
      },
      launch: null,
      idp: null,
    },
    extraClientMetadata: {
      properties: ownMetadata,
      validator: (_ctx, name, _value, metadata) => {
        const fault = name === ownMetadata[0] ? clientFault(metadata) : undefined;
        if (fault !== undefined) throw new errors.InvalidClientMetadata(fault);
      },
    },
    assertJwtClientAuthClaimsAndHeader: (ctx, claims, header, client) =>
      checkAssertion(ctx, claims, header, client as never, udap),
    extraTokenClaims: (ctx, token) => (token.kind === 'ClientCredentials' ? udap?.askedFor(ctx) : undefined) as never,
    allowOmittingSingleRegisteredRedirectUri: false,
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: true, nonceSecret: master.derived('causeway dpop nonces')[0] },
      clientCredentials: { enabled: true },
      mTLS: mutualTls(asksCertificates),
      introspection: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => client.clientId === token.clientId || client.may_introspect === true,
      },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => client.clientId === token.clientId },
      pushedAuthorizationRequests: { enabled: true },
      registration: { enabled: true, issueRegistrationAccessToken: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx) => defaultAudience(ctx, addresses),
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource, client) => {
          if (resource !== addresses.fhir) throw new errors.InvalidTarget();
          return {
            scope: offeredScopes(ctx, addresses, client).join(' '),
            audience: addresses.fhir,
            accessTokenFormat: 'opaque',
          };
        },
      },
    },
    ttl: {
      AccessToken: lifetimes.access,
      ClientCredentials: lifetimes.system,
      AuthorizationCode: lifetimes.code,
      IdToken: lifetimes.idToken,
      Interaction: lifetimes.interaction,
      Session: lifetimes.interaction,
      Grant: (_ctx, grant) => (isOffline(grant.getOIDCScope()) ? lifetimes.offline : lifetimes.online),
      RefreshToken: (_ctx, token) => (isOffline(token.scope ?? '') ? lifetimes.refresh : lifetimes.online),
    },
    issueRefreshToken: (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') &&
      (source.scopes.has('offline_access') || source.scopes.has('online_access')),
    expiresWithSession: () => false,
    rotateRefreshToken: true,
    // Each launch is its own grant: it has a patient of its own, and is asked for anew.
    loadExistingGrant: (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId);
    },
    interactions: { url: (_ctx, interaction) => `/oauth/interaction/${interaction.uid}` },
    findAccount: async (_ctx, username, token) => {
      const claims = await parts.claims(username, token && 'grantId' in token ? (token.grantId as string) : undefined);
      return claims && { accountId: username, claims: async () => ({ sub: username, ...claims }) };
    },
    clientBasedCORS: (_ctx, origin, client) =>
      client.clientAuthMethod === 'none' && (client.redirectUris ?? []).some((uri) => originOf(uri) === origin),
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
      ctx.body = problemPage(out.error_description ?? out.error);
    },
    fetch: (url) => keySets.fetch(String(url)),
    fetchResponseBodyLimits: { jwks_uri: 256 * 1024 },
  } as Configuration;
}

function isOffline(scope: string): boolean {
  return scope.split(' ').includes('offline_access');
}

function originOf(uri: string): string | undefined {
  return URL.canParse(uri) ? new URL(uri).origin : undefined;
}

/** `aud` names the FHIR base (SMART App Launch 2.2, "Request authorization code"); a token for another is never given. */
function checkAudience(ctx: KoaContextWithOIDC, addresses: Addresses, value: string | undefined): void {
  // In a pushed request it became `resource`, and stands for the one that the request was pushed to.
  if (value === undefined || 'PushedAuthorizationRequest' in ctx.oidc.entities) return;
  if (!addresses.isFhir(value)) throw noRedirect(`aud must be the FHIR server’s address, ${addresses.fhir}`);
}

/** @throws InvalidRequest where a client of a trust community sends no state (HL7 UDAP Security 2.0, "The state parameter") */
function checkState(ctx: KoaContextWithOIDC): void {
  const { state } = ctx.oidc.params as { state?: string };
  if (ctx.oidc.client?.udap_uri !== undefined && state === undefined)
    throw new errors.InvalidRequest('state is missing');
}

function defaultAudience(ctx: KoaContextWithOIDC, addresses: Addresses): string {
  if (ctx.oidc.route === 'token') return addresses.fhir;
  const { aud } = ctx.oidc.params as { aud?: string };
  // UDAP knows no aud.
  if (aud === undefined && ctx.oidc.client?.udap_uri !== undefined) return addresses.fhir;
  if (aud === undefined) throw noRedirect(`aud is missing; it must be the FHIR server’s address, ${addresses.fhir}`);
  checkAudience(ctx, addresses, aud);
  return addresses.fhir;
}

/** An error that is shown, not sent to the client: it may not be the one it says it is. */
function noRedirect(text: string): errors.InvalidRequest {
  return Object.assign(new errors.InvalidRequest(text), { allow_redirect: false });
}

/**
 * The scopes for resources that stand open in a request: those that were granted, else those that are asked for and that
 * the client may have. @throws InvalidScope where a client without users would get none
 */
function offeredScopes(ctx: KoaContextWithOIDC, addresses: Addresses, client: Client): string[] {
  const { grant_type: grantType, scope } = ctx.oidc.params as { grant_type?: string; scope?: string };
  const isBackend = grantType === 'client_credentials';
  const granted = ctx.oidc.route === 'token' ? ctx.oidc.entities.Grant?.getResourceScope(addresses.fhir) : undefined;
  if (granted !== undefined) return granted.split(' ').filter((text) => text !== '');
  const allowed = resourceScopes(String(client.allowed_scopes ?? ''));
  const offered = (scope ?? '').split(' ').filter((text) => {
    const asked = readScope(text);
    return (
      !('refused' in asked) &&
      (asked.context === 'system') === isBackend &&
      allowed.some((wide) => includesScope(wide, asked))
    );
  });
  if (isBackend && offered.length === 0) {
    throw new errors.InvalidScope('none of the scopes is one that this client may ask for', scope ?? '');
  }
  return [...new Set(offered)];
}
