/**
 * Identity providers that apps name for their users (HL7 FHIR UDAP Security 2.0, "Tiered OAuth for User Authentication"; UDAP
 * Tiered OAuth STU 1 §3). One is trusted where it shows a certificate of a community of the hub's for its address; the hub
 * registers itself there as a client, once.
 */
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Configuration } from 'openid-client';
import type { Database, Queryable } from '../../database/index.ts';
import type { Addresses } from '../addresses.ts';
import type { ProviderSource } from '../external-provider.ts';
import { guardedFetch } from '../guarded-fetch.ts';
import { Untrusted } from './chain.ts';
import type { Community } from './communities.ts';
import { udapAlgorithms } from './metadata.ts';
import { readServerMetadata, type ServerMetadata, signedBy } from './server-metadata.ts';

export interface IdentityProviderParts {
  database: Database;
  addresses: Addresses;
  /** Addresses below which providers may be in a private network. */
  allowed: readonly string[];
  communities(): readonly Community[];
}

/** An identity provider at which the hub is a client. */
export interface KnownProvider {
  address: string;
  /** URI of the community. */
  community: string;
  /** The hub's id there. */
  client: string;
  registered: Date;
  /** How many accounts here it vouches for. */
  accounts: number;
}

interface Found {
  community: Community;
  metadata: ServerMetadata;
}

const scope = 'openid udap';
const foundMs = 300_000;
const mostFound = 100;
const longestAddress = 500;
const statementSeconds = 300;

export class IdentityProviders {
  readonly #parts: IdentityProviderParts;
  readonly #found = new Map<string, { value: Promise<Found>; until: number }>();

  constructor(parts: IdentityProviderParts) {
    this.#parts = parts;
  }

  /**
   * The provider at an address, with the hub as its client. @param redirectUri where it sends browsers back to
   * @throws Untrusted where it is not trusted, or the hub cannot become its client @throws Error where it does not answer
   */
  async source(idp: string, redirectUri: string): Promise<ProviderSource> {
    const found = await this.#trusted(idp);
    const client = await this.#registered(idp, found, redirectUri);
    const configuration = await this.#configuration(idp, found, client);
    return {
      scope,
      configuration: async () => configuration,
      check: async (idToken) => void (await signedBy(idToken, idp, found.community)),
    };
  }

  /** Which of its claims make an account here; undefined where only accounts that their users connected are meant. */
  async accountsFile(idp: string): Promise<string | undefined> {
    return (await this.#trusted(idp)).community.tiered?.accounts[idp];
  }

  /** The hub is not, or not any more, the client that it was told to be: it registers anew the next time. */
  async forget(idp: string, database: Queryable = this.#parts.database): Promise<boolean> {
    const { rowCount } = await database.query('DELETE FROM udap_identity_provider WHERE address = $1', [idp]);
    return (rowCount ?? 0) > 0;
  }

  /** Those at which the hub is a client. */
  async known(): Promise<KnownProvider[]> {
    const { rows } = await this.#parts.database.query(
      `SELECT p.address, p.community, p.client_id, p.registered,
         (SELECT count(*) FROM external_account e WHERE e.issuer = p.address) AS accounts
       FROM udap_identity_provider p ORDER BY p.address, p.community`,
    );
    return rows.map(({ address, community, client_id: client, registered, accounts }) => ({
      ...{ address, community, client, registered },
      accounts: Number(accounts),
    }));
  }

