/** The deliveries as people see them: what went to whom, in which state; and sending again what was given up. */
import { typeName } from '@causeway/fhir';
import type { Message } from '@causeway/hl7v2';
import type { Database, Row, Transaction } from '../database/index.ts';
import type { Also, Participants } from '../trust/index.ts';
import { answerOf } from './mllp-client.ts';
import { concludeAccepted } from './queue.ts';
import { type Replayed, replayOne, replaySome } from './replay.ts';

export interface DeliveryQuery {
  state?: string | undefined;
  destination?: string | undefined;
  route?: string | undefined;
  /** The `next` of the page before. */
  before?: number | undefined;
  limit: number;
}

const columns = `seq, id, (SELECT id FROM delivery first WHERE first.seq = delivery.same_as) AS same_as, destination, route, source, dialect, kind, topic, focus_type, focus_rid, focus_version, message, state,
  attempts, last_error, created, delivered, CASE WHEN state = 'failed' THEN next_attempt END AS next_attempt`;

/** More of one state are not counted: a million that wait must not make the count slow. */
const countedTo = 100_000;

export class Deliveries {
  readonly #database: Database;
  readonly #participants: Participants;
  readonly #onReplay: () => void;

  constructor(database: Database, participants: Participants, onReplay: () => void = () => {}) {
    this.#database = database;
    this.#participants = participants;
    this.#onReplay = onReplay;
  }

  /** What a message caused to be sent. */
  async ofMessage(message: string): Promise<object[]> {
    const { rows } = await this.#database.query(`SELECT ${columns} FROM delivery WHERE message = $1 ORDER BY seq`, [
      message,
    ]);
    return rows.map((row) => this.#shown(row));
  }

  /** Deliveries, newest first; `next` is the cursor of the page after. */
  async list({
    state,
    destination,
    route,
    before,
    limit,
  }: DeliveryQuery): Promise<{ deliveries: object[]; next: number | null }> {
    const values: unknown[] = [];
    const conditions = ['true'];
    if (state) conditions.push(`state = $${values.push(state)}`);
    if (destination) conditions.push(`destination = $${values.push(destination)}`);
    if (route) conditions.push(`route = $${values.push(route)}`);
    if (before !== undefined) conditions.push(`seq < $${values.push(before)}`);
    const { rows } = await this.#database.query(
      `SELECT ${columns} FROM delivery WHERE ${conditions.join(' AND ')} ORDER BY seq DESC LIMIT ${limit}`,
      values,
    );
    return { deliveries: rows.map((row) => this.#shown(row)), next: rows.length === limit ? rows.at(-1)!.seq : null };
  }

  /**
   * Sends again what was given up, and what followed; see `replay.ts`.
   * @param also done in the same transaction @throws RecordError 404, 409
   */
  replay(id: string, also?: Also): Promise<number> {
    return this.#replayed((transaction) => replayOne(transaction, id), also);
  }

  /** Sends again what was given up, or delivered, of a destination in a time. @throws RecordError 422 */
  replaySome(asked: Replayed, also?: Also): Promise<number> {
    return this.#replayed((transaction) => replaySome(transaction, asked), also);
  }

  async #replayed(replay: (transaction: Transaction) => Promise<number>, also: Also = () => {}): Promise<number> {
    const count = await this.#database.transaction(async (transaction) => {
      const replayed = await replay(transaction);
      also(transaction);
      return replayed;
    });
    if (count > 0) this.#onReplay();
    return count;
  }

  /**
   * What a destination says, over a connection of its own, of a message that it has accepted. Answers whether it was one
   * that waits for this.
   */
  async noteAnswer(destination: string, acknowledgement: Message): Promise<boolean> {
    const answer = answerOf(acknowledgement);
    if (answer.kind === 'accepted') return false;
    return concludeAccepted(this.#database, destination, acknowledgement.get('MSA-2') ?? '', answer);
  }

  /** Counts, each up to `countedTo`, and the destinations that take nothing now. */
  async status(): Promise<{
    delivered: number;
    deliveriesWaiting: number;
    deliveriesAccepted: number;
    /** The same had reached whom they were for, by another path. */
    deliveriesAlready: number;
    deliveriesDead: number;
    deliveriesCountedTo: number;
    destinationsDown: { key: string; name: string; route: string; since: Date; reason: string }[];
    /** Routes that are gone, of which deliveries were withdrawn. */
    routesRemoved: { key: string; name: string; route: string; since: Date; withdrawn: number }[];
  }> {
    const { rows } = await this.#database.query(
      `SELECT state, (SELECT count(*) FROM (
         SELECT 1 FROM delivery d WHERE d.state = s.state LIMIT ${countedTo}) counted) AS count
       FROM unnest($1::text[]) AS s (state)`,
      [['delivered', 'waiting', 'failed', 'accepted', 'already-delivered', 'dead']],
    );
    const down = await this.#database.query('SELECT * FROM destination_down ORDER BY since');
    const removed = await this.#database.query(
      'SELECT * FROM removed_route WHERE withdrawn > 0 AND restored IS NULL ORDER BY since',
    );
    const count = (...states: string[]) =>
      Math.min(
        countedTo,
        rows.filter((row) => states.includes(row.state)).reduce((sum, row) => sum + Number(row.count), 0),
      );
    return {
      delivered: count('delivered'),
      deliveriesWaiting: count('waiting', 'failed'),
      deliveriesAccepted: count('accepted'),
      deliveriesAlready: count('already-delivered'),
      deliveriesDead: count('dead'),
      deliveriesCountedTo: countedTo,
      destinationsDown: down.rows.map(({ destination: key, route, since, reason }) => ({
        key,
        name: this.#participants.byKey(key).name,
        route,
        since,
        reason,
      })),
      routesRemoved: removed.rows.map(({ destination: key, route, since, withdrawn }) => ({
        key,
        name: this.#participants.byKey(key).name,
        route,
        since,
        withdrawn,
      })),
    };
  }

  #shown(row: Row): object {
    return {
      id: row.id,
      destination: row.destination,
      destinationName: this.#participants.byKey(row.destination).name,
      route: row.route,
      source: row.source,
      sourceName: this.#participants.byKey(row.source).name,
      dialect: row.dialect,
      kind: row.kind,
      topic: row.topic,
      focus: `${typeName(row.focus_type)}/${row.focus_rid}`,
      message: row.message,
      state: row.state,
      attempts: row.attempts,
      lastError: row.last_error,
      ...(row.state === 'already-delivered' ? { sameAs: row.same_as } : {}),
      createdAt: row.created,
      deliveredAt: row.delivered,
      nextAttemptAt: row.next_attempt,
    };
  }
}
