/**
 * What is asked of a client's metadata beyond what `oidc-provider` checks: SMART App Launch 2.2 ("Registering a SMART
 * App", "Backend Services"), RFC 8252 and RFC 9700 on redirect addresses. A fault is the rest of a sentence.
 */
import type { ClientMetadata } from 'oidc-provider';
import { readScope, type Scope } from '../trust/index.ts';
import { mutualTlsMethods } from './mutual-tls.ts';

/** Scopes that are about the user and the launch, not about resources. */
export const launchScopes = [
  'openid',
  'fhirUser',
  'profile',
  'offline_access',
  'online_access',
  'launch',
  'launch/patient',
  'launch/encounter',
  'udap',
];

/**
 * Metadata of ours: the scopes a client may ask for, where the hub starts it for a patient, and whether it is a resource
 * server that may introspect the tokens of others, which only an administrator says. A client of a trust community has that
 * community and its own URI there, which its certificate says.
 */
export const ownMetadata = ['allowed_scopes', 'launch_url', 'may_introspect', 'udap_community', 'udap_uri'];

const mostAddresses = 20;
const mostScopes = 100;

/** What is wrong with the metadata, or undefined. */
export function clientFault(metadata: Partial<ClientMetadata>): string | undefined {
  const { redirect_uris: redirects = [], grant_types: grants = [], token_endpoint_auth_method: method } = metadata;
  const isBackend = grants.includes('client_credentials');
  const { client_name: name } = metadata;
  if (name !== undefined && (typeof name !== 'string' || !/^[^\p{C}]{1,100}$/u.test(name))) {
    return 'client_name must be a text of at most 100 visible characters';
  }
  if (hasSecretKey(metadata.jwks)) return 'jwks must hold public keys only';
  if (isBackend && !['private_key_jwt', ...mutualTlsMethods].includes(method ?? '')) {
    return 'grant_types has client_credentials, which needs token_endpoint_auth_method private_key_jwt, or a client certificate';
  }
  if (isBackend && (redirects.length > 0 || grants.length > 1)) {
    return 'a client of client_credentials has no users: no redirect_uris and no other grant_types';
  }
  if (metadata.application_type === 'native' && method !== 'none') {
    return 'application_type native is for public clients: token_endpoint_auth_method none';
  }
  if (metadata.jwks_uri !== undefined && !isOwnHttp(metadata.jwks_uri)) return 'jwks_uri must be an https address';
  if (redirects.length > mostAddresses) return `redirect_uris has more than ${mostAddresses} addresses`;
  const redirect = redirects.find((uri) => !isRedirect(uri, metadata.application_type === 'native'));
  if (redirect !== undefined)
    return `redirect_uris has ${redirect.slice(0, 100)}; it must be https, without user or fragment`;
  const launch = metadata.launch_url;
  if (launch !== undefined && !isOwnHttp(launch)) return 'launch_url must be an https address';
  const { may_introspect: mayIntrospect } = metadata;
  if (mayIntrospect !== undefined && mayIntrospect !== true) return 'may_introspect may be true, or left out';
  if (mayIntrospect && method === 'none') return 'may_introspect is for clients that show who they are';
  return scopesFault(metadata.allowed_scopes, isBackend);
}

function hasSecretKey(jwks: unknown): boolean {
  const { keys } = (jwks ?? {}) as { keys?: unknown };
  return Array.isArray(keys) && keys.some((key) => key?.kty === 'oct' || key?.d !== undefined || key?.k !== undefined);
}

function scopesFault(scopes: unknown, isBackend: boolean): string | undefined {
  if (typeof scopes !== 'string' || scopes === '') return 'scope must name what the client may ask for';
  const all = scopes.split(' ');
  if (all.length > mostScopes) return `scope has more than ${mostScopes} scopes`;
  for (const text of all) {
    if (launchScopes.includes(text)) {
      if (isBackend) return `scope has ${text}, which is about users; a client of client_credentials has none`;
      continue;
    }
    const scope = readScope(text);
    if ('refused' in scope) return `scope has one that is not known: ${scope.refused}`;
    if ((scope.context === 'system') !== isBackend) {
      return `scope has ${text.slice(0, 100)}; system/ is for client_credentials, patient/ and user/ for clients with users`;
    }
  }
  return undefined;
}

/** https, or http on the machine itself. */
function isOwnHttp(address: unknown): boolean {
  if (typeof address !== 'string' || !URL.canParse(address)) return false;
  const { protocol, hostname, username, password, hash } = new URL(address);
  if (username !== '' || password !== '' || hash !== '' || address.includes('#')) return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

/** A native client may have a scheme of its own, in the form of a reversed domain name (RFC 8252 §7.1). */
function isRedirect(uri: string, isNative: boolean): boolean {
  if (isOwnHttp(uri)) return !/[\s\\]|\/\.\.?(?:\/|$)/.test(uri);
  return isNative && /^[a-z][a-z0-9+-]*\.[a-z0-9+.-]+:\/[^\s\\#]*$/.test(uri);
}

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
}

/** Those of a list of scopes that are for resources. */
export function resourceScopes(list: string): Scope[] {
  return list.split(' ').flatMap((text) => {
    const scope = readScope(text);
    return 'refused' in scope ? [] : [scope];
  });
}
