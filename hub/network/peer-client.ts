/**
 * Requests to another hub: as a client that shows itself by this hub's own keys (SMART Backend Services, `private_key_jwt`,
 * with the extension `hl7-b2b`), for treatment.
 */
import type { JWK } from 'jose';
import type { Distrust } from '../distrusting-agent.ts';
import { type GuardedAnswer, guardedRequest, retryAfterMs } from '../guarded-request.ts';
import { ServiceToken, TokenFault } from '../service-token.ts';
import type { Peer } from './peers.ts';

const answerMs = 60_000;
const pageBytes = 64 * 1024 * 1024;
const smallBytes = 1024 * 1024;
const longestRetryMs = 3_600_000;

/** Why another hub did not give what it was asked for. */
export class PeerFault extends Error {
  override name = 'PeerFault';
  readonly status: number | undefined;
  /** For how long it asks to be left alone. */
  readonly afterMs: number;

  constructor(message: string, status?: number, afterMs = 0) {
    super(message);
    this.status = status;
    this.afterMs = afterMs;
  }
}

export interface PeerClientParts {
  peer: Peer;
  /** This hub's own signing keys, private. */
  keys(): Promise<JWK[]>;
  /** Where this hub is reached; names it to the other one. */
  ownUrl: string;
  /** Addresses below which another hub may lie in a private network, or speak plain http. */
  allowed: readonly string[];
  /** What may be held against the certificate of the other hub. */
  distrust?: Distrust | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: what another server answers has any shape.
type Json = any;

export class PeerClient {
  readonly #parts: PeerClientParts;
  readonly #token: ServiceToken;

