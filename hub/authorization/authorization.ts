/**
 * The authorization server of the hub. It knows who may get a token; what a token opens is the business of the access
 * decision. It answers once it knows under which address the hub is reached.
 */
import type { X509Certificate } from 'node:crypto';
import type { Logger } from 'pino';
import type { Database, Queryable } from '../database/index.ts';
import { faultText } from '../faults.ts';
import { RecordError } from '../record/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import type { AccessLog, SignInSteps, User } from '../trust/index.ts';
import { type Addresses, addressesOf } from './addresses.ts';
import { type BrandBundle, Brands } from './brands.ts';
import { Clients, type RegisteredClient } from './clients.ts';
import { DpopProofs, wrongScheme } from './dpop.ts';
import { OAuthGrants, type VerifiedToken } from './grants.ts';
import { removeExpired } from './handles.ts';
import type { Answer, Exchange, Question } from './interactions.ts';
import { introspection } from './introspection.ts';
import { type Launch, Launches } from './launches.ts';
import { recordRegistration } from './recorded.ts';
import type { RevocationSources } from './revocation-sources.ts';
import type { Server } from './server.ts';
import { smartConfiguration } from './smart-configuration.ts';
import type { CameBack, SentOn, Tiered } from './tiered.ts';
import type { IdentityProviders, KnownProvider } from './udap/identity-providers.ts';
import type { RegistrationAnswer, ShownCommunity, Udap } from './udap/udap.ts';

export interface AuthorizationParts {
  database: Database;
  master: MasterKey;
  accessLog: AccessLog;
  log: Logger;
  /** Addresses below which key sets are fetched although they are in a private network. */
  keysFrom: readonly string[];
  /** The file that describes the trust communities of the hub (UDAP). */
  udapFile: string | undefined;
  /** What tells of revoked certificates. */
  revocationSources: RevocationSources;
  /** What a browser that is sent to an identity provider has to bring back. */
  steps: SignInSteps;
  /** Whether the hub asks clients for certificates (RFC 8705). */
  asksCertificates: boolean;
  /** Told by which certificate a client showed who it is. */
  certificateSeen(client: string, certificate: X509Certificate): void;
  /** The user of this name, where there is one. */
  user(username: string): Promise<User | undefined>;
  /** The user as a resource: `Practitioner/…`; undefined where there is none. */
  fhirUserOf(user: User): Promise<string | undefined>;
}

/** A request whose token came with a proof. */
export interface AskedWithProof {
  method: string;
  /** Path, with or without query. */
  path: string;
  proof: unknown;
}

/** What a token came with. */
export interface ShownWithToken {
  /** The thumbprint of the client's certificate (RFC 8705). */
  certificate: string | undefined;
  /** Undefined where it came as it is. */
  proven?: AskedWithProof | undefined;
}

const tidyMs = 60_000;

