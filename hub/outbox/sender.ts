/**
 * Sends the deliveries. Every route of a destination has a worker of its own, so that one which is dead or slow
 * delays no other.
 */

import { faultText } from '../faults.ts';
import type { ResourceChange } from '../record/index.ts';
import { Destination, type SenderParts, type Timing } from './destination.ts';
import { type Lane, releaseAll } from './queue.ts';
import { RemovedRoutes, type Retell } from './removed-routes.ts';
import { Versions } from './versions.ts';

/** A destination that is not reached is tried about once a minute, and given up for a delivery after some three days. */
const usual: Timing = {
  connectMs: 10_000,
  answerMs: 30_000,
  firstRetryMs: 1_000,
  longestRetryMs: 60_000,
  longestRestMs: 600_000,
  attempts: 5_000,
  refusals: 3,
};

const lookMs = 15_000;

export class Sender {
  readonly #parts: SenderParts & { versions: Versions };
  readonly #timing: Timing;
  readonly #destinations = new Map<string, Destination>();
  readonly #removed: RemovedRoutes;
  #started = false;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  /** @param parts with what tells a route that is there again what it missed */
  constructor(parts: SenderParts & { retell: Retell }, timing: Partial<Timing> = {}) {
    this.#removed = new RemovedRoutes(parts.database, parts.log, parts.retell);
    this.#parts = { ...parts, versions: new Versions(parts.database, parts.record.keys) };
    this.#timing = { ...usual, ...timing };
  }

  /** Begins to send, with what an earlier run left. */
  async start(): Promise<void> {
    await releaseAll(this.#parts.database);
    this.#started = true;
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
    this.wake();
  }

  /** Tells that there is something to send, or a destination more. */
  wake(): void {
    for (const { key, routes = [] } of this.#parts.participants.all())
      for (const { name } of routes) this.#wake({ destination: key, route: name });
    this.#look();
  }

  /** One look at a time at what became of routes. */
  #look(): void {
    if (!this.#started) return;
    this.#looking = this.#looking
      .then(() => (this.#started ? this.#removed.look() : undefined))
      .catch((error) => this.#parts.log.error({ error: faultText(error) }, 'removed routes were not looked at'));
  }

  /** Tells that deliveries of changes were committed, for these lanes. */
  derived(lanes: readonly Lane[], changes: readonly ResourceChange[]): void {
    if (!this.#started) return;
    this.#parts.versions.keep(changes);
    for (const lane of lanes) this.#wake(lane);
  }

  #wake(lane: Lane): void {
    if (!this.#started) return;
    const key = `${lane.destination} ${lane.route}`;
    const known = this.#destinations.get(key);
    if (known) known.wake();
    else this.#destinations.set(key, new Destination(lane, this.#parts, this.#timing, () => this.#look()));
  }

  /** Ends; what is on its way is tried again, under the same control id, by the next run. */
  async stop(): Promise<void> {
    this.#started = false;
    clearInterval(this.#timer);
    await this.#looking;
    await Promise.all([...this.#destinations.values()].map((destination) => destination.stop()));
    this.#destinations.clear();
  }
}
