/**
 * Works off the inbox: converts messages and puts their facts into the record, in the order in which they came for each
 * lane. A message that fails is tried again and holds back its lane; after the last try it is dead and says why.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import { faultReason, faultText } from '../faults.ts';
import { Pace } from '../pace.ts';
import { ErasedPerson, erasedText } from '../record/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import type { Participants } from '../trust/index.ts';
import { type PreparedFact, prepareFact } from './apply.ts';
import type { ConversionPool } from './conversion-pool.ts';
import { type ConvertedMessage, noConversion } from './converted.ts';
import { mapVersion } from './map-version.ts';
import { Rush } from './rush.ts';
import { factsInMemory, Storing, type StoringParts, type Work } from './storing.ts';
import { batchSize, nextWaiting, type Waiting } from './waiting.ts';

const idleMs = 1_000;
/** While several messages come at a time, so long after the last batch the next is taken: a batch costs as much as some messages. */
const gatherMs = 20;
const attempts = 5;
/** How often, under steady load, messages that failed and are due again get their turn. */
const batchesBeforeRetries = 16;
const firstRetryMs = 2_000;

/** The messages in their order, in parts of which one with many facts is one. */
function largeApart(works: readonly Work[]): Work[][] {
  const parts: Work[][] = [];
  let isOpen = false;
  for (const work of works) {
    const isLarge = work.facts.length > factsInMemory;
    if (isOpen && !isLarge) parts.at(-1)!.push(work);
    else parts.push([work]);
    isOpen = !isLarge;
  }
  return parts;
}

export class Processor {
  readonly #database: Database;
  readonly #participants: Participants;
  readonly #master: MasterKey;
  readonly #pool: ConversionPool;
  readonly #storing: Storing;
  readonly #isPressed: () => boolean;
  readonly #log: Logger;
  readonly #rush = new Rush();
  /** How long storing the last batch took. */
  #storedMs = 0;
  /** Told of a message that was refused since its person was erased. */
  onErased: () => void = () => {};
  /** When messages were taken last, and how many. */
  #taken = { at: 0, messages: 0 };
  #wake: (() => void) | undefined;
  #pending = false;
  #stopped = false;
  #running: Promise<void> | undefined;

  /** @param parts `isPressed`: whether acknowledgements need the hub's time more */
  constructor(parts: StoringParts & { isPressed: () => boolean }) {
    this.#database = parts.database;
    this.#participants = parts.participants;
    this.#master = parts.master;
    this.#pool = parts.pool;
    this.#storing = new Storing(parts);
    this.#isPressed = parts.isPressed;
    this.#log = parts.log;
  }

  start(): void {
    this.#stopped = false;
    this.#running = this.#run();
  }

  /** Tells that there is something to do. */
  wake(): void {
    this.#pending = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#running;
  }