export class Authorization {
  readonly clients: Clients;
  readonly grants: OAuthGrants;
  readonly launches: Launches;
  readonly brands: Brands;
  readonly #parts: AuthorizationParts;
  readonly #proofs: DpopProofs;
  #addresses: Addresses | undefined;
  #server: Promise<Server> | undefined;
  #udap: Udap | undefined;
  #tiered: Tiered | undefined;
  #providers: IdentityProviders | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: AuthorizationParts) {
    this.#parts = parts;
    this.clients = new Clients(parts.database);
    this.grants = new OAuthGrants(parts.database);
    this.launches = new Launches(parts.database);
    this.brands = new Brands(parts.database);
    this.#proofs = new DpopProofs(parts.database, () => parts.master.derived('causeway dpop nonces of the record'));
  }

  /**
   * Begins to answer.
   * @param url where the hub is reached: scheme, host and port
   * @throws Error where the file of trust communities is not as it must be
   */
  async open(url: string): Promise<void> {
    const addresses = addressesOf(url);
    if (this.#parts.udapFile !== undefined) this.#udap = await this.#joined(this.#parts.udapFile, addresses);
    this.#addresses = addresses;
    this.#timer = setInterval(() => void this.refresh(), tidyMs).unref();
  }

  /** Removes what has expired and takes up new keys; once a minute by itself. */
  async refresh(): Promise<void> {
    try {
      await removeExpired(this.#parts.database);
      await (await this.#server)?.renew();
      await this.#udap?.refresh();
    } catch (error) {
      this.#parts.log.error({ error: faultText(error) }, 'the authorization server was not brought up to date');
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#addresses = undefined;
    this.#server = undefined;
  }

  /** What a client is told of this server. @throws RecordError 503 while it does not answer */
  configuration(): ReturnType<typeof smartConfiguration> {
    return smartConfiguration(this.#opened(), this.#parts.asksCertificates);
  }

  /** The brands by which users find this server. @throws RecordError 503 while it does not answer */
  async brandBundle(): Promise<BrandBundle> {
    return this.brands.bundle(this.#opened());
  }

  /**
   * What a client of a trust community is told of this server; undefined where the hub has nothing to show there.
   * @throws RecordError 404 where it is in no community, 503 while it does not answer
   */
  async udapMetadata(community: string | undefined): Promise<object | undefined> {
    this.#opened();
    const told = await this.#udap?.metadata(community);
    if (told || (this.#udap && community !== undefined)) return told;
    throw new RecordError(404, 'not-found', 'This hub is in no trust community (UDAP).');
  }

  /** The same of the hub as an identity provider for others of a community. @throws RecordError 404 where it is none, 503 while it does not answer */
  async providerMetadata(community: string | undefined): Promise<object | undefined> {
    this.#opened();
    const told = await this.#udap?.providerMetadata(community);
    if (told || (this.#udap && community !== undefined)) return told;
    throw new RecordError(404, 'not-found', 'This hub signs nobody in for others (UDAP).');
  }

  /** Whether a registration is by a software statement of a trust community. */
  isByStatement(body: Buffer | undefined): boolean {
    return this.#udap !== undefined && statementOf(body) !== undefined;
  }

  /** Registers, changes or cancels a client by such a statement, and records that. */
  async registerByStatement(body: Buffer | undefined): Promise<Pick<RegistrationAnswer, 'status' | 'body'>> {
    const answer = await (await this.#serving()).registerByStatement(this.#udap!, statementOf(body));
    await recordRegistration(this.#parts.accessLog, answer);
    return answer;
  }

  /** What answers requests below `/oauth`; made when it is first asked for. @throws RecordError 503 while it does not answer */
  server(): Promise<Pick<Server, 'prepare' | 'answer'>> {
    return this.#serving();
  }

  /**
   * What the token in a request for introspection is, told to a resource server that shows its own.
   * @throws RecordError 401, 403 where it may not ask
   */
  async introspect(bearer: string, shown: ShownWithToken, body: Buffer | undefined): Promise<object> {
    const addresses = this.#opened();
    const asking = await this.verify(bearer, shown);
    if (!asking) throw new RecordError(401, 'login', 'The token is not one of this hub, or not any more.');
    const client = await this.clients.one(asking.client);
    if (client?.metadata.may_introspect !== true) {
      throw new RecordError(403, 'forbidden', 'This client may not introspect the tokens of others.');
    }
    const token = new URLSearchParams(body?.toString() ?? '').get('token');
    if (!token) throw new RecordError(400, 'required', 'token is missing.', 'token');
    return introspection(this.#parts.database, addresses, token);
  }

  /**
   * What a token stands for; undefined where it is none of this server's, or not any more.
   * @throws RecordError 401 where it is bound to a key or a certificate, and was sent without
   */
  async verify(token: string, { certificate, proven }: ShownWithToken): Promise<VerifiedToken | undefined> {
    const addresses = this.#addresses;
    const verified = addresses && (await this.grants.verify(token, addresses.fhir));
    if (!verified) return undefined;
    if ((verified.key === undefined) !== (proven === undefined)) throw wrongScheme(verified.key !== undefined);
    if (verified.certificate !== undefined && verified.certificate !== certificate) throw wrongCertificate();
    if (proven && verified.key !== undefined) {
      await this.#proofs.check({ ...proven, token }, verified.key, addresses);
    }
    return verified;
  }

  /** Where a browser goes whose app names an identity provider; see `sentOn` of server.ts. */
  async sentOn(exchange: Exchange): Promise<(SentOn & { isRefused: boolean }) | undefined> {
    return this.#tiered && (await this.#serving()).sentOn(exchange);
  }

  /** Whether users may be signed in by identity providers of a community of the hub's. */
  signsInElsewhere(): boolean {
    return this.#udap?.communities().some(({ tiered }) => tiered !== undefined) ?? false;
  }

  /** The trust communities of the hub as they were read last, and the identity providers at which it is a client. */
  async trust(): Promise<{ communities: ShownCommunity[]; faults: string[]; providers: KnownProvider[] }> {
    const providers = (await this.#providers?.known()) ?? [];
    return { communities: this.#udap?.shown() ?? [], faults: this.#udap?.faults ?? [], providers };
  }

  /** Lets the hub register itself anew at an identity provider. @returns whether it was a client there */
  async forgetProvider(address: string, database: Queryable): Promise<boolean> {
    return (await this.#providers?.forget(address, database)) ?? false;
  }

  /** Where a browser is sent whose user connects an account with an identity provider of a community. @throws RecordError 400 */
  async connectAt(idp: string, username: string): Promise<Required<SentOn>> {
    const refused = () => {
      throw new RecordError(400, 'value', 'This identity provider cannot be used to sign in here.', 'idp');
    };
    return this.#tiered?.begin(idp, { connecting: username }).catch(refused) ?? refused();
  }

  /** Who came back from an identity provider; see `cameBack` of server.ts. */
  async cameBack(query: string, key: string): Promise<CameBack | undefined> {
    return this.#tiered && (await this.#serving()).cameBack(query, key);
  }

  /** The file that says which claims of an identity provider make an account here. */
  async accountsFile(idp: string): Promise<string | undefined> {
    return this.#providers?.accountsFile(idp);
  }

  /** Ends an app's request with an error; where the browser goes on. */
  async refuseInteraction(uid: string, error: string): Promise<string | undefined> {
    return (await this.#serving()).refuseInteraction(uid, error);
  }

  /** What a user is asked; see `question` of interactions.ts. */
  async question(exchange: Exchange, user: User): Promise<Question> {
    return (await this.#serving()).question(exchange, user);
  }

  /** See `answer` of interactions.ts; returns where the browser goes on. */
  async decide(exchange: Exchange, user: User, session: string, given: Answer): Promise<string> {
    return (await this.#serving()).decide(exchange, user, session, given);
  }

  /**
   * Registers a client that an administrator describes, active at once. Its secret, where it has one, is told once.
   * @throws RecordError 400
   */
  async register(
    described: { [name: string]: unknown },
    organization: string,
    by: string,
  ): Promise<{ client: RegisteredClient; secret: string | undefined }> {
    const { metadata, secret } = (await this.#serving()).described(described);
    await this.clients.add(metadata, 'active', organization, by);
    return { client: (await this.clients.one(metadata.client_id))!, secret };
  }

  /** The address that starts an app for a patient. @throws RecordError 404 for an app that cannot be started so */
  async launch(clientId: string, user: User, launch: Launch): Promise<string> {
    const addresses = this.#opened();
    const client = await this.clients.one(clientId);
    const url = client?.state === 'active' ? client.metadata.launch_url : undefined;
    if (typeof url !== 'string') throw new RecordError(404, 'not-found', 'There is no such app to open from a chart.');
    const start = new URL(url);
    start.searchParams.set('iss', addresses.fhir);
    start.searchParams.set('launch', await this.launches.begin(clientId, user.username, launch));
    return start.href;
  }

  async #joined(file: string, addresses: Addresses): Promise<Udap> {
    const { database, log, keysFrom, steps, revocationSources } = this.#parts;
    const [{ Udap: Joined }, revocations] = await Promise.all([import('./udap/udap.ts'), revocationSources.opened()]);
    const udap = await Joined.open({ database, clients: this.clients, addresses, log, file, revocations });
    const [{ Tiered: Opened }, { IdentityProviders: Found }] = await Promise.all([
      import('./tiered.ts'),
      import('./udap/identity-providers.ts'),
    ]);
    this.#providers = new Found({ database, addresses, allowed: keysFrom, communities: () => udap.communities() });
    this.#tiered = new Opened({ providers: this.#providers, steps, issuer: addresses.issuer });
    return udap;
  }

  #opened(): Addresses {
    if (this.#addresses) return this.#addresses;
    const text = 'The authorization server does not answer yet; try again in a moment.';
    throw new RecordError(503, 'transient', text).with('retry-after', '2');
  }

  #serving(): Promise<Server> {
    const addresses = this.#opened();
    this.#server ??= this.#start(addresses).catch((error) => {
      this.#server = undefined;
      throw error;
    });
    return this.#server;
  }

  async #start(addresses: Addresses): Promise<Server> {
    const { Server: Started } = await import('./server.ts');
    const { clients, grants, launches } = this;
    return Started.start(
      { ...this.#parts, clients, grants, launches, udap: this.#udap, tiered: this.#tiered },
      addresses,
    );
  }
}

/** A token that is another's (RFC 8705 §3). */
function wrongCertificate(): RecordError {
  const text = 'The token is bound to a client certificate, which this request does not show.';
  return new RecordError(401, 'login', text).with('www-authenticate', 'Bearer error="invalid_token"');
}

/** The software statement in a registration, of whatever form; undefined where there is none. */
function statementOf(body: Buffer | undefined): unknown {
  try {
    return (JSON.parse(body?.toString() ?? '') as { software_statement?: unknown } | null)?.software_statement;
  } catch {
    return undefined;
  }
}
