/**
 * Takes all rows away that are about a person, and destroys the keys of all that is sealed. Every statement may be carried
 * out again and again: what came in beside it is taken by the next time. docs/encryption.md tells of each column.
 *
 * What other persons' records say of this one are references, and stay; who follows one finds that it is gone.
 */
import { typeCode } from '@causeway/fhir';
import { locks, type Queryable, type Transaction } from '../database/index.ts';
import { hash64 } from '../record/index.ts';
import type { Tokens } from './tokens.ts';

/** Whose record it is. */
export interface Subject {
  erasure: string;
  homes: number[];
  /** UUIDs of the source patients, and of persons whom nobody is any more. */
  rids: string[];
  /** The same, and ids that clients chose. */
  ids: string[];
}

export interface Swept {
  [what: string]: number;
}

const patient = typeCode('Patient')!;

/** @returns how many rows of each kind went */
export async function sweep(transaction: Transaction, subject: Subject, tokens: Tokens): Promise<Swept> {
  const { homes, rids, ids, erasure } = subject;
  const swept: Swept = {};
  const run = async (what: string, text: string, values: unknown[]) => {
    const { rowCount } = await transaction.query(text, values);
    swept[what] = (swept[what] ?? 0) + (rowCount ?? 0);
  };
  // In the order in which writers lock.
  await transaction.query(`SELECT pg_advisory_xact_lock(${locks.links})`);
  await transaction.query('SELECT 1 FROM resource WHERE home = ANY($1) ORDER BY home, rkey FOR UPDATE', [homes]);
  await run('homes', 'UPDATE patient_home SET erased = true WHERE home = ANY($1)', [homes]);
  const lanes = await eraseMessages(transaction, subject, run);
  await eraseConnectorItems(transaction, lanes, run);
  await eraseResources(transaction, homes, run);
  for (const [what, text] of ofHomes) await run(what, text, [homes]);
  for (const [what, text] of ofRids) await run(what, text, [rids]);
  for (const [what, text] of ofIds) await run(what, text, [ids]);
  for (const [what, text] of passing) await run(what, text, [homes, ids]);
  await run('persons', unpresented, []);
  await tombstones(transaction, homes, rids);
  const stops = [...rids.map((rid) => tokens.patient(rid)), ...lanes.map((lane) => tokens.lane(lane))];
  await transaction.query(
    'INSERT INTO erasure_stop (token, erasure) SELECT unnest($1::bytea[]), $2 ON CONFLICT DO NOTHING',
    [stops, erasure],
  );
  await run('keys', 'UPDATE home_key SET wrapped = NULL WHERE home = ANY($1) AND wrapped IS NOT NULL', [homes]);
  return swept;
}

/**
 * What waits to be sent, and what was: so that nothing is told anew while the person goes.
 * @param isForced what is being sent too
 */
export async function eraseDeliveries(
  transaction: Transaction,
  homes: readonly number[],
  isForced: boolean,
): Promise<Swept> {
  const own = '(home = ANY($1) OR recipient_home = ANY($1))';
  await transaction.query(`DELETE FROM pickup WHERE delivery IN (SELECT id FROM delivery WHERE ${own})`, [homes]);
  const { rows } = await transaction.query(
    `WITH gone AS (DELETE FROM delivery WHERE ${own} AND (${isForced} OR NOT (leased AND leased_until > now())) RETURNING state)
     SELECT count(*) FILTER (WHERE state IN ('waiting', 'failed')) AS cancelled, count(*) AS deliveries FROM gone`,
    [homes],
  );
  const { rowCount } = await transaction.query(`DELETE FROM receipt WHERE ${own}`, [homes]);
  const { cancelled, deliveries } = rows[0]!;
  return { cancelledDeliveries: Number(cancelled), deliveries: Number(deliveries), receipts: rowCount ?? 0 };
}

type Run = (what: string, text: string, values: unknown[]) => Promise<void>;

/**
 * Messages that made something of the record, were about one of its patients, or stand in the lane of such a one. Their rows
 * stay as empty ones: what they made of other persons stays as it is. Returns the lanes.
 */
