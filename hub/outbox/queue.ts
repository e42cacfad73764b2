/** The rows of the outbox as a queue: claimed in order, settled, given back. */
import type { Database, Queryable } from '../database/index.ts';
import type { Topic } from '../trust/index.ts';
import type { Answer } from './answer.ts';
import { deliveriesOf } from './control-id.ts';

/** A delivery that was claimed for an attempt. */
export interface Claimed {
  seq: number;
  id: string;
  created: Date;
  kind: 'new' | 'correction' | 'retraction';
  topic: Topic;
  destination: string;
  route: string;
  home: number;
  source: string;
  focus_type: number;
  focus_rid: string;
  recipient: string;
  recipient_home: number;
  /** How often the recipient is told of the focus, with this. */
  round: number;
  /** With this attempt. */
  attempts: number;
  /** The global numbers by which others may tell of the same; see `fact.ts`. */
  numbers: string | null;
  /** It was delivered before, and is asked for again. */
  wasDelivered: boolean;
  /** Whether focus and recipient were one person when it was claimed. */
  together: boolean;
}

export interface Settled {
  seq: number;
  state: 'delivered' | 'accepted' | 'failed' | 'dead' | 'cancelled' | 'already-delivered';
  error: string | undefined;
  /** Milliseconds until the next attempt. */
  retryMs: number;
  /** The access decision kept it from the destination. */
  isWithheld?: boolean;
  /** It is kept back only until somebody confirms that records are of one person. */
  isUnconfirmed?: boolean;
  /** It left, so that the destination may have it, whatever it answered. */
  isOffered?: boolean;
  /** Of what has global numbers: what it told, see `fact.ts`. */
  substance?: string | undefined;
  /** The number of the delivery that told the same. */
  sameAs?: number;
}

/** How long a claimed delivery is left to its worker; one that is not settled by then is claimed anew. */
const leaseMinutes = 20;

/** Gives back what a hub that ended was sending: some of it may have arrived. */
export async function releaseAll(database: Database): Promise<void> {
  await database.query('UPDATE delivery SET leased = false, offered = true WHERE leased');
}

/** The deliveries of one destination by one of its routes. */
export interface Lane {
  destination: string;
  route: string;
}

/**
 * Takes the next deliveries of a lane that are due, the more urgent first, of each recipient the first that is not settled:
 * so what is sent again after a crash never comes after what follows it. What waits for another attempt holds back what
 * follows for the same recipient, and nothing else.
 * @param onlyUrgent whatever is not urgent waits
 * @returns `at`: what was due by then was claimed, or is held back
 */
export async function claim(
  database: Queryable,
  { destination, route }: Lane,
  count: number,
  onlyUrgent = false,
): Promise<{ claimed: Claimed[]; at: Date }> {
  const { rows } = await database.query({
    name: 'outbox_claim',
    text: `WITH due AS (
             SELECT d.seq FROM delivery d
             WHERE d.destination = $1 AND d.route = $2 AND d.state IN ('waiting', 'failed') AND d.next_attempt <= now()
               AND NOT (d.leased AND d.leased_until > now()) AND d.priority >= $4 AND NOT EXISTS (
                 SELECT 1 FROM delivery e WHERE e.destination = d.destination AND e.route = d.route
                   AND e.recipient = d.recipient AND e.state IN ('waiting', 'failed') AND e.seq < d.seq)
             ORDER BY d.priority DESC, d.seq LIMIT $3 FOR UPDATE SKIP LOCKED),
           claimed AS (
             UPDATE delivery d SET attempts = least(attempts + 1, 30000), leased = true, said_early = NULL,
               leased_until = now() + interval '${leaseMinutes} minutes' FROM due WHERE d.seq = due.seq
             RETURNING d.seq, d.id, d.created, d.kind, d.topic, d.destination, d.route, d.priority, d.round, d.home,
               d.source, d.focus_type, d.focus_rid, d.recipient, d.recipient_home, d.attempts, d.numbers::text AS numbers, d.delivered IS NOT NULL AS "wasDelivered",
               (SELECT person FROM link WHERE home = d.home) IS NOT DISTINCT FROM
               (SELECT person FROM link WHERE home = d.recipient_home) AS together)
           SELECT now() AS at, claimed.* FROM (VALUES (1)) AS always LEFT JOIN claimed ON true
           ORDER BY priority DESC, seq`,
    values: [destination, route, count, onlyUrgent ? 1 : 0],
  });
  return { claimed: rows.filter(({ seq }) => seq !== null) as Claimed[], at: rows[0]!.at };
}

/** Whether focus and recipient of a delivery that was claimed a while ago are one person still. */
export async function areTogether(database: Queryable, { home, recipient_home }: Claimed): Promise<boolean> {
  const { rows } = await database.query({
    name: 'outbox_together',
    text: `SELECT (SELECT person FROM link WHERE home = $1) IS NOT DISTINCT FROM
             (SELECT person FROM link WHERE home = $2) AS together`,
    values: [home, recipient_home],
  });
  return rows[0]!.together;
}

