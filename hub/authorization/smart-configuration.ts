/** What `[fhir]/.well-known/smart-configuration` says (SMART App Launch 2.2, "Conformance"). */

import type { Addresses } from './addresses.ts';
import { brandsAddress, primaryBrand } from './brands.ts';
import { launchScopes } from './client-rules.ts';
import { dpopAlgorithms } from './dpop.ts';
import { mutualTlsMethods } from './mutual-tls.ts';

/** @param asksCertificates whether clients may show who they are by certificates (RFC 8705) */
export function smartConfiguration(
  addresses: Addresses,
  asksCertificates: boolean,
): { issuer: string; [name: string]: unknown } {
  const { issuer, fhir } = addresses;
  const hub = fhir.slice(0, -'/fhir'.length);
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    registration_endpoint: `${issuer}/register`,
    pushed_authorization_request_endpoint: `${issuer}/par`,
    management_endpoint: `${hub}/apps`,
    user_access_brand_bundle: brandsAddress(addresses),
    user_access_brand_identifier: primaryBrand(addresses),
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    token_endpoint_auth_methods_supported: [
      ...['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      ...(asksCertificates ? mutualTlsMethods : []),
    ],
    ...(asksCertificates ? { tls_client_certificate_bound_access_tokens: true } : {}),
    token_endpoint_auth_signing_alg_values_supported: ['ES384', 'RS384'],
    dpop_signing_alg_values_supported: dpopAlgorithms,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: [
      ...launchScopes.filter((scope) => scope !== 'udap'),
      'patient/*.cruds',
      'user/*.cruds',
      'system/*.cruds',
    ],
    capabilities: [
      'launch-ehr',
      'launch-standalone',
      'authorize-post',
      'client-public',
      'client-confidential-symmetric',
      'client-confidential-asymmetric',
      'sso-openid-connect',
      'context-banner',
      'context-style',
      'context-ehr-patient',
      'context-ehr-encounter',
      'context-standalone-patient',
      'permission-offline',
      'permission-online',
      'permission-patient',
      'permission-user',
      'permission-v1',
      'permission-v2',
    ],
  };
}
