/**
 * Sends what waits for one route of a destination: in order for each recipient, at least once, under the same control id at every
 * attempt. While the destination is not reached, one delivery at a time is tried, with growing pauses.
 */
import { typeName } from '@causeway/fhir';
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import { faultText } from '../faults.ts';
import type { FhirRecord } from '../record/index.ts';
import { type AccessLog, accessOf, type NetworkPolicy, type Participants, type Route } from '../trust/index.ts';
import type { Answer, Client, Timeouts } from './answer.ts';
import { clientOf } from './clients.ts';
import { readContent } from './content.ts';
import { DestinationState } from './destination-state.ts';
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

export interface SenderParts {
  database: Database;
  record: FhirRecord;
  participants: Participants;
  policy: NetworkPolicy;
  accessLog: AccessLog;
  log: Logger;
}

export interface Timing extends Timeouts {
  firstRetryMs: number;
  longestRetryMs: number;
  /** Tries after which a destination that is not reached, or one that refuses, is given up for a delivery. */
  attempts: number;
  refusals: number;
}

const claimedAtOnce = 32;
/** An HL7 v2 receiver takes one message after the other; a FHIR server several at once. */
const sendsAtOnce = { hl7v2: 1, fhir: 4 };
const idleMs = 5_000;

export class Destination {
  readonly #key: string;
  readonly #lane: Lane;
  readonly #parts: SenderParts;
  readonly #timing: Timing;
  #client: { endpoint: string; client: Client } | undefined;
  #owed: { settled: Settled[]; untried: Claimed[] } = { settled: [], untried: [] };
  #failures = 0;
  #unreached: string | undefined;
  readonly #state: DestinationState;
  #stopped = false;
  #pending = false;
  /** An acknowledgement came late, so that there is no use in waiting on. */
  #answersAgain = false;
  #wake: (() => void) | undefined;
  readonly #running: Promise<void>;

