/** Under which ids a person is, or was, in the audit log, and when. */
import { typeCode } from '@causeway/fhir';
import type { Database } from '../database/index.ts';
import { type FhirRecord, logicalId } from '../record/index.ts';
import { accessOf } from '../trust/index.ts';

const own = accessOf({ username: 'accesses', name: 'Accesses', role: 'system', organization: 'hub' });

/** When an id stood for somebody, in milliseconds since 1970; the end is not in it. */
interface Span {
  from: number;
  to: number;
}

/** What an id of the log says of those who are meant. */
export interface Meant {
  spans: readonly Span[];
  /** The id is that of a person to which others belong, or belonged, who are not meant. */
  isShared: boolean;
}

/** The ids under which those are in the log who are meant. */
export type Subjects = ReadonlyMap<string, Meant>;

const always: Span = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** An id that stands for nobody else, whenever. */
export const alone: Meant = { spans: [always], isShared: false };

/** Whether an id stood for those who are meant at a time. */
export function isMeant(subjects: Subjects, id: string, at: number): boolean {
  return subjects.get(id)?.spans.some(({ from, to }) => from <= at && at < to) ?? false;
}

interface Membership extends Span {
  person: string;
}

/** A source patient's way from person to person. */
interface Way {
  rid: string;
  /** The person that it is part of now. */
  person: string | null;
  moves: { at: number; person: string; previous: string | null }[];
  /** When its Patient was deleted, by which it leaves its person. */
  deleted: number[];
}

/**
 * The ids under which accesses to source patients were recorded: their own, and those of the persons they are part of, and
 * were, for that time.
 */
export async function subjectsOf(
  { database, record }: { database: Database; record: FhirRecord },
  homes: readonly number[],
): Promise<Subjects> {
  const { rows } = await database.query<Way>({
    name: 'subject_ways',
    text: `SELECT p.rid, (SELECT person FROM link WHERE patient = p.rid) AS person,
             (SELECT coalesce(jsonb_agg(jsonb_build_object('at', floor(extract(epoch FROM at) * 1000)::bigint, 'person', person,
                'previous', previous) ORDER BY id), '[]') FROM link_history WHERE patient = p.rid) AS moves,
             array(SELECT floor(extract(epoch FROM updated) * 1000)::float8 FROM
               (SELECT rid, type, deleted, updated FROM resource UNION ALL SELECT rid, type, deleted, updated FROM resource_history) v
               WHERE v.rid = p.rid AND v.type = $2 AND v.deleted) AS deleted
           FROM patient_home p WHERE p.home = ANY($1)`,
    values: [homes, typeCode('Patient')],
  });
  const memberships = Map.groupBy(rows.flatMap(membershipsOf), ({ person }) => person);
  const rids = rows.map(({ rid }) => rid);
  const shared = await sharedAmong(database, [...memberships.keys()], homes, rids);
  const subjects = new Map<string, Meant>();
  for (const [person, spans] of memberships) subjects.set(person, { spans, isShared: shared.has(person) });
  for (const rid of rids) {
    // One that a client chose is not the one it is stored under.
    const stored = await record.reader.read(own, 'Patient', rid);
    for (const id of [rid, ...(stored && !stored.deleted ? [logicalId(stored.text)] : [])]) subjects.set(id, alone);
  }
  return subjects;
}

/** The persons of whom a source patient was part, and when. */
function membershipsOf({ person, moves, deleted }: Way): Membership[] {
  const found: Membership[] = [];
  let last: string | null = null;
  for (const [i, { at, person: to, previous }] of moves.entries()) {
    // A person that it did not come to was made for it.
    if (previous !== null && previous !== last) found.push({ person: previous, from: always.from, to: at });
    const end = [moves[i + 1]?.at ?? always.to, ...deleted.filter((time) => time > at)];
    found.push({ person: to, from: at, to: Math.min(...end) });
    last = to;
  }
  if (person !== null && person !== last) found.push({ person, ...always });
  return found;
}

/** Persons to whom others than these source patients belong, or belonged. */
async function sharedAmong(
  database: Database,
  persons: readonly string[],
  homes: readonly number[],
  rids: readonly string[],
): Promise<Set<string>> {
  const { rows } = await database.query<{ person: string }>({
    name: 'subjects_shared',
    text: `SELECT person FROM link WHERE person = ANY($1) AND home <> ALL($2)
           UNION SELECT person FROM link_history WHERE person = ANY($1) AND patient <> ALL($3)
           UNION SELECT previous FROM link_history WHERE previous = ANY($1) AND patient <> ALL($3)`,
    values: [persons, homes, rids],
  });
  return new Set(rows.map(({ person }) => person));
}
