/**
 * Sends what waits for one route of a destination: in order for each recipient, at least once, under the same control id at every
 * attempt. While the destination is not reached, one delivery at a time is tried, with growing pauses.
 */
import { typeName } from '@causeway/fhir';
import type { Logger } from 'pino';
import type { Database, Queryable } from '../database/index.ts';
import { faultText } from '../faults.ts';
import type { FhirRecord } from '../record/index.ts';
import {
  type AccessLog,
  type AccessNote,
  accessOf,
  type Endpoint,
  type NetworkPolicy,
  type Participants,
  type Route,
} from '../trust/index.ts';
import type { Answer, Client, Timeouts } from './answer.ts';
import { clientOf, type MailParts } from './clients.ts';
import { DestinationState } from './destination-state.ts';
import type { DocumentParts } from './documents.ts';
import type { HttpParts } from './http-post.ts';
import { ended, type Made, Maker, type Outcome } from './maker.ts';
import {
  type Claimed,
  claim,
  concludeAccepted,
  giveBack,
  hasten,
  type Lane,
  nextDue,
  type Settled,
  settle,
} from './queue.ts';
import { isQuiet } from './quiet-hours.ts';
import type { Versions } from './versions.ts';

export interface SenderParts {
  database: Database;
  record: FhirRecord;
  participants: Participants;
  policy: NetworkPolicy;
  accessLog: AccessLog;
  http: HttpParts;
  mail: MailParts;
  documents?: DocumentParts;
  log: Logger;
}

export interface Timing extends Timeouts {
  firstRetryMs: number;
  /** Also the longest after which a destination that is back is noticed. */
  longestRetryMs: number;
  /** Longer than this no destination is left alone, whatever it asks for. */
  longestRestMs: number;
  /** Tries after which a destination that is not reached, or one that refuses, is given up for a delivery. */
  attempts: number;
  refusals: number;
}

const claimedAtOnce = 32;
/** An HL7 v2 receiver, or a reader of files, takes one message after the other; a server over HTTP several at once. */
const sendsAtOnce = (to: Endpoint) => (to.dialect !== 'hl7v2' && 'url' in to ? 4 : 1);
const idleMs = 5_000;

/** What is to be written down of attempts. */
interface Owed {
  settled: Settled[];
  untried: Claimed[];
  disclosed: AccessNote[];
}

const nothingOwed = (): Owed => ({ settled: [], untried: [], disclosed: [] });

export class Destination {
  readonly #key: string;
  readonly #lane: Lane;
  readonly #onGone: () => void;
  readonly #parts: SenderParts & { versions: Versions };
  readonly #timing: Timing;
  #client: { endpoint: string; client: Client } | undefined;
  #owed = nothingOwed();
  #failures = 0;
  /** For how long it wants to be left alone. */
  #restMs = 0;
  #unreached: string | undefined;
  readonly #state: DestinationState;
  readonly #maker: Maker;
  #stopped = false;
  #pending = false;
  /** An acknowledgement came late, so that there is no use in waiting on. */
  #answersAgain = false;
  /** Whether something may wait for another attempt: what an earlier run left, or what failed in this one. */
  #awaitsRetry = true;
  #wake: (() => void) | undefined;
  readonly #running: Promise<void>;