  constructor(parts: PeerClientParts) {
    this.#parts = parts;
    const { peer, keys, ownUrl } = parts;
    const b2b = { version: '1', organization_id: ownUrl, purpose_of_use: ['urn:oid:2.16.840.1.113883.5.8#TREAT'] };
    this.#token = new ServiceToken({
      base: peer.url,
      clientId: peer.clientId,
      scope: peer.scope,
      claims: { extensions: { 'hl7-b2b': b2b } },
      keys: () => keys(),
      ask: async (url, { method, headers, body }) => {
        if (new URL(url).origin !== new URL(peer.url).origin)
          throw new PeerFault('The other hub names no token endpoint of its own.');
        const answer = await this.#send(url, method, headers, body, smallBytes);
        return answer.status === 400 || answer.status === 401 ? answer : checked(answer);
      },
    });
  }

  /** The Patient that the other hub is certain about (`Patient/$match`); undefined where there is none, or more than one. */
  async match(patient: object): Promise<Json | undefined> {
    const parameter = [
      { name: 'resource', resource: patient },
      { name: 'onlyCertainMatches', valueBoolean: true },
      { name: 'count', valueInteger: 2 },
    ];
    const answer = await this.#fhir('POST', '/Patient/$match', { resourceType: 'Parameters', parameter });
    const entries = (jsonOf(answer).entry ?? []) as Json[];
    const certain = entries.filter(({ resource, search }) => {
      const grade = (search?.extension ?? []).find(({ url }: Json) => url === matchGrade)?.valueCode;
      return (
        resource?.resourceType === 'Patient' && typeof resource.id === 'string' && (grade ?? 'certain') === 'certain'
      );
    });
    return certain.length === 1 ? certain[0] : undefined;
  }

  /** The same by tokens (docs/network.md), which say nothing of whom to who does not know them. */
  async matchPrivately(tokens: readonly string[]): Promise<Json | undefined> {
    const url = new URL('/network/matches', this.#parts.peer.url).href;
    const { patient } = jsonOf(checked(await this.#ask('POST', url, { tokens }, 'application/json')));
    if (typeof patient !== 'string') return undefined;
    const resource = jsonOf(await this.#fhir('GET', `/Patient/${encodeURIComponent(patient)}`));
    return { fullUrl: `${this.#parts.peer.url}/Patient/${patient}`, resource, search: { mode: 'match' } };
  }

  /** Says how the person is treated here; a hub that asks for it shows nothing without. */
  async attest(patient: string, reason: string): Promise<void> {
    const url = new URL('/network/attestations', this.#parts.peer.url).href;
    const answer = await this.#ask('POST', url, { patient, reason }, 'application/json');
    // A server that is no hub of this kind has no such address, and asks for nothing of the sort.
    if (answer.status !== 404) checked(answer);
  }

  /**
   * One page of a person's record; undefined where the FHIR server there says that there is none, which no other 404 does.
   * @param next where the page before says that it goes on
   */
  async everything(
    id: string,
    types: readonly string[],
    since: Date | undefined,
    next?: string,
  ): Promise<Buffer | undefined> {
    const query = new URLSearchParams({ _count: '500', _type: types.join(',') });
    if (since) query.set('_since', since.toISOString());
    const path = next === undefined ? `/Patient/${encodeURIComponent(id)}/$everything?${query}` : this.#below(next);
    const answer = await this.#ask('GET', `${this.#parts.peer.url}${path}`, undefined, 'application/fhir+json');
    return isGone(answer) ? undefined : checked(answer).body;
  }

  /** Asks to be told of changes. @returns the id of the Subscription */
  async subscribe(subscription: object): Promise<string> {
    const { headers, body } = await this.#fhir('POST', '/Subscription', subscription);
    const id = /\/Subscription\/([A-Za-z0-9.-]{1,64})/.exec(String(headers.location ?? ''))?.[1];
    return id ?? String(JSON.parse(body.toString()).id);
  }

  async unsubscribe(id: string): Promise<void> {
    await this.#fhir('DELETE', `/Subscription/${encodeURIComponent(id)}`).catch((error) => {
      if (!(error instanceof PeerFault && (error.status === 404 || error.status === 410))) throw error;
    });
  }

  /** An address of the other hub as a path below its base: what it answers leads nowhere else. */
  #below(address: string): string {
    const { url } = this.#parts.peer;
    if (!address.startsWith(`${url}/`)) throw new PeerFault('The other hub says that its answer goes on elsewhere.');
    return address.slice(url.length);
  }

  async #fhir(method: string, path: string, body?: object): Promise<GuardedAnswer> {
    return checked(await this.#ask(method, `${this.#parts.peer.url}${path}`, body, 'application/fhir+json'));
  }

  async #ask(method: string, url: string, body: object | undefined, type: string): Promise<GuardedAnswer> {
    const ask = async () => {
      const headers: Record<string, string> = {
        accept: type,
        authorization: `Bearer ${await this.#bearer()}`,
        'x-purpose-of-use': 'TREAT',
        ...(body ? { 'content-type': type } : {}),
      };
      return this.#send(url, method, headers, body && Buffer.from(JSON.stringify(body)), pageBytes);
    };
    let answer = await ask();
    if (answer.status === 401) {
      // The token may have been taken back; a new one says whether this hub may still ask.
      this.#token.forget();
      answer = await ask();
    }
    return answer;
  }

  async #bearer(): Promise<string> {
    try {
      return await this.#token.text();
    } catch (error) {
      if (!(error instanceof TokenFault)) throw error;
      if (error.status === undefined) throw new PeerFault(error.message);
      throw new PeerFault('The other hub does not take this one for a client of its own.', error.status);
    }
  }

  async #send(
    url: string,
    method: string,
    headers: Record<string, string>,
    body: Uint8Array | undefined,
    bytes: number,
  ): Promise<GuardedAnswer> {
    try {
      const asked = { method, headers, milliseconds: answerMs, bytes, ...(body ? { body } : {}) };
      const { allowed, distrust } = this.#parts;
      return await guardedRequest(url, allowed, { ...asked, distrust });
    } catch (error) {
      const { name, code } = error as NodeJS.ErrnoException;
      const why =
        name === 'Refused' ? (error as Error).message : `it was not reached (${code ?? 'no answer in time'}).`;
      throw new PeerFault(`The other hub gave no answer: ${why}`);
    }
  }
}

const matchGrade = 'http://hl7.org/fhir/StructureDefinition/match-grade';

/** Whether a FHIR server itself says that something is not there: whatever else answers at its address knows nothing of it. */
function isGone({ status, body }: GuardedAnswer): boolean {
  return (status === 404 || status === 410) && /^\s*\{.*"resourceType"\s*:\s*"OperationOutcome"/s.test(body.toString());
}

function checked(answer: GuardedAnswer): GuardedAnswer {
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return answer;
  const afterMs = Math.min(retryAfterMs(headers['retry-after']) ?? 0, longestRetryMs);
  throw new PeerFault(`The other hub answered ${status}.`, status, afterMs);
}

function jsonOf({ body }: GuardedAnswer): Json {
  try {
    const value = JSON.parse(body.toString());
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Falls through to the fault below.
  }
  throw new PeerFault('The other hub answered what is no JSON.');
}
