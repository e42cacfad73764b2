/**
 * What another server of a trust community tells of itself at `.well-known/udap`, believed where a certificate of the community
 * signed it for that address (HL7 FHIR UDAP Security 2.0, "Signed metadata elements"; UDAP Server Metadata STU 1 §3).
 */
import { compactVerify, decodeProtectedHeader, type JWTPayload } from 'jose';
import { type Anchors, checkTrust, keyOf, readCertificates, Untrusted, urisOf } from './chain.ts';
import { udapAlgorithms } from './metadata.ts';

/** The endpoints of a server, and what it says that it takes. */
export interface ServerMetadata {
  authorizationEndpoint: string;
  tokenEndpoint: string;
  registrationEndpoint: string;
  scopes: string[];
  profiles: string[];
}

const mostSeconds = 366 * 24 * 3600;
const toleranceSeconds = 15;

/**
 * The claims of a JWT that a server of a community signed, whose address is its issuer.
 * @throws Untrusted where it is not signed by the key of a trusted certificate for that address
 */
export async function signedBy(jwt: unknown, address: string, trust: Anchors): Promise<JWTPayload> {
  if (typeof jwt !== 'string') throw new Untrusted('nothing is signed');
  const { alg = '', x5c, crit } = headerOf(jwt);
  if (!udapAlgorithms.includes(alg) || crit !== undefined) throw new Untrusted('it is signed in a way not taken here');
  const [certificate, ...others] = readCertificates(x5c);
  const key = keyOf(certificate);
  const { payload } = await compactVerify(jwt, key, { algorithms: [alg] }).catch(() => {
    throw new Untrusted('its signature is not that of its certificate’s key');
  });
  await checkTrust(certificate, others, trust);
  const claims = JSON.parse(Buffer.from(payload).toString()) as JWTPayload;
  if (claims.iss !== address || !urisOf(certificate).includes(address)) {
    throw new Untrusted(`the certificate, or iss, is not for ${address}`);
  }
  return claims;
}

/** @param told the answer, as JSON @throws Untrusted */
export async function readServerMetadata(told: unknown, address: string, trust: Anchors): Promise<ServerMetadata> {
  const plain = (typeof told === 'object' && told !== null ? told : {}) as { [name: string]: unknown };
  const claims = await signedBy(plain.signed_metadata, address, trust);
  const { sub, iat, exp, jti } = claims;
  const now = Date.now() / 1000;
  const isTimely =
    typeof iat === 'number' &&
    typeof exp === 'number' &&
    iat <= now + toleranceSeconds &&
    exp > now &&
    exp - iat <= mostSeconds;
  if (!isTimely || sub !== address || typeof jti !== 'string') throw new Untrusted('its signed metadata do not hold');
  return {
    authorizationEndpoint: endpoint(claims.authorization_endpoint),
    tokenEndpoint: endpoint(claims.token_endpoint),
    registrationEndpoint: endpoint(claims.registration_endpoint),
    scopes: textsIn(plain.scopes_supported),
    profiles: textsIn(plain.udap_profiles_supported),
  };
}

function headerOf(jwt: string): { alg?: string; x5c?: unknown; crit?: unknown } {
  try {
    return decodeProtectedHeader(jwt);
  } catch {
    throw new Untrusted('what should be signed is no JWT');
  }
}

function endpoint(address: unknown): string {
  if (typeof address === 'string' && /^https?:/.test(address) && URL.canParse(address)) return address;
  throw new Untrusted('its signed metadata lack an endpoint');
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
