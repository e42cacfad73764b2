/** What was told of one person and turns out to be of another: what was not sent is cancelled, what was is taken back. */
import { typeCode, typeName } from '@causeway/fhir';
import type { WriteSet } from '../record/index.ts';
import type { Row } from './derived-rows.ts';
import { focusKey } from './focus.ts';
import type { Lane } from './queue.ts';
import { topicOf } from './topics.ts';

/** Something that is of another home than it was. */
export interface Strayed {
  type: string;
  rid: string;
  home: number;
}

/** What a transaction says to be of another home than it was. */
export function strayedIn(set: WriteSet): Strayed[] {
  const first = new Map<string, number>();
  const last = new Map<string, Strayed>();
  for (const { before, after } of set.changes) {
    if (before === undefined || before.home < 0 || topicOf(after.type, undefined) === undefined) continue;
    const { type, rid, home } = after;
    const key = focusKey(after);
    if (!first.has(key)) first.set(key, before.home);
    last.set(key, { type, rid, home });
  }
  return [...last].flatMap(([key, one]) => (first.get(key) === one.home ? [] : one));
}

/** Retractions of what was delivered to somebody who turns out to be another person. */
export async function undone(set: WriteSet, homes: number[]): Promise<Row[]> {
  if (homes.length === 0) return [];
  const about = '(d.home = ANY($1) OR d.recipient_home = ANY($1))';
  return takenBack(set, 'undone', about, areParted, [homes]);
}

/** The same of what was told by one route. */
export async function parted(set: WriteSet, { destination, route }: Lane): Promise<Row[]> {
  return takenBack(set, 'missed', 'd.destination = $1 AND d.route = $2', areParted, [destination, route]);
}

/** Retractions of what was told of one person and is, by what is said of it now, of another. */
export async function strayed(set: WriteSet, astray: readonly Strayed[]): Promise<Row[]> {
  if (astray.length === 0) return [];
  const elsewhere = `EXISTS (SELECT FROM unnest($1::uuid[], $2::bigint[], $3::smallint[]) AS v (rid, home, type)
    WHERE v.rid = d.focus_rid AND v.type = d.focus_type AND (SELECT person FROM link WHERE home = v.home) IS DISTINCT FROM
      (SELECT person FROM link WHERE home = d.recipient_home))`;
  return takenBack(set, 'strayed', 'd.focus_rid = ANY($1)', elsewhere, [
    astray.map(({ rid }) => rid),
    astray.map(({ home }) => home),
    astray.map(({ type }) => typeCode(type)),
  ]);
}

/** Of a delivery `d`: the focus and the recipient belong to different persons. */
const areParted = `(SELECT person FROM link WHERE home = d.home) IS DISTINCT FROM
  (SELECT person FROM link WHERE home = d.recipient_home)`;

const highestRound = `(SELECT max(h.round) FROM told h WHERE h.destination = d.destination
  AND h.route = d.route AND h.recipient = d.recipient AND h.focus_rid = d.focus_rid AND h.focus_type = d.focus_type)`;

/**
 * Cancels what was not sent of deliveries `d` and belongs elsewhere, and takes back what was.
 * @param name of the statements @param about @param elsewhere conditions
 */
async function takenBack(
  set: WriteSet,
  name: string,
  about: string,
  elsewhere: string,
  values: unknown[],
): Promise<Row[]> {
  await set.transaction.query({
    name: `outbox_${name}_unsent`,
    text: `UPDATE delivery d SET state = 'cancelled', last_error = 'Another person, as it turned out before it was sent.'
           WHERE ${about} AND (d.state = 'waiting' AND d.attempts = 0 AND d.kind <> 'retraction' OR d.state = 'already-delivered')
             AND ${elsewhere}`,
    values,
  });
  const { rows } = await set.transaction.query({
    name: `outbox_${name}`,
    text: `SELECT * FROM (
             SELECT DISTINCT ON (d.destination, d.route, d.recipient, d.focus_type, d.focus_rid) d.*, ${highestRound} AS highest
             FROM told d WHERE ${about} AND d.state <> 'already-delivered' AND (d.state <> 'cancelled' OR d.offered)
             ORDER BY d.destination, d.route, d.recipient, d.focus_type, d.focus_rid, d.round DESC) d
           WHERE d.kind <> 'retraction' AND ${elsewhere} ORDER BY d.seq`,
    values,
  });
  return rows.map((row) => ({
    focus: {
      type: typeName(row.focus_type)!,
      rid: row.focus_rid,
      home: row.home,
      version: row.focus_version,
      message: row.message ?? undefined,
      topic: row.topic,
    },
    recall: 'wrong-person',
    source: row.source,
    person: row.person,
    destination: row.destination,
    route: row.route,
    dialect: row.dialect,
    recipient: row.recipient,
    recipientHome: row.recipient_home,
    kind: 'retraction',
    round: row.highest + 1,
    // Somebody else's chart holds it.
    urgent: true,
  }));
}
