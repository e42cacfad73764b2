/**
 * Proof that who sends a token holds the key that it is bound to (DPoP, RFC 9449 §4.3 and §7): a JWT made for one request,
 * good once, whichever hub it reaches. A client whose clock is off is given a nonce of the hub's (§9), in place of its time.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, type JWTPayload, jwtVerify } from 'jose';
import type { Database } from '../database/index.ts';
import { RecordError } from '../record/index.ts';
import type { Addresses } from './addresses.ts';
import { handleDigest, usedOnce } from './handles.ts';

export const dpopAlgorithms = ['ES256', 'ES384', 'Ed25519', 'RS256'];

/** A request that is shown with a proof. */
export interface ProvenRequest {
  method: string;
  /** Path, with or without query. */
  path: string;
  token: string;
  /** The header `DPoP`. */
  proof: unknown;
}

const nonceSeconds = 60;
const newestNonces = 5;
const longestSeconds = 300;

export class DpopProofs {
  readonly #database: Database;
  readonly #nonceKeys: () => Buffer[];

  /** @param nonceKeys that by which nonces are made first; by the others they are known as well */
  constructor(database: Database, nonceKeys: () => Buffer[]) {
    this.#database = database;
    this.#nonceKeys = nonceKeys;
  }

  /**
   * Holds a proof against the request and the key that its token is bound to.
   * @param thumbprint of that key (RFC 7638)
   * @param addresses by which the hub is known
   * @throws RecordError 401
   */
  async check(request: ProvenRequest, thumbprint: string, addresses: Addresses): Promise<void> {
    const { payload, key } = await this.#read(request.proof);
    if (key !== thumbprint) throw refusal('it is not made with the key that the token is bound to');
    if (payload.htm !== request.method) throw refusal('htm is not the method of the request');
    if (!isAddress(payload.htu, request.path, addresses)) throw refusal('htu is not the address of the request');
    if (payload.ath !== createHash('sha256').update(request.token).digest('base64url')) {
      throw refusal('ath is not the digest of the token');
    }
    if (typeof payload.jti !== 'string' || payload.jti === '' || payload.jti.length > 255) {
      throw refusal('jti is missing, or longer than 255 characters');
    }
    this.#checkTime(payload);
    const id = handleDigest(`${thumbprint} ${payload.jti}`);
    const isNew = await usedOnce(this.#database, 'DPoPProof', id, new Date(Date.now() + 2 * longestSeconds * 1000));
    if (!isNew) throw refusal('it was used before');
  }

  async #read(proof: unknown): Promise<{ payload: JWTPayload; key: string }> {
    if (typeof proof !== 'string' || proof.length > 8192) throw refusal('the header DPoP with one proof is missing');
    try {
      const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
        algorithms: dpopAlgorithms,
        typ: 'dpop+jwt',
      });
      return { payload, key: await calculateJwkThumbprint(protectedHeader.jwk!) };
    } catch {
      throw refusal('it is not a JWT of type dpop+jwt that its own public key verifies');
    }
  }

  #checkTime({ iat, nonce }: JWTPayload): void {
    if (nonce !== undefined) {
      if (!this.#isNonce(nonce)) throw this.#nonceWanted();
      return;
    }
    if (typeof iat !== 'number') throw refusal('iat is missing');
    if (Math.abs(Date.now() / 1000 - iat) > longestSeconds) throw this.#nonceWanted();
  }

  #nonceWanted(): RecordError {
    const text =
      'The proof (DPoP) is too old, too new, or has a nonce that is over: make one with the nonce given here.';
    const nonce = nonceOf(this.#nonceKeys()[0]!, 0);
    return new RecordError(401, 'login', text)
      .with('www-authenticate', challenge('use_dpop_nonce'))
      .with('dpop-nonce', nonce);
  }

  #isNonce(given: unknown): boolean {
    if (typeof given !== 'string') return false;
    const ages = Array.from({ length: newestNonces }, (_, age) => age);
    const nonces = this.#nonceKeys().flatMap((key) => ages.map((age) => nonceOf(key, age)));
    return nonces.some((nonce) => {
      const [known, told] = [Buffer.from(nonce), Buffer.from(given)];
      return known.length === told.length && timingSafeEqual(known, told);
    });
  }
}

/** One for each minute, the same on every hub. @param age in minutes */
function nonceOf(key: Buffer, age: number): string {
  const minute = Math.floor(Date.now() / 1000 / nonceSeconds) - age;
  return createHmac('sha256', key).update(String(minute)).digest('base64url');
}

/** A token that is bound to a key was sent without its proof, or the other way round. */
export function wrongScheme(isBound: boolean): RecordError {
  const text = isBound
    ? 'The token is bound to a key: send it as Authorization: DPoP …, with a proof in the header DPoP.'
    : 'The token is bound to no key: send it as Authorization: Bearer ….';
  return new RecordError(401, 'login', text).with(
    'www-authenticate',
    isBound ? challenge('invalid_token') : 'Bearer error="invalid_token"',
  );
}

function refusal(what: string): RecordError {
  const text = `The proof that the token is the sender’s (DPoP) is not taken: ${what}.`;
  return new RecordError(401, 'login', text).with('www-authenticate', challenge('invalid_dpop_proof'));
}

function challenge(error: string): string {
  return `DPoP error="${error}", algs="${dpopAlgorithms.join(' ')}"`;
}

/** Whether an address is that of the request, by a name that the hub has; a query is passed over (§4.3). */
function isAddress(htu: unknown, path: string, addresses: Addresses): boolean {
  const url = typeof htu === 'string' ? URL.parse(htu) : null;
  return url !== null && addresses.isFhir(`${url.origin}/fhir`) && url.pathname === path.split('?')[0];
}
