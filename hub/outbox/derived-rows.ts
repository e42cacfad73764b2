/** The rows of the outbox as the derivation of deliveries reads and writes them. */
import { typeCode, typeName } from '@causeway/fhir';
import { counts, type RecallReason, type Relationships } from '../care/index.ts';
import type { NamedStatement } from '../database/index.ts';
import { newId, type WriteSet } from '../record/index.ts';
import { numbersOf } from './fact.ts';
import { type Focus, focusKey } from './focus.ts';

/** A source patient of a person, as the deliveries see it. */
export interface Member {
  home: number;
  patient: string;
  source: string;
  person: string;
  /** Whether it may be sent something: its site cares, and it stands for a person and not for "John Doe". */
  cares: boolean;
  /** Whether it stands for a person, and was not merged into another. */
  stands: boolean;
  /** The destinations and routes to which the person was introduced under its numbers. */
  introduced: { destination: string; route: string }[] | null;
}

/** What a recipient was sent last about a focus. */
export interface Sent {
  recipient: string;
  round: number;
  kind: Kind;
  live: boolean;
}

export type Kind = 'new' | 'correction' | 'retraction';

/** A delivery that is to be written. */
export interface Row {
  focus: Pick<Focus, 'type' | 'rid' | 'home' | 'version' | 'message' | 'topic'> & { resource?: Focus['resource'] };
  /** Why what was told does not hold as it was told. */
  recall: RecallReason | undefined;
  source: string;
  person: string;
  destination: string;
  route: string;
  dialect: string;
  recipient: string;
  recipientHome: number;
  kind: Kind;
  round: number;
  urgent: boolean;
  /** It is kept back until somebody confirms that the two records are of one person. */
  isHeld?: boolean;
}

/**
 * What is kept back of the persons of these homes, in the order in which it was to be sent. What waits is decided on once more
 * where it is kept back by what held until the commit.
 */
export async function withheldOf(
  set: WriteSet,
  homes: number[],
): Promise<{ key: string; type: string; rid: string }[]> {
  if (homes.length === 0) return [];
  const ofPersons = `home = ANY($1) OR home IN (SELECT m.home FROM link l JOIN link m USING (person) WHERE l.home = ANY($1))`;
  await set.transaction.query({
    name: 'outbox_reconsider',
    text: `UPDATE delivery SET reconsider = true WHERE state IN ('waiting', 'failed') AND (${ofPersons})`,
    values: [homes],
  });
  const { rows } = await set.transaction.query({
    name: 'outbox_withheld',
    text: `SELECT d.destination, d.route, d.focus_type, d.focus_rid FROM delivery d
           WHERE d.withheld AND (${ofPersons}) AND NOT EXISTS (SELECT 1 FROM delivery later
             WHERE later.destination = d.destination AND later.route = d.route AND later.focus_rid = d.focus_rid AND later.focus_type = d.focus_type
               AND later.seq > d.seq AND (later.withheld OR later.state <> 'cancelled'))
           ORDER BY d.seq`,
    values: [homes],
  });
  return rows.map(({ destination, route, focus_type, focus_rid: rid }) => {
    const focus = { type: typeName(focus_type)!, rid };
    return { key: sentKey(destination, route, focus), ...focus };
  });
}

/** Everybody in the persons of these homes. */
export async function membersOf(set: WriteSet, homes: number[], relationships: Relationships): Promise<Member[]> {
  const { rows } = await set.transaction.query({
    name: 'outbox_members',
    text: `SELECT l.home, l.patient, l.source, l.person,
             (l.placeholder IS NULL AND l.source = ANY($2)
              AND EXISTS (SELECT FROM link o JOIN care_relationship c ON c.home = o.home AND c.site = l.source
                WHERE o.person = l.person AND ${counts('c', '$3', '$4::boolean')})
              AND NOT EXISTS (${merged})) AS cares,
             (l.placeholder IS NULL AND NOT EXISTS (${merged})) AS stands,
             (SELECT json_agg(json_build_object('destination', i.destination, 'route', i.route))
              FROM introduction i WHERE i.home = l.home) AS introduced
           FROM link l WHERE l.person IN (SELECT person FROM link WHERE home = ANY($1))`,
    values: [homes, relationships.told(), set.now, relationships.rules().chart],
  });
  return rows as Member[];
}

/** That a record `l` was merged into another. */
const merged = `SELECT FROM care_relationship r
  WHERE r.home = l.home AND r.site = l.source AND r.kind = 'chart' AND r.ends <= $3`;

