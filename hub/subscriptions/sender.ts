/**
 * Tells the channels. Each subscription is told its events in order, one notification after the other, and again until it
 * takes them; one that does not answer is tried with growing pauses for as long as it is wanted, and holds up no other.
 */
import type { Database } from '../database/index.ts';
import type { FhirRecord } from '../record/index.ts';
import type { Access, AccessLog } from '../trust/index.ts';
import { notification, type Telling } from './notification.ts';
import type { Live, Registry } from './registry.ts';
import { postHook, type Untaken } from './rest-hook.ts';
import { type Event, eventsOf, fared, type Kept, type State } from './store.ts';

export interface Pauses {
  firstMs: number;
  longestMs: number;
}

export interface SenderParts {
  database: Database;
  record: FhirRecord;
  registry: Registry;
  accessLog: AccessLog;
  accessOf(live: Live): Promise<Access | undefined>;
  /** Notes the state in the resource, for its client. */
  showState(live: Live): Promise<void>;
  /** Addresses below which endpoints may lie in private networks, or be plain http. */
  allowed: readonly string[];
  base(): string;
  pauses: Pauses;
  fault(error: unknown): void;
}

const atOnce = 64;
const lookMs = 1_000;

export class HookSender {
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
    if (this.#stopped || live.definition.channel !== 'rest-hook' || !isDue(live, Date.now())) return;
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
    const { database } = this.#parts;
    while (!this.#stopped && isDue(live, Date.now())) {
      const { kept, definition } = live;
      const asked = kept.state;
      const from = kept.told + 1;
      const wanted = { from, to: kept.events, limit: definition.most };
      const isFirst = kept.state === 'requested' && definition.topic !== undefined;
      const events = isFirst ? [] : await eventsOf(database, kept.rid, wanted);
      // Events are kept for some time only: a subscriber that was away for longer goes on with the oldest there is.
      const last = events.at(-1)?.number ?? kept.events;
      const failed = await this.#tell(
        live,
        isFirst ? 'handshake' : events.length > 0 ? 'event-notification' : 'heartbeat',
        events,
      );
      kept.lastSent = new Date();
      if (failed === undefined) {
        kept.failures = 0;
        kept.reason = undefined;
        kept.state = 'active';
        kept.nextAttempt = new Date();
        if (!isFirst) kept.told = last;
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

  /** Sends one notification. @returns why the channel did not take it */
  async #tell(
    live: Live,
    type: 'handshake' | 'heartbeat' | 'event-notification',
    events: readonly Event[],
  ): Promise<Untaken | undefined> {
    const { record, accessLog, accessOf, allowed, base } = this.#parts;
    const { kept, definition } = live;
    const access = await accessOf(live);
    if (!access) return { reason: 'Whoever asked for this may not ask for it any more.', afterMs: 0 };
    const told = await tellings(record, access, definition.content, events);
    if (type === 'event-notification') {
      const what = `Subscription/${kept.id}`;
      await accessLog.record(access, { action: 'notify', what, status: 200, patients: patientsOf(told) });
    }
    if (definition.topic) {
      const text = notification(base(), { ...kept, state: 'active', reason: undefined }, definition, type, told);
      return postHook(definition, 'POST', definition.endpoint!, text, allowed);
    }
    if (type !== 'event-notification') return undefined;
    for (const { event, isVisible, text } of told) {
      if (!isVisible) continue;
      const isWhole = definition.content === 'resource' && text !== undefined;
      const url = isWhole
        ? `${definition.endpoint!.replace(/\/$/, '')}/${event.type}/${event.id}`
        : definition.endpoint!;
      const failed = await postHook(definition, isWhole ? 'PUT' : 'POST', url, isWhole ? text : undefined, allowed);
      if (failed) return failed;
    }
    return undefined;
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
