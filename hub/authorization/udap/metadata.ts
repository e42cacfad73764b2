/** What `[fhir]/.well-known/udap` says (HL7 UDAP Security 2.0, "Discovery"; UDAP Server Metadata STU 1). */
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Addresses } from '../addresses.ts';
import { launchScopes } from '../client-rules.ts';
import type { Community } from './communities.ts';

/** Of software statements and of the JWTs by which clients show who they are. */
export const udapAlgorithms = ['RS256', 'ES256', 'RS384', 'ES384'];

const signedForSeconds = 24 * 3600;

/** @throws Error where the community's certificate is not for the address under which the hub is reached */
export async function udapMetadata({ server, tiered }: Community, { issuer, fhir }: Addresses): Promise<object> {
  if (!isCertificateFor(server, fhir)) throw new Error(`the certificate is not for ${fhir}`);
  const now = Math.floor(Date.now() / 1000);
  const endpoints = {
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
  };
  const expires = Math.min(now + signedForSeconds, Math.floor(server.expires.getTime() / 1000));
  const claims = { iss: fhir, sub: fhir, iat: now, exp: expires, jti: randomUUID(), ...endpoints };
  return {
    udap_versions_supported: ['1'],
    udap_profiles_supported: ['udap_dcr', 'udap_authn', 'udap_authz', ...(tiered ? ['udap_to'] : [])],
    udap_authorization_extensions_supported: ['hl7-b2b'],
    // Those with users need none, so it is not required of every request.
    udap_authorization_extensions_required: [],
    udap_certifications_supported: [],
    udap_certifications_required: [],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    scopes_supported: [
      ...launchScopes.filter((scope) => scope !== 'udap' || tiered),
      ...['patient/*.cruds', 'user/*.cruds', 'system/*.cruds'],
    ],
    ...endpoints,
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: udapAlgorithms,
    registration_endpoint_jwt_signing_alg_values_supported: udapAlgorithms,
    signed_metadata: await new SignJWT(claims)
      .setProtectedHeader({ alg: server.alg, x5c: server.x5c })
      .sign(server.key),
  };
}

export function isCertificateFor({ uris }: Community['server'], fhir: string): boolean {
  return uris.includes(fhir);
}
