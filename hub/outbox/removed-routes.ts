/**
 * What waits for a route that was taken away, or whose organisation has left the network, would wait for ever: it is withdrawn,
 * with its reason, told once, and told anew by a route of the same name.
 */
import { typeCode, typeName } from '@causeway/fhir';
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import { referenceMask } from '../record/index.ts';
import type { Lane } from './queue.ts';

/** What a route missed while it was not there. */
export interface Missed {
  type: string;
  rid: string;
  home: number;
  topic: string;
  version: number;
  isGone: boolean;
}

/** Tells a route anew what it missed; answers how many deliveries that are. */
export type Retell = (lane: Lane, missed: readonly Missed[], isFirst: boolean) => Promise<number>;

const rowsPerStep = 5_000;
const retoldPerStep = 500;

export class RemovedRoutes {
  readonly #database: Database;
  readonly #log: Logger;
  readonly #retell: Retell;

  constructor(database: Database, log: Logger, retell: Retell) {
    this.#database = database;
    this.#log = log;
    this.#retell = retell;
  }

  /**
   * Withdraws what waits for routes that are gone, and tells those that are there again what they missed. One for which nothing
   * waits any more is left alone.
   */
  async look(): Promise<void> {
    const { rows } = await this.#database.query({
      name: 'outbox_removed_routes',
      text: `WITH ended AS (
               SELECT p.key, one->>'name' AS route FROM participant p, jsonb_array_elements(p.routes) one
               WHERE (SELECT state FROM participant_step s WHERE s.participant = p.key ORDER BY id DESC LIMIT 1) = 'ended'),
             noted AS (
               INSERT INTO removed_route (destination, route) SELECT * FROM ended ON CONFLICT DO NOTHING)
             SELECT r.destination, r.route, r.since, r.restored::text AS restored, e.key IS NOT NULL AS ended
             FROM removed_route r LEFT JOIN ended e ON e.key = r.destination AND e.route = r.route
             WHERE r.restored IS NOT NULL AND e.key IS NULL OR r.withdrawn > 0 AND NOT r.told OR EXISTS (
               SELECT FROM delivery d WHERE d.destination = r.destination AND d.route = r.route AND d.state IN ('waiting', 'failed'))`,
    });
    for (const { destination, route, since, restored, ended } of rows) {
      if (restored && !ended) await this.#restore({ destination, route }, since, restored);
      else await this.#withdraw({ destination, route }, ended);
    }
  }

  async #withdraw(lane: Lane, hasLeft: boolean): Promise<void> {
    const { destination, route } = lane;
    const reason = hasLeft ? 'the organisation has left the network' : 'the route was removed';
    for (let count = rowsPerStep; count === rowsPerStep; ) {
      const { rows } = await this.#database.query({
        name: 'outbox_withdraw',
        text: `WITH gone AS (
                 SELECT FROM removed_route WHERE destination = $1 AND route = $2 AND ($4 OR restored IS NULL) FOR UPDATE),
               due AS (
                 SELECT seq FROM delivery WHERE destination = $1 AND route = $2 AND state IN ('waiting', 'failed')
                   AND NOT (leased AND leased_until > now()) AND EXISTS (SELECT FROM gone)
                 LIMIT ${rowsPerStep} FOR UPDATE SKIP LOCKED),
               ended AS (
                 UPDATE delivery d SET state = 'cancelled', route_gone = true, leased = false, last_error = $3 FROM due
                 WHERE d.seq = due.seq RETURNING d.seq),
               counted AS (
                 UPDATE removed_route SET withdrawn = withdrawn + (SELECT count(*) FROM ended)
                 WHERE destination = $1 AND route = $2 AND EXISTS (SELECT FROM ended))
               SELECT count(*)::integer AS count FROM ended`,
        values: [destination, route, `Withdrawn: ${reason}.`, hasLeft],
      });
      count = rows[0]!.count;
    }
    const { rows } = await this.#database.query({
      name: 'outbox_withdrawn_told',
      text: `UPDATE removed_route SET told = true WHERE destination = $1 AND route = $2 AND NOT told AND withdrawn > 0 AND NOT EXISTS (
               SELECT FROM delivery WHERE destination = $1 AND route = $2 AND state IN ('waiting', 'failed'))
             RETURNING withdrawn`,
      values: [destination, route],
    });
    if (rows[0])
      this.#log.error({ destination, route, withdrawn: rows[0].withdrawn, reason }, 'deliveries were withdrawn');
  }

  async #restore(lane: Lane, since: Date, restored: string): Promise<void> {
    const { destination, route } = lane;
    const missed = await missedBy(this.#database, lane, since);
    let told = 0;
    for (let at = 0; at === 0 || at < missed.length; at += retoldPerStep)
      told += await this.#retell(lane, missed.slice(at, at + retoldPerStep), at === 0);
    await this.#database.query({
      name: 'outbox_route_restored',
      text: `WITH known AS (
               DELETE FROM removed_route WHERE destination = $1 AND route = $2 AND restored = $3::text::timestamptz RETURNING destination)
             UPDATE delivery SET route_gone = false WHERE destination = $1 AND route = $2 AND route_gone AND EXISTS (SELECT FROM known)`,
      values: [destination, route, restored],
    });
    this.#log.warn({ destination, route, told }, 'a route is there again and is told what it missed');
  }
}