  /** Stores one batch while the threads convert the next. */
  async #run(): Promise<void> {
    let next = this.#prepare(0);
    for (let batch = 1; !this.#stopped; batch++) {
      this.#pending = false;
      try {
        const works = await next;
        if (works.length === 0) {
          if (!this.#pending) await this.#idle();
          next = this.#prepare(0);
          continue;
        }
        const following = this.#prepare(works.at(-1)!.message.seq);
        following.catch(() => {});
        await this.#giveWay();
        const begun = performance.now();
        const clean = await this.#storeAll(works);
        this.#storedMs = performance.now() - begun;
        const goOn = clean && batch % batchesBeforeRetries !== 0;
        next = goOn ? following : following.then(() => this.#prepare(0));
      } catch (error) {
        if (this.#stopped) return;
        this.#log.error({ error: faultText(error) }, 'processing the inbox failed');
        await this.#idle();
        next = this.#prepare(0);
      }
    }
    await next.catch(() => {});
  }

  /** Lets acknowledgements go first while many messages arrive, for a while before each batch. */
  async #giveWay(): Promise<void> {
    const since = performance.now();
    const until = since + this.#rush.longestWait(this.#isPressed(), this.#storedMs, since);
    while (performance.now() < until && this.#isPressed() && !this.#stopped) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, idleMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Stores a batch, large messages alone; where that fails, each message alone. Returns whether nothing failed. */
  async #storeAll(works: Work[]): Promise<boolean> {
    const failedLanes = new Set<string>();
    let isClean = true;
    for (const part of largeApart(works)) {
      const due = part.filter(({ message }) => !failedLanes.has(message.lane));
      if (due.length > 0 && !(await this.#storePart(due, failedLanes))) isClean = false;
    }
    return isClean;
  }

  /** @param failedLanes those of which no later message may be stored now */
  async #storePart(works: Work[], failedLanes: Set<string>): Promise<boolean> {
    const fail = async (work: Work, error: unknown) => {
      const dead = await this.#fail(work, error as Error);
      if (!dead) failedLanes.add(work.message.lane);
    };
    try {
      await this.#storing.store(works);
      return true;
    } catch (error) {
      if (works.length === 1) {
        await fail(works[0]!, error);
        return false;
      }
    }
    for (const work of works) {
      if (failedLanes.has(work.message.lane)) continue;
      try {
        await this.#storing.store([work]);
      } catch (error) {
        await fail(work, error);
      }
    }
    return false;
  }

  /** Claims the next messages after a sequence number, and converts them. */
  async #prepare(after: number): Promise<Work[]> {
    await this.#gather();
    const fault = (message: string, error: unknown) =>
      this.#log.error({ message, error: faultText(error) }, 'the original of a message does not open');
    const messages = await nextWaiting({ database: this.#database, master: this.#master, fault }, after);
    if (messages.length === 0) return [];
    this.#taken = { at: performance.now(), messages: messages.length };
    const readable = messages.filter(({ bytes }) => bytes !== undefined);
    const maps = messages.map(({ source }) => mapVersion(this.#participants.byKey(source).settings));
    const conversions = await this.#pool.convert(
      readable.map(({ id, dialect, bytes, charset, received, source }) => {
        const { key, name, settings } = this.#participants.byKey(source);
        const said = { charset: charset ?? undefined, received: received.toISOString() };
        return { id, dialect, bytes: bytes!, ...said, source: { key, name, settings } };
      }),
    );
    const byMessage = new Map(readable.map((message, i) => [message, conversions[i]!]));
    const works: Work[] = [];
    const pace = new Pace();
    for (const [i, message] of messages.entries()) {
      const conversion = byMessage.get(message) ?? noConversion('The original was erased or does not open.');
      works.push(await this.#work(message, maps[i]!, conversion, pace));
    }
    return works;
  }

  async #gather(): Promise<void> {
    const { at, messages } = this.#taken;
    const waitMs = at + gatherMs - performance.now();
    if (messages > 1 && messages < batchSize && waitMs > 0) await delay(waitMs);
  }

  async #work(message: Waiting, map: bigint, conversion: ConvertedMessage, pace: Pace): Promise<Work> {
    if (conversion.error === undefined) {
      try {
        const facts: PreparedFact[] = [];
        for (const fact of conversion.facts) {
          if (pace.isDue) await pace.rest();
          facts.push(prepareFact(fact));
        }
        return { message, map, conversion, facts, error: undefined };
      } catch (error) {
        conversion.error = faultReason(error);
      }
    }
    this.#log.error({ message: message.id, error: conversion.error }, 'a message could not be converted');
    return { message, map, conversion, facts: [], error: conversion.error };
  }

  /** Of a message about a person whose record was erased only that it came is kept. */
  async #eraseRefused({ id }: Waiting): Promise<true> {
    await this.#database.query({
      name: 'message_erased',
      text: `UPDATE message SET state = 'refused', error = $2, sealing_key = NULL, body = '', control_id = '', lane = 0,
               digest = sha256(gen_random_uuid()::text::bytea), next_attempt = NULL WHERE id = $1`,
      values: [id, erasedText],
    });
    this.onErased();
    return true;
  }

  /** Notes a failure of storing: tried again later, dead after the last try. Returns whether it is dead. */
  async #fail({ message }: Work, error: Error): Promise<boolean> {
    if (error instanceof ErasedPerson) return this.#eraseRefused(message);
    const tried = message.attempts + 1;
    const dead = tried >= attempts;
    this.#log.error({ message: message.id, attempt: tried, error: faultText(error) }, 'a message could not be stored');
    await this.#database.query({
      name: 'message_failed',
      text: `UPDATE message SET state = $2, attempts = $3, error = $4, next_attempt = now() + $5 * interval '1 ms' WHERE id = $1`,
      values: [message.id, dead ? 'dead' : 'failed', tried, faultReason(error), firstRetryMs * 2 ** (tried - 1)],
    });
    return dead;
  }
}
