/**
 * The authorization server of the hub. It knows who may get a token; what a token opens is the business of the access
 * decision. It answers once it knows under which address the hub is reached.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import Provider, { type ClientMetadata, errors } from 'oidc-provider';
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import { faultText } from '../faults.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog, User } from '../trust/index.ts';
import { removeExpired } from './artifacts.ts';
import { isLoopback } from './client-rules.ts';
import { Clients, type RegisteredClient } from './clients.ts';
import { OAuthGrants, type VerifiedToken } from './grants.ts';
import { guardedFetch } from './guarded-fetch.ts';
import { type Handed, handTo, mountPath } from './handler.ts';
import { type Answer, answer, type Exchange, type InteractionParts, type Question, question } from './interactions.ts';
import { introspection } from './introspection.ts';
import { KeySets } from './key-sets.ts';
import { SigningKeys } from './keys.ts';
import { Launches } from './launches.ts';
import { type Addresses, makeProvider } from './provider.ts';
import { recorded } from './recorded.ts';
import { completeAnswers, forgetSignIn, withAllowedScopes, withClient, withConsent } from './shims.ts';
import { smartConfiguration } from './smart-configuration.ts';

export interface AuthorizationParts {
  database: Database;
  master: Buffer;
  accessLog: AccessLog;
  log: Logger;
  /** Addresses below which key sets are fetched although they are in a private network. */
  keysFrom: readonly string[];
  /** The user of this name, where there is one. */
  user(username: string): Promise<User | undefined>;
  /** The user as a resource: `Practitioner/…`; undefined where there is none. */
  fhirUserOf(user: User): Promise<string | undefined>;
}

interface Open {
  provider: Provider;
  answer: ReturnType<Provider['callback']>;
  addresses: Addresses;
  /** Which keys it has. */
  kids: string;
}

const tidyMs = 60_000;

