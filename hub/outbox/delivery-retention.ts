/**
 * The retention of deliveries, as the table `delivery_retention` says. One that arrived becomes a receipt: who received which
 * version of what, and when; one that was cancelled and cannot have arrived goes. What waits, was given up, or may yet be
 * spoken of stays, with what followed it about the same, since it may be sent again; and so does what an open recall is about.
 */
import type { Database, Transaction } from '../database/index.ts';
import { RecordError, type RetentionPart } from '../record/index.ts';
import type { Participants } from '../trust/index.ts';

/** What is kept of which deliveries. */
export interface DeliveryPolicy {
  /** A participant's key, or `*`. */
  destination: string;
  /** Undefined: every route. */
  route: string | undefined;
  /** Days after the delivery came to an end; undefined where all are kept. */
  keepDays: number | undefined;
}

/** A policy with who set it, when and why. */
export interface SetDeliveryPolicy extends DeliveryPolicy {
  keepDays: number;
  changed: Date;
  by: string;
  reason: string;
}

const everyone = '*';
const rowsPerStep = 2_000;

export class DeliveryRetention implements RetentionPart {
  readonly #database: Database;
  readonly #participants: Participants;

  constructor(database: Database, participants: Participants) {
    this.#database = database;
    this.#participants = participants;
  }

  /** The policies there are. */
  async policies(): Promise<SetDeliveryPolicy[]> {
    const { rows } = await this.#database.query('SELECT * FROM delivery_retention ORDER BY destination, route');
    return rows.map((row) => ({
      destination: row.destination,
      route: row.route === '' ? undefined : row.route,
      keepDays: row.keep_days,
      changed: row.changed,
      by: row.by_whom,
      reason: row.reason,
    }));
  }

  /** Sets for how long deliveries are kept; without a number all are kept again. @throws RecordError 400 */
  async set(policy: DeliveryPolicy, by: string, reason: string, record: (transaction: Transaction) => Promise<void>) {
    const { destination, route, keepDays } = policy;
    const known = this.#participants.all().find(({ key }) => key === destination);
    if (!known && destination !== everyone) {
      throw new RecordError(
        400,
        'value',
        'The parameter destination is the key of a participant, or *.',
        'destination',
      );
    }
    if (route !== undefined && keepDays !== undefined && !known?.routes?.some(({ name }) => name === route)) {
      throw new RecordError(400, 'value', 'The parameter route names no route of this destination.', 'route');
    }
    await this.#database.transaction(async (transaction) => {
      const place = [destination, route ?? ''];
      await transaction.query('DELETE FROM delivery_retention WHERE destination = $1 AND route = $2', place);
      if (keepDays !== undefined) {
        await transaction.query(
          `INSERT INTO delivery_retention (destination, route, keep_days, changed, by_whom, reason)
           VALUES ($1, $2, $3, now(), $4, $5)`,
          [...place, keepDays, by, reason],
        );
      }
      await record(transaction);
    });
  }

  /**
   * Looks at the next deliveries after a place in their order, and takes away what no policy keeps.
   * @param now what the days are counted back from
   */
  async step(
    transaction: Transaction,
    after: number,
    now = new Date(),
  ): Promise<{ removed: number; next: number | undefined }> {
    const { rows } = await transaction.query({
      name: 'delivery_retention_step',
      text: `WITH looked AS (
               SELECT d.seq, d.state, d.offered, d.destination, d.route, d.leased, d.created, d.delivered, d.focus_rid, d.focus_type,
                 d.recipient, d.round, d.recall, d.route_gone
               FROM delivery d WHERE d.seq > $1
                 AND d.created < $2::timestamptz - (SELECT min(keep_days) FROM delivery_retention) * interval '1 day'
               ORDER BY d.seq LIMIT ${rowsPerStep}),
             due AS (
               SELECT l.seq FROM looked l CROSS JOIN LATERAL (
                 SELECT keep_days FROM delivery_retention p
                 WHERE p.destination IN (l.destination, '${everyone}') AND p.route IN (l.route, '')
                 ORDER BY p.destination = '${everyone}', p.route = '' LIMIT 1) p
               WHERE (l.state = 'delivered' OR l.state = 'cancelled' AND l.recall IS NULL AND NOT l.offered AND NOT l.route_gone) AND NOT l.leased
                 AND coalesce(l.delivered, l.created) < $2 - p.keep_days * interval '1 day'
                 AND NOT EXISTS (SELECT FROM care_loop c WHERE c.focus_rid = l.focus_rid AND c.focus_type = l.focus_type
                   AND c.kind = 'recall' AND c.state <> 'closed')
                 AND NOT EXISTS (SELECT FROM delivery e WHERE e.focus_rid = l.focus_rid AND e.focus_type = l.focus_type
                   AND e.destination = l.destination AND e.route = l.route AND e.recipient = l.recipient
                   AND e.round < l.round AND e.state IN ('dead', 'accepted'))),
             gone AS (
               DELETE FROM delivery d USING due
               WHERE d.seq = due.seq AND d.state IN ('delivered', 'cancelled') AND NOT d.leased RETURNING d.*),
             kept AS (
               INSERT INTO receipt (seq, created, delivered, destination, route, dialect, kind, topic, home, source, person,
                 focus_type, focus_rid, focus_version, recipient, recipient_home, round, recall, numbers, substance)
               SELECT seq, created, delivered, destination, route, dialect, kind, topic, home, source, person, focus_type,
                 focus_rid, focus_version, recipient, recipient_home, round, recall, numbers, substance FROM gone WHERE state = 'delivered')
             SELECT (SELECT count(*) FROM gone)::integer AS removed, (SELECT count(*) FROM looked)::integer AS looked,
               (SELECT max(seq) FROM looked) AS last`,
      values: [after, now],
    });
    const { removed, looked, last } = rows[0]!;
    return { removed, next: looked === rowsPerStep ? Number(last) : undefined };
  }
}
