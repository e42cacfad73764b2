/** The subscriptions and their events, as they are stored. */
import { typeCode, typeName } from '@causeway/fhir';
import type { Database, Row, Transaction } from '../database/index.ts';
import type { Asker } from '../trust/index.ts';

export type State = 'requested' | 'active' | 'error' | 'off';

/** A subscription as it is stored. */
export interface Kept {
  rid: string;
  id: string;
  version: number;
  asker: Asker;
  state: State;
  reason: string | undefined;
  /** The last event that was numbered, and the last one that the channel took. */
  events: number;
  told: number;
  failures: number;
  nextAttempt: Date;
  lastSent: Date | undefined;
  /** Its events wait until it goes on. */
  isPaused: boolean;
  /** Changes of the record after this one count. */
  since: number;
}

/** One event: a change of a resource that somebody wants to be told of. */
export interface Event {
  number: number;
  kind: 'create' | 'update' | 'delete';
  type: string;
  rid: string;
  id: string;
  version: number;
  at: Date;
}

/** An event that has no number yet, and whose it is. */
export type Found = Omit<Event, 'number'> & { subscription: string };

/** All subscriptions, those that are off too. What is new counts from the version that asked for it first. */
export async function allKept(database: Database): Promise<Kept[]> {
  await database.query({
    name: 'subscription_since',
    text: `UPDATE subscription s SET since = v.seq FROM (
             SELECT rid, version, seq FROM resource WHERE type = ${typeCode('Subscription')}
             UNION ALL SELECT rid, version, seq FROM resource_history WHERE type = ${typeCode('Subscription')}) v
           WHERE s.since IS NULL AND v.rid = s.rid AND v.version = s.version`,
  });
  const { rows } = await database.query({
    name: 'subscription_all',
    text: 'SELECT * FROM subscription WHERE since IS NOT NULL',
  });
  return rows.map(keptIn);
}

/** Some subscriptions: those of an owner, of some ids. */
export async function keptOf(
  database: Database,
  { owner, ids, rids }: { owner: string | undefined; ids: readonly string[] | undefined; rids?: readonly string[] },
): Promise<Kept[]> {
  const { rows } = await database.query({
    name: 'subscription_some',
    text: `SELECT * FROM subscription WHERE ($1::text IS NULL OR owner = $1) AND ($2::text[] IS NULL OR id = ANY($2))
             AND ($3::uuid[] IS NULL OR rid = ANY($3)) ORDER BY id LIMIT 1000`,
    values: [owner ?? null, ids ?? null, rids ?? null],
  });
  return rows.map(keptIn);
}

function keptIn(row: Row): Kept {
  return {
    rid: row.rid,
    id: row.id,
    version: row.version,
    asker: row.asker,
    state: row.state,
    reason: row.reason ?? undefined,
    events: Number(row.events),
    told: Number(row.told),
    failures: row.failures,
    nextAttempt: row.next_attempt,
    lastSent: row.last_sent ?? undefined,
    isPaused: row.paused,
    since: Number(row.since),
  };
}

/** Stores, in the transaction of the change, what a client asks for. What was asked before keeps its count. */
export function keep(
  transaction: Transaction,
  wanted: {
    rid: string;
    id: string;
    version: number;
    owner: string;
    asker: Asker;
    state: State;
    ends: Date | undefined;
  },
): void {
  transaction.send({
    name: 'subscription_keep',
    text: `INSERT INTO subscription (rid, id, version, owner, asker, state, ends) VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (rid) DO UPDATE SET version = excluded.version, state = excluded.state, ends = excluded.ends,
             reason = NULL, failures = 0, next_attempt = now(), paused = false`,
    values: [
      wanted.rid,
      wanted.id,
      wanted.version,
      wanted.owner,
      JSON.stringify(wanted.asker),
      wanted.state,
      wanted.ends ?? null,
    ],
  });
}

/** Lets the events of a subscription wait, or go on. */
export async function pause(database: Database, rid: string, isPaused: boolean): Promise<void> {
  await database.query({
    name: 'subscription_pause',
    text: 'UPDATE subscription SET paused = $2 WHERE rid = $1',
    values: [rid, isPaused],
  });
}

/** Whether a subscription is paused, whichever hub was told so. */
export async function isPaused(database: Database, rid: string): Promise<boolean> {
  const { rows } = await database.query({
    name: 'subscription_is_paused',
    text: 'SELECT paused FROM subscription WHERE rid = $1',
    values: [rid],
  });
  return rows[0]?.paused ?? false;
}