/** Gives back, as if never claimed, what was not tried. */
export async function giveBack(database: Queryable, deliveries: Claimed[]): Promise<void> {
  if (deliveries.length === 0) return;
  await database.query({
    name: 'outbox_give_back',
    text: `UPDATE delivery SET attempts = attempts - 1, leased = false WHERE seq = ANY($1) AND leased`,
    values: [deliveries.map(({ seq }) => seq)],
  });
}

/** Notes what became of attempts. */
export async function settle(database: Queryable, settled: Settled[]): Promise<void> {
  if (settled.length === 0) return;
  await database.query({
    name: 'outbox_settle',
    // What was withheld while the consents of the person changed is tried once more. What came of an accepted one may have
    // been said, over another connection, before this is written.
    text: `UPDATE delivery d SET state = CASE WHEN v.withheld AND d.reconsider THEN 'failed'
               WHEN v.state = 'accepted' AND d.said_early = '' THEN 'delivered'
               WHEN v.state = 'accepted' AND d.said_early IS NOT NULL THEN 'dead' ELSE v.state END,
             withheld = v.withheld AND NOT d.reconsider, unconfirmed = v.unconfirmed, reconsider = false, leased = false,
             offered = d.offered OR v.offered,
             substance = coalesce(v.substance, d.substance), same_as = v.same_as,
             last_error = CASE WHEN v.state = 'accepted' AND d.said_early IS NOT NULL THEN nullif(d.said_early, '') ELSE v.error END,
             next_attempt = now() + v.retry * interval '1 ms', said_early = NULL,
             delivered = CASE WHEN v.state = 'delivered' OR (v.state = 'accepted' AND d.said_early = '') THEN now() END
           FROM unnest($1::bigint[], $2::text[], $3::text[], $4::integer[], $5::boolean[], $6::boolean[],
               $7::uuid[], $8::bigint[], $9::boolean[])
               AS v (seq, state, error, retry, withheld, offered, substance, same_as, unconfirmed)
           WHERE d.seq = v.seq`,
    values: [
      settled.map(({ seq }) => seq),
      settled.map(({ state }) => state),
      settled.map(({ error }) => error?.replaceAll('\0', '') ?? null),
      settled.map(({ retryMs }) => Math.round(retryMs)),
      settled.map(({ isWithheld }) => isWithheld === true),
      settled.map(({ isOffered }) => isOffered === true),
      settled.map(({ substance }) => substance ?? null),
      settled.map(({ sameAs }) => sameAs ?? null),
      settled.map(({ isUnconfirmed }) => isUnconfirmed === true),
    ],
  });
}

/**
 * Milliseconds until something of a lane is due again that was not by `since`; undefined where nothing is. What was due by
 * then and was not claimed waits behind something that is due later.
 */
export async function nextDue(
  database: Database,
  { destination, route }: Lane,
  since: Date,
): Promise<number | undefined> {
  const { rows } = await database.query({
    name: 'outbox_next_due',
    text: `SELECT (extract(epoch FROM min(next_attempt) - now()) * 1000)::float8 AS ms FROM delivery
           WHERE destination = $1 AND route = $2 AND state = 'failed' AND next_attempt > $3`,
    values: [destination, route, since],
  });
  return rows[0]?.ms == null ? undefined : Math.max(0, rows[0].ms);
}

/** Makes a delivery due whose acknowledgement came after its time: its next attempt is answered by that. */
export async function hasten(database: Database, destination: string, controlId: string): Promise<void> {
  const range = deliveriesOf(controlId);
  if (!range) return;
  await database.query(
    `UPDATE delivery SET next_attempt = now()
     WHERE id BETWEEN $1 AND $2 AND destination = $3 AND state = 'failed' AND NOT leased`,
    [range.first, range.last, destination],
  );
}

/**
 * Notes what a destination of enhanced mode says of a message that it has (AA, AE, AR), also where the attempt is not over
 * yet. Answers whether it was one of ours that waits for this.
 */
export async function concludeAccepted(
  database: Database,
  destination: string,
  controlId: string,
  answer: Exclude<Answer, { kind: 'accepted' }>,
): Promise<boolean> {
  const range = deliveriesOf(controlId);
  if (!range) return false;
  const isDelivered = answer.kind === 'delivered';
  const reason = isDelivered ? null : answer.reason.replaceAll('\0', '');
  const { rowCount } = await database.query(
    `UPDATE delivery SET state = CASE WHEN leased THEN state ELSE $4::text END,
       last_error = CASE WHEN leased THEN last_error ELSE $5 END,
       delivered = CASE WHEN leased THEN delivered WHEN $4::text = 'delivered' THEN now() END,
       said_early = CASE WHEN leased THEN coalesce($5, '') END
     WHERE id BETWEEN $1 AND $2 AND destination = $3 AND (state = 'accepted' OR leased)`,
    [range.first, range.last, destination, isDelivered ? 'delivered' : 'dead', reason],
  );
  return (rowCount ?? 0) > 0;
}
