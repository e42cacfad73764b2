/**
 * Users of an app who are signed in by the identity provider that the app names (scope `udap`, parameter `idp`; HL7 FHIR UDAP
 * Security 2.0, "Tiered OAuth for User Authentication"; UDAP Tiered OAuth STU 1). What the app asks for is asked of them here
 * as of any user, when they are back.
 */
import type Provider from 'oidc-provider';
import type { SignInSteps } from '../trust/index.ts';
import { ExternalProvider, ExternalRefused, type Vouched } from './external-provider.ts';
import type { IdentityProviders } from './udap/identity-providers.ts';

export interface TieredParts {
  providers: IdentityProviders;
  steps: SignInSteps;
  /** Of the authorization server. */
  issuer: string;
}

/** Where a browser goes on; `key` has to come back with it, by a cookie. */
export interface SentOn {
  address: string;
  key?: string;
}

/** Somebody for whom a provider vouches, or why there is nobody. */
export type CameBack =
  | { vouched: Vouched; idp: string; interaction: string | undefined }
  | { refused: string; interaction: string | undefined };

type Interaction = InstanceType<Provider['Interaction']>;

export class Tiered {
  readonly #parts: TieredParts;

  constructor(parts: TieredParts) {
    this.#parts = parts;
  }

  /** The address to which providers send browsers back, with which the hub is registered. */
  get redirectUri(): string {
    return `${this.#parts.issuer}/idp/back`;
  }

  /** Where a browser is sent to. @param what it is for: an interaction, or an account to be connected @throws Error where the provider is not trusted, or does not answer */
  async begin(idp: string, what: { interaction: string } | { connecting: string }): Promise<Required<SentOn>> {
    const connecting = 'connecting' in what ? what.connecting : undefined;
    const more = { idp, ...('interaction' in what ? { interaction: what.interaction } : {}) };
    return (await this.#provider(idp)).begin(this.redirectUri, { back: undefined, connecting }, more);
  }

  /** Who came back. @param query of the address to which the provider sent the browser; undefined where nothing was asked */
  async end(query: string, key: string): Promise<CameBack | undefined> {
    const { steps, providers } = this.#parts;
    const step = await steps.look('idp', key);
    if (!step) return undefined;
    const { idp, interaction, state } = step as { idp: string; interaction?: string; state: string };
    const answer = new URLSearchParams(query);
    if (answer.get('state') !== state) {
      await steps.take('idp', key, undefined);
      return { refused: 'server_error', interaction };
    }
    try {
      return { vouched: await (await this.#provider(idp)).end(query, key), idp, interaction };
    } catch (error) {
      const told = error instanceof ExternalRefused ? error.error : undefined;
      if (told === 'invalid_client' || told === 'unauthorized_client') await providers.forget(idp);
      const isTold = answer.has('error');
      return { refused: !isTold ? 'invalid_idp' : told === 'access_denied' ? told : 'server_error', interaction };
    }
  }

  async #provider(idp: string): Promise<ExternalProvider> {
    const { providers, steps } = this.#parts;
    return new ExternalProvider(await providers.source(idp, this.redirectUri), steps, 'idp');
  }
}

/** The provider that a request names, where its users are to be signed in by it. */
export function namedProvider({ params }: Interaction, allowed: string): string | undefined {
  const { scope, idp } = params as { scope?: string; idp?: string };
  const isAsked = scope?.split(' ').includes('udap') && allowed.split(' ').includes('udap');
  return isAsked ? idp : undefined;
}

/** The user has been signed in: what is left is asked as of any. */
export async function signedIn(interaction: Interaction): Promise<void> {
  const scopes = String(interaction.params.scope).split(' ');
  interaction.params.scope = scopes.filter((scope) => scope !== 'udap').join(' ');
  await interaction.save(leftSeconds(interaction));
}

/** Ends a request with an error, which the app is told; returns where the browser goes on. */
export async function refuse(interaction: Interaction, error: string): Promise<string> {
  interaction.result = { error, error_description: descriptions[error] ?? 'the user could not be signed in' };
  await interaction.save(leftSeconds(interaction));
  return interaction.returnTo;
}

const descriptions: { [error: string]: string } = {
  invalid_idp: 'the identity provider cannot be used to sign in here',
  access_denied: 'nobody here is known as the user whom the identity provider signed in',
};

function leftSeconds({ exp }: Interaction): number {
  return exp - Math.floor(Date.now() / 1000);
}
