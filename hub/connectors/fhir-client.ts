/**
 * Requests to a FHIR server as a client: as a SMART Backend Service (`private_key_jwt`, SMART App Launch 2.2, "Client
 * Authentication: Asymmetric") by the hub's own key, or with a token that somebody gave. The server is asked as often as
 * it wants to be: `Retry-After` is kept.
 */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { JWK } from 'jose';
import type { Distrust } from '../distrusting-agent.ts';
import { type GuardedAnswer, guardedRequest, guardedStream, Refused, retryAfterMs } from '../guarded-request.ts';
import { ServiceToken, TokenFault } from '../service-token.ts';
import { AskedToWait, type Run, SourceFault } from './run.ts';
import type { FhirSettings } from './settings.ts';

const answerMs = 60_000;
const pageBytes = 64 * 1024 * 1024;
const smallBytes = 1024 * 1024;
/** What a server asks to wait longer than this is waited for without a run. */
const shortWaitMs = 20_000;
const longestWaitMs = 24 * 3_600_000;
const defaultWaitMs = 2_000;
const tries = 4;

// biome-ignore lint/suspicious/noExplicitAny: what another server answers has any shape.
export type Json = any;

export interface Answer {
  status: number;
  headers: GuardedAnswer['headers'];
  text: string;
  json: Json;
}

export class FhirClient {
  readonly #run: Pick<Run<FhirSettings>, 'settings' | 'secrets' | 'signal' | 'pace'>;
  readonly #allowed: string[];
  readonly #distrust: Distrust | undefined;
  readonly #token: ServiceToken | undefined;

  /** @param keys the hub's own signing keys, private @param distrust what may be held against the server's certificate */
  constructor(
    run: Pick<Run<FhirSettings>, 'settings' | 'secrets' | 'signal' | 'pace'>,
    keys: () => Promise<JWK[]>,
    distrust: Distrust | undefined,
  ) {
    this.#run = run;
    this.#distrust = distrust;
    // An administrator named the server; what it names itself is asked only below the same origin, or on the public internet.
    this.#allowed = [`${new URL(run.settings.url).origin}/`];
    const { url: base, sign, clientId, scope, types } = run.settings;
    if (sign !== 'backend') return;
    this.#token = new ServiceToken({
      base,
      clientId: clientId!,
      scope: scope ?? types.map((type) => `system/${type}.rs`).join(' '),
      keys,
      ask: async (address, asked) => {
        const answer = await this.#send(address, asked, smallBytes);
        const waitMs = waitOf(answer.status, answer.headers['retry-after']);
        if (waitMs !== undefined) throw new AskedToWait(waitMs);
        return answer;
      },
    });
  }

  get base(): string {
    return this.#run.settings.url;
  }

  /** A path below the base, or an address of the server's. @throws AskedToWait, SourceFault */
  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#asked('GET', path, headers, [200]);
  }

  /** As `get`, whatever the answer is, but for those that ask to wait. */
  async ask(method: 'GET' | 'DELETE', path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#asked(method, path, headers, undefined);
  }

  /** A file of an export, while it arrives. @param isOpen whether it wants no token */
  async file(address: string, isOpen: boolean): Promise<IncomingMessage> {
    const { signal, pace } = this.#run;
    await pace(1);
    const authorization = isOpen ? undefined : await this.#authorization();
    const headers = { accept: 'application/fhir+ndjson', ...(authorization && { authorization }) };
    const asked = { method: 'GET', headers, signal, distrust: this.#distrust };
    const answer = await guardedStream(address, this.#allowed, asked).catch((error) => {
      throw unreachable(error, signal);
    });
    if (answer.statusCode === 200) return answer;
    answer.destroy();
    const waitMs = waitOf(answer.statusCode ?? 500, answer.headers['retry-after']);
    if (waitMs !== undefined) throw new AskedToWait(waitMs);
    throw new SourceFault(`A file of the export was answered with ${answer.statusCode}.`);
  }

  /** An address that the server gave, as long as it is the server's own. @throws SourceFault */
  own(address: string): string {
    const url = URL.canParse(address, `${this.base}/`) ? new URL(address, `${this.base}/`) : undefined;
    if (url?.origin === new URL(this.base).origin) return url.href;
    throw new SourceFault('The server says that its answer goes on at another server.');
  }

  async #asked(
    method: 'GET' | 'DELETE',
    path: string,
    more: Record<string, string>,
    expected: number[] | undefined,
  ): Promise<Answer> {
    const address = /^https?:/.test(path) ? this.own(path) : `${this.base}/${path}`;
    const { pace, signal } = this.#run;
    for (let attempt = 1; ; attempt++) {
      await pace(1);
      const authorization = await this.#authorization();
      const headers = { accept: 'application/fhir+json', ...(authorization && { authorization }), ...more };
      const answer = await this.#send(address, { method, headers }, pageBytes);
      if (answer.status === 401 && attempt === 1) {
        this.#token?.forget();
        continue;
      }
      const waitMs = waitOf(answer.status, answer.headers['retry-after']);
      if (waitMs === undefined) {
        if (expected === undefined || expected.includes(answer.status)) return read(answer);
        throw new SourceFault(`The server answered ${answer.status} to ${method} ${shown(path)}.`);
      }
      if (waitMs > shortWaitMs || attempt === tries) throw new AskedToWait(waitMs);
      await delay(waitMs, undefined, { signal });
    }
  }

  async #authorization(): Promise<string | undefined> {
    const { settings, secrets } = this.#run;
    if (settings.sign === 'none') return undefined;
    const text = this.#token
      ? await this.#token.text().catch((error) => {
          throw error instanceof TokenFault ? new SourceFault(error.message) : error;
        })
      : settings.tokenFile === undefined
        ? secrets.token
        : await fileText(settings.tokenFile);
    if (text === undefined) throw new SourceFault('There is no token to ask with.');
    return `Bearer ${text}`;
  }

  async #send(
    address: string,
    asked: { method: string; headers: Record<string, string>; body?: Uint8Array },
    bytes: number,
  ): Promise<GuardedAnswer> {
    this.#run.signal.throwIfAborted();
    const sent = { ...asked, milliseconds: answerMs, bytes, distrust: this.#distrust };
    return guardedRequest(address, this.#allowed, sent).catch((error) => {
      throw unreachable(error, this.#run.signal);
    });
  }
}

function read({ status, headers, body }: GuardedAnswer): Answer {
  const text = body.toString();
  try {
    return { status, headers, text, json: JSON.parse(text) };
  } catch {
    return { status, headers, text, json: undefined };
  }
}

/** How long the server wants to be left alone; undefined where it does not. */
function waitOf(status: number, header: string | undefined): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  return Math.min(retryAfterMs(header) ?? defaultWaitMs, longestWaitMs);
}

function unreachable(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof Refused) return new SourceFault(error.message);
  const { code, name } = error as NodeJS.ErrnoException;
  return new SourceFault(`The server could not be reached: ${code ?? name}.`);
}

async function fileText(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new SourceFault('The file of the token cannot be read.');
  });
  return text.trim();
}

/** An address without its query, which may name a person. */
function shown(path: string): string {
  return path.split('?')[0]!.slice(0, 200);
}
