/**
 * `oidc-provider` at work. It is loaded with the first request that needs it, since it takes some 20 MB and a fifth of a second
 * of CPU time; looking tokens up does without it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ClientMetadata, errors, type Provider } from 'oidc-provider';
import { faultText } from '../faults.ts';
import { RecordError } from '../record/index.ts';
import type { User } from '../trust/index.ts';
import type { Addresses } from './addresses.ts';
import type { AuthorizationParts } from './authorization.ts';
import type { Clients } from './clients.ts';
import type { OAuthGrants } from './grants.ts';
import { guardedFetch } from './guarded-fetch.ts';
import { type Handed, handTo, mountPath } from './handler.ts';
import { type Answer, answer, type Exchange, type InteractionParts, type Question, question } from './interactions.ts';
import { KeySets } from './key-sets.ts';
import { SigningKeys } from './keys.ts';
import type { Launches } from './launches.ts';
import { toldCertificates } from './mutual-tls.ts';
import { makeProvider } from './provider.ts';
import { recorded } from './recorded.ts';
import { completeAnswers, forgetSignIn, signedIdTokens, withAllowedScopes, withClient, withConsent } from './shims.ts';
import { type CameBack, namedProvider, refuse, type SentOn, signedIn, type Tiered } from './tiered.ts';
import type { RegistrationAnswer, Udap } from './udap/udap.ts';

export interface ServerParts extends AuthorizationParts {
  clients: Clients;
  grants: OAuthGrants;
  launches: Launches;
  udap: Udap | undefined;
  tiered: Tiered | undefined;
}

interface Serving {
  provider: Provider;
  answer: ReturnType<Provider['callback']>;
  /** Which keys it has. */
  kids: string;
}

export class Server {
  readonly #parts: ServerParts;
  readonly #addresses: Addresses;
  readonly #keys: SigningKeys;
  readonly #keySets: KeySets;
  #serving: Serving | undefined;

  private constructor(parts: ServerParts, addresses: Addresses) {
    this.#parts = parts;
    this.#addresses = addresses;
    this.#keys = new SigningKeys(parts.database, parts.master);
    this.#keySets = new KeySets((url) => guardedFetch(url, parts.keysFrom));
  }

  static async start(parts: ServerParts, addresses: Addresses): Promise<Server> {
    const server = new Server(parts, addresses);
    await server.renew();
    return server;
  }