async function eraseMessages(transaction: Transaction, { homes, rids }: Subject, run: Run): Promise<string[]> {
  const { rows } = await transaction.query<{ lane: string }>(
    `SELECT DISTINCT m.lane::text AS lane FROM message m
     WHERE m.lane <> 0 AND m.sealing_key IS NOT NULL AND (m.patient = ANY($2)
       OR m.id IN (SELECT message FROM resource WHERE home = ANY($1) AND message IS NOT NULL
                   UNION SELECT message FROM resource_history WHERE home = ANY($1) AND message IS NOT NULL))
       AND NOT EXISTS (SELECT 1 FROM message o WHERE o.lane = m.lane AND o.patient <> ALL($2))`,
    [homes, rids],
  );
  const lanes = rows.map(({ lane }) => lane).filter((lane) => !sharedLanes.has(lane));
  await run(
    'acknowledgements',
    `DELETE FROM application_ack WHERE message IN (SELECT id FROM message m WHERE ${about})`,
    [homes, rids, lanes],
  );
  await run(
    'messages',
    `UPDATE message m SET sealing_key = NULL, body = '', control_id = '', charset = NULL, lane = 0, patient = NULL,
       digest = sha256(gen_random_uuid()::text::bytea), error = NULL, next_attempt = NULL, not_mapped = NULL,
       issue_list = NULL, answer = NULL, state = CASE WHEN state IN ('processed', 'kept') THEN state ELSE 'refused' END
     WHERE ${about} OR ${besides}`,
    [homes, rids, lanes],
  );
  return lanes;
}

/** Lanes that are nobody's. */
const sharedLanes = new Set(['refused'].map((lane) => String(hash64(lane))));

const about = `(m.sealing_key IS NOT NULL OR octet_length(m.body) > 0) AND (m.patient = ANY($2) OR m.lane = ANY($3)
  OR m.id IN (SELECT message FROM resource WHERE home = ANY($1) AND message IS NOT NULL
              UNION SELECT message FROM resource_history WHERE home = ANY($1) AND message IS NOT NULL))`;

/**
 * Direct mails that had such messages in them, also those that were kept and of which that could not be noted, and what else
 * came in these that says of nobody whose it is.
 */
const besides = `(m.sealing_key IS NOT NULL AND m.dialect = 'unknown' AND m.id IN (
  SELECT unnest(d.documents || array_agg(k.id)) FROM direct_mail d
    LEFT JOIN message k ON k.source = d.participant AND k.control_id = left(d.message_id, 200) AND k.dialect = 'unknown'
  WHERE d.documents && ARRAY(SELECT m.id FROM message m WHERE ${about}) GROUP BY d.id))`;

/** What connectors know of things that are this person's, by the lanes of the messages that they make of them. */
async function eraseConnectorItems(transaction: Transaction, lanes: readonly string[], run: Run): Promise<void> {
  if (lanes.length === 0) return;
  const { rows } = await transaction.query<{ connector: string; participant: string; patient: string }>(
    `SELECT DISTINCT i.connector, c.participant, i.patient FROM connector_item i JOIN connector c ON c.key = i.connector
     WHERE i.patient IS NOT NULL`,
  );
  const known = new Set(lanes);
  for (const { connector, participant, patient: remote } of rows) {
    if (!known.has(String(hash64(`${participant} ${remote}`)))) continue;
    await run('connectorItems', 'DELETE FROM connector_item WHERE connector = $1 AND patient = $2', [
      connector,
      remote,
    ]);
  }
}

/** Versions go; of each resource a row stays that says that it is deleted, under a number and time of its own. */
async function eraseResources(transaction: Transaction, homes: readonly number[], run: Run): Promise<void> {
  await transaction.query(
    `DELETE FROM index_token i USING (SELECT DISTINCT home, rkey, unnest(tokens) AS value FROM resource
       WHERE home = ANY($1) AND tokens IS NOT NULL) t
     WHERE i.value = t.value AND i.home = t.home AND i.rkey = t.rkey`,
    [homes],
  );
  for (const table of ['index_range', 'index_string'])
    await transaction.query(`DELETE FROM ${table} WHERE home = ANY($1)`, [homes]);
  await run('versions', 'DELETE FROM resource_history WHERE home = ANY($1)', [homes]);
  const { rows } = await transaction.query<{ seq: number; updated: Date }>(
    `UPDATE clock SET seq = seq + (SELECT count(*) FROM resource WHERE home = ANY($1) AND NOT deleted),
       updated = greatest(date_trunc('milliseconds', clock_timestamp()), updated + interval '1 ms')
     RETURNING seq, updated`,
    [homes],
  );
  const { seq, updated } = rows[0]!;
  await transaction.query(
    `UPDATE resource_count c SET count = c.count - g.count
     FROM (SELECT type, count(*) AS count FROM resource WHERE home = ANY($1) AND NOT deleted AND type <> ${patient} GROUP BY type) g
     WHERE c.type = g.type`,
    [homes],
  );
  const empty = `as_of = NULL, message = NULL, refs = NULL, tokens = NULL, body = NULL, labels = 0, first_day = NULL, last_day = NULL`;
  await run(
    'resources',
    `UPDATE resource r SET deleted = true, version = r.version + 1, seq = n.seq, updated = $3, ${empty}
     FROM (SELECT home, rkey, $2 + 1 - row_number() OVER (ORDER BY home, rkey) AS seq FROM resource
           WHERE home = ANY($1) AND NOT deleted) n
     WHERE r.home = n.home AND r.rkey = n.rkey`,
    [homes, seq, updated],
  );
  await transaction.query(
    `UPDATE resource SET ${empty} WHERE home = ANY($1) AND deleted
       AND (as_of IS NOT NULL OR message IS NOT NULL OR refs IS NOT NULL OR tokens IS NOT NULL OR body IS NOT NULL
            OR labels <> 0 OR first_day IS NOT NULL OR last_day IS NOT NULL)`,
    [homes],
  );
}

