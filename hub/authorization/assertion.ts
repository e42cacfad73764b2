/**
 * What SMART App Launch 2.2 ("Client Authentication: Asymmetric") asks of the JWT by which a client shows who it is,
 * beyond what `oidc-provider` checks (signature, issuer, expiry, one use).
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider';

const longestSeconds = 300;
const toleranceSeconds = 15;

type Json = Record<string, unknown>;

/** @throws InvalidClientAuth, whose detail is not told */
export function checkAssertion(ctx: KoaContextWithOIDC, claims: Json, header: Json, client: Json): void {
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
  if (typeof header.kid !== 'string') throw refused('kid is missing');
  if (header.typ !== undefined && String(header.typ).toUpperCase() !== 'JWT') throw refused('typ is not JWT');
  if (header.jku !== undefined && header.jku !== client.jwksUri) throw refused('jku is not the one that is registered');
}

function refused(detail: string): errors.InvalidClientAuth {
  return new errors.InvalidClientAuth(detail);
}
