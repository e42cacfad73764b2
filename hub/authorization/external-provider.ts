/**
 * Signing in through an external OpenID provider (OpenID Connect Core 1.0, 3.1; PKCE, RFC 7636), by `openid-client`, which is
 * loaded with the first such sign-in. What the browser comes back with is good once, and only in the browser that was sent.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Configuration } from 'openid-client';
import type { SignInSteps } from '../trust/index.ts';
import { guardedFetch } from './guarded-fetch.ts';

export interface ExternalSettings {
  issuer: string;
  clientId: string;
  /** File with the client's secret; without one the client is public. */
  secretFile: string | undefined;
  /** What the provider is called on the sign-in page. */
  name: string;
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

/** The provider, or what came back from it, is not as it should be. */
export class ExternalRefused extends Error {}

const discoveryMs = 3_600_000;

export class ExternalProvider {
  readonly settings: ExternalSettings;
  readonly #steps: SignInSteps;
  #configuration: { value: Promise<Configuration>; until: number } | undefined;

  constructor(settings: ExternalSettings, steps: SignInSteps) {
    this.settings = settings;
    this.#steps = steps;
  }

  /**
   * Where to send a browser. `key` has to come back with it, by a cookie.
   * @param redirectUri as it is registered with the provider
   * @throws ExternalRefused where the provider does not answer
   */
  async begin(
    redirectUri: string,
    { back, connecting }: Pick<Vouched, 'back' | 'connecting'>,
  ): Promise<{ address: string; key: string }> {
    const client = await import('openid-client');
    const configuration = await this.#discovered();
    const key = randomBytes(32).toString('base64url');
    const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
    const address = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: this.settings.scope,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    const value = {
      verifier,
      state,
      nonce,
      redirectUri,
      ...(back ? { back } : {}),
      ...(connecting ? { connecting } : {}),
    };
    await this.#steps.put('external', key, undefined, value);
    return { address: address.href, key };
  }

  /**
   * Who came back.
   * @param query of the address to which the provider sent the browser
   * @throws ExternalRefused where it is not the answer to what was asked in this browser, or the provider refuses
   */
  async end(query: string, key: string): Promise<Vouched> {
    const step = await this.#steps.take('external', key, undefined);
    if (!step) throw new ExternalRefused('nothing was asked in this browser, or too long ago');
    const client = await import('openid-client');
    const configuration = await this.#discovered();
    const refused = (error: unknown): never => {
      throw new ExternalRefused(error instanceof Error ? error.message : String(error));
    };
    const tokens = await client
      .authorizationCodeGrant(configuration, new URL(`${step.redirectUri}${query}`), {
        pkceCodeVerifier: step.verifier!,
        expectedState: step.state!,
        expectedNonce: step.nonce!,
        idTokenExpected: true,
      })
      .catch(refused);
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

  #discovered(): Promise<Configuration> {
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
    const { issuer, clientId, secretFile } = this.settings;
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
