/**
 * Sends application acknowledgements whose connection is gone to the endpoint of the participant that they are for. Where
 * it has none, or is not reached for long, they are kept until it connects (see `hub/gate/application-acks.ts`).
 */
import type { Logger } from 'pino';
import type { Database, LedWork } from '../database/index.ts';
import { faultText } from '../faults.ts';
import {
  claimAcknowledgement,
  type DueAcknowledgement,
  markSent,
  noteReply,
  overdue,
  release,
} from '../inbox/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import type { Hl7HttpEndpoint, MllpEndpoint, Participants, Route } from '../trust/index.ts';
import { type V2Client, v2ClientOf } from './clients.ts';
import type { HttpParts } from './http-post.ts';

const pollMs = 2_000;
const timeouts = { connectMs: 10_000, answerMs: 20_000 };
const firstRetryMs = 5_000;
const longestRetryMs = 600_000;
/** About a day of attempts. */
const attemptsUntilKept = 150;

export class AcknowledgementRoutes implements LedWork {
  readonly #database: Database;
  readonly #master: MasterKey;
  readonly #participants: Participants;
  readonly #http: HttpParts;
  readonly #log: Logger;
  readonly #pollMs: number;
  #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    parts: { database: Database; master: MasterKey; participants: Participants; http: HttpParts; log: Logger },
    everyMs = pollMs,
  ) {
    this.#database = parts.database;
    this.#master = parts.master;
    this.#participants = parts.participants;
    this.#http = parts.http;
    this.#log = parts.log;
    this.#pollMs = everyMs;
  }

  start(): void {
    this.#stopping = new AbortController();
    this.#running = this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      try {
        const bySource = Map.groupBy(await overdue(this.#database), ({ source }) => source);
        await Promise.all([...bySource].map(([source, due]) => this.#sendAll(source, due, stopping)));
      } catch (error) {
        this.#log.error({ error: faultText(error) }, 'application acknowledgements could not be sent on');
      }
      await pause(this.#pollMs, stopping);
    }
  }

  /** Sends those of one participant in their order, until it is not reached. */
  async #sendAll(source: string, due: DueAcknowledgement[], stopping: AbortSignal): Promise<void> {
    const endpoint = answering(this.#participants.byKey(source).routes ?? []);
    const client = endpoint && this.#clientFor(endpoint, stopping);
    let unreached: string | undefined;
    for (const { message, attempts } of due) {
      if (stopping.aborted) break;
      const answer = await claimAcknowledgement(this.#database, this.#master, message);
      if (!answer) continue;
      if (!client) {
        await release(this.#database, message, { state: 'kept', error: 'The participant has no endpoint for HL7 v2.' });
        continue;
      }
      const said = unreached === undefined ? await client.send(answer) : undefined;
      if (said && said.kind !== 'unreachable') {
        await markSent(this.#database, message);
        const reason = said.kind === 'refused' ? said.reason : undefined;
        await noteReply(this.#database, answer.controlId, reason === undefined ? 'CA' : 'CR', reason);
        continue;
      }
      unreached ??= said?.reason ?? 'not reached';
      const tired = attempts + 1 >= attemptsUntilKept;
      const afterMs = Math.min(firstRetryMs * 2 ** Math.min(attempts, 20), longestRetryMs) * (0.5 + Math.random());
      await release(
        this.#database,
        message,
        tired ? { state: 'kept', error: unreached } : { state: 'due', afterMs, error: unreached },
      );
    }
    client?.close();
  }

  #clientFor(endpoint: MllpEndpoint | Hl7HttpEndpoint, stopping: AbortSignal): V2Client {
    const client = v2ClientOf({ ...endpoint, acknowledgement: 'original' }, { timeouts, http: this.#http });
    stopping.addEventListener('abort', () => client.close(), { once: true });
    return client;
  }
}

/** Where a participant hears what came of its messages. */
function answering(routes: readonly Route[]): MllpEndpoint | Hl7HttpEndpoint | undefined {
  for (const { to } of routes) if (to.dialect === 'hl7v2' && ('host' in to || 'url' in to)) return to;
  return undefined;
}

function pause(ms: number, stopping: AbortSignal): Promise<void> {
  if (stopping.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stopping.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    stopping.addEventListener('abort', done, { once: true });
  });
}
