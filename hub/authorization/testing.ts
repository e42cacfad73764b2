/** What the tests of the authorization server have in common: clients, their keys, and a browser of a signed-in user. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWK,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
  SignJWT,
} from 'jose';
import type { Answer, HubCalls } from '../testing-calls.ts';

export * from './udap/testing.ts';

/** A hub that answers. */
export type AskedHub = Pick<HubCalls, 'url' | 'send'>;

export interface AssertionKey {
  jwk: JWK;
  privateKey: CryptoKey;
  alg: string;
  kid: string;
}

export async function assertionKey(alg = 'ES384'): Promise<AssertionKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomUUID();
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    privateKey: privateKey as CryptoKey,
    alg,
    kid,
  };
}

/** Registers a client as an administrator does. */
export async function register(hub: AskedHub, described: object): Promise<{ id: string; secret?: string }> {
  const made = await hub.send('POST', '/api/clients', described);
  if (made.status !== 201) throw new Error(made.text);
  return { id: made.json.client.id, secret: made.json.secret };
}

export function backendService(hub: AskedHub, keys: AssertionKey[], scope: string, more: object = {}) {
  return register(hub, {
    client_name: 'A service',
    grant_types: ['client_credentials'],
    response_types: [],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: keys.map(({ jwk }) => jwk) },
    scope,
    ...more,
  });
}

/** The JWT by which a client shows who it is; `claims` and `header` change what is in it. */
export async function assertion(
  hub: AskedHub,
  clientId: string,
  key: AssertionKey,
  claims: { [name: string]: unknown } = {},
  header: { [name: string]: unknown } = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = {
    iss: clientId,
    sub: clientId,
    aud: `${hub.url}/oauth/token`,
    jti: randomUUID(),
    exp: now + 240,
    ...claims,
  };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(kept)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })
    .sign(key.privateKey);
}

/** POSTs a form without any credentials but those in it. */
export function form(
  hub: AskedHub,
  path: string,
  fields: { [name: string]: string },
  headers: { [name: string]: string } = {},
): Promise<Answer> {
  return hub.send('POST', path, String(new URLSearchParams(fields)), {
    role: null,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
}

export function systemToken(hub: AskedHub, signed: string, scope: string): Promise<Answer> {
  return form(hub, '/oauth/token', {
    grant_type: 'client_credentials',
    scope,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: signed,
  });
}

/** Asks with a token of an app. */
export function withToken(hub: AskedHub, token: string, path: string, method = 'GET', body?: object): Promise<Answer> {
  return hub.send(method, path, body, {
    role: null,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/fhir+json' } : {}) },
  });
}

/** A verifier and its challenge (RFC 7636). */
export function pkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** Cookies as a browser keeps them, by path. */
export class Browser {
  readonly #hub: AskedHub;
  readonly #cookies = new Map<string, { value: string; path: string }>();

  constructor(hub: AskedHub) {
    this.#hub = hub;
  }

  async signIn(username: string, password: string): Promise<void> {
    const answer = await this.post('/auth/login', { username, password });
    if (answer.status !== 200) throw new Error(answer.text);
  }

  get(url: string, headers?: { [name: string]: string }): Promise<Answer> {
    return this.#send('GET', url, undefined, headers);
  }

  post(url: string, body: object, headers?: { [name: string]: string }): Promise<Answer> {
    return this.#send('POST', url, body, headers);
  }

  delete(url: string): Promise<Answer> {
    return this.#send('DELETE', url);
  }

  async #send(method: string, url: string, body?: object, headers: { [name: string]: string } = {}): Promise<Answer> {
    const { pathname, search } = new URL(url, this.#hub.url);
    const cookies = [...this.#cookies].filter(
      ([, { path }]) => pathname === path || pathname.startsWith(path === '/' ? '/' : `${path}/`),
    );
    const answer = await this.#hub.send(method, `${pathname}${search}`, body, {
      role: null,
      headers: {
        accept: 'text/html, application/json',
        ...headers,
        ...(cookies.length > 0 ? { cookie: cookies.map(([name, { value }]) => `${name}=${value}`).join('; ') } : {}),
      },
    });
    this.take(answer);
    return answer;
  }

  /** Keeps the cookies of an answer. */
  take(answer: Answer): void {
    for (const line of answer.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(';').map((part) => part.trim()) as [string, ...string[]];
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(name.length + 1);
      const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? '/';
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, { value, path });
    }
  }
}

/** A public app: it can keep no secret. */
export function publicApp(hub: AskedHub, scope: string, more: object = {}) {
  return register(hub, {
    client_name: 'An app',
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
    scope,
    ...more,
  });
}

export const redirectUri = 'https://app.example/back';

export interface Asked {
  client: string;
  scope: string;
  challenge: string;
  state?: string;
  /** Changes and additions to the request; undefined leaves one out. */
  more?: { [name: string]: string | undefined };
}

/** The request for authorization of an app. */
export function authorizationRequest(hub: AskedHub, { client, scope, challenge, state = 'abc', more = {} }: Asked) {
  const all = {
    response_type: 'code',
    client_id: client,
    redirect_uri: redirectUri,
    scope,
    state,
    aud: `${hub.url}/fhir`,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...more,
  };
  return new URLSearchParams(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/** What a user decides; the scopes are those that were asked for, if none are named. */
export interface Decision {
  isAllowed?: boolean;
  scopes?: string[];
  patient?: string;
}

/** Asks for authorization in a browser, and answers what its user is asked. Returns where the browser is sent in the end. */
export async function authorize(browser: Browser, request: URLSearchParams, decision: Decision): Promise<URL> {
  const asked = await browser.get(`/oauth/authorize?${request}`);
  return decide(browser, asked, decision);
}

/** Answers the question to which an answer leads. */
export async function decide(browser: Browser, asked: Answer, decision: Decision): Promise<URL> {
  const page = asked.headers.get('location');
  if (asked.status !== 303 || !page?.includes('/oauth/interaction/'))
    throw new Error(`${asked.status} ${page} ${asked.text}`);
  const question = await browser.get(`${page}/question`);
  if (question.status !== 200) throw new Error(question.text);
  const answer = await browser.post(`${page}/answer`, { isAllowed: true, scopes: question.json.scopes, ...decision });
  if (answer.status !== 200) throw new Error(answer.text);
  const end = await browser.get(answer.json.next);
  if (end.status !== 303) throw new Error(end.text);
  return new URL(end.headers.get('location')!);
}

/** The token’s answer for a code. */
export function tokenFor(
  hub: AskedHub,
  client: string,
  code: string,
  verifier: string,
  headers: { [name: string]: string } = {},
): Promise<Answer> {
  return form(
    hub,
    '/oauth/token',
    { grant_type: 'authorization_code', client_id: client, code, code_verifier: verifier, redirect_uri: redirectUri },
    headers,
  );
}

/** An id token, verified with the keys that a server publishes. @throws where it is none of theirs, or not as is expected */
export async function readIdToken(
  token: string,
  keysAddress: string,
  expected: JWTVerifyOptions,
): Promise<JWTVerifyResult & { keys: JSONWebKeySet }> {
  const keys = (await (await fetch(keysAddress)).json()) as JSONWebKeySet;
  return { ...(await jwtVerify(token, createLocalJWKSet(keys), expected)), keys };
}
