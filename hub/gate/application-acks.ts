/**
 * Sends application acknowledgements over the connections that their messages came over. What is asked of the database
 * is only whether messages that wait are finished, so that it does not matter which hub processes them. A connection that
 * closes leaves its acknowledgements to the participant's endpoint; what was kept for a source, because there is none, is
 * sent over the next connection that it opens.
 */
import type { Message } from '@causeway/hl7v2';
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import { faultText } from '../faults.ts';
import { claimAcknowledgement, finishedOf, keptFor, markSent, noteReply, oweAgain, release } from '../inbox/index.ts';
import type { MasterKey } from '../secrets/index.ts';

/** What brings an acknowledgement to a sender. */
export interface AnswerWay {
  /** Sends a message after the answers to those before; whether it left. */
  send(bytes: Uint8Array): Promise<boolean>;
}

const shortestPauseMs = 50;
const longestPauseMs = 1_000;
/** How long the connection has before the endpoint takes over. */
const turnMs = 60_000;
/** Messages asked after at once. */
const askedAtOnce = 1_000;

export class ApplicationAcks {
  readonly #database: Database;
  readonly #master: MasterKey;
  readonly #log: Logger;
  /** The connections of messages that are not finished, by message. */
  readonly #ways = new Map<string, AnswerWay>();
  readonly #greeted = new WeakMap<AnswerWay, Set<string>>();
  #pauseMs = shortestPauseMs;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(database: Database, master: MasterKey, log: Logger) {
    this.#database = database;
    this.#master = master;
    this.#log = log;
  }

  /** A message was taken whose sender wants an application acknowledgement, over this connection. */
  async expect(message: string, source: string, way: AnswerWay, again: boolean): Promise<void> {
    const greeted = this.#greeted.get(way) ?? new Set();
    this.#greeted.set(way, greeted);
    const isFirst = !greeted.has(source);
    greeted.add(source);
    this.#ways.set(message, way);
    try {
      if (again) await oweAgain(this.#database, message, turnMs);
      if (isFirst) for (const kept of await keptFor(this.#database, source)) this.#ways.set(kept.message, way);
    } catch (error) {
      this.#failed(error);
    }
    this.#pauseMs = shortestPauseMs;
    this.#plan();
  }

  /** How many messages of a connection are not finished. */
  pending(way: AnswerWay): number {
    return [...this.#ways.values()].filter((one) => one === way).length;
  }

  /** A connection closed: its acknowledgements go another way. */
  async closed(way: AnswerWay): Promise<void> {
    const left = [...this.#ways].flatMap(([message, one]) => (one === way ? message : []));
    for (const message of left) {
      this.#ways.delete(message);
      await release(this.#database, message, { state: 'due', afterMs: 0 }).catch((error) => this.#failed(error));
    }
  }

  /** What a sender answers to an application acknowledgement (CA, CE, CR); whether it was one of ours. */
  replied(reply: Message): Promise<boolean> {
    const reason = reply.get('ERR-8') ?? reply.get('MSA-3');
    return noteReply(this.#database, reply.get('MSA-2') ?? '', reply.get('MSA-1') ?? '', reason?.slice(0, 300));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    for (const way of new Set(this.#ways.values())) await this.closed(way);
  }

  #plan(): void {
    if (this.#stopped || this.#timer || this.#ways.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#sendFinished().finally(() => {
        this.#timer = undefined;
        this.#plan();
      });
    }, this.#pauseMs);
  }

  async #sendFinished(): Promise<void> {
    try {
      const asked = [...this.#ways].slice(0, askedAtOnce);
      const finished = await finishedOf(
        this.#database,
        asked.map(([message]) => message),
      );
      if (finished.length === 0 && this.#ways.size > askedAtOnce) this.#askLater(asked);
      this.#pauseMs = finished.length > 0 ? shortestPauseMs : Math.min(this.#pauseMs * 1.5, longestPauseMs);
      for (const { message, isOwed } of finished) {
        if (isOwed) await this.#send(message);
        else this.#ways.delete(message);
      }
    } catch (error) {
      this.#pauseMs = longestPauseMs;
      this.#failed(error);
    }
  }

  #askLater(asked: [string, AnswerWay][]): void {
    for (const [message, way] of asked) {
      if (this.#ways.delete(message)) this.#ways.set(message, way);
    }
  }

  async #send(message: string): Promise<void> {
    const way = this.#ways.get(message);
    this.#ways.delete(message);
    if (!way) return;
    const answer = await claimAcknowledgement(this.#database, this.#master, message);
    if (!answer) return;
    if (await way.send(answer.bytes)) await markSent(this.#database, message);
    else await release(this.#database, message, { state: 'due', afterMs: 0 });
  }

  #failed(error: unknown): void {
    this.#log.error({ error: faultText(error) }, 'application acknowledgements could not be sent');
  }
}