  /** Takes up keys that were made since, by this hub or another. */
  async renew(): Promise<void> {
    const keys = await this.#keys.load();
    // What is derived from the master key is renewed with it.
    const kids = [
      ...keys.map(({ kid }) => kid),
      ...this.#parts.master.derived('causeway oauth server').map((key) => key.toString('base64url')),
    ].join();
    if (this.#serving?.kids === kids) return;
    const { database, master, clients, grants, udap, asksCertificates, accessLog, log } = this.#parts;
    const claims = (username: string, grantId: string | undefined) => this.#claims(username, grantId);
    const provider = makeProvider(
      { database, master, clients, keySets: this.#keySets, udap, asksCertificates, claims },
      this.#addresses,
      keys,
    );
    provider.use(recorded(accessLog));
    provider.use(toldCertificates(this.#parts.certificateSeen));
    provider.use(forgetSignIn);
    if (udap) provider.use(signedIdTokens(udap));
    provider.use(completeAnswers(grants, `${this.#addresses.issuer}/smart-style.json`));
    const failed = (error: unknown) =>
      log.error({ error: faultText(error) }, 'the authorization server failed to answer');
    provider.on('server_error', (_ctx, error) => failed(error));
    // Without a listener Koa writes the error, with whatever it holds, to the terminal.
    (provider as EventEmitter).on('error', failed);
    this.#serving = { provider, kids, answer: provider.callback() };
  }

  /** What a request below `/oauth` is handed on as. */
  prepare(request: IncomingMessage, body: Buffer | undefined): Promise<Handed> {
    return this.#handed(this.#serving!.provider, request, body);
  }

  /** Answers a request below `/oauth`. */
  async answer(request: IncomingMessage, response: ServerResponse, handed: Handed): Promise<void> {
    const { answer: answerBy } = this.#serving!;
    await handTo({ issuer: this.#addresses.issuer, answer: answerBy }, request, response, handed);
  }

  question(exchange: Exchange, user: User): Promise<Question> {
    return question(this.#interaction(), exchange, user);
  }

  decide(exchange: Exchange, user: User, session: string, given: Answer): Promise<string> {
    return answer(this.#interaction(), exchange, user, session, given);
  }

  /**
   * Where a browser goes whose app names an identity provider: to that, or back to the app where it cannot be used. Undefined
   * where there is nothing of the kind to do.
   */
  async sentOn({ request, response }: Exchange): Promise<(SentOn & { isRefused: boolean }) | undefined> {
    const { provider } = this.#serving!;
    const { tiered, log } = this.#parts;
    const interaction = await provider.interactionDetails(request, response).catch(() => undefined);
    const client = interaction && (await provider.Client.find(String(interaction.params.client_id)));
    const idp = interaction && client && namedProvider(interaction, String(client.allowed_scopes ?? ''));
    if (interaction === undefined || idp === undefined) return undefined;
    try {
      if (!tiered) throw new Error('the hub is in no trust community');
      return { ...(await tiered.begin(idp, { interaction: interaction.uid })), isRefused: false };
    } catch (error) {
      log.warn({ error: faultText(error) }, 'an identity provider that an app named cannot be used');
      return { address: await refuse(interaction, 'invalid_idp'), isRefused: true };
    }
  }

  /** Who came back from an identity provider; the request of the app goes on without it. Undefined where nothing was asked. */
  async cameBack(query: string, key: string): Promise<CameBack | undefined> {
    const back = await this.#parts.tiered?.end(query, key);
    if (!back || 'refused' in back || back.interaction === undefined) return back;
    const interaction = await this.#serving!.provider.Interaction.find(back.interaction);
    if (!interaction) return undefined;
    await signedIn(interaction);
    return back;
  }

  /** Ends an app's request with an error; where the browser goes on. */
  async refuseInteraction(uid: string, error: string): Promise<string | undefined> {
    const interaction = await this.#serving!.provider.Interaction.find(uid);
    return interaction && refuse(interaction, error);
  }

  /** The metadata of a client that an administrator describes, checked, with an id and, where it needs one, a secret. @throws RecordError 400 */
  described(described: { [name: string]: unknown }): { metadata: ClientMetadata; secret: string | undefined } {
    const { Client } = this.#serving!.provider;
    const { may_introspect } = described;
    const own = may_introspect === undefined ? {} : { may_introspect };
    const metadata = { ...withAllowedScopes(described), ...own, client_id: randomUUID() } as ClientMetadata;
    const needsSecret = (Client as unknown as { needsSecret(metadata: ClientMetadata): boolean }).needsSecret;
    const secret = needsSecret({ token_endpoint_auth_method: 'client_secret_basic', ...metadata })
      ? randomBytes(32).toString('base64url')
      : undefined;
    try {
      return {
        metadata: this.#checked({ ...metadata, ...(secret === undefined ? {} : { client_secret: secret }) }),
        secret,
      };
    } catch (error) {
      if (!(error instanceof errors.InvalidClientMetadata)) throw error;
      throw new RecordError(400, 'value', `${error.error_description ?? error.message}.`);
    }
  }

  /** Registers a client of a trust community by its software statement. */
  registerByStatement(udap: Udap, statement: unknown): Promise<RegistrationAnswer> {
    return udap.register(statement, (metadata) => this.#checked({ ...metadata, client_id: randomUUID() }));
  }

  /** @throws InvalidClientMetadata */
  #checked(metadata: ClientMetadata): ClientMetadata {
    const { Client } = this.#serving!.provider;
    return new (Client as unknown as new (metadata: ClientMetadata) => { metadata(): ClientMetadata })(
      metadata,
    ).metadata();
  }

  #interaction(): InteractionParts {
    const { grants, launches } = this.#parts;
    const { provider } = this.#serving!;
    return {
      provider,
      fhir: this.#addresses.fhir,
      grants,
      launches,
      fhirUserOf: (user) => this.#parts.fhirUserOf(user),
      isProvider: (community) => this.#parts.udap?.isProvider(community) === true,
    };
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
    if (assertion) await this.#parts.udap?.takeKey(assertion);
    if (form && path === '/par') return posted(url, withConsent(form));
    if (form && path === '/token') {
      return posted(url, await withClient(provider, form, request.headers.authorization !== undefined));
    }
    if (path === '/register' && body) return { method, url, body: Buffer.from(allowed(body)), contentType };
    return { method, url, ...(body ? { body, contentType } : {}) };
  }

  async #claims(username: string, grantId: string | undefined) {
    const user = await this.#parts.user(username);
    if (!user) return undefined;
    const context = grantId === undefined ? undefined : await this.#parts.grants.context(grantId);
    if (grantId !== undefined && !context) return undefined;
    const { fhirUser } = context ?? {};
    const { name, role, organization } = user;
    return {
      name,
      preferred_username: username,
      role,
      organization,
      ...(fhirUser === undefined ? {} : { fhirUser: `${this.#addresses.fhir}/${fhirUser}` }),
    };
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
