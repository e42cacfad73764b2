/**
 * Works off the inbox: converts messages and puts their facts into the record, in the order in which they came for each
 * lane. A message that fails is tried again and holds back its lane; after the last try it is dead and says why.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database, Transaction } from '../database/index.ts';
import { faultReason, faultText } from '../faults.ts';
import type { PersonIndex } from '../identity/index.ts';
import { Pace } from '../pace.ts';
import { ErasedPerson, erasedText, type FhirRecord, openLarge, TextSpool, type WriteSet } from '../record/index.ts';
import { type MasterKey, unwrapDataKey } from '../secrets/index.ts';
import type { Participants } from '../trust/index.ts';
import { type Applied, applyFacts, ownersOfWithdrawn, type PreparedFact, prepareFact } from './apply.ts';
import type { ConversionPool } from './conversion-pool.ts';
import { type ConvertedMessage, noConversion, patientsOf, statedIdentities } from './converted.ts';
import { judgeVersion, remarkOn, type Statement, statementOf, withRemark } from './document-versions.ts';
import { mapVersion } from './map-version.ts';
import { type Outcome, recordOutcomes } from './outcomes.ts';
import { type Dialect, messageIdentity } from './receive.ts';
import { beginRefiling, contentOf, filedAnew, refile } from './refile.ts';
import { Rush } from './rush.ts';
import { carryOut, statementsBefore } from './versions-before.ts';

const batchSize = 64;
/** Contents of messages held in memory at once, beyond the first of a batch. */
const batchBytes = 16 * 1024 * 1024;
const idleMs = 1_000;
/** While several messages come at a time, so long after the last batch the next is taken: a batch costs as much as some messages. */
const gatherMs = 20;
const attempts = 5;
/** How often, under steady load, messages that failed and are due again get their turn. */
const batchesBeforeRetries = 16;
const firstRetryMs = 2_000;
const factsAtOnce = 32;
/** A message of more facts is stored alone, and its versions wait on the disk until they are written. */
const factsInMemory = 1_000;

interface Waiting {
  seq: number;
  id: string;
  lane: string;
  source: string;
  dialect: Dialect;
  received: Date;
  charset: string | null;
  attempts: number;
  /** Whether it was processed before, so that this is a replay. */
  again: boolean;
  /** Undefined where the original was erased or does not open. */
  bytes: Buffer | undefined;
}

interface Work {
  message: Waiting;
  conversion: ConvertedMessage;
  facts: PreparedFact[];
  /** By which map it was converted. */
  map: bigint;
  error: string | undefined;
}

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

/**
 * As `applyFacts`; where there are many, others have their turn in between.
 * @param spool where the versions of a large message wait until they are written
 */
async function applyInTurns(
  set: WriteSet,
  facts: readonly PreparedFact[],
  { id, again }: Waiting,
  spool: TextSpool | undefined,
  pace: Pace,
): Promise<Applied> {
  const applied: Applied = { stored: [], superseded: 0 };
  for (let at = 0; at < facts.length; at += factsAtOnce) {
    if (pace.isDue) await pace.rest();
    const { stored, superseded } = applyFacts(set, facts.slice(at, at + factsAtOnce), id, again);
    for (const one of stored) applied.stored.push(one);
    applied.superseded += superseded;
    if (spool) await set.settle(spool);
  }
  return applied;
}

export class Processor {
  readonly #database: Database;
  readonly #record: FhirRecord;
  readonly #persons: PersonIndex;
  readonly #participants: Participants;
  readonly #master: MasterKey;
  readonly #pool: ConversionPool;
  readonly #spoolDirectory: string;
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

