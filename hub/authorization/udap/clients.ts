/**
 * How a client of a trust community shows who it is (HL7 UDAP Security 2.0, "Constructing Authentication Token"; UDAP JWT-Based
 * Client Authentication STU 1 §6): by a certificate of its community for its URI, each time; its key may be another than before.
 */
import { calculateJwkThumbprint, compactVerify, decodeJwt, decodeProtectedHeader, exportJWK, type JWK } from 'jose';
import { type ClientMetadata, errors } from 'oidc-provider';
import type { Database } from '../../database/index.ts';
import type { Clients } from '../clients.ts';
import { type AskedFor, readB2b } from './b2b.ts';
import { checkTrust, keyOf, readCertificates, Untrusted, urisOf } from './chain.ts';
import type { Community } from './communities.ts';
import { udapAlgorithms } from './metadata.ts';
import { participantOf } from './organizations.ts';

type Named = { udap_community?: unknown; udap_uri?: unknown };

const longestSeconds = 300;
const toleranceSeconds = 15;
/** Of those that a client used last: requests that are under way with one stay good while it begins to use another. */
const mostKeys = 4;

/**
 * Notes the key of an assertion where it is not one that its client used before, so that its signature can be verified.
 * What is wrong with it is said when it is.
 */
export async function takeKey(clients: Clients, communities: readonly Community[], assertion: string): Promise<void> {
  const named = readUnverified(assertion);
  const metadata = named && ((await clients.active(named.client)) as (Named & ClientMetadata) | undefined);
  if (!named || metadata?.udap_uri === undefined) return;
  const keys = await withKeyOf(assertion, named, communities, metadata);
  if (keys) await clients.setKeys(named.client, keys);
}

/** Who an assertion says its client is, and by which certificate. */
function readUnverified(assertion: string): { client: string; x5c: unknown; kid: string | undefined } | undefined {
  try {
    const { x5c, kid } = decodeProtectedHeader(assertion);
    const { sub } = decodeJwt(assertion);
    return sub === undefined || x5c === undefined ? undefined : { client: sub, x5c, kid };
  } catch {
    return undefined;
  }
}

/** The keys of a client with that of its assertion; undefined where it is one of them, or is not taken. */
async function withKeyOf(
  assertion: string,
  { x5c, kid }: { x5c: unknown; kid: string | undefined },
  communities: readonly Community[],
  metadata: Named & ClientMetadata,
): Promise<JWK[] | undefined> {
  try {
    const [certificate] = readCertificates(x5c);
    const key: JWK = { ...(await exportJWK(keyOf(certificate))), use: 'sig', ...(kid === undefined ? {} : { kid }) };
    const known = (metadata.jwks?.keys ?? []) as JWK[];
    if (await holds(known, key)) return undefined;
    await signer(assertion, communities, metadata);
    const x5cKey = { ...key, x5c: [Buffer.from(certificate.rawData).toString('base64')] };
    return [x5cKey, ...known].slice(0, mostKeys);
  } catch {
    return undefined;
  }
}

async function holds(known: readonly JWK[], key: JWK): Promise<boolean> {
  const thumbprint = await calculateJwkThumbprint(key);
  for (const one of known) {
    if (one.kid === key.kid && (await calculateJwkThumbprint(one)) === thumbprint) return true;
  }
  return false;
}

/** Checks that an assertion is signed by the key of a certificate of the client's community, for its URI. @throws Untrusted */
async function signer(assertion: string, communities: readonly Community[], client: Named): Promise<void> {
  const community = communities.find(({ uri }) => uri === client.udap_community);
  if (!community) throw new Untrusted('its community is not one of the hub any more');
  const { alg = '', x5c } = decodeProtectedHeader(assertion);
  if (!udapAlgorithms.includes(alg)) throw new Untrusted(`alg must be one of ${udapAlgorithms.join(', ')}`);
  const [certificate, ...others] = readCertificates(x5c);
  await compactVerify(assertion, keyOf(certificate), { algorithms: [alg] });
  await checkTrust(certificate, others, community);
  if (!urisOf(certificate).includes(String(client.udap_uri))) {
    throw new Untrusted('its certificate is for another URI than that of the client');
  }
}

/** @throws InvalidClientAuth, whose detail is not told */
export async function checkUdapAssertion(
  assertion: string,
  communities: readonly Community[],
  claims: { iat?: unknown; exp?: unknown },
  client: Named,
): Promise<void> {
  const { iat, exp } = claims;
  if (typeof iat !== 'number' || typeof exp !== 'number' || exp - iat > longestSeconds) {
    throw new errors.InvalidClientAuth('exp is not within five minutes of iat');
  }
  if (iat > Date.now() / 1000 + toleranceSeconds) throw new errors.InvalidClientAuth('iat is of the future');
  try {
    await signer(assertion, communities, client);
  } catch (error) {
    throw new errors.InvalidClientAuth((error as Error).message);
  }
}

/** What a client without users asks for, where an administrator said who its organisation is. @throws invalid_grant */
export async function askedFor(
  database: Database,
  client: ClientMetadata['client_id'],
  claims: object,
): Promise<AskedFor> {
  const asked = readB2b((claims as { extensions?: unknown }).extensions);
  if ('refused' in asked) throw new errors.CustomOIDCProviderError('invalid_grant', asked.refused);
  const participant = await participantOf(database, client, asked);
  if (participant !== undefined) return asked;
  const text = `The client may not ask for ${asked.organization} yet: that waits for who runs the hub.`;
  throw new errors.CustomOIDCProviderError('invalid_grant', text);
}