  /** @param onGone called when nothing is under way any more by a route that is gone */
  constructor(lane: Lane, parts: SenderParts & { versions: Versions }, timing: Timing, onGone: () => void) {
    this.#onGone = onGone;
    this.#lane = lane;
    this.#key = lane.destination;
    this.#parts = parts;
    this.#timing = timing;
    this.#state = new DestinationState(lane, parts.database, parts.log);
    this.#maker = new Maker(this.#key, parts, {
      attempts: timing.attempts,
      backOff: (failures) => this.#backOff(failures),
    });
    this.#running = this.#run();
  }

  wake(): void {
    this.#pending = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#client?.client.close();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#pending = false;
      this.#answersAgain = false;
      try {
        const { tried, at } = await this.#batch();
        if (tried === 0) {
          const pause = at ? await this.#untilDue(at) : idleMs;
          if (!this.#pending) await this.#pause(pause, true);
        } else if (this.#failures > 0) await this.#pause(Math.max(this.#backOff(this.#failures), this.#restMs), false);
      } catch (error) {
        if (!this.#stopped) this.#fault(error);
        await this.#pause(idleMs, false);
      }
    }
    // What cannot be written down any more is sent again, under the same control id.
    await this.#next(0).catch((error) => this.#fault(error));
  }

  /** How long nothing that was not due at a time will be; what others made due is found after a while all the same. */
  async #untilDue(at: Date): Promise<number> {
    if (!this.#awaitsRetry) return idleMs;
    const due = await nextDue(this.#parts.database, this.#lane, at);
    this.#awaitsRetry = due !== undefined;
    return Math.min(due ?? idleMs, idleMs);
  }

  #fault(error: unknown): void {
    this.#parts.log.error({ destination: this.#key, error: faultText(error) }, 'the outbox failed');
  }

  /** Waits; a wake-up ends the wait where `wakeable`, a stop in any case. */
  #pause(ms: number, wakeable: boolean): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = () => {
        if (wakeable || this.#stopped || this.#answersAgain) done();
      };
    });
  }

  /** Tries what is due by `at`; returns how many deliveries that was. Without `at` nothing may be tried now. */
  async #batch(): Promise<{ tried: number; at?: Date }> {
    const { participants, policy } = this.#parts;
    const route = participants.byKey(this.#key).routes?.find(({ name }) => name === this.#lane.route);
    // What an organisation may not receive now waits for it.
    if (!route || policy.refused(this.#key, 'receive', route.purpose) !== undefined) {
      await this.#next(0);
      if (!route) await this.#gone();
      return { tried: 0 };
    }
    const client = this.#clientFor(route);
    const onlyUrgent = route.quiet !== undefined && isQuiet(route.quiet, new Date());
    const { claimed, at } = await this.#next(this.#failures > 0 ? 1 : claimedAtOnce, onlyUrgent);
    const made = this.#maker.ahead(claimed, route);
    const { settled, untried } = this.#owed;
    const left = [...claimed];
    let reached = true;
    const work = async () => {
      for (let delivery = left.shift(); delivery; delivery = left.shift()) {
        if (!reached || this.#stopped) {
          untried.push(delivery);
          continue;
        }
        const message = await made(delivery);
        if (this.#stopped) {
          untried.push(delivery);
          continue;
        }
        const outcome = await this.#attempt(delivery, message, client);
        settled.push(outcome.settled);
        if (outcome.reached) continue;
        reached = false;
        this.#unreached = outcome.unreached;
        this.#restMs = outcome.restMs ?? 0;
      }
    };
    await Promise.all(Array.from({ length: sendsAtOnce(route.to) }, work));
    const tried = settled.length;
    if (tried > 0 || !reached) await this.#reached(reached);
    // Else it is written down with the next claim.
    if (this.#failures > 0) await this.#next(0);
    return { tried, at };
  }

  /** The route is gone: what waited for it is withdrawn by others. */
  async #gone(): Promise<void> {
    this.#client?.client.close();
    this.#client = undefined;
    this.#failures = 0;
    if (await this.#state.gone()) this.#onGone();
  }

  async #reached(reached: boolean): Promise<void> {
    this.#failures = reached ? 0 : this.#failures + 1;
    if (reached) await this.#state.up();
    else if (!this.#stopped) await this.#state.failed(this.#failures, this.#unreached ?? 'no reason given');
  }

  /**
   * Takes what is due next, in the transaction that writes down what became of the last attempts and records what was
   * handed out. What could not be written is owed.
   */
  async #next(count: number, onlyUrgent = false): Promise<{ claimed: Claimed[]; at?: Date }> {
    const { database, accessLog } = this.#parts;
    const { settled, untried, disclosed } = this.#owed;
    const taken = async (from: Queryable) => (count > 0 ? claim(from, this.#lane, count, onlyUrgent) : { claimed: [] });
    if (settled.length + untried.length === 0) return taken(database);
    this.#awaitsRetry ||= settled.some(({ state, isWithheld }) => state === 'failed' || isWithheld);
    const [, , next] = await database.transaction((transaction) => {
      accessLog.recordWith(transaction, disclosed);
      return Promise.all([settle(transaction, settled), giveBack(transaction, untried), taken(transaction)]);
    });
    this.#owed = nothingOwed();
    return next;
  }

  #clientFor({ to }: Route): Client {
    const address = JSON.stringify(to);
    if (this.#client?.endpoint !== address) {
      this.#client?.client.close();
      const client = clientOf(to, {
        timeouts: this.#timing,
        http: this.#parts.http,
        mail: this.#parts.mail,
        onLate: (controlId, answer) => void this.#cameLate(controlId, answer),
      });
      this.#client = { endpoint: address, client };
    }
    return this.#client.client;
  }

  async #attempt(delivery: Claimed, made: Made | Outcome, client: Client): Promise<Outcome> {
    if ('settled' in made) return made;
    const { outgoing, substance } = made;
    const answer = await client.send(outgoing);
    const outcome = this.#answered(delivery, answer);
    return { ...outcome, settled: { ...outcome.settled, substance } };
  }

  #answered(delivery: Claimed, answer: Answer): Outcome {
    const { seq, attempts } = delivery;
    if (answer.kind !== 'delivered' && answer.kind !== 'accepted') return this.#again(seq, attempts, answer);
    this.#owed.disclosed.push(this.#disclosure(delivery));
    return answer.kind === 'accepted'
      ? ended(seq, 'accepted', 'It has the message; what came of it is not said yet.')
      : ended(seq, 'delivered');
  }

  /** An acknowledgement came after its time: what waits for another attempt, or for what came of it, hears of it. */
  async #cameLate(controlId: string, answer: Answer): Promise<void> {
    try {
      if (answer.kind !== 'accepted') await concludeAccepted(this.#parts.database, this.#key, controlId, answer);
      await hasten(this.#parts.database, this.#key, controlId);
      this.#answersAgain = true;
      this.wake();
    } catch (error) {
      this.#parts.log.error(
        { destination: this.#key, error: faultText(error) },
        'a late acknowledgement was not noted',
      );
    }
  }

  #again(seq: number, attempts: number, answer: Extract<Answer, { reason: string }>): Outcome {
    const reached = answer.kind === 'refused';
    const dead = attempts >= (reached ? this.#timing.refusals : this.#timing.attempts) && !this.#stopped;
    if (dead) this.#parts.log.error({ destination: this.#key, delivery: seq, attempts }, 'a delivery was given up');
    const restMs = reached ? 0 : Math.min(answer.afterMs ?? 0, this.#timing.longestRestMs);
    const retryMs = this.#stopped ? 0 : Math.max(this.#backOff(attempts), restMs);
    const isOffered = reached || answer.mayHave === true;
    const said = reached ? undefined : answer.said;
    const error = said === undefined ? answer.reason : `${answer.reason} ${said}`;
    const settled: Settled = { seq, state: dead ? 'dead' : 'failed', error, retryMs, isOffered };
    return { settled, reached, unreached: answer.reason, restMs };
  }

  /** Doubled at each failure, between half and one and a half of it by chance, so that destinations do not move in step. */
  #backOff(failures: number): number {
    const { firstRetryMs, longestRetryMs } = this.#timing;
    return Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 30), longestRetryMs) * (0.5 + Math.random());
  }

  /** A delivery hands out somebody's record: recorded like every access. */
  #disclosure({ focus_type, focus_rid, recipient }: Claimed): AccessNote {
    const outbox = accessOf({ username: 'outbox', name: 'Outbox', role: 'system', organization: 'hub' });
    const what = `${typeName(focus_type)}/${focus_rid} to ${this.#key}`;
    const { routes } = this.#parts.participants.byKey(this.#key);
    const { purpose = 'TREAT' } = routes?.find(({ name }) => name === this.#lane.route) ?? {};
    return {
      access: { ...outbox, purpose },
      entry: { action: 'deliver', what, patients: [recipient], status: 200 },
    };
  }
}