/** Forgets a subscription whose resource is deleted. */
export function forget(transaction: Transaction, rid: string): void {
  for (const [name, text] of [
    ['subscription_forget_events', 'DELETE FROM subscription_event WHERE subscription = $1'],
    ['subscription_forget', 'DELETE FROM subscription WHERE rid = $1'],
  ] as const)
    transaction.send({ name, text, values: [rid] });
}

/** How far the changes have been looked at. */
export async function position(database: Database): Promise<number> {
  const { rows } = await database.query({ name: 'subscription_position', text: 'SELECT seq FROM subscription_feed' });
  return Number(rows[0]!.seq);
}

/**
 * Numbers what was found and notes how far was looked, in one transaction.
 * @returns false where another hub has looked on meanwhile: then nothing is noted
 */
export function note(database: Database, from: number, to: number, found: readonly Found[]): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const moved = await transaction.query({
      name: 'subscription_look_on',
      text: 'UPDATE subscription_feed SET seq = $2 WHERE seq = $1',
      values: [from, to],
    });
    if (!moved.rowCount) return false;
    if (found.length === 0) return true;
    await transaction.query({
      name: 'subscription_number',
      text: `WITH given AS (
               SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::uuid[], $5::text[], $6::integer[], $7::timestamptz[])
                 WITH ORDINALITY AS g (subscription, kind, type, rid, id, version, at, place)),
             counted AS (
               UPDATE subscription s SET events = s.events + c.events
               FROM (SELECT subscription, count(*) AS events FROM given GROUP BY subscription) c
               WHERE s.rid = c.subscription RETURNING s.rid, s.events - c.events AS before)
             INSERT INTO subscription_event (subscription, number, kind, type, rid, id, version, at)
             SELECT g.subscription, c.before + row_number() OVER (PARTITION BY g.subscription ORDER BY g.place),
               g.kind, g.type, g.rid, g.id, g.version, g.at
             FROM given g JOIN counted c ON c.rid = g.subscription`,
      values: [
        found.map(({ subscription }) => subscription),
        found.map(({ kind }) => kind),
        found.map(({ type }) => typeCode(type)),
        found.map(({ rid }) => rid),
        found.map(({ id }) => id),
        found.map(({ version }) => version),
        found.map(({ at }) => at),
      ],
    });
    return true;
  });
}

/** Events with numbers from and to these, at most `limit`. */
export async function eventsOf(
  database: Database,
  rid: string,
  { from, to, limit }: { from: number; to: number; limit: number },
): Promise<Event[]> {
  const { rows } = await database.query({
    name: 'subscription_events',
    text: `SELECT * FROM subscription_event WHERE subscription = $1 AND number BETWEEN $2 AND $3 ORDER BY number LIMIT $4`,
    values: [rid, from, to, limit],
  });
  return rows.map((row) => ({
    number: Number(row.number),
    kind: row.kind,
    type: typeName(row.type)!,
    rid: row.rid,
    id: row.id,
    version: row.version,
    at: row.at,
  }));
}

/** Notes how the channel of a subscription fares, unless its client has asked for something else meanwhile. */
export async function fared(database: Database, kept: Kept, asked: State): Promise<void> {
  await database.query({
    name: 'subscription_fared',
    text: `UPDATE subscription SET told = greatest(told, $2), failures = $3, next_attempt = $4, last_sent = $5,
             state = CASE WHEN state = $8 THEN $6 ELSE state END, reason = $7
           WHERE rid = $1`,
    values: [
      kept.rid,
      kept.told,
      kept.failures,
      kept.nextAttempt,
      kept.lastSent ?? null,
      kept.state,
      kept.reason?.replaceAll('\0', '') ?? null,
      asked,
    ],
  });
}

/** Notes that a subscription cannot be kept to, so that its client is told. */
export async function broken(database: Database, rid: string, reason: string): Promise<void> {
  await database.query({
    name: 'subscription_broken',
    text: `UPDATE subscription SET state = 'error', reason = $2 WHERE rid = $1 AND state <> 'off'`,
    values: [rid, reason],
  });
}

/** Removes events that are older than they are kept. */
export async function removeOld(database: Database, days: number): Promise<void> {
  await database.query(`DELETE FROM subscription_event WHERE at < now() - $1 * interval '1 day'`, [days]);
}
