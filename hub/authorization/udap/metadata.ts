/** What `[fhir]/.well-known/udap` says (HL7 UDAP Security 2.0, "Discovery"; UDAP Server Metadata STU 1). */
import { randomUUID } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import type { Addresses } from '../addresses.ts';
import { launchScopes } from '../client-rules.ts';
import type { Community, ServerCertificate } from './communities.ts';

/** Of software statements and of the JWTs by which clients show who they are. */
export const udapAlgorithms = ['RS256', 'ES256', 'RS384', 'ES384'];

const signedForSeconds = 24 * 3600;

/**
 * What is told of the hub at its FHIR base.
 * @throws Error where the community's certificate is not for the address under which the hub is reached
 */
export async function udapMetadata({ server, tiered }: Community, addresses: Addresses): Promise<object> {
  return {
    ...(await signedFor(server, addresses.fhir, addresses)),
    udap_profiles_supported: ['udap_dcr', 'udap_authn', 'udap_authz', ...(tiered ? ['udap_to'] : [])],
    udap_authorization_extensions_supported: ['hl7-b2b'],
    // Those with users need none, so it is not required of every request.
    udap_authorization_extensions_required: [],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    scopes_supported: [
      ...launchScopes.filter((scope) => scope !== 'udap' || tiered),
      ...['patient/*.cruds', 'user/*.cruds', 'system/*.cruds'],
    ],
  };
}

/**
 * What is told of the hub as an identity provider, at the issuer of its ID tokens ("Tiered OAuth for User Authentication").
 * @throws Error where the certificate is not for that address
 */
export async function providerMetadata(provider: ServerCertificate, addresses: Addresses): Promise<object> {
  return {
    ...(await signedFor(provider, addresses.issuer, addresses)),
    udap_profiles_supported: ['udap_dcr', 'udap_authn', 'udap_to'],
    udap_authorization_extensions_supported: [],
    udap_authorization_extensions_required: [],
    grant_types_supported: ['authorization_code'],
    scopes_supported: ['openid', 'udap', 'profile', 'fhirUser'],
  };
}

async function signedFor(own: ServerCertificate, address: string, { issuer }: Addresses): Promise<object> {
  if (!isCertificateFor(own, address)) throw new Error(`the certificate is not for ${address}`);
  const now = Math.floor(Date.now() / 1000);
  const endpoints = {
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
  };
  const expires = Math.min(now + signedForSeconds, Math.floor(own.expires.getTime() / 1000));
  return {
    udap_versions_supported: ['1'],
    udap_certifications_supported: [],
    udap_certifications_required: [],
    ...endpoints,
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: udapAlgorithms,
    registration_endpoint_jwt_signing_alg_values_supported: udapAlgorithms,
    signed_metadata: await signed(own, { iss: address, sub: address, iat: now, exp: expires, ...endpoints }),
  };
}

/** Claims as the hub signs them in a community: with its certificate in the header, and an id of their own ("JWT claims"). */
export function signed({ alg, x5c, key }: ServerCertificate, claims: JWTPayload): Promise<string> {
  return new SignJWT({ ...claims, jti: randomUUID() }).setProtectedHeader({ alg, x5c }).sign(key);
}

export function isCertificateFor({ uris }: Pick<ServerCertificate, 'uris'>, address: string): boolean {
  return uris.includes(address);
}
