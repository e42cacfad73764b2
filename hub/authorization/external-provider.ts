/**
 * Signing in through an external OpenID provider (OpenID Connect Core 1.0, 3.1; PKCE, RFC 7636), by `openid-client`, which is
 * loaded with the first such sign-in. What the browser comes back with is good once, and only in the browser that was sent.
 * The operator named the provider, or an app did whose trust community vouches for it (`tiered.ts`).
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Configuration } from 'openid-client';
import type { SignInSteps, StepKind } from '../trust/index.ts';
import { guardedFetch } from './guarded-fetch.ts';

export interface ExternalSettings {
  issuer: string;
  clientId: string;
  /** File with the client's secret; without one the client is public. */
  secretFile: string | undefined;
  scope: string;
}

export type Claims = { [name: string]: unknown };

/** Somebody whom the provider vouches for. */
export interface Vouched {
  issuer: string;
  subject: string;
  claims: Claims;
  /** Two factors or more were asked for (RFC 8176, "mfa"). */
  isMfa: boolean;
  /** Where the browser wanted to go. */
  back: string | undefined;
  /** The account that asked to be connected. */
  connecting: string | undefined;
}

/** A provider as it is known, with the hub as its client. */
export interface ProviderSource {
  /** What is asked for. */
  scope: string;
  /** @throws ExternalRefused where it does not answer */
  configuration(): Promise<Configuration>;
  /** What must hold of an ID token beside what OpenID asks for; rejects where it does not. */
  check?(idToken: string): Promise<void>;
}

/** The provider, or what came back from it, is not as it should be. */
export class ExternalRefused extends Error {
  /** What the provider says of it (RFC 6749 §4.1.2.1, §5.2). */
  readonly error: string | undefined;

  constructor(message: string, error?: string) {
    super(message);
    this.error = error;
  }
}

const discoveryMs = 3_600_000;

export class ExternalProvider {
  readonly #source: ProviderSource;
  readonly #steps: SignInSteps;
  readonly #kind: StepKind;

  /** @param kind keeps what was asked of one way of signing in from being answered in another */
  constructor(source: ProviderSource, steps: SignInSteps, kind: StepKind = 'external') {
    this.#source = source;
    this.#steps = steps;
    this.#kind = kind;
  }

  /**
   * Where to send a browser. `key` has to come back with it, by a cookie.
   * @param redirectUri as it is registered with the provider
   * @param more is remembered beside
   * @throws ExternalRefused where the provider does not answer
   */
  async begin(
    redirectUri: string,
    { back, connecting }: Pick<Vouched, 'back' | 'connecting'>,
    more: { [name: string]: string } = {},
  ): Promise<{ address: string; key: string }> {
    const client = await import('openid-client');
    const configuration = await this.#source.configuration();
    const key = randomBytes(32).toString('base64url');
    const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
    const address = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: this.#source.scope,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    const value = {
      ...more,
      verifier,
      state,
      nonce,
      redirectUri,
      ...(back ? { back } : {}),
      ...(connecting ? { connecting } : {}),
    };
    await this.#steps.put(this.#kind, key, undefined, value);
    return { address: address.href, key };
  }

  /**
   * Who came back.
   * @param query of the address to which the provider sent the browser
   * @throws ExternalRefused where it is not the answer to what was asked in this browser, or the provider refuses
   */
  async end(query: string, key: string): Promise<Vouched> {
    const step = await this.#steps.take(this.#kind, key, undefined);
    if (!step) throw new ExternalRefused('nothing was asked in this browser, or too long ago');
    const client = await import('openid-client');
    const configuration = await this.#source.configuration();
    const refused = (error: unknown): never => {
      const { error: told } = error as { error?: unknown };
      throw new ExternalRefused(
        error instanceof Error ? error.message : String(error),
        typeof told === 'string' ? told : undefined,
      );
    };
    const tokens = await client
      .authorizationCodeGrant(configuration, new URL(`${step.redirectUri}${query}`), {
        pkceCodeVerifier: step.verifier!,
        expectedState: step.state!,
        expectedNonce: step.nonce!,
        idTokenExpected: true,
      })
      .catch(refused);
    await this.#source.check?.(tokens.id_token!).catch(refused);
    const claims = tokens.claims()!;
    const more = configuration.serverMetadata().userinfo_endpoint
      ? await client.fetchUserInfo(configuration, tokens.access_token, claims.sub).catch(refused)
      : {};
    const { amr } = claims;
    return {
      issuer: claims.iss,
      subject: claims.sub,
      claims: { ...more, ...claims },
      isMfa: Array.isArray(amr) && amr.includes('mfa'),
      back: step.back,
      connecting: step.connecting,
    };
  }
}

/** The provider that the operator named, which is discovered anew each hour. */
export class NamedProvider implements ProviderSource {
  readonly #settings: ExternalSettings;
  #configuration: { value: Promise<Configuration>; until: number } | undefined;

  constructor(settings: ExternalSettings) {
    this.#settings = settings;
  }

  get scope(): string {
    return this.#settings.scope;
  }

  configuration(): Promise<Configuration> {
    if (!this.#configuration || this.#configuration.until < Date.now()) {
      const value = this.#discover();
      this.#configuration = { value, until: Date.now() + discoveryMs };
      value.catch(() => {
        this.#configuration = undefined;
      });
    }
    return this.#configuration.value;
  }

  async #discover(): Promise<Configuration> {
    const client = await import('openid-client');
    const { issuer, clientId, secretFile } = this.#settings;
    const secret = secretFile === undefined ? undefined : readFileSync(secretFile, 'utf8').trim();
    // The operator named the provider's own address, so it may be in a private network; what its metadata name may not.
    const own = [new URL(issuer).origin];
    try {
      return await client.discovery(
        new URL(issuer),
        clientId,
        undefined,
        secret === undefined ? client.None() : client.ClientSecretBasic(secret),
        {
          [client.customFetch]: (address, options) =>
            guardedFetch(address, own, {
              method: options.method,
              headers: options.headers,
              body: options.body == null ? undefined : String(options.body),
            }),
          execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
        },
      );
    } catch (error) {
      throw new ExternalRefused(error instanceof Error ? error.message : String(error));
    }
  }
}
