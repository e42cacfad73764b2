/**
 * POSTs to a destination over HTTP: never into a network that the hub was not told to send to (see `guarded-request.ts`),
 * and under the name that the route gives the hub.
 */
import { readFile } from 'node:fs/promises';
import type { JWK } from 'jose';
import type { Distrust } from '../distrusting-agent.ts';
import { type GuardedRequest, guardedRequest, Refused, retryAfterMs } from '../guarded-request.ts';
import { ServiceToken, TokenFault } from '../service-token.ts';
import type { EndpointTls, HttpPlace } from '../trust/index.ts';

/** What a delivery needs at a FHIR server. */
const usualScope = 'system/*.cud';
const answerBytes = 64 * 1024 * 1024;

/** What the hub connects to receivers with. */
export interface HttpParts {
  /** Addresses below which receivers may lie in private networks, or speak plain http. */
  allowed(): readonly string[];
  /** The hub's own signing keys, private. */
  keys(): Promise<JWK[]>;
  /** What may be held against the certificate of a receiver, also over MLLP. */
  distrust?: Distrust | undefined;
}

export interface HttpAnswer {
  status: number;
  ok: boolean;
  text: string;
  /** For how long it wants to be left alone (Retry-After). */
  afterMs: number | undefined;
}

/** That no answer came. */
export interface Unanswered {
  status: undefined;
  reason: string;
  /** Whether what was sent may have arrived all the same. */
  mayHave: boolean;
}

/** No connection came about. */
const unconnected: ReadonlySet<string | undefined> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

export class HttpSender {
  readonly #to: HttpPlace;
  readonly #parts: HttpParts;
  readonly #answerMs: number;
  readonly #stop = new AbortController();
  readonly #token: ServiceToken | undefined;

  constructor(to: HttpPlace, parts: HttpParts, answerMs: number) {
    this.#to = to;
    this.#parts = parts;
    this.#answerMs = answerMs;
    const { url: base, services } = to;
    this.#token =
      services &&
      new ServiceToken({
        base,
        ...services,
        scope: services.scope ?? usualScope,
        keys: parts.keys,
        ask: (url, asked) => this.#ask(url, asked),
      });
  }

  /** Never rejects: where no answer came, says why. */
  async post(url: string, headers: Record<string, string>, body: Uint8Array): Promise<HttpAnswer | Unanswered> {
    return this.send('POST', url, headers, body);
  }

  async send(
    method: string,
    url: string,
    headers: Record<string, string>,
    body?: Uint8Array,
  ): Promise<HttpAnswer | Unanswered> {
    try {
      const ask = async () => {
        const authorization = await this.#authorization();
        return this.#ask(url, { method, headers: { ...headers, ...authorization }, ...(body ? { body } : {}) });
      };
      let answer = await ask();
      if (answer.status === 401 && this.#token) {
        this.#token.forget();
        answer = await ask();
      }
      const { status } = answer;
      const afterMs = retryAfterMs(answer.headers['retry-after']);
      return { status, ok: status >= 200 && status < 300, text: answer.body.toString(), afterMs };
    } catch (error) {
      if (error instanceof TokenFault || error instanceof Refused)
        return { status: undefined, reason: error.message, mayHave: false };
      const cause = causeOf(error as Error);
      return { status: undefined, reason: `The connection failed: ${cause}.`, mayHave: !unconnected.has(cause) };
    }
  }

  close(): void {
    this.#stop.abort();
  }

  async #authorization(): Promise<Record<string, string>> {
    if (this.#token) return { authorization: `Bearer ${await this.#token.text()}` };
    const { authorization: path } = this.#to;
    if (path === undefined) return {};
    const value = await readFile(path, 'utf8').catch(() => undefined);
    if (value === undefined) throw new TokenFault('The file with its authorization cannot be read.');
    return { authorization: value.trim() };
  }

  async #ask(url: string, asked: Pick<GuardedRequest, 'method' | 'headers' | 'body'>) {
    const tls = this.#to.tls && (await tlsOf(this.#to.tls));
    return guardedRequest(url, this.#parts.allowed(), {
      ...asked,
      milliseconds: this.#answerMs,
      bytes: answerBytes,
      signal: this.#stop.signal,
      distrust: this.#parts.distrust,
      ...(tls ? { tls } : {}),
    });
  }
}

/** Whether the same message may do better later, by the status of an answer that says no more. */
export function isPassing(status: number): boolean {
  return status >= 500 || [401, 408, 425, 429].includes(status);
}

/** The files are read at each message, so that renewed certificates need no restart. */
async function tlsOf({ ca, certificate, key, serverName }: EndpointTls): Promise<NonNullable<GuardedRequest['tls']>> {
  return {
    ...(ca === undefined ? {} : { ca: await readFile(ca) }),
    ...(certificate === undefined ? {} : { cert: await readFile(certificate) }),
    ...(key === undefined ? {} : { key: await readFile(key) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

function causeOf(error: NodeJS.ErrnoException): string {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time';
  return error.code ?? error.message;
}