const ofHomes: readonly [string, string][] = [
  ['persons', 'DELETE FROM person WHERE home = ANY($1)'],
  [
    'blockingKeys',
    'DELETE FROM blocking_key b USING link l WHERE l.home = ANY($1) AND b.key = ANY(l.keys) AND b.home = l.home',
  ],
  ['links', 'DELETE FROM link WHERE home = ANY($1)'],
  ['decisions', 'DELETE FROM link_decision WHERE a = ANY($1) OR b = ANY($1)'],
  ['reviews', 'DELETE FROM review WHERE a = ANY($1) OR b = ANY($1)'],
  ['careRelationships', 'DELETE FROM care_relationship WHERE home = ANY($1)'],
  ['loops', 'DELETE FROM care_loop WHERE home = ANY($1)'],
  ['provisions', 'DELETE FROM consent_provision WHERE home = ANY($1)'],
  ['attestations', 'DELETE FROM attestation WHERE home = ANY($1)'],
  ['healthLinks', 'DELETE FROM health_link WHERE home = ANY($1)'],
  ['introductions', 'DELETE FROM introduction WHERE home = ANY($1)'],
  ['askedHubs', 'DELETE FROM peer_person WHERE home = ANY($1)'],
  ['matchTokens', 'DELETE FROM peer_token WHERE home = ANY($1)'],
  [
    'subscriptionEvents',
    `DELETE FROM subscription_event e USING resource r WHERE r.home = ANY($1) AND e.rid = r.rid AND e.type = r.type`,
  ],
];

const ofRids: readonly [string, string][] = [
  ['linkHistory', 'DELETE FROM link_history WHERE patient = ANY($1) OR person = ANY($1) OR previous = ANY($1)'],
  [
    'linkHistoryOfOthers',
    `UPDATE link_history SET others = ARRAY(SELECT o FROM unnest(others) o WHERE o <> ALL($1::uuid[]))
     WHERE others && $1::uuid[]`,
  ],
];

/** Accounts of the person itself that are nobody else's. */
const ownAccounts = `SELECT a.username FROM account a WHERE a.role = 'patient'
    AND EXISTS (SELECT 1 FROM account_person p WHERE p.username = a.username AND p.patient = ANY($1) AND p.relation = 'self')
    AND NOT EXISTS (SELECT 1 FROM account_person p WHERE p.username = a.username AND p.patient <> ALL($1) AND p.ended IS NULL)`;

/** The accounts that go. */
export async function accountsOf(database: Queryable, ids: readonly string[]): Promise<string[]> {
  const { rows } = await database.query<{ username: string }>(ownAccounts, [ids]);
  return rows.map(({ username }) => username);
}

