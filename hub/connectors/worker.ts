/**
 * Runs connectors that are due: takes those that nobody runs, keeps their leases, and notes how each run ended. One
 * whose hub ended is taken by the next that finds its lease expired, and goes on where it was.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { faultReason, faultText } from '../faults.ts';
import type { Received } from '../inbox/index.ts';
import type { ConnectorParts } from './connectors.ts';
import { Items } from './items.ts';
import { paceOf } from './rate.ts';
import { AskedToWait, type Run, SourceFault, type Taken } from './run.ts';
import { type Connector, type ConnectorStore, noCounts, RunLost } from './store.ts';

const runsAtOnce = 2;
const idleMs = 2_000;
/** A failure in a row from which on somebody is told. */
const alarmAfter = 3;
/** Messages of a participant that wait to be processed; where there are more, none are taken for a while. */
const mostWaiting = 5_000;
const waitingMs = 500;

export class Worker {
  readonly #parts: ConnectorParts & { store: ConnectorStore };
  readonly #running = new Map<string, { abort: AbortController; ended: Promise<void> }>();
  #stopped = true;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: ConnectorParts & { store: ConnectorStore }) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** Tells that one may be due. */
  wake(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#turn = this.#turn
      .then(() => this.#claim())
      .catch((error) => {
        this.#parts.log.warn({ error: faultText(error) }, 'connectors could not be looked for');
        this.#wait();
      });
  }

  /** Ends what is run of a connector here. */
  abort(key: string): void {
    this.#running.get(key)?.abort.abort(new RunLost('The connector was paused or removed.'));
  }

  /** Gives all back, to be gone on with by the next hub. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
    for (const { abort } of this.#running.values()) abort.abort(new AskedToWait(0));
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async #claim(): Promise<void> {
    while (!this.#stopped && this.#running.size < runsAtOnce) {
      const connector = await this.#parts.store.claim();
      if (!connector) break;
      const abort = new AbortController();
      const ended = this.#carryOut(connector, abort).finally(() => {
        this.#running.delete(connector.key);
        this.wake();
      });
      this.#running.set(connector.key, { abort, ended });
    }
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => this.wake(), idleMs);
  }

  async #carryOut(connector: Connector, abort: AbortController): Promise<void> {
    const { store, log } = this.#parts;
    const { key } = connector;
    const heartbeat = setInterval(() => {
      store.renew(key).catch((error) => {
        if (error instanceof RunLost) abort.abort(error);
      });
    }, store.renewMs);
    try {
      await this.#run(connector, abort.signal);
      await store.succeed(key, connector.settings.everyMinutes * 60_000);
    } catch (error) {
      await this.#settle(connector, abort.signal.aborted ? abort.signal.reason : error).catch((failure) => {
        if (!(failure instanceof RunLost))
          log.error({ error: faultText(failure), connector: key }, 'the end of a run could not be noted');
      });
    } finally {
      clearInterval(heartbeat);
    }
  }

  async #settle({ key, settings }: Connector, error: unknown): Promise<void> {
    const { store, log } = this.#parts;
    if (error instanceof RunLost) return;
    if (error instanceof AskedToWait) return store.putOff(key, error.milliseconds);
    const reason = error instanceof SourceFault ? error.message : faultReason(error);
    const alarms = await store.fail(key, reason, settings.everyMinutes * 60_000, alarmAfter);
    const fault = { connector: key, error: faultText(error) };
    if (alarms) log.warn(fault, 'a connector has failed several times in a row');
    else log.info(fault, 'a run of a connector failed');
  }

  async #run(connector: Connector, signal: AbortSignal): Promise<void> {
    const { store, database, participants, sources, recognise, refused } = this.#parts;
    const { key, settings } = connector;
    const participant = participants.byKey(connector.participant);
    const reason = await refused(participant.key);
    if (reason !== undefined) throw new SourceFault(reason);
    const run: Run = {
      key,
      participant,
      settings,
      secrets: await store.secretsOf(key),
      items: new Items(database, key),
      progress: connector.progress,
      signal,
      recognise: (bytes) => recognise(bytes, participant.key),
      pace: paceOf(settings.perSecond, signal),
      take: (messages) => this.#take(participant.key, messages, signal),
      save: async (progress, did = {}) => {
        await store.advance(key, progress, { ...noCounts, ...did });
        run.progress = progress;
      },
    };
    await sources[connector.kind].run(run);
  }

  async #take(participant: string, messages: readonly Received[], signal: AbortSignal): Promise<Taken[]> {
    while (await this.#isFull(participant)) await delay(waitingMs, undefined, { signal });
    signal.throwIfAborted();
    const receipts = await Promise.all(messages.map((message) => this.#parts.take(message)));
    // What is refused since its sender may not send any more is not done with: it is taken when they may again.
    const reason = receipts.some(({ refused }) => refused !== undefined) && (await this.#parts.refused(participant));
    if (reason) throw new SourceFault(reason);
    return receipts.map(({ refused, duplicate }) => ({ refused, duplicate }));
  }

  async #isFull(participant: string): Promise<boolean> {
    const { rows } = await this.#parts.database.query(
      `SELECT count(*) AS waiting FROM (SELECT 1 FROM message
         WHERE state IN ('received', 'failed') AND source = $1 LIMIT ${mostWaiting + 1}) m`,
      [participant],
    );
    return Number(rows[0]!.waiting) > mostWaiting;
  }
}
