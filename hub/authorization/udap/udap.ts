/**
 * The hub in its trust communities (HL7 FHIR UDAP Security 2.0): what it tells of itself, how clients register themselves, and
 * how they show who they are.
 */

import type { JWTPayload } from 'jose';
import { type ClientMetadata, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Logger } from 'pino';
import type { Database } from '../../database/index.ts';
import { faultReason, faultText } from '../../faults.ts';
import type { Addresses } from '../addresses.ts';
import type { Clients } from '../clients.ts';
import type { AskedFor } from './b2b.ts';
import { askedFor, checkUdapAssertion, takeKey } from './clients.ts';
import { type Community, readCommunities, type ServerCertificate } from './communities.ts';
import { isCertificateFor, providerMetadata, signed, udapMetadata } from './metadata.ts';
import { type Registered, Registrations } from './registrations.ts';
import type { Revocations } from './revocation.ts';
import type { RevocationRule } from './revocation-rules.ts';
import { RegistrationRefused, readStatement } from './statement.ts';

export interface UdapParts {
  database: Database;
  clients: Clients;
  addresses: Addresses;
  log: Logger;
  /** The file that describes the communities. */
  file: string;
  revocations: Revocations;
}

/** An answer to a registration, and what became of it. */
export interface RegistrationAnswer {
  status: number;
  body: { [name: string]: unknown };
  /** Undefined where it was refused. */
  registered: Registered | undefined;
  /** The client's URI, where its statement is to be believed. */
  uri: string | undefined;
}

/** A community as people are shown it. */
export interface ShownCommunity {
  uri: string;
  name: string;
  revocation: RevocationRule;
  /** For which addresses the hub's certificate is, and until when. */
  addresses: string[];
  expires: Date;
  /** The same as an identity provider for others; undefined where it is none. */
  provider: { addresses: string[]; expires: Date } | undefined;
  /** Whose claims make accounts here; undefined where no users are signed in elsewhere. */
  accounts: string[] | undefined;
}

export class Udap {
  readonly #parts: UdapParts;
  readonly #registrations: Registrations;
  readonly #asked = new WeakMap<object, AskedFor>();
  #communities: Community[] = [];
  /** What is wrong with communities that could not be read last. */
  faults: string[] = [];

  private constructor(parts: UdapParts) {
    this.#parts = parts;
    this.#registrations = new Registrations(parts.database);
  }

  /** @throws Error where the file is not as it must be; what is wrong with one community is logged */
  static async open(parts: UdapParts): Promise<Udap> {
    const udap = new Udap(parts);
    await udap.#read();
    return udap;
  }

  /** Reads certificates and revocation lists anew. A community that cannot be read stays as it was. */
  async refresh(): Promise<void> {
    await this.#read().catch((error) => {
      this.faults = [faultReason(error)];
      this.#fault(faultText(error));
    });
  }

  /** As they were read last. */
  communities(): readonly Community[] {
    return this.#communities;
  }

  /** The same for people. */
  shown(): ShownCommunity[] {
    return this.#communities.map(({ uri, name, rule, server, provider, tiered }) => ({
      ...{ uri, name, revocation: rule, addresses: server.uris, expires: server.expires },
      provider: provider && { addresses: provider.uris, expires: provider.expires },
      accounts: tiered && Object.keys(tiered.accounts),
    }));
  }

  /** What is told of the hub; undefined where it has no certificate for the community that is asked about. */
  async metadata(community: string | undefined): Promise<object | undefined> {
    const { addresses } = this.#parts;
    const own = this.#communities.filter(({ server }) => isCertificateFor(server, addresses.fhir));
    const asked = community === undefined ? own[0] : own.find(({ uri }) => uri === community);
    return asked && udapMetadata(asked, addresses);
  }

  /** What is told of the hub as an identity provider; undefined where it is none in the community that is asked about. */
  async providerMetadata(community: string | undefined): Promise<object | undefined> {
    const { addresses } = this.#parts;
    const all = this.#communities.filter((one) => this.#provider(one.uri) !== undefined);
    const asked = community === undefined ? all[0] : all.find(({ uri }) => uri === community);
    return asked && providerMetadata(asked.provider!, addresses);
  }

  /** Whether the hub signs its users in for the clients of a community. */
  isProvider(community: unknown): boolean {
    return this.#provider(community) !== undefined;
  }

  /** The claims of an ID token as a resource holder of the community takes them ("JSON Web Token (JWT) Requirements"). */
  async idToken(community: unknown, claims: JWTPayload): Promise<string> {
    const provider = this.#provider(community);
    if (!provider) throw new Error('the hub is no identity provider of the community any more');
    // Of the digest of another algorithm.
    const { at_hash: _digest, ...kept } = claims;
    return signed(provider, kept);
  }

  #provider(community: unknown): ServerCertificate | undefined {
    const { provider } = this.#communities.find(({ uri }) => uri === community) ?? {};
    return provider && isCertificateFor(provider, this.#parts.addresses.issuer) ? provider : undefined;
  }

  /** Carries out a registration. @param describe checks metadata and completes them, with an id; throws InvalidClientMetadata */
  async register(statement: unknown, describe: (metadata: object) => ClientMetadata): Promise<RegistrationAnswer> {
    let uri: string | undefined;
    try {
      const endpoint = `${this.#parts.addresses.issuer}/register`;
      const read = await readStatement(statement, endpoint, this.#communities);
      uri = read.uri;
      const registered = await this.#registrations.carryOut(read, describe);
      const body = { client_id: registered.client, software_statement: statement, ...read.metadata };
      return { status: registered.outcome === 'made' ? 201 : 200, body, registered, uri };
    } catch (error) {
      return { status: 400, body: refusalOf(error), registered: undefined, uri };
    }
  }

  /** Before an assertion is verified; see `takeKey` of clients.ts. */
  takeKey(assertion: string): Promise<void> {
    return takeKey(this.#parts.clients, this.#communities, assertion);
  }

  /** Checks how a client shows who it is and, of one without users, for whom and why it asks. @throws OIDCProviderError */
  async check(
    ctx: KoaContextWithOIDC,
    claims: { [name: string]: unknown },
    client: { [name: string]: unknown },
  ): Promise<void> {
    const { client_assertion: assertion, grant_type: grantType } = ctx.oidc.params as { [name: string]: string };
    await checkUdapAssertion(assertion!, this.#communities, claims, client);
    if (ctx.oidc.route !== 'token' || grantType !== 'client_credentials') return;
    this.#asked.set(ctx.oidc, await askedFor(this.#parts.database, String(client.clientId), claims));
  }

  /** For whom and why the client of a request asks. */
  askedFor(ctx: KoaContextWithOIDC): AskedFor | undefined {
    return this.#asked.get(ctx.oidc);
  }

  async #read(): Promise<void> {
    const { file, revocations } = this.#parts;
    const { communities, faults } = await readCommunities(file, revocations);
    this.faults = faults;
    for (const fault of faults) this.#fault(fault);
    const before = this.#communities.filter((one) => !communities.some(({ uri }) => uri === one.uri));
    this.#communities = [...communities, ...(faults.length > 0 ? before : [])];
  }

  #fault(fault: string): void {
    this.#parts.log.error({ fault }, 'a trust community (UDAP) cannot be read');
  }
}

function refusalOf(error: unknown): { [name: string]: unknown } {
  if (error instanceof RegistrationRefused) return { error: error.code, error_description: error.message };
  if (!(error instanceof errors.InvalidClientMetadata)) throw error;
  return { error: error.error, error_description: error.error_description ?? error.message };
}