  constructor(parts: {
    database: Database;
    record: FhirRecord;
    persons: PersonIndex;
    participants: Participants;
    master: MasterKey;
    pool: ConversionPool;
    /** Where texts wait while earlier versions of a document are looked at; see `TextSpool`. */
    spoolDirectory: string;
    /** Whether acknowledgements need the hub's time more. */
    isPressed: () => boolean;
    log: Logger;
  }) {
    this.#database = parts.database;
    this.#record = parts.record;
    this.#persons = parts.persons;
    this.#participants = parts.participants;
    this.#master = parts.master;
    this.#pool = parts.pool;
    this.#spoolDirectory = parts.spoolDirectory;
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
      await this.#store(works);
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
        await this.#store([work]);
      } catch (error) {
        await fail(work, error);
      }
    }
    return false;
  }

  /** Claims the next messages after a sequence number, and converts them. */
  async #prepare(after: number): Promise<Work[]> {
    await this.#gather();
    const messages = await this.#claim(after);
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

  async #claim(after: number): Promise<Waiting[]> {
    const { rows } = await this.#database.query({
      name: 'claim',
      text: `SELECT seq, id, source, dialect, lane::text, received, charset, attempts,
                    processed IS NOT NULL AS again, sealing_key, body
             FROM (SELECT seq, sum(size) OVER (ORDER BY seq) - size AS before
                   FROM (SELECT seq, size FROM message m
                         WHERE state IN ('received', 'failed') AND seq > $1
                           AND (next_attempt IS NULL OR next_attempt <= now())
                           AND NOT EXISTS (SELECT 1 FROM message f
                                           WHERE f.state = 'failed' AND f.lane = m.lane AND f.seq < m.seq)
                         ORDER BY seq LIMIT ${batchSize}) waiting) chosen
             JOIN message USING (seq) WHERE before < ${batchBytes} ORDER BY seq`,
      values: [after],
    });
    return Promise.all(
      rows.map(async ({ sealing_key, body, ...row }) => ({
        ...(row as Omit<Waiting, 'bytes'>),
        bytes: await this.#open(row.id, sealing_key, body),
      })),
    );
  }

  async #open(id: string, sealingKey: Buffer | null, body: Buffer): Promise<Buffer | undefined> {
    if (sealingKey === null) return undefined;
    try {
      return await openLarge(body, unwrapDataKey(this.#master, sealingKey, messageIdentity(id)), messageIdentity(id));
    } catch (error) {
      this.#log.error({ message: id, error: faultText(error) }, 'the original of a message does not open');
      return undefined;
    }
  }

  #before(works: Work[]): Promise<Map<Work, Statement[]>> {
    const conversion = { participants: this.#participants, master: this.#master, pool: this.#pool };
    return statementsBefore({ ...conversion, database: this.#database, spoolDirectory: this.#spoolDirectory }, works);
  }

  async #store(works: Work[]): Promise<void> {
    const isLarge = works.length === 1 && works[0]!.facts.length > factsInMemory;
    const spool = isLarge ? new TextSpool(this.#spoolDirectory) : undefined;
    try {
      await this.#write(works, spool);
    } finally {
      spool?.close();
    }
    for (const { message, conversion } of works) this.#alarm(message, conversion);
  }

  async #write(works: Work[], spool: TextSpool | undefined): Promise<void> {
    const before = await this.#before(works);
    const facts = works.flatMap((work) => work.facts);
    const identities = works.flatMap((work) => work.conversion.identityEvents);
    await this.#record.writer.write({
      keys: facts.map(({ fact }) => ({ type: fact.type, id: fact.id })),
      patients: [...facts.flatMap(({ patient }) => patient ?? []), ...identities.flatMap(patientsOf)],
      texts: true,
      alone: true,
      size: facts.length,
      apply: async (set, transaction) => {
        const outcomes: Outcome[] = [];
        const pace = new Pace();
        for (const work of works) {
          const { message, conversion, facts, map, error } = work;
          const { stored, remark } = await this.#applyVersion(set, transaction, work, before.get(work), spool, pace);
          outcomes.push({
            seq: message.seq,
            conversion: remark === undefined ? conversion : withRemark(conversion, remark),
            map,
            error,
            patient: facts.find(({ fact }) => fact.type === 'Patient')?.fact.id,
            stored: stored.length,
          });
        }
        await recordOutcomes(transaction, outcomes, set.now);
      },
    });
  }

  /** Says of a message whose content cannot be right what kind of fault it has, and where; never what it says. */
  #alarm({ id, source }: Waiting, { issues }: ConvertedMessage): void {
    const errors = issues.filter(({ severity }) => severity === 'error');
    if (errors.length === 0) return;
    const places = errors.slice(0, 10).map(({ code, source: place }) => `${code} at ${place}`);
    this.#log.warn(
      { message: id, source, errors: errors.length, places },
      'a message has content that cannot be right',
    );
  }

  /** Applies a message with what follows from it as a version of a document, by what was stated before. */
  async #applyVersion(
    set: WriteSet,
    transaction: Transaction,
    work: Work,
    before: readonly Statement[] = [],
    spool: TextSpool | undefined,
    pace: Pace,
  ): Promise<Pick<Applied, 'stored'> & { remark?: string | undefined }> {
    const { message, conversion } = work;
    const judgement = judgeVersion(statementOf(message.id, conversion), before);
    if (judgement === undefined) return this.#apply(set, transaction, work, spool, pace);
    if (judgement.newer !== undefined) return { stored: [], remark: remarkOn(judgement, 0) };
    const { stored } = await this.#apply(set, transaction, work, spool, pace);
    const changed = await carryOut(set, transaction, judgement, message.id);
    return { stored: [...stored, ...changed], remark: remarkOn(judgement, changed.length) };
  }

  async #apply(
    set: WriteSet,
    transaction: Transaction,
    { message, conversion, facts }: Work,
    spool: TextSpool | undefined,
    pace: Pace,
  ): Promise<Applied> {
    const { identityEvents } = conversion;
    const filed = filedAnew(set, facts);
    if (filed !== facts)
      await set.load(
        [],
        filed.flatMap(({ patient }) => patient ?? []),
      );
    const owners = ownersOfWithdrawn(set, facts);
    if (owners.length > 0) await set.load([], owners);
    // What a replayed message says about identities was decided on when it came; people may have decided since.
    if (message.again || identityEvents.length === 0) return applyInTurns(set, filed, message, spool, pace);
    const before = beginRefiling(set, identityEvents, message.id);
    const applied = await applyInTurns(set, filed, message, spool, pace);
    const content = (patient: string) => contentOf(set, transaction, patient);
    applied.stored.push(...(await refile(set, content, before, message.id)));
    for (const identity of statedIdentities(identityEvents, message.source)) this.#persons.state(set, identity);
    return applied;
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