export class Authorization {
  readonly clients: Clients;
  readonly grants: OAuthGrants;
  readonly launches: Launches;
  readonly #parts: AuthorizationParts;
  readonly #keys: SigningKeys;
  readonly #keySets: KeySets;
  #open: Open | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: AuthorizationParts) {
    this.#parts = parts;
    this.clients = new Clients(parts.database);
    this.grants = new OAuthGrants(parts.database);
    this.launches = new Launches(parts.database);
    this.#keys = new SigningKeys(parts.database, parts.master);
    this.#keySets = new KeySets((url) => guardedFetch(url, parts.keysFrom));
  }

  /** Begins to answer. @param url where the hub is reached: scheme, host and port */
  async open(url: string): Promise<void> {
    const addresses = addressesOf(url);
    await this.#renew(addresses);
    this.#timer = setInterval(() => void this.refresh(), tidyMs).unref();
  }

  /** Removes what has expired and takes up new keys; once a minute by itself. */
  async refresh(): Promise<void> {
    try {
      await removeExpired(this.#parts.database);
      if (this.#open) await this.#renew(this.#open.addresses);
    } catch (error) {
      this.#parts.log.error({ error: faultText(error) }, 'the authorization server was not brought up to date');
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#open = undefined;
  }

  /** What a client is told of this server. @throws RecordError 503 while it does not answer */
  configuration(): object {
    return smartConfiguration(this.#opened().addresses);
  }

  /** Answers a request below `/oauth`. @throws RecordError 503 while it does not answer */
  async answer(request: IncomingMessage, response: ServerResponse, body: Buffer | undefined): Promise<void> {
    const { provider, addresses, answer: answerBy } = this.#opened();
    const handed = await this.#handed(provider, request, body);
    await handTo({ issuer: addresses.issuer, answer: answerBy }, request, response, handed);
  }

  /**
   * What the token in a request for introspection is, told to a resource server that shows its own.
   * @throws RecordError 401, 403 where it may not ask
   */
  async introspect(bearer: string, body: Buffer | undefined): Promise<object> {
    const { addresses } = this.#opened();
    const asking = await this.verify(bearer);
    if (!asking) throw new RecordError(401, 'login', 'The token is not one of this hub, or not any more.');
    const client = await this.clients.one(asking.client);
    if (client?.metadata.may_introspect !== true) {
      throw new RecordError(403, 'forbidden', 'This client may not introspect the tokens of others.');
    }
    const token = new URLSearchParams(body?.toString() ?? '').get('token');
    if (!token) throw new RecordError(400, 'required', 'token is missing.', 'token');
    return introspection(this.#parts.database, addresses, token);
  }

  /** What a token stands for; undefined where it is none of this server's, or not any more. */
  async verify(token: string): Promise<VerifiedToken | undefined> {
    return this.#open && this.grants.verify(token, this.#open.addresses.fhir);
  }

  /** What a user is asked; see `question`. */
  question(exchange: Exchange, user: User): Promise<Question> {
    return question(this.#interaction(), exchange, user);
  }

  /** See `answer`; returns where the browser goes on. */
  decide(exchange: Exchange, user: User, session: string, given: Answer): Promise<string> {
    return answer(this.#interaction(), exchange, user, session, given);
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
    const { Client } = this.#opened().provider;
    const { may_introspect } = described;
    const own = may_introspect === undefined ? {} : { may_introspect };
    const metadata = { ...withAllowedScopes(described), ...own, client_id: randomUUID() } as ClientMetadata;
    const needsSecret = (Client as unknown as { needsSecret(metadata: ClientMetadata): boolean }).needsSecret;
    const secret = needsSecret({ token_endpoint_auth_method: 'client_secret_basic', ...metadata })
      ? randomBytes(32).toString('base64url')
      : undefined;
    let checked: ClientMetadata;
    try {
      const made = new (Client as unknown as new (metadata: ClientMetadata) => { metadata(): ClientMetadata })({
        ...metadata,
        ...(secret === undefined ? {} : { client_secret: secret }),
      });
      checked = made.metadata();
    } catch (error) {
      if (!(error instanceof errors.InvalidClientMetadata)) throw error;
      throw new RecordError(400, 'value', `${error.error_description ?? error.message}.`);
    }
    await this.clients.add(checked, 'active', organization, by);
    return { client: (await this.clients.one(metadata.client_id))!, secret };
  }

  /** The address that starts an app for a patient. @throws RecordError 404 for an app that cannot be started so */
  async launch(clientId: string, user: User, patient: string, encounter: string | undefined): Promise<string> {
    const { addresses } = this.#opened();
    const client = await this.clients.one(clientId);
    const url = client?.state === 'active' ? client.metadata.launch_url : undefined;
    if (typeof url !== 'string') throw new RecordError(404, 'not-found', 'There is no such app to open from a chart.');
    const start = new URL(url);
    start.searchParams.set('iss', addresses.fhir);
    start.searchParams.set('launch', await this.launches.begin(clientId, user.username, { patient, encounter }));
    return start.href;
  }

  #opened(): Open {
    if (this.#open) return this.#open;
    const text = 'The authorization server does not answer yet; try again in a moment.';
    throw new RecordError(503, 'transient', text).with('retry-after', '2');
  }

  #interaction(): InteractionParts {
    const { provider, addresses } = this.#opened();
    const { grants, launches } = this;
    return { provider, fhir: addresses.fhir, grants, launches, fhirUserOf: (user) => this.#parts.fhirUserOf(user) };
  }

  async #handed(provider: Provider, request: IncomingMessage, body: Buffer | undefined): Promise<Handed> {
    const url = request.url!.slice(mountPath.length);
    const [path, query = ''] = url.split('?', 2) as [string, string | undefined];
    const contentType = request.headers['content-type'];
    const method = request.method!;
    const isForm = contentType?.split(';')[0]?.trim().toLowerCase() === 'application/x-www-form-urlencoded';
    const form = isForm ? new URLSearchParams(body?.toString() ?? '') : undefined;
    // Apps may send the request for authorization by POST; it is answered as the same by GET.
    if (path === '/authorize') {
      const parameters = method === 'POST' && form ? form : new URLSearchParams(query);
      return { method: 'GET', url: `${path}?${withConsent(parameters)}` };
    }
    const assertion = form?.get('client_assertion');
    if (assertion) await this.#keySets.forget(provider, assertion);
    if (form && path === '/par') return posted(url, withConsent(form));
    if (form && path === '/token') {
      return posted(url, await withClient(provider, form, request.headers.authorization !== undefined));
    }
    if (path === '/register' && body) return { method, url, body: Buffer.from(allowed(body)), contentType };
    return { method, url, ...(body ? { body, contentType } : {}) };
  }

  /** Takes up keys that were made since, by this hub or another. */
  async #renew(addresses: Addresses): Promise<void> {
    const keys = await this.#keys.load();
    const kids = keys.map(({ kid }) => kid).join();
    if (this.#open?.kids === kids) return;
    const { database, master } = this.#parts;
    const claims = (username: string, grantId: string | undefined) => this.#claims(addresses, username, grantId);
    const provider = makeProvider(
      { database, master, clients: this.clients, keySets: this.#keySets, claims },
      addresses,
      keys,
    );
    provider.use(recorded(this.#parts.accessLog));
    provider.use(forgetSignIn);
    provider.use(completeAnswers(this.grants, `${addresses.issuer}/smart-style.json`));
    const failed = (error: unknown) =>
      this.#parts.log.error({ error: faultText(error) }, 'the authorization server failed to answer');
    provider.on('server_error', (_ctx, error) => failed(error));
    // Without a listener Koa writes the error, with whatever it holds, to the terminal.
    (provider as EventEmitter).on('error', failed);
    this.#open = { provider, addresses, kids, answer: provider.callback() };
  }

  async #claims(addresses: Addresses, username: string, grantId: string | undefined) {
    const user = await this.#parts.user(username);
    if (!user) return undefined;
    const context = grantId === undefined ? undefined : await this.grants.context(grantId);
    if (grantId !== undefined && !context) return undefined;
    const { fhirUser } = context ?? {};
    return { name: user.name, ...(fhirUser === undefined ? {} : { fhirUser: `${addresses.fhir}/${fhirUser}` }) };
  }
}

function posted(url: string, form: URLSearchParams): Handed {
  return { method: 'POST', url, body: Buffer.from(String(form)), contentType: 'application/x-www-form-urlencoded' };
}

/** A registration's body; what is no JSON object is left for the provider to refuse. */
function allowed(body: Buffer): string {
  try {
    const described: unknown = JSON.parse(body.toString());
    if (typeof described !== 'object' || described === null || Array.isArray(described)) return body.toString();
    return JSON.stringify(withAllowedScopes(described as { [name: string]: unknown }));
  } catch {
    return body.toString();
  }
}

function addressesOf(url: string): Addresses {
  const { origin, port, protocol, hostname } = new URL(url);
  const names = isLoopback(hostname) ? ['localhost', '127.0.0.1', '[::1]'] : [];
  const bases = [origin, ...names.map((name) => new URL(`${protocol}//${name}:${port}`).origin)].map(
    (one) => `${one}/fhir`,
  );
  return {
    issuer: `${origin}${mountPath}`,
    fhir: `${origin}/fhir`,
    isFhir: (address) => bases.includes(address.replace(/\/$/, '')),
  };
}