  constructor(lane: Lane, parts: SenderParts, timing: Timing) {
    this.#lane = lane;
    this.#key = lane.destination;
    this.#parts = parts;
    this.#timing = timing;
    this.#state = new DestinationState(lane, parts.database, parts.log);
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
          const pause = at ? await nextDue(this.#parts.database, this.#lane, at, idleMs) : idleMs;
          if (!this.#pending) await this.#pause(pause, true);
        } else if (this.#failures > 0) await this.#pause(this.#backOff(this.#failures), false);
      } catch (error) {
        if (this.#stopped) return;
        this.#parts.log.error({ destination: this.#key, error: faultText(error) }, 'the outbox failed');
        await this.#pause(idleMs, false);
      }
    }
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
    const { participants, policy, database } = this.#parts;
    const route = participants.byKey(this.#key).routes?.find(({ name }) => name === this.#lane.route);
    // What an organisation may not receive now waits for it.
    if (!route || policy.refused(this.#key, 'receive') !== undefined) return { tried: 0 };
    const client = this.#clientFor(route);
    await this.#note();
    const { claimed, at } = await claim(database, this.#lane, this.#failures > 0 ? 1 : claimedAtOnce);
    const lanes = [...Map.groupBy(claimed, ({ recipient }) => recipient).values()];
    const { settled, untried } = this.#owed;
    let reached = true;
    const work = async () => {
      for (let lane = lanes.shift(); lane; lane = lanes.shift()) {
        for (const [i, delivery] of lane.entries()) {
          if (!reached || this.#stopped) {
            untried.push(...lane.slice(i));
            break;
          }
          const outcome = await this.#attempt(delivery, route, client).catch((error) => this.#failed(delivery, error));
          settled.push(outcome.settled);
          if (!outcome.reached) {
            reached = false;
            this.#unreached = outcome.settled.error;
          }
          if (outcome.settled.state === 'failed') {
            untried.push(...lane.slice(i + 1));
            break;
          }
        }
      }
    };
    await Promise.all(Array.from({ length: sendsAtOnce[route.to.dialect] }, work));
    const tried = await this.#note();
    if (tried > 0 || !reached) await this.#reached(reached);
    return { tried, at };
  }

  async #reached(reached: boolean): Promise<void> {
    this.#failures = reached ? 0 : this.#failures + 1;
    if (reached) await this.#state.up();
    else if (!this.#stopped) await this.#state.failed(this.#failures, this.#unreached ?? 'no reason given');
  }

  /** Writes down what became of the attempts; returns how many there were. What could not be written is owed. */
  async #note(): Promise<number> {
    const { settled, untried } = this.#owed;
    const count = settled.length;
    await settle(this.#parts.database, settled);
    await giveBack(this.#parts.database, untried);
    this.#owed = { settled: [], untried: [] };
    return count;
  }

  #clientFor({ to }: Route): Client {
    const address = JSON.stringify(to);
    if (this.#client?.endpoint !== address) {
      this.#client?.client.close();
      const client = clientOf(to, this.#timing, (controlId, answer) => void this.#cameLate(controlId, answer));
      this.#client = { endpoint: address, client };
    }
    return this.#client.client;
  }

  async #attempt(delivery: Claimed, route: Route, client: Client): Promise<{ settled: Settled; reached: boolean }> {
    const { seq, attempts } = delivery;
    const end = (state: 'delivered' | 'accepted' | 'dead' | 'cancelled', error?: string) => ({
      settled: { seq, state, error, retryMs: 0 },
      reached: true,
    });
    if (delivery.kind !== 'retraction' && !delivery.together) {
      return end('cancelled', 'Another person, as it turned out before it was sent.');
    }
    const { database, record, participants, policy } = this.#parts;
    const destination = participants.byKey(this.#key);
    const content = await readContent({ database, keys: record.keys }, delivery, destination, route, policy);
    if ('state' in content) {
      const { state, error } = content;
      const isWithheld = state === 'cancelled';
      return { settled: { seq, state, error, isWithheld, retryMs: this.#backOff(attempts) }, reached: true };
    }
    // What writes messages is large: a hub that sends none does without it.
    const { compose, isEmptied } = await import('./compose.ts');
    if (delivery.kind === 'new' && isEmptied(content)) return end('cancelled', 'Withdrawn before it was sent.');
    const outgoing = compose(delivery, content, destination, route, participants.byKey(delivery.source));
    if (typeof outgoing === 'string') return end('dead', outgoing);
    const answer = await client.send(outgoing);
    if (answer.kind === 'delivered' || answer.kind === 'accepted') {
      await this.#disclosed(delivery);
      return end(
        answer.kind,
        answer.kind === 'accepted' ? 'It has the message; what came of it is not said yet.' : undefined,
      );
    }
    return this.#again(seq, attempts, answer);
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

  /** A fault of ours. The error's own text may hold what was to be sent, so it is kept out of log and list. */
  #failed({ seq, attempts }: Claimed, { name }: Error): { settled: Settled; reached: boolean } {
    this.#parts.log.error({ destination: this.#key, delivery: seq, error: name }, 'a delivery could not be made');
    const state = attempts >= this.#timing.attempts ? 'dead' : 'failed';
    const error = `The message could not be made or noted (${name}).`;
    return { settled: { seq, state, error, retryMs: this.#backOff(attempts) }, reached: true };
  }

  #again(
    seq: number,
    attempts: number,
    answer: Extract<Answer, { reason: string }>,
  ): { settled: Settled; reached: boolean } {
    const reached = answer.kind === 'refused';
    const dead = attempts >= (reached ? this.#timing.refusals : this.#timing.attempts) && !this.#stopped;
    if (dead) this.#parts.log.error({ destination: this.#key, delivery: seq, attempts }, 'a delivery was given up');
    const state = dead ? 'dead' : 'failed';
    return {
      settled: { seq, state, error: answer.reason, retryMs: this.#stopped ? 0 : this.#backOff(attempts) },
      reached,
    };
  }

  /** Doubled at each failure, between half and one and a half of it by chance, so that destinations do not move in step. */
  #backOff(failures: number): number {
    const { firstRetryMs, longestRetryMs } = this.#timing;
    return Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 30), longestRetryMs) * (0.5 + Math.random());
  }

  /** A delivery hands out somebody's record: recorded like every access. */
  async #disclosed({ focus_type, focus_rid, recipient }: Claimed): Promise<void> {
    const outbox = accessOf({ username: 'outbox', name: 'Outbox', role: 'system', organization: 'hub' });
    const what = `${typeName(focus_type)}/${focus_rid} to ${this.#key}`;
    await this.#parts.accessLog.record(
      { ...outbox, purpose: 'TREAT' },
      { action: 'deliver', what, patients: [recipient], status: 200 },
    );
  }
}
