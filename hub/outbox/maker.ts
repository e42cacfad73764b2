/**
 * Makes the messages of deliveries: their content as the access decision has it now, in the destination's dialect; or says what
 * becomes of a delivery without one.
 */
import { typeName } from '@causeway/fhir';
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import type { NetworkPolicy, Participants, Route } from '../trust/index.ts';
import { alreadyTold } from './already-told.ts';
import type { Outgoing } from './answer.ts';
import { readContent } from './content.ts';
import type { DocumentParts } from './documents.ts';
import { substanceOf } from './fact.ts';
import { areTogether, type Claimed, type Settled } from './queue.ts';
import { unreadFilter } from './route-rules.ts';
import type { Versions } from './versions.ts';

/** A message to be sent, and of what others may tell too the substance. */
export interface Made {
  outgoing: Outgoing;
  substance?: string;
}

export interface Outcome {
  settled: Settled;
  reached: boolean;
  /** Why it was not reached, in words of the hub. */
  unreached?: string;
  /** For how long the destination wants to be left alone. */
  restMs?: number;
}

export interface MakerParts {
  database: Database;
  versions: Versions;
  participants: Participants;
  policy: NetworkPolicy;
  documents?: DocumentParts;
  log: Logger;
}

/** How often a delivery is tried, and how many milliseconds lie between. */
interface Tries {
  attempts: number;
  backOff(failures: number): number;
}

/** So many messages are made while the one before is on its way, unless they are older than this when their turn comes. */
const madeAhead = 8;
const madeForMs = 1_000;

export class Maker {
  readonly #key: string;
  readonly #parts: MakerParts;
  readonly #tries: Tries;

  /** @param key of the destination */
  constructor(key: string, parts: MakerParts, tries: Tries) {
    this.#key = key;
    this.#parts = parts;
    this.#tries = tries;
  }

  /** Makes the messages of deliveries in their order, some ahead of the one that is asked for. */
  ahead(order: readonly Claimed[], route: Route): (delivery: Claimed) => Promise<Made | Outcome> {
    const place = new Map(order.map((delivery, i) => [delivery, i]));
    const made = new Map<Claimed, { since: number; message: Promise<Made | Outcome> }>();
    const claimed = performance.now();
    const make = (delivery: Claimed) => {
      const since = performance.now();
      const message = this.#make(delivery, route, since - claimed < madeForMs).catch((error) =>
        this.#failed(delivery, error),
      );
      const one = { since, message };
      made.set(delivery, one);
      return one;
    };
    return (delivery) => {
      const at = place.get(delivery)!;
      const own = made.get(delivery);
      // What was decided on too long ago is decided on anew.
      const now = own && performance.now() - own.since < madeForMs ? own : make(delivery);
      // Several at a time, so that what they are made of is read by one statement.
      if (made.size <= madeAhead / 2)
        for (const one of order.slice(at + 1, at + madeAhead)) if (!made.has(one)) make(one);
      made.delete(delivery);
      return now.message;
    };
  }

  /**
   * The message of a delivery, or what becomes of it without one.
   * @param isFresh it was claimed just now
   */
  async #make(delivery: Claimed, route: Route, isFresh: boolean): Promise<Made | Outcome> {
    const { seq, attempts } = delivery;
    if (delivery.kind !== 'retraction') {
      const together = delivery.together && (isFresh || (await areTogether(this.#parts.database, delivery)));
      if (!together) return ended(seq, 'cancelled', 'Another person, as it turned out before it was sent.');
    }
    const unread = delivery.kind === 'new' ? unreadFilter(route, typeName(delivery.focus_type)!) : undefined;
    if (unread !== undefined) {
      const error = `Not sent yet: the filter ${unread.slice(0, 200)} of the route cannot be read.`;
      return { settled: { seq, state: 'failed', error, retryMs: this.#tries.backOff(attempts) }, reached: true };
    }
    const { database, versions, documents, participants, policy } = this.#parts;
    const destination = participants.byKey(this.#key);
    const content = await readContent({ database, versions, documents }, delivery, destination, route, policy);
    if ('state' in content) {
      const { state, error, isUnconfirmed = false } = content;
      const isWithheld = state === 'cancelled';
      return {
        settled: { seq, state, error, isWithheld, isUnconfirmed, retryMs: this.#tries.backOff(attempts) },
        reached: true,
      };
    }
    // What writes messages is large: a hub that sends none does without it.
    const { compose, isEmptied } = await import('./compose.ts');
    if (delivery.kind === 'new' && isEmptied(content)) return ended(seq, 'cancelled', 'Withdrawn before it was sent.');
    const composed = compose(delivery, content, destination, route, participants.byKey(delivery.source));
    if (typeof composed === 'string') return ended(seq, 'dead', composed);
    if ('notFor' in composed) return ended(seq, 'cancelled', composed.notFor);
    if (delivery.numbers === null || delivery.kind === 'retraction') return { outgoing: composed };
    const substance = substanceOf(content);
    // What was delivered before is sent again because somebody asked.
    const isByNumber = route.to.dialect === 'hl7v2';
    const told = delivery.wasDelivered ? undefined : await alreadyTold(database, delivery, substance, isByNumber);
    if (!told) return { outgoing: composed, substance };
    const from = participants.byKey(told.source).name;
    const outcome = ended(
      seq,
      'already-delivered',
      `The same was delivered on ${told.at.toISOString()}, from ${from}.`,
    );
    return { ...outcome, settled: { ...outcome.settled, sameAs: told.seq } };
  }

  /** A fault of ours. The error's own text may hold what was to be sent, so it is kept out of log and list. */
  #failed({ seq, attempts }: Claimed, { name }: Error): Outcome {
    this.#parts.log.error({ destination: this.#key, delivery: seq, error: name }, 'a delivery could not be made');
    const state = attempts >= this.#tries.attempts ? 'dead' : 'failed';
    const error = `The message could not be made or noted (${name}).`;
    return { settled: { seq, state, error, retryMs: this.#tries.backOff(attempts) }, reached: true };
  }
}

/** The end of a delivery that is not tried again. */
export function ended(seq: number, state: Exclude<Settled['state'], 'failed'>, error?: string): Outcome {
  return { settled: { seq, state, error, retryMs: 0 }, reached: true };
}