  #trusted(idp: string): Promise<Found> {
    const known = this.#found.get(idp);
    if (known && known.until > Date.now()) return known.value;
    this.#found.delete(idp);
    if (this.#found.size >= mostFound) this.#found.delete(this.#found.keys().next().value!);
    const value = this.#find(idp);
    this.#found.set(idp, { value, until: Date.now() + foundMs });
    value.catch(() => this.#found.delete(idp));
    return value;
  }

  async #find(idp: string): Promise<Found> {
    const isAddress = idp.length <= longestAddress && URL.canParse(idp) && /^https?:\/\/[^?#@]+$/.test(idp);
    if (!isAddress) throw new Untrusted('idp must be the address of an OpenID provider');
    let fault = new Untrusted('the hub is in no community in which users are signed in by others');
    for (const community of this.#parts.communities()) {
      if (!community.tiered) continue;
      try {
        const metadata = await this.#metadata(idp, community);
        const isProvider = ['openid', 'udap'].every((one) => metadata.scopes.includes(one));
        if (!isProvider) throw new Untrusted('it signs in no users for others (scopes_supported)');
        return { community, metadata };
      } catch (error) {
        if (!(error instanceof Untrusted)) throw error;
        fault = error;
      }
    }
    throw fault;
  }

  async #metadata(idp: string, community: Community): Promise<ServerMetadata> {
    const address = `${idp.replace(/\/$/, '')}/.well-known/udap?community=${encodeURIComponent(community.uri)}`;
    const answer = await guardedFetch(address, this.#parts.allowed);
    if (answer.status !== 200) throw new Untrusted(`it is not of the community ${community.name}`);
    return readServerMetadata(await answer.json().catch(() => undefined), idp, community);
  }

  /** The id by which the hub is known there; where it is not known yet, it registers. */
  async #registered(idp: string, { community, metadata }: Found, redirectUri: string): Promise<string> {
    const { database } = this.#parts;
    const { rows } = await database.query(
      'SELECT client_id FROM udap_identity_provider WHERE address = $1 AND community = $2 AND redirect_uri = $3',
      [idp, community.uri, redirectUri],
    );
    if (rows[0]) return rows[0].client_id;
    const client = await this.#register(community, metadata, redirectUri);
    await database.query(
      `INSERT INTO udap_identity_provider (address, community, redirect_uri, client_id) VALUES ($1, $2, $3, $4)
       ON CONFLICT (address, community) DO UPDATE SET redirect_uri = excluded.redirect_uri,
         client_id = excluded.client_id, registered = clock_timestamp()`,
      [idp, community.uri, redirectUri, client],
    );
    return client;
  }

  async #register(
    community: Community,
    { registrationEndpoint }: ServerMetadata,
    redirectUri: string,
  ): Promise<string> {
    const { contacts, logo } = community.tiered!;
    const { fhir } = this.#parts.addresses;
    const statement = await signed(community, fhir, registrationEndpoint, {
      client_name: 'Causeway',
      contacts,
      logo_uri: logo,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'private_key_jwt',
      scope,
    });
    const answer = await guardedFetch(registrationEndpoint, this.#parts.allowed, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ software_statement: statement, udap: '1' }),
    });
    const { client_id: client } = (await answer.json().catch(() => ({}))) as { client_id?: unknown };
    if (![200, 201].includes(answer.status) || typeof client !== 'string' || client === '') {
      throw new Untrusted('it does not register this hub');
    }
    return client;
  }

  async #configuration(idp: string, { community, metadata }: Found, clientId: string): Promise<Configuration> {
    const client = await import('openid-client');
    const { allowed } = this.#parts;
    const configuration = new client.Configuration(
      {
        issuer: idp,
        authorization_endpoint: metadata.authorizationEndpoint,
        token_endpoint: metadata.tokenEndpoint,
        id_token_signing_alg_values_supported: udapAlgorithms,
      },
      clientId,
      {},
      // It may take its time, as the library's own way of signing does.
      async (_server, _client, body) => {
        body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
        body.set('client_assertion', await signed(community, clientId, metadata.tokenEndpoint, {}));
        body.set('udap', '1');
      },
    );
    configuration[client.customFetch] = (address, { method, headers, body }) =>
      guardedFetch(address, allowed, { method, headers, body: body == null ? undefined : String(body) });
    if (idp.startsWith('http:')) client.allowInsecureRequests(configuration);
    return configuration;
  }
}

/** A JWT of the hub's, of its certificate in a community, for one server (HL7 UDAP Security 2.0, "Registration", "Authentication Token"). */
function signed({ server }: Community, issuer: string, audience: string, claims: object): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const standard = {
    iss: issuer,
    sub: issuer,
    aud: audience,
    iat: now,
    exp: now + statementSeconds,
    jti: randomUUID(),
  };
  return new SignJWT({ ...claims, ...standard })
    .setProtectedHeader({ alg: server.alg, x5c: server.x5c })
    .sign(server.key);
}
