/**
 * What tells of revoked certificates, for all of the hub: files of lists, and the lists and responders that are asked over HTTP.
 * Which of them gives no answer is told in the log once and shown with the hub's status; it is looked at again each minute, and
 * told of once more when it answers. What reads lists and answers is loaded when it is first needed.
 */
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { faultReason } from '../faults.ts';
import { Refused } from '../guarded-request.ts';
import { revocationFetch } from './revocation-fetch.ts';
import type { Question, Revocations } from './udap/revocation.ts';
import type { X509Crl } from './udap/x509.ts';

/** A list or responder that gives no answer that can be used. */
export interface SilentSource {
  /** Its address, or the path of a file. */
  address: string;
  since: Date;
  reason: string;
}

interface Silent extends SilentSource {
  key: string;
  /** When an answer was needed last, in milliseconds. */
  needed: number;
  again: () => Promise<unknown>;
}

const againMs = 60_000;
/** What nobody needed for so long is not asked any more, nor shown. */
const neededMs = 24 * 3_600_000;
const mostSilent = 100;

export class RevocationSources {
  readonly #from: readonly string[];
  readonly #log: Logger;
  readonly #silent = new Map<string, Silent>();
  readonly #timer: NodeJS.Timeout;
  #revocations: Promise<Revocations> | undefined;

  /** @param from addresses below which lists and responders may be in a private network */
  constructor(from: readonly string[], log: Logger, everyMs = againMs) {
    this.#from = from;
    this.#log = log;
    this.#timer = setInterval(() => void this.#lookAgain(), everyMs).unref();
  }

  opened(): Promise<Revocations> {
    this.#revocations ??= import('./udap/revocation.ts').then(
      ({ Revocations: Opened }) =>
        new Opened(revocationFetch(this.#from), {
          failed: (question, error, again) => this.#failed(question, error, again),
          answered: (question) => this.#answered(question),
        }),
    );
    return this.#revocations;
  }

  /** The lists in a file or at an address. @throws Error where they cannot be had */
  async lists(source: string): Promise<readonly X509Crl[]> {
    if (/^https?:/.test(source)) return (await this.opened()).lists(source);
    const { readLists } = await import('./udap/revocation-lists.ts');
    const question = { address: source, key: source };
    const read = async () => readLists(await readFile(source));
    try {
      const lists = await read();
      this.#answered(question);
      return lists;
    } catch (error) {
      this.#failed(question, error, read);
      throw error;
    }
  }

  /** Those that give no answer now. */
  silent(): SilentSource[] {
    return [...this.#silent.values()].map(({ address, since, reason }) => ({ address, since, reason }));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#silent.clear();
  }

  #failed({ address, key }: Question, error: unknown, again: () => Promise<unknown>): void {
    const needed = Date.now();
    const known = this.#silent.get(address);
    if (known) {
      known.needed = needed;
      return;
    }
    if (this.#silent.size >= mostSilent) return;
    const reason = error instanceof Refused ? error.message : faultReason(error);
    this.#silent.set(address, { address, key, since: new Date(needed), reason, needed, again });
    this.#log.error({ address, reason }, 'what tells of revoked certificates gives no answer');
  }

  #answered({ address, key }: Question): void {
    const known = this.#silent.get(address);
    if (known?.key !== key) return;
    this.#silent.delete(address);
    this.#log.warn({ address, since: known.since }, 'what tells of revoked certificates answers again');
  }

  async #lookAgain(): Promise<void> {
    await Promise.all(
      [...this.#silent.values()].map(async (one) => {
        if (Date.now() - one.needed > neededMs) return this.#silent.delete(one.address);
        await one.again().then(
          () => this.#answered(one),
          () => {},
        );
      }),
    );
  }
}
