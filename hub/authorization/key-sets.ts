/**
 * The key sets of clients are kept no longer than their Cache-Control says (SMART App Launch 2.2, "Client Authentication:
 * Asymmetric"). `oidc-provider` keeps each for a minute at least, and a key that it once fetched it takes until one does not
 * fit: a key that its client withdrew would stay good.
 */
import { decodeJwt } from 'jose';
import type Provider from 'oidc-provider';

/** A client as `oidc-provider` holds it, with the keys that it fetched. */
interface KeyHolder {
  jwksUri?: string | undefined;
  asymmetricKeyStore?: { freshUntil?: number; stale(): boolean; clear(): void };
}

export class KeySets {
  readonly #fetch: (url: string) => Promise<Response>;
  /** Until when what was fetched may be kept, in seconds since 1970; where nothing is said it is not here. */
  readonly #until = new Map<string, number>();

  constructor(fetch: (url: string) => Promise<Response>) {
    this.#fetch = fetch;
  }

  async fetch(url: string): Promise<Response> {
    const response = await this.#fetch(url);
    const seconds = keptSeconds(response.headers.get('cache-control'));
    if (seconds === undefined) this.#until.delete(url);
    else this.#until.set(url, Math.floor(Date.now() / 1000) + seconds);
    return response;
  }

  /** Before an assertion is verified: forgets its client's keys where their time is over, so that they are fetched anew. */
  async forget(provider: Provider, assertion: string): Promise<void> {
    const client = (await provider.Client.find(subjectOf(assertion) ?? '')) as KeyHolder | undefined;
    const keys = client?.asymmetricKeyStore;
    const until = this.#until.get(client?.jwksUri ?? '');
    if (keys?.freshUntil === undefined) return;
    if (until !== undefined) keys.freshUntil = Math.min(keys.freshUntil, until);
    if (keys.stale()) keys.clear();
  }
}

/** Whose assertion it says it is; not verified. */
function subjectOf(assertion: string): string | undefined {
  try {
    return decodeJwt(assertion).sub;
  } catch {
    return undefined;
  }
}

/** How long a Cache-Control lets something be kept; undefined where it does not say. */
function keptSeconds(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/\bno-(?:store|cache)\b/.test(header)) return 0;
  const age = /\bmax-age=(\d{1,9})\b/.exec(header)?.[1];
  return age === undefined ? undefined : Number(age);
}
