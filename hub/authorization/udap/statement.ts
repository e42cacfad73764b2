/**
 * The software statement by which a client registers itself (HL7 UDAP Security 2.0, "Registration"; UDAP Dynamic Client
 * Registration STU 1 §4): who signed it, for whom, when, and what it asks for.
 */

import { compactVerify, decodeProtectedHeader, type JWTPayload } from 'jose';
import { readScope } from '../../trust/index.ts';
import { launchScopes } from '../client-rules.ts';
import { checkTrust, keyOf, readCertificates, Untrusted, urisOf } from './chain.ts';
import type { Community } from './communities.ts';
import { udapAlgorithms } from './metadata.ts';
import type { X509Certificate } from './x509.ts';

export type RegistrationFault =
  | 'invalid_software_statement'
  | 'unapproved_software_statement'
  | 'invalid_client_metadata'
  | 'invalid_redirect_uri';

/** Why a registration is refused (RFC 7591 §3.2.2). */
export class RegistrationRefused extends Error {
  override name = 'RegistrationRefused';
  readonly code: RegistrationFault;

  constructor(code: RegistrationFault, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Statement {
  community: Community;
  /** The client's URI: one application of one operator, within the community. */
  uri: string;
  certificate: X509Certificate;
  jti: string;
  expires: Date;
  /** Whether it cancels the client's registration. */
  isCancellation: boolean;
  /** RFC 7591 metadata; `scope` holds those of the scopes that the hub knows. */
  metadata: Metadata;
}

export interface Metadata {
  client_name: string;
  grant_types: string[];
  token_endpoint_auth_method: 'private_key_jwt';
  scope: string;
  contacts: string[];
  redirect_uris?: string[];
  response_types?: string[];
  logo_uri?: string;
}

const longestSeconds = 300;
const toleranceSeconds = 15;
const longest = 64 * 1024;

/** @param endpoint the address of the registration endpoint @throws RegistrationRefused */
export async function readStatement(
  statement: unknown,
  endpoint: string,
  communities: readonly Community[],
): Promise<Statement> {
  if (typeof statement !== 'string' || statement.length > longest) throw invalid('software_statement must be a JWT');
  const { certificate, others, claims } = await verified(statement);
  const community = await communityOf(certificate, others, communities);
  const uri = checkClaims(claims, certificate, endpoint);
  const { grant_types: grants } = claims;
  const isCancellation = Array.isArray(grants) && grants.length === 0;
  return {
    community,
    uri,
    certificate,
    jti: claims.jti!,
    expires: new Date(claims.exp! * 1000),
    isCancellation,
    metadata: isCancellation ? emptied(claims) : metadataOf(claims),
  };
}

/** Signed by the key of its own certificate, in an algorithm that is taken here. */
async function verified(
  statement: string,
): Promise<{ certificate: X509Certificate; others: X509Certificate[]; claims: JWTPayload }> {
  try {
    const { alg = '', x5c, crit } = decodeProtectedHeader(statement);
    if (!udapAlgorithms.includes(alg)) throw new Untrusted(`alg must be one of ${udapAlgorithms.join(', ')}`);
    if (crit !== undefined) throw new Untrusted('crit is not understood here');
    const [certificate, ...others] = readCertificates(x5c);
    const { payload } = await compactVerify(statement, keyOf(certificate), { algorithms: [alg] });
    return { certificate, others, claims: JSON.parse(Buffer.from(payload).toString()) as JWTPayload };
  } catch (error) {
    throw invalid(error instanceof Untrusted ? error.message : 'its signature is not that of its certificate’s key');
  }
}

/** The community that trusts a certificate. @throws RegistrationRefused unapproved_software_statement */
async function communityOf(
  certificate: X509Certificate,
  others: readonly X509Certificate[],
  communities: readonly Community[],
): Promise<Community> {
  let fault: Untrusted | undefined;
  for (const community of communities) {
    try {
      await checkTrust(certificate, others, community);
      return community;
    } catch (error) {
      if (!(error instanceof Untrusted)) throw error;
      // One that leads to an anchor, and does not hold, says more than that it leads to none.
      if (!fault || /leads to none/.test(fault.message)) fault = error;
    }
  }
  throw new RegistrationRefused('unapproved_software_statement', fault?.message ?? 'no community is trusted here');
}

/** Returns the client's URI. @throws RegistrationRefused invalid_software_statement */
function checkClaims(claims: JWTPayload, certificate: X509Certificate, endpoint: string): string {
  const { iss, sub, aud, exp, iat, nbf, jti } = claims;
  const now = Date.now() / 1000;
  if (typeof iss !== 'string' || !urisOf(certificate).includes(iss)) {
    throw invalid('iss must be a URI of the Subject Alternative Name of the certificate');
  }
  if (sub !== iss) throw invalid('sub must be the same as iss');
  if (aud !== endpoint && !(Array.isArray(aud) && aud.includes(endpoint))) throw invalid(`aud must be ${endpoint}`);
  if (typeof exp !== 'number' || typeof iat !== 'number') throw invalid('exp and iat must be numbers');
  if (exp <= now) throw invalid('it has expired');
  if (iat > now + toleranceSeconds || (nbf !== undefined && nbf > now + toleranceSeconds)) {
    throw invalid('it is of the future');
  }
  if (exp - iat > longestSeconds) throw invalid('exp must be no more than 5 minutes after iat');
  if (typeof jti !== 'string' || jti === '' || jti.length > 255) throw invalid('jti must be a text');
  return iss;
}

function emptied({ client_name: name, contacts }: JWTPayload): Metadata {
  return {
    client_name: typeof name === 'string' ? name : '',
    grant_types: [],
    token_endpoint_auth_method: 'private_key_jwt',
    scope: '',
    contacts: Array.isArray(contacts) ? contacts.map(String) : [],
  };
}

/** @throws RegistrationRefused invalid_client_metadata, invalid_redirect_uri */
function metadataOf(claims: JWTPayload): Metadata {
  const { client_name: name, grant_types: grants, contacts, scope, token_endpoint_auth_method: method } = claims;
  if (typeof name !== 'string') throw wrong('client_name is missing');
  if (!isTexts(grants) || grants.some((grant) => !grantTypes.includes(grant))) {
    throw wrong(`grant_types must be some of ${grantTypes.join(', ')}`);
  }
  const hasUsers = grants.includes('authorization_code');
  if (hasUsers === grants.includes('client_credentials')) {
    throw wrong('grant_types must have either authorization_code or client_credentials');
  }
  if (!hasUsers && grants.includes('refresh_token')) throw wrong('refresh_token is for authorization_code');
  if (!isTexts(contacts) || !contacts.some((contact) => /^mailto:[^\s@]+@[^\s@]+$/.test(contact))) {
    throw wrong('contacts must have a mailto: address');
  }
  if (method !== 'private_key_jwt') throw wrong('token_endpoint_auth_method must be private_key_jwt');
  if (typeof scope !== 'string') throw wrong('scope is missing');
  return {
    client_name: name,
    grant_types: grants,
    token_endpoint_auth_method: method,
    scope: knownScopes(scope, hasUsers),
    contacts,
    ...(hasUsers ? ofUsers(claims) : withoutUsers(claims)),
  };
}

const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials'];

function ofUsers(claims: JWTPayload): Partial<Metadata> {
  const { redirect_uris: redirects, response_types: responses, logo_uri: logo } = claims;
  if (!isTexts(redirects) || redirects.length === 0) {
    throw new RegistrationRefused('invalid_redirect_uri', 'redirect_uris is missing');
  }
  if (redirects.some((uri) => URL.parse(uri)?.protocol !== 'https:')) {
    throw new RegistrationRefused('invalid_redirect_uri', 'redirect_uris must be https addresses');
  }
  if (!isTexts(responses) || responses.join() !== 'code') throw wrong('response_types must be ["code"]');
  const picture = typeof logo === 'string' ? URL.parse(logo) : null;
  if (picture?.protocol !== 'https:' || !/\.(?:png|jpe?g|gif)$/i.test(picture.pathname)) {
    throw wrong('logo_uri must be the https address of a PNG, JPG or GIF image');
  }
  return { redirect_uris: redirects, response_types: responses, logo_uri: logo as string };
}

function withoutUsers({ redirect_uris: redirects, response_types: responses }: JWTPayload): Partial<Metadata> {
  if (redirects !== undefined) throw wrong('redirect_uris are for authorization_code');
  if (responses !== undefined) throw wrong('response_types are for authorization_code');
  return {};
}

/** Those of the scopes that a client of this kind may ask for; a server may grant fewer than are asked for. */
function knownScopes(scope: string, hasUsers: boolean): string {
  const known = scope.split(' ').filter((text) => {
    if (launchScopes.includes(text)) return hasUsers;
    const read = readScope(text);
    return !('refused' in read) && (read.context === 'system') !== hasUsers;
  });
  if (known.length > 0) return [...new Set(known)].join(' ');
  throw wrong('scope has none that the hub knows for a client of this kind');
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= 50 && value.every((one) => typeof one === 'string');
}

function invalid(what: string): RegistrationRefused {
  return new RegistrationRefused('invalid_software_statement', `The software statement is not valid: ${what}.`);
}

function wrong(what: string): RegistrationRefused {
  return new RegistrationRefused(
    'invalid_client_metadata',
    `The software statement asks for what it may not: ${what}.`,
  );
}