/** What was withdrawn before it was sent need not be sent. */
export async function cancelUnsent(set: WriteSet, foci: Focus[]): Promise<void> {
  if (foci.length === 0) return;
  await set.transaction.query({
    name: 'outbox_cancel',
    text: `UPDATE delivery SET state = 'cancelled', last_error = 'Withdrawn before it was sent.'
           WHERE ${isAbout} AND state = 'waiting' AND attempts = 0 AND kind <> 'retraction'`,
    values: named(foci),
  });
}

/**
 * What recipients were told, or are to be told, by other paths of the facts that are taken back from them. What was not sent
 * itself, or not yet, counts as not told from then on.
 * @returns of each the key with its recipient
 */
export async function sharedWith(
  set: WriteSet,
  takenBack: readonly Row[],
): Promise<{ key: string; type: string; rid: string }[]> {
  if (takenBack.length === 0) return [];
  const { rows } = await set.transaction.query({
    name: 'outbox_shared',
    text: `SELECT DISTINCT d.destination, d.route, d.recipient, d.focus_type, d.focus_rid
           FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::smallint[], $6::uuid[])
             AS b (destination, route, recipient, recipient_home, focus_type, focus_rid)
           JOIN told f USING (destination, route, recipient, focus_type, focus_rid)
           JOIN told d ON d.recipient_home = b.recipient_home AND d.destination = b.destination AND d.route = b.route
             AND d.recipient = b.recipient AND d.numbers && f.numbers AND d.focus_rid <> b.focus_rid
             AND (d.state <> 'cancelled' OR d.offered)
           WHERE (SELECT person FROM link WHERE home = d.home) = (SELECT person FROM link WHERE home = d.recipient_home)`,
    values: [
      takenBack.map(({ destination }) => destination),
      takenBack.map(({ route }) => route),
      takenBack.map(({ recipient }) => recipient),
      takenBack.map(({ recipientHome }) => recipientHome),
      takenBack.map(({ focus }) => typeCode(focus.type)),
      takenBack.map(({ focus }) => focus.rid),
    ],
  });
  if (rows.length > 0) {
    await set.transaction.query({
      name: 'outbox_shared_unsent',
      text: `UPDATE delivery d SET state = 'cancelled', last_error = 'Told anew, after what had told the same is taken back.'
             FROM unnest($1::text[], $2::text[], $3::uuid[], $4::smallint[], $5::uuid[])
               AS b (destination, route, recipient, focus_type, focus_rid)
             WHERE d.focus_rid = b.focus_rid AND d.focus_type = b.focus_type AND d.destination = b.destination
               AND d.route = b.route AND d.recipient = b.recipient AND (d.state = 'already-delivered'
                 OR d.state IN ('waiting', 'failed') AND d.kind <> 'retraction' AND NOT d.offered
                   AND NOT (d.leased AND d.leased_until > now()))`,
      values: [
        rows.map(({ destination }) => destination),
        rows.map(({ route }) => route),
        rows.map(({ recipient }) => recipient),
        rows.map(({ focus_type }) => focus_type),
        rows.map(({ focus_rid }) => focus_rid),
      ],
    });
  }
  return rows.map(({ destination, route, recipient, focus_type, focus_rid: rid }) => {
    const focus = { type: typeName(focus_type)!, rid };
    return { key: `${sentKey(destination, route, focus)} ${recipient}`, ...focus };
  });
}

/** By destination, route and focus, what each recipient was sent last; what was cancelled and cannot have arrived counts only as a round. */
export async function sentAbout(set: WriteSet, foci: Focus[]): Promise<Map<string, Sent[]>> {
  const { rows } = await set.transaction.query({
    name: 'outbox_sent',
    text: `SELECT destination, route, focus_type, focus_rid, recipient, max(round) AS round,
             (array_agg(kind ORDER BY round DESC) FILTER (WHERE state <> 'cancelled' OR offered))[1] AS kind
           FROM told WHERE ${isAbout} GROUP BY destination, route, focus_type, focus_rid, recipient`,
    values: named(foci),
  });
  const sent = new Map<string, Sent[]>();
  for (const { destination, route, focus_type, focus_rid, recipient, round, kind } of rows) {
    const key = sentKey(destination, route, { type: typeName(focus_type)!, rid: focus_rid });
    const live = kind !== null && kind !== 'retraction';
    sent.set(key, [...(sent.get(key) ?? []), { recipient, round, kind, live }]);
  }
  return sent;
}

export function sentKey(destination: string, route: string, focus: { type: string; rid: string }): string {
  return `${destination} ${route} ${focusKey(focus)}`;
}

