/**
 * A token of SMART Backend Services (SMART App Launch 2.2, client_credentials with `private_key_jwt`), had by the hub's own
 * key and used until shortly before its end.
 */
import { randomUUID } from 'node:crypto';
import { importJWK, type JWK, SignJWT } from 'jose';
import type { GuardedAnswer, GuardedRequest } from './guarded-request.ts';

const alg = 'ES384';
const marginMs = 30_000;

/** Why there is no token. Nothing of it is secret. */
export class TokenFault extends Error {
  override name = 'TokenFault';
  /** Of the answer of the authorization server, where there was one. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

export interface ServiceClient {
  /** Of the FHIR server. */
  base: string;
  clientId: string;
  scope: string;
  /** Where tokens are had; without it what `.well-known/smart-configuration` below the base says. */
  tokenUrl?: string | undefined;
  /** Claims of the assertion beside those that it has to have. */
  claims?: Record<string, unknown>;
  /** The hub's own signing keys, private. */
  keys(): Promise<JWK[]>;
  /** Asks an address; what it throws is thrown by `text`. */
  ask(url: string, asked: Pick<GuardedRequest, 'method' | 'headers' | 'body'>): Promise<GuardedAnswer>;
}

export class ServiceToken {
  readonly #client: ServiceClient;
  #token: { text: string; until: number } | undefined;
  #asking: Promise<string> | undefined;

  constructor(client: ServiceClient) {
    this.#client = client;
  }

  /** @throws TokenFault where the authorization server gives none */
  async text(): Promise<string> {
    if (this.#token && this.#token.until > Date.now()) return this.#token.text;
    this.#asking ??= this.#fetch().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** The token was not taken: the next one is asked for anew. */
  forget(): void {
    this.#token = undefined;
  }

  async #fetch(): Promise<string> {
    const { clientId, scope, claims = {}, keys, ask } = this.#client;
    const endpoint = this.#client.tokenUrl ?? (await this.#discovered());
    const key = (await keys()).find((one) => one.alg === alg);
    if (!key) throw new TokenFault('The hub has no key to show itself by.');
    const assertion = await new SignJWT(claims)
      .setProtectedHeader({ alg, kid: key.kid!, typ: 'JWT' })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(endpoint)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime('4 minutes')
      .sign(await importJWK(key, alg));
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      scope,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await ask(endpoint, { method: 'POST', headers, body: Buffer.from(String(form)) });
    if (answer.status !== 200)
      throw new TokenFault(`Its authorization server gives no token (${answer.status}).`, answer.status);
    const { access_token: text, expires_in: seconds } = jsonOf(answer);
    if (typeof text !== 'string') throw new TokenFault('Its authorization server gives no token.');
    this.#token = { text, until: Date.now() + Number(seconds ?? 60) * 1_000 - marginMs };
    return text;
  }

  /** SMART App Launch 2.2, "Retrieve .well-known/smart-configuration". */
  async #discovered(): Promise<string> {
    const { base, ask } = this.#client;
    const answer = await ask(`${base.replace(/\/$/, '')}/.well-known/smart-configuration`, {
      method: 'GET',
      headers: { accept: 'application/json' },
    });
    const { token_endpoint: endpoint } = answer.status === 200 ? jsonOf(answer) : {};
    if (typeof endpoint === 'string' && URL.canParse(endpoint)) return endpoint;
    throw new TokenFault(`It does not say where tokens are had (${answer.status} at .well-known/smart-configuration).`);
  }
}

function jsonOf({ body }: GuardedAnswer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Falls through to the fault below.
  }
  throw new TokenFault('Its authorization server answered what is no JSON.');
}
