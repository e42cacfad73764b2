/** What a recipient was told already by another path: the same fact, by a global number of it, in the same substance. */
import type { Queryable } from '../database/index.ts';
import type { Claimed } from './queue.ts';

/** The delivery, or receipt, that told the same. */
export interface ToldBy {
  seq: number;
  at: Date;
  source: string;
}

/** That a row tells of what the delivery itself is about. */
const isItself = (row: string) => `(${row}.focus_rid = $8 AND ${row}.focus_type = $9)`;

/**
 * What told a recipient last of the fact that a delivery is about, where it said the same, came by another path, arrived, and
 * was not taken back: of the same person, destination, route and chart. Undefined wherever anything is in doubt.
 * @param substance of what the delivery would tell
 * @param isByNumber its receiver knows what it is about by its number. Else it knows each path's resource by its id, so that what
 *   was told of one says nothing of the other any more; and what is told anew, as another path took back what it told, it has still
 */
export async function alreadyTold(
  database: Queryable,
  delivery: Claimed,
  substance: string,
  isByNumber: boolean,
): Promise<ToldBy | undefined> {
  const { destination, route, recipient, recipient_home, numbers, focus_rid, focus_type, seq, kind } = delivery;
  const { rows } = await database.query({
    name: 'outbox_already_told',
    text: `SELECT t.seq, t.delivered AS at, t.source FROM told t
           WHERE t.recipient_home = $1 AND t.substance = $2 AND t.destination = $3 AND t.route = $4 AND t.recipient = $5
             AND t.numbers && $6::uuid[] AND t.state = 'delivered' AND t.kind <> 'retraction' AND t.seq < $7
             AND ($11 OR NOT ${isItself('t')})
             AND (SELECT person FROM link WHERE home = t.home) = (SELECT person FROM link WHERE home = $1)
             AND NOT EXISTS (SELECT FROM told l
               WHERE l.recipient_home = $1 AND l.destination = $3 AND l.route = $4 AND l.recipient = $5
                 AND (l.numbers && (t.numbers || $6::uuid[]) OR l.focus_rid = t.focus_rid AND l.focus_type = t.focus_type
                   OR ${isItself('l')})
                 AND (NOT ${isItself('t')} OR ${isItself('l')})
                 AND (l.seq > t.seq OR NOT $10::boolean AND ${isItself('l')} AND NOT ${isItself('t')}) AND l.seq < $7
                 AND l.state <> 'already-delivered' AND (l.state <> 'cancelled' OR l.offered)
                 AND (l.kind = 'retraction' OR l.substance IS DISTINCT FROM t.substance))
           ORDER BY t.seq DESC LIMIT 1`,
    values: [
      ...[recipient_home, substance, destination, route, recipient],
      ...[numbers, seq, focus_rid, focus_type, isByNumber, !isByNumber && kind === 'new'],
    ],
  });
  return rows[0] as ToldBy | undefined;
}