/** What was withdrawn, and what was told by the route and changed meanwhile, in the order in which it was to be told. */
async function missedBy(database: Database, { destination, route }: Lane, since: Date): Promise<Missed[]> {
  const { rows } = await database.query({
    name: 'outbox_missed',
    text: `WITH last AS (
             SELECT DISTINCT ON (recipient, focus_type, focus_rid) recipient, focus_type, focus_rid, home, topic, focus_version,
               seq, kind, created
             FROM told WHERE destination = $1 AND route = $2 AND (state <> 'cancelled' OR offered)
             ORDER BY recipient, focus_type, focus_rid, round DESC),
           missed AS (
             SELECT g.focus_type, g.focus_rid, g.home, g.topic, g.focus_version, g.seq
             FROM delivery g LEFT JOIN last l USING (recipient, focus_type, focus_rid)
             WHERE g.destination = $1 AND g.route = $2 AND g.route_gone AND (l.seq IS NULL OR l.seq < g.seq)
             UNION ALL
             SELECT l.focus_type, l.focus_rid, l.home, l.topic, l.focus_version, l.seq
             FROM last l JOIN resource r ON r.rid = l.focus_rid AND r.type = l.focus_type
             WHERE l.kind <> 'retraction' AND r.updated > $3 AND (r.deleted OR r.version > l.focus_version)
             UNION ALL
             SELECT l.focus_type, l.focus_rid, l.home, l.topic, l.focus_version, l.seq
             FROM resource o JOIN index_token t ON t.value = (o.self # $4)
               JOIN resource r ON r.home = t.home AND r.rkey = t.rkey
               JOIN last l ON l.focus_rid = r.rid AND l.focus_type = r.type
             WHERE o.type = ${typeCode('Observation')} AND o.updated > $3 AND o.updated > l.created AND o.version > 1
               AND r.type = ${typeCode('DiagnosticReport')} AND l.kind <> 'retraction')
           SELECT m.*, NOT EXISTS (SELECT FROM resource r WHERE r.rid = m.focus_rid AND r.type = m.focus_type AND NOT r.deleted)
             AS gone
           FROM (SELECT DISTINCT ON (focus_type, focus_rid) * FROM missed ORDER BY focus_type, focus_rid, seq) m ORDER BY m.seq`,
    values: [destination, route, since, String(referenceMask('DiagnosticReport', 'result', 'Observation'))],
  });
  return rows.map((row) => ({
    type: typeName(row.focus_type)!,
    rid: row.focus_rid,
    home: row.home,
    topic: row.topic,
    version: row.focus_version,
    isGone: row.gone,
  }));
}
