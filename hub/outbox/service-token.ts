/**
 * A token of SMART Backend Services (SMART App Launch 2.2, client_credentials with `private_key_jwt`), had by the hub's own
 * key and used until shortly before its end.
 */
import { randomUUID } from 'node:crypto';
import { importJWK, type JWK, SignJWT } from 'jose';
import type { GuardedAnswer, GuardedRequest } from '../guarded-request.ts';
import type { HttpPlace, ServicesClient } from '../trust/index.ts';

const alg = 'ES384';
const marginMs = 30_000;
const usualScope = 'system/*.cud';

/** Why there is no token. Nothing of it is secret. */
export class TokenFault extends Error {
  override name = 'TokenFault';
}

type Ask = (url: string, asked: Pick<GuardedRequest, 'method' | 'headers' | 'body'>) => Promise<GuardedAnswer>;

export class ServiceToken {
  readonly #base: string;
  readonly #client: ServicesClient;
  readonly #keys: () => Promise<JWK[]>;
  readonly #ask: Ask;
  #token: { text: string; until: number } | undefined;
  #asking: Promise<string> | undefined;

  constructor({ url }: HttpPlace, client: ServicesClient, keys: () => Promise<JWK[]>, ask: Ask) {
    this.#base = url.replace(/\/$/, '');
    this.#client = client;
    this.#keys = keys;
    this.#ask = ask;
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
    const { clientId, scope = usualScope } = this.#client;
    const endpoint = this.#client.tokenUrl ?? (await this.#discovered());
    const key = (await this.#keys()).find((one) => one.alg === alg);
    if (!key) throw new TokenFault('The hub has no key to show itself by.');
    const assertion = await new SignJWT({})
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
    const answer = await this.#ask(endpoint, { method: 'POST', headers, body: Buffer.from(String(form)) });
    if (answer.status !== 200) throw new TokenFault(`Its authorization server gives no token (${answer.status}).`);
    const { access_token: text, expires_in: seconds } = jsonOf(answer);
    if (typeof text !== 'string') throw new TokenFault('Its authorization server gives no token.');
    this.#token = { text, until: Date.now() + Number(seconds ?? 60) * 1_000 - marginMs };
    return text;
  }

  /** SMART App Launch 2.2, "Retrieve .well-known/smart-configuration". */
  async #discovered(): Promise<string> {
    const address = `${this.#base}/.well-known/smart-configuration`;
    const answer = await this.#ask(address, { method: 'GET', headers: { accept: 'application/json' } });
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
