/**
 * Sending again, under the same control ids: what was given up, or accepted without a word of what came of it, or what a
 * destination has lost of what it had. Whoever is sent something anew is also sent what followed about the same, in its
 * order, so that nothing older is the last word. What waits for the same recipient and is urgent makes it urgent, too.
 */
import type { Queryable } from '../database/index.ts';
import { RecordError, ridOf } from '../record/index.ts';

export interface Replayed {
  destination: string;
  route?: string | undefined;
  /** By when the deliveries were written; `to` itself is not meant. */
  from?: Date | undefined;
  to?: Date | undefined;
  /** Also what was delivered or accepted: the destination has lost it. */
  delivered?: boolean | undefined;
}

const atMost = 100_000;

const anew = (chosen: string) => `WITH chosen AS (${chosen})
  UPDATE delivery d SET state = 'failed', attempts = 1, offered = true, next_attempt = now(), last_error = 'Sent again as was asked.',
    priority = greatest(d.priority, (SELECT max(u.priority) FROM delivery u WHERE u.destination = d.destination
      AND u.route = d.route AND u.recipient = d.recipient AND u.state IN ('waiting', 'failed')))
  FROM chosen c WHERE d.destination = c.destination AND d.route = c.route AND d.recipient = c.recipient
    AND d.focus_rid = c.focus_rid AND d.focus_type = c.focus_type AND d.round >= c.round
    AND d.state IN ('dead', 'delivered', 'accepted')`;

const columns = 'destination, route, recipient, focus_rid, focus_type';

/** @returns how many deliveries are sent again @throws RecordError 404, 409 */
export async function replayOne(database: Queryable, id: string): Promise<number> {
  const one = `SELECT ${columns}, round FROM delivery WHERE id = $1 AND state IN ('dead', 'accepted')`;
  const { rowCount } = await database.query(anew(one), [ridOf(id)]);
  if (rowCount) return rowCount;
  const { rows } = await database.query('SELECT state FROM delivery WHERE id = $1', [ridOf(id)]);
  if (!rows[0]) throw new RecordError(404, 'not-found', 'There is no delivery of this id.');
  const sentence = `Only a delivery that was given up, or accepted and no more, can be sent again; this one is ${rows[0].state}.`;
  throw new RecordError(409, 'conflict', sentence);
}

/** @returns how many deliveries are sent again @throws RecordError 422 where they are too many at once */
export async function replaySome(database: Queryable, asked: Replayed): Promise<number> {
  const values: unknown[] = [asked.destination, asked.delivered ? ['dead', 'delivered', 'accepted'] : ['dead']];
  const conditions = ['destination = $1', 'state = ANY($2)'];
  if (asked.route) conditions.push(`route = $${values.push(asked.route)}`);
  if (asked.from) conditions.push(`created >= $${values.push(asked.from)}`);
  if (asked.to) conditions.push(`created < $${values.push(asked.to)}`);
  const where = conditions.join(' AND ');
  const counted = await database.query(
    `SELECT count(*) AS n FROM (SELECT 1 FROM delivery WHERE ${where} LIMIT ${atMost + 1}) counted`,
    values,
  );
  if (Number(counted.rows[0]!.n) > atMost) {
    throw new RecordError(422, 'too-costly', `These are more than ${atMost}; ask for a shorter time.`);
  }
  // Of each that somebody was told of, the first.
  const first = `SELECT ${columns}, min(round) AS round FROM delivery WHERE ${where} GROUP BY ${columns}`;
  const { rowCount } = await database.query(anew(first), values);
  return rowCount ?? 0;
}
