/**
 * What SMART App Launch 2.2 ("Client Authentication: Asymmetric") asks of the JWT by which a client shows who it is,
 * beyond what `oidc-provider` checks (signature, issuer, expiry, one use). Of clients of a trust community, UDAP asks more.
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Udap } from './udap/udap.ts';

/** Of clients of no trust community. */
export const smartAlgorithms = ['ES384', 'RS384'];
const longestSeconds = 300;
const toleranceSeconds = 15;

type Json = Record<string, unknown>;

/** @throws InvalidClientAuth, whose detail is not told */
export async function checkAssertion(
  ctx: KoaContextWithOIDC,
  claims: Json,
  header: Json,
  client: Json,
  udap: Udap | undefined,
): Promise<void> {
  const { exp, aud, jti, nbf } = claims;
  if (typeof exp !== 'number' || exp > Date.now() / 1000 + longestSeconds + toleranceSeconds) {
    throw refused('exp is more than five minutes ahead');
  }
  if (nbf !== undefined && typeof nbf !== 'number') throw refused('nbf is no number');
  if (typeof jti !== 'string' || jti.length > 255) throw refused('jti is too long');
  // Of several audiences another could take the assertion and use it here.
  const audiences = Array.isArray(aud) ? aud : [aud];
  const accepted = ctx.oidc.clientJwtAuthExpectedAudience();
  if (audiences.length !== 1 || !accepted.has(audiences[0])) throw refused('aud is not this server alone');
  if (header.typ !== undefined && String(header.typ).toUpperCase() !== 'JWT') throw refused('typ is not JWT');
  if (header.jku !== undefined && header.jku !== client.jwksUri) throw refused('jku is not the one that is registered');
  if (client.udap_uri === undefined) {
    if (typeof header.kid !== 'string') throw refused('kid is missing');
    if (!smartAlgorithms.includes(String(header.alg))) throw refused('alg is not one of these');
    return;
  }
  if (!udap) throw refused('the hub is in no trust community');
  await udap.check(ctx, claims, client);
}

function refused(detail: string): errors.InvalidClientAuth {
  return new errors.InvalidClientAuth(detail);
}
