/**
 * Tells the channels. Each subscription is told its events in order, one notification after the other, and again until it
 * takes them; one that does not answer is tried with growing pauses for as long as it is wanted, and holds up no other.
 */
import type { Database } from '../database/index.ts';
import type { FhirRecord } from '../record/index.ts';
import type { Access, AccessLog } from '../trust/index.ts';
import type { Untaken } from './http.ts';
import type { NotificationType, Telling } from './notification.ts';
import { type PushParts, push } from './push.ts';
import type { Live, Registry } from './registry.ts';
import { type Event, eventsOf, fared, isPaused, type Kept, type State } from './store.ts';

export interface Pauses {
  firstMs: number;
  longestMs: number;
  /** Between two mails of one subscription. */
  mailMs: number;
}

export interface SenderParts extends PushParts {
  database: Database;
  record: FhirRecord;
  registry: Registry;
  accessLog: AccessLog;
  accessOf(live: Live): Promise<Access | undefined>;
  /** Notes the state in the resource, for its client. */
  showState(live: Live): Promise<void>;
  pauses: Pauses;
  fault(error: unknown): void;
}

const atOnce = 64;
const lookMs = 1_000;
/** How often is asked whether one that is paused goes on. */
const pausedMs = 2_000;

export class PushSender {
  readonly #parts: SenderParts;
  readonly #sending = new Map<string, Promise<void>>();
  readonly #waiting = new Set<Live>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = true;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopped = false;
    this.#timer = setInterval(() => this.#lookForDue(), lookMs);
    this.#lookForDue();
  }

  /** Ends; what is on its way is told again by whoever sends next. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#waiting.clear();
    await Promise.all(this.#sending.values());
  }

  /** Tells a subscription what it is to be told, unless it is being told, or is to be left alone for now. */
  wake(live: Live): void {
    if (this.#stopped || live.definition.channel === 'websocket' || !isDue(live, Date.now())) return;
    if (this.#sending.has(live.kept.rid)) return;
    if (this.#sending.size >= atOnce) {
      this.#waiting.add(live);
      return;
    }
    const { rid } = live.kept;
    const sending = this.#send(live)
      .catch((error) => this.#parts.fault(error))
      .then(() => {
        this.#sending.delete(rid);
        const [next] = this.#waiting;
        if (next) {
          this.#waiting.delete(next);
          this.wake(next);
        }
      });
    this.#sending.set(rid, sending);
  }

  #lookForDue(): void {
    for (const live of this.#parts.registry.all()) this.wake(live);
  }

  async #send(live: Live): Promise<void> {
    while (!this.#stopped && isDue(live, Date.now())) {
      const { kept } = live;
      const asked = kept.state;
      if (await isPaused(this.#parts.database, kept.rid)) {
        kept.nextAttempt = new Date(Date.now() + pausedMs);
        return;
      }
      const { type, events, last, waitMs } = await this.#next(live);
      if (waitMs > 0) {
        kept.nextAttempt = new Date(Date.now() + waitMs);
        return;
      }
      const failed = await this.#tell(live, type, events, last);
      kept.lastSent = new Date();
      if (failed === undefined) {
        kept.failures = 0;
        kept.reason = undefined;
        kept.state = 'active';
        const isMail = live.definition.channel === 'email' && type === 'event-notification';
        kept.nextAttempt = new Date(Date.now() + (isMail ? this.#parts.pauses.mailMs : 0));
        if (type !== 'handshake') kept.told = last;
      } else {
        kept.failures++;
        kept.reason = failed.reason;
        kept.state = 'error';
        kept.nextAttempt = new Date(Date.now() + Math.max(this.#pause(kept.failures), failed.afterMs));
      }
      await this.#noted(live, kept, asked);
      if (failed !== undefined) return;
    }
  }

  /** What a subscription is to be told next, and for how long its channel has to be left alone before. */
  async #next({ kept, definition }: Live): Promise<{
    type: 'handshake' | 'heartbeat' | 'event-notification';
    events: readonly Event[];
    last: number;
    waitMs: number;
  }> {
    const { database, mailPace } = this.#parts;
    if (definition.channel === 'email') {
      // Mail says how many events there are, none of which it names.
      const type = kept.state === 'requested' || kept.told >= kept.events ? 'handshake' : 'event-notification';
      return { type, events: [], last: kept.events, waitMs: mailPace.wait(definition.endpoint!, Date.now()) };
    }
    if (kept.state === 'requested' && definition.topic !== undefined)
      return { type: 'handshake', events: [], last: kept.told, waitMs: 0 };
    const wanted = { from: kept.told + 1, to: kept.events, limit: definition.most };
    // Events are kept for some time only: a subscriber that was away for longer goes on with the oldest there is.
    const last = kept.events;
    const events = await eventsOf(database, kept.rid, wanted);
    const type = events.length > 0 ? 'event-notification' : 'heartbeat';
    return { type, events, last: events.at(-1)?.number ?? last, waitMs: 0 };
  }

  /** Sends one notification. @returns why the channel did not take it */
  async #tell(
    live: Live,
    type: NotificationType,
    events: readonly Event[],
    last: number,
  ): Promise<Untaken | undefined> {
    const { record, accessLog, accessOf } = this.#parts;
    const { kept, definition } = live;
    const access = await accessOf(live);
    if (!access) return { reason: 'Whoever asked for this may not ask for it any more.', afterMs: 0 };
    const told = await tellings(record, access, definition.content, events);
    if (type === 'event-notification') {
      const what = `Subscription/${kept.id}`;
      await accessLog.record(access, { action: 'notify', what, status: 200, patients: patientsOf(told) });
    }
    return push(this.#parts, live, type, told, last);
  }

  async #noted(live: Live, kept: Kept, asked: State): Promise<void> {
    await fared(this.#parts.database, kept, asked);
    // Its client has asked for something else meanwhile; what was told is told.
    if (live.kept !== kept) {
      live.kept.told = Math.max(live.kept.told, kept.told);
      return;
    }
    if (kept.state !== asked) await this.#parts.showState(live).catch((error) => this.#parts.fault(error));
  }

  /** Doubled at each failure, and never quite the same: those that failed together do not come together again. */
  #pause(failures: number): number {
    const { firstMs, longestMs } = this.#parts.pauses;
    return Math.min(firstMs * 2 ** Math.min(failures - 1, 30), longestMs) * (0.75 + Math.random() / 2);
  }
}

/** Whether there is something to tell, and now. */
function isDue({ kept, definition }: Live, now: number): boolean {
  if (kept.state === 'off' || +kept.nextAttempt > now) return false;
  if (kept.state === 'requested' || kept.told < kept.events) return true;
  if (kept.state === 'error') return true;
  const { heartbeat } = definition;
  return heartbeat !== undefined && +(kept.lastSent ?? 0) + heartbeat * 1_000 <= now;
}

/** What may be told of events: whether their resources may still be seen, and, where it is asked for, as they were. */
export async function tellings(
  record: FhirRecord,
  access: Access,
  content: Live['definition']['content'],
  events: readonly Event[],
): Promise<Telling[]> {
  const isText = content === 'full-resource' || content === 'resource';
  return Promise.all(
    events.map(async (event) => {
      const now = await record.reader.read(access, event.type, event.rid);
      const patients = now && content !== 'empty' ? patientsIn(now.text) : [];
      if (!now || !isText) return { event, isVisible: now !== undefined, patients };
      const then =
        now.version === event.version ? now : await record.reader.vread(access, event.type, event.rid, event.version);
      return { event, isVisible: then !== undefined, patients, text: then && !then.deleted ? then.text : undefined };
    }),
  );
}

/** Whose records are told of. */
export function patientsOf(told: readonly Telling[]): string[] {
  return [...new Set(told.flatMap(({ isVisible, patients }) => (isVisible ? patients : [])))];
}

/** The ids of the Patients that a resource is, or names as its subject. */
function patientsIn(text: string): string[] {
  if (text === '') return [];
  const { resourceType, id, subject, patient } = JSON.parse(text) as Record<string, { reference?: string } | string>;
  if (resourceType === 'Patient') return [id as string];
  const reference = ((subject ?? patient) as { reference?: string } | undefined)?.reference;
  const found = /^Patient\/([A-Za-z0-9\-.]+)$/.exec(reference ?? '');
  return found ? [found[1]!] : [];
}