/** That a delivery is about one of those that `named` names. */
const isAbout = `focus_rid = ANY($1) AND (focus_type, focus_rid) IN (SELECT * FROM unnest($2::smallint[], $1::uuid[]))`;

function named(foci: readonly Focus[]): unknown[] {
  return [foci.map(({ rid }) => rid), foci.map(({ type }) => typeCode(type))];
}

/** The keys of the foci of which somebody holds something that was not taken back. */
export function heldOf(sent: ReadonlyMap<string, Sent[]>): Set<string> {
  const held = [...sent].filter(([, history]) => history.some(({ live }) => live));
  return new Set(held.map(([key]) => key.slice(key.lastIndexOf(' ') + 1)));
}

/** Writes them at the time of the versions that they tell of, which a transaction has last. */
export function insert(set: WriteSet, rows: Row[], recalls: ReadonlyMap<string, string>): void {
  set.whenTimed((time) => {
    set.transaction.send(insertion(rows, recalls, time));
    hurry(set, rows);
  });
}

function insertion(rows: Row[], recalls: ReadonlyMap<string, string>, time: Date): NamedStatement {
  const column = <T>(value: (row: Row) => T) => rows.map(value);
  return {
    name: 'outbox_insert',
    text: `INSERT INTO delivery (id, created, destination, route, dialect, kind, topic, home, source, person, focus_type,
             focus_rid, focus_version, message, recipient, recipient_home, round, recall, priority, numbers, next_attempt, state,
             withheld, unconfirmed, last_error)
           SELECT id, $1, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
             focus_version, message, recipient, recipient_home, round, recall, priority, ${toldNumbers}, least($1, now()),
             CASE WHEN held THEN 'cancelled' ELSE 'waiting' END, held, held,
             CASE WHEN held THEN 'Not sent: nobody has confirmed that the records are of one person.' END
           FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::uuid[],
                       $10::smallint[], $11::uuid[], $12::integer[], $13::uuid[], $14::uuid[], $15::bigint[],
                       $16::integer[], $17::text[], $18::uuid[], $19::smallint[], $20::boolean[],
                       $21::text[])
             AS v (id, destination, dialect, kind, topic, home, source, person, focus_type, focus_rid, focus_version,
                   message, recipient, recipient_home, round, route, recall, priority, held, numbers)`,
    values: [
      time,
      column(() => newId()),
      column(({ destination }) => destination),
      column(({ dialect }) => dialect),
      column(({ kind }) => kind),
      column(({ focus }) => focus.topic),
      column(({ focus }) => focus.home),
      column(({ source }) => source),
      column(({ person }) => person),
      column(({ focus }) => typeCode(focus.type)!),
      column(({ focus }) => focus.rid),
      column(({ focus }) => focus.version),
      column(({ focus }) => focus.message ?? null),
      column(({ recipient }) => recipient),
      column(({ recipientHome }) => recipientHome),
      column(({ round }) => round),
      column(({ route }) => route),
      column(({ focus, recall }) => (recall ? recalls.get(`${focus.type}/${focus.rid}`) : undefined) ?? null),
      column(({ urgent }) => (urgent ? 1 : 0)),
      column(({ isHeld = false }) => isHeld),
      column(({ focus: { topic, resource } }) => {
        const numbers = numbersOf(topic, resource);
        return numbers.length === 0 ? null : `{${numbers.join(',')}}`;
      }),
    ],
  };
}

/** Of a delivery `v` the numbers, those by which it was told last where what takes it back has none any more. */
const toldNumbers = `coalesce(numbers::uuid[], (SELECT t.numbers FROM told t WHERE v.kind = 'retraction'
  AND t.destination = v.destination AND t.route = v.route AND t.recipient = v.recipient AND t.focus_rid = v.focus_rid
  AND t.focus_type = v.focus_type AND t.numbers IS NOT NULL ORDER BY t.round DESC LIMIT 1))`;

/** What waits before something urgent for the same recipient is as urgent. */
function hurry(set: WriteSet, rows: Row[]): void {
  const urgent = rows.filter((row) => row.urgent && !row.isHeld);
  if (urgent.length === 0) return;
  set.transaction.send({
    name: 'outbox_hurry',
    text: `UPDATE delivery d SET priority = 1 FROM unnest($1::text[], $2::text[], $3::uuid[]) AS v (destination, route, recipient)
           WHERE d.destination = v.destination AND d.route = v.route AND d.recipient = v.recipient
             AND d.state IN ('waiting', 'failed') AND d.priority < 1`,
    values: [
      urgent.map(({ destination }) => destination),
      urgent.map(({ route }) => route),
      urgent.map(({ recipient }) => recipient),
    ],
  });
}