const ofIds: readonly [string, string][] = [
  ['sessions', `DELETE FROM session WHERE username IN (${ownAccounts})`],
  [
    'grants',
    `DELETE FROM oauth_grant WHERE context->>'patient' = ANY($1) OR split_part(context->>'fhirUser', '/', 2) = ANY($1)
       OR username IN (SELECT username FROM account_person WHERE patient = ANY($1))`,
  ],
  ['launches', 'DELETE FROM oauth_launch WHERE patient = ANY($1)'],
  ['accounts', `DELETE FROM account WHERE username IN (${ownAccounts})`],
  ['bindings', 'DELETE FROM account_person WHERE patient = ANY($1)'],
  ['invitations', 'DELETE FROM invitation WHERE patient = ANY($1)'],
  [
    'emergencies',
    `UPDATE emergency_access SET patient = '', reason = '', comment = NULL, ended = coalesce(ended, now()) WHERE patient = ANY($1)`,
  ],
  [
    'emergencyLookups',
    'UPDATE emergency_lookup SET found = ARRAY(SELECT f FROM unnest(found) f WHERE f <> ALL($1)) WHERE found && $1::text[]',
  ],
  ['accountingHolds', 'DELETE FROM accounting_hold WHERE patient = ANY($1)'],
  [
    'informationRequestSteps',
    `UPDATE information_request_step SET note = NULL
     WHERE request IN (SELECT id FROM information_request WHERE patient = ANY($1)) AND note IS NOT NULL`,
  ],
  ['informationRequests', 'UPDATE information_request SET about = NULL, patient = NULL WHERE patient = ANY($1)'],
  ['unprovenAccesses', 'DELETE FROM unproven_access WHERE patient = ANY($1)'],
  [
    'notices',
    `DELETE FROM notice WHERE recipient = ANY(SELECT 'patient:' || unnest($1::text[]))
       OR EXISTS (SELECT 1 FROM jsonb_path_query(about, '$.**') v WHERE regexp_replace(v #>> '{}', '^Patient/', '') = ANY($1))`,
  ],
];

/** What passes by itself soon, and may hold anything: answers that are kept for who asked, places where queries go on. */
const passing: readonly [string, string][] = [
  ['queries', 'DELETE FROM query_continuation WHERE $1::bigint[] IS NOT NULL AND $2::text[] IS NOT NULL'],
  ['bulkParts', `DELETE FROM bulk_part p USING bulk_job j WHERE j.id = p.job AND ${jobOver('$1', '$2')}`],
  ['bulkFiles', `DELETE FROM bulk_file f USING bulk_job j WHERE j.id = f.job AND ${jobOver('$1', '$2')}`],
  ['bulkJobs', `DELETE FROM bulk_job j WHERE ${jobOver('$1', '$2')}`],
  [
    'reprocessings',
    `DELETE FROM reprocess WHERE state <> 'running' AND $1::bigint[] IS NOT NULL
       AND EXISTS (SELECT 1 FROM jsonb_path_query(filter, '$.**') v WHERE v #>> '{}' = ANY($2))`,
  ],
];

/** Jobs that are over and keep something that may be of the person: answers, lines that failed, a list of homes. */
function jobOver(homes: string, ids: string): string {
  return `j.state IN ('complete', 'failed', 'cancelled')
    AND (j.kind <> 'export' OR j.homes && ${homes} OR EXISTS (SELECT 1 FROM bulk_file o WHERE o.job = j.id AND o.content <> 'range')
      OR EXISTS (SELECT 1 FROM jsonb_path_query(j.parameters, '$.**') v WHERE regexp_replace(v #>> '{}', '^Patient/', '') = ANY(${ids})))`;
}

const unpresented =
  'DELETE FROM person p WHERE NOT EXISTS (SELECT 1 FROM link l WHERE l.person = p.id AND l.presented = p.id)';

/** Persons by whose own ids they were shown, and patients who were only named, are gone too. */
async function tombstones(transaction: Transaction, homes: readonly number[], rids: readonly string[]): Promise<void> {
  const { rows } = await transaction.query<{ rid: string }>(
    `SELECT k.rid FROM unnest($1::uuid[]) AS k (rid)
     WHERE NOT EXISTS (SELECT 1 FROM resource r WHERE r.rid = k.rid AND r.type = ${patient})`,
    [rids],
  );
  if (rows.length === 0) return;
  const clock = await transaction.query<{ seq: number; updated: Date }>(
    `UPDATE clock SET seq = seq + $1, updated = greatest(date_trunc('milliseconds', clock_timestamp()), updated + interval '1 ms')
     RETURNING seq, updated`,
    [rows.length],
  );
  const { seq, updated } = clock.rows[0]!;
  await transaction.query(
    `INSERT INTO resource (home, rkey, type, rid, version, seq, updated, deleted, labels)
     SELECT $1, $2 + 1 - k.place, ${patient}, k.rid, 1, $2 + 1 - k.place, $3, true, 0
     FROM unnest($4::uuid[]) WITH ORDINALITY AS k (rid, place)`,
    [homes[0], seq, updated, rows.map(({ rid }) => rid)],
  );
  await transaction.query(
    'INSERT INTO patient_home (rid, erased) SELECT unnest($1::uuid[]), true ON CONFLICT (rid) DO UPDATE SET erased = true',
    [rows.map(({ rid }) => rid)],
  );
}
