/**
 * Bearer tokens for scripts on the hub's own machine: JSON Web Tokens (RFC 7519) signed with HS256 under a key in
 * `<dataDir>/keys/token.key`. Who can read that file may do anything with this hub, as its owner can anyway.
 */

import { join } from 'node:path';
import { errors, jwtVerify, SignJWT } from 'jose';
import { createKey, KeyError, readKey } from './key-file.ts';

const issuer = 'causeway:local';

/** Who a token is for. */
export interface TokenClaims {
  subject: string;
  role: string;
}

/** The signing key of a data directory, made when it is missing. For the hub. */
export function tokenKey(dataDir: string): Buffer {
  const path = join(dataDir, 'keys', 'token.key');
  return readKey(path) ?? createKey(path);
}

/** The signing key of a hub that has been started before. Throws KeyError when there is none. For the command line. */
export function existingTokenKey(dataDir: string): Buffer {
  const key = readKey(join(dataDir, 'keys', 'token.key'));
  if (!key)
    throw new KeyError(
      `No hub has been started with the data directory ${dataDir}: start it first, or name its --data-dir.`,
    );
  return key;
}

/** A signed token. */
export function signToken(key: Buffer, claims: TokenClaims & { expiresInSeconds: number }): Promise<string> {
  return new SignJWT({ role: claims.role })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(issuer)
    .setSubject(claims.subject)
    .setIssuedAt()
    .setExpirationTime(`${claims.expiresInSeconds}s`)
    .sign(key);
}

/** Whose token it is, or the reason it is refused (to be shown to the caller). */
export async function verifyToken(key: Buffer, token: string): Promise<TokenClaims | { refused: string }> {
  try {
    const { payload } = await jwtVerify(token, key, { issuer, algorithms: ['HS256'], requiredClaims: ['sub', 'exp'] });
    if (typeof payload.role !== 'string') return { refused: 'The token names no role.' };
    return { subject: payload.sub!, role: payload.role };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { refused: 'The token has expired.' };
    if (error instanceof errors.JWTClaimValidationFailed)
      return { refused: `The token’s claim ${error.claim} is not right.` };
    return { refused: 'The token is not one of this hub.' };
  }
}
