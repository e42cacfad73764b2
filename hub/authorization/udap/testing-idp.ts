/**
 * An identity provider of a trust community for tests: `oidc-provider` over a real socket, with what UDAP asks for around it. It
 * signs in whoever the test says, and asks nothing.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { compactVerify, decodeJwt, decodeProtectedHeader, exportJWK } from 'jose';
import { type AdapterPayload, type JWKS, Provider } from 'oidc-provider';
import { checkTrust, keyOf, readCertificates, urisOf } from './chain.ts';
import type { TestHolder } from './testing.ts';

export class TestIdp {
  /** Who is signed in there; undefined: nobody wants to. */
  user: { id: string; claims: object } | undefined;
  /** By which its metadata and its ID tokens are signed. */
  holder!: TestHolder;
  tokenHolder: TestHolder | undefined;
  scopes = ['openid', 'udap'];
  /** The software statements that it got. */
  readonly statements: { [name: string]: unknown }[] = [];
  readonly #root: TestHolder;
  readonly #server: Server;
  readonly #stored = new Map<string, AdapterPayload>();
  #provider!: Provider;

  private constructor(root: TestHolder) {
    this.#root = root;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** @param root the authority of its community */
  static async start(root: TestHolder): Promise<TestIdp> {
    const idp = new TestIdp(root);
    await new Promise<void>((resolve) => idp.#server.listen(0, '127.0.0.1', resolve));
    idp.holder = await root.issue('Identity provider', idp.url, { alg: 'ES256' });
    const key = await crypto.subtle.exportKey('jwk', idp.holder.keys.privateKey);
    idp.#provider = new Provider(idp.url, {
      adapter: (kind) => idp.#adapter(kind),
      jwks: { keys: [{ ...key, alg: 'ES256', use: 'sig' }] } as JWKS,
      scopes: ['openid', 'udap'],
      claims: { openid: ['sub', 'name', 'groups', 'site', 'preferred_username'] },
      conformIdTokenClaims: false,
      clientAuthMethods: ['private_key_jwt'],
      clientDefaults: { id_token_signed_response_alg: 'ES256' },
      enabledJWA: { clientAuthSigningAlgValues: ['ES256', 'RS256'], idTokenSigningAlgValues: ['ES256'] },
      findAccount: async (_context, id) => ({ accountId: id, claims: async () => ({ sub: id, ...idp.user?.claims }) }),
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      pkce: { required: () => true },
      cookies: { keys: ['a key of the test'] },
    });
    idp.#provider.use(async (context, next) => {
      await next();
      const body = context.body as { id_token?: string } | undefined;
      // HL7 wants it signed with the certificate in its header.
      if (context.path === '/token' && body?.id_token) {
        body.id_token = await (idp.tokenHolder ?? idp.holder).sign(decodeJwt(body.id_token));
      }
    });
    return idp;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Forgets its clients. */
  forget(): void {
    this.#stored.clear();
  }

  /** Sends a browser from an address of its own to that with which it sends it back. */
  async through(from: string): Promise<URL> {
    let address = new URL(from);
    const cookies = new Map<string, string>();
    while (address.origin === this.url) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const next = await fetch(address, { redirect: 'manual', headers: { cookie } });
      for (const line of next.headers.getSetCookie()) {
        const [pair] = line.split(';') as [string];
        cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
      }
      if (next.status < 300 || next.status >= 400) throw new Error(`${address}: ${next.status} ${await next.text()}`);
      address = new URL(next.headers.get('location')!, address);
    }
    return address;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, this.url);
    if (pathname === '/.well-known/udap') return this.#told(response);
    if (pathname === '/register') return this.#register(request, response);
    if (pathname.startsWith('/interaction/')) return this.#signIn(request, response);
    return this.#provider.callback()(request, response);
  }

  async #told(response: ServerResponse): Promise<void> {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.url, sub: this.url, iat: now, exp: now + 600, jti: String(now) };
    const endpoints = {
      authorization_endpoint: `${this.url}/auth`,
      token_endpoint: `${this.url}/token`,
      registration_endpoint: `${this.url}/register`,
    };
    const signed = await this.holder.sign({ ...claims, ...endpoints });
    json(response, 200, {
      scopes_supported: this.scopes,
      udap_profiles_supported: ['udap_to'],
      signed_metadata: signed,
    });
  }

  async #register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { software_statement: statement } = JSON.parse(await text(request)) as { software_statement: string };
    const [certificate, ...others] = readCertificates(decodeProtectedHeader(statement).x5c);
    const { payload } = await compactVerify(statement, keyOf(certificate));
    await checkTrust(certificate, others, { anchors: [this.#root.certificate], revocation: undefined });
    const claims = JSON.parse(Buffer.from(payload).toString());
    if (!urisOf(certificate).includes(claims.iss) || claims.aud !== `${this.url}/register`) {
      return json(response, 400, { error: 'invalid_software_statement' });
    }
    this.statements.push(claims);
    const { client_name, redirect_uris, grant_types, response_types, token_endpoint_auth_method } = claims;
    const client_id = `client-${this.statements.length}`;
    const jwks = { keys: [{ ...(await exportJWK(keyOf(certificate))), use: 'sig' }] };
    const metadata = { client_name, redirect_uris, grant_types, response_types, token_endpoint_auth_method };
    this.#stored.set(`Client ${client_id}`, { client_id, jwks, ...metadata } as AdapterPayload);
    json(response, 201, { client_id, ...claims });
  }

  async #signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { params } = await this.#provider.interactionDetails(request, response);
    if (!this.user) return this.#provider.interactionFinished(request, response, { error: 'access_denied' });
    const accountId = this.user.id;
    const grant = new this.#provider.Grant({ accountId, clientId: String(params.client_id) });
    grant.addOIDCScope('openid udap');
    const consent = { grantId: await grant.save() };
    await this.#provider.interactionFinished(request, response, { login: { accountId }, consent });
  }

  #adapter(kind: string) {
    const stored = this.#stored;
    return {
      upsert: async (id: string, payload: AdapterPayload) => void stored.set(`${kind} ${id}`, payload),
      find: async (id: string) => stored.get(`${kind} ${id}`),
      findByUserCode: async () => undefined,
      findByUid: async (uid: string) => [...stored.values()].find((one) => one.kind === kind && one.uid === uid),
      consume: async (id: string) => void Object.assign(stored.get(`${kind} ${id}`)!, { consumed: 1 }),
      destroy: async (id: string) => void stored.delete(`${kind} ${id}`),
      revokeByGrantId: async () => {},
    };
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
