/** The rows of `peer_person`: whom other hubs were asked about, and how far what they hold was fetched. */
import type { Database, Row } from '../database/index.ts';

/** `apart`: the other hub is certain, and the person index here does not take the two for one person. */
export type FollowedState = 'asking' | 'nothing' | 'apart' | 'followed' | 'failed' | 'ended';

export interface Followed {
  id: string;
  peer: string;
  home: number;
  /** The Patient as which the person was asked about. */
  patient: string;
  askedBy: string;
  askedAt: Date;
  /** What shows that it is treated by whoever asked, and when that was said to the other hub. */
  ground: string;
  attestedAt: Date | undefined;
  state: FollowedState;
  remote: string | undefined;
  takenAs: string | undefined;
  since: Date | undefined;
  wholeAt: Date | undefined;
  resources: number;
  partial: string | undefined;
  reason: string | undefined;
  attempts: number;
  subscriptions: string[];
  updated: Date;
}

/** Begins to ask, or asks again where it came to nothing. */
export async function begin(
  database: Database,
  {
    id,
    peer,
    home,
    patient,
    askedBy,
    ground,
  }: Pick<Followed, 'id' | 'peer' | 'home' | 'patient' | 'askedBy' | 'ground'>,
): Promise<void> {
  await database.query(
    `INSERT INTO peer_person (id, peer, home, patient, asked_by, ground, state) VALUES ($1, $2, $3, $4, $5, $6, 'asking')
     ON CONFLICT (peer, home) DO UPDATE SET patient = excluded.patient, asked_by = excluded.asked_by, asked_at = now(),
       ground = excluded.ground, attested_at = NULL, attempts = 0, due = now(), updated = now(),
       state = CASE WHEN peer_person.state = 'followed' THEN 'followed' ELSE 'asking' END`,
    [id, peer, home, patient, askedBy, ground],
  );
}

/** Those of a person, by its homes. */
export async function ofHomes(database: Database, homes: readonly number[]): Promise<Followed[]> {
  const { rows } = await database.query(
    'SELECT * FROM peer_person WHERE home = ANY($1::bigint[]) ORDER BY peer, asked_at',
    [`{${homes.join(',')}}`],
  );
  return rows.map(followedOf);
}

/** Those whose turn it is, with the time at which they were looked for. */
export async function due(database: Database, limit: number): Promise<{ followed: Followed; at: Date }[]> {
  const { rows } = await database.query({
    name: 'peer_person_due',
    text: `SELECT *, now() AS at FROM peer_person WHERE due <= now() ORDER BY due LIMIT ${limit}`,
  });
  return rows.map((row) => ({ followed: followedOf(row), at: row.at }));
}

/**
 * Keeps what became of one. @param dueMs when its turn is next; undefined: when somebody asks again. What came to be due
 * while it was worked on stays due.
 * @param at when it was found to be due
 */
export async function keep(database: Database, followed: Followed, dueMs: number | undefined, at: Date): Promise<void> {
  const {
    attestedAt,
    id,
    state,
    remote,
    takenAs,
    since,
    wholeAt,
    resources,
    partial,
    reason,
    attempts,
    subscriptions,
  } = followed;
  await database.query(
    `UPDATE peer_person SET state = $2, remote = $3, taken_as = $4, since = $5, whole_at = $6, resources = $7, partial = $8,
       reason = $9, attempts = $10, subscriptions = $11, attested_at = $14,
       due = CASE WHEN due > $13 THEN due ELSE now() + $12::double precision * interval '1 ms' END, updated = now() WHERE id = $1`,
    [
      id,
      state,
      remote ?? null,
      takenAs ?? null,
      since ?? null,
      wholeAt ?? null,
      resources,
      partial ?? null,
      reason ?? null,
      attempts,
      subscriptions,
      dueMs ?? null,
      at,
      attestedAt ?? null,
    ],
  );
}

/** Has what notifications about one will show. @param secret its SHA-256 */
export async function expectNotifications(database: Database, id: string, secret: Buffer): Promise<void> {
  await database.query('UPDATE peer_person SET secret = $2 WHERE id = $1', [id, secret]);
}

/** Notes that the other hub has told of a change. @returns whether there is one of this id and secret that is followed */
export async function ring(database: Database, id: string, secret: Buffer): Promise<boolean> {
  const { rowCount } = await database.query({
    name: 'peer_person_ring',
    text: `UPDATE peer_person SET due = now() WHERE id = $1 AND secret = $2 AND state IN ('followed', 'failed')`,
    values: [id, secret],
  });
  return rowCount === 1;
}

function followedOf(row: Row): Followed {
  return {
    id: row.id,
    peer: row.peer,
    home: row.home,
    patient: row.patient,
    askedBy: row.asked_by,
    askedAt: row.asked_at,
    ground: row.ground,
    attestedAt: row.attested_at ?? undefined,
    state: row.state,
    remote: row.remote ?? undefined,
    takenAs: row.taken_as ?? undefined,
    since: row.since ?? undefined,
    wholeAt: row.whole_at ?? undefined,
    resources: row.resources,
    partial: row.partial ?? undefined,
    reason: row.reason ?? undefined,
    attempts: row.attempts,
    subscriptions: row.subscriptions,
    updated: row.updated,
  };
}
