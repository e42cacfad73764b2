/** Holds what goes with the leaves to what they say: whom each event is found by, and what is sealed, as far as there are keys. */
import type { Queryable } from '../database/index.ts';
import type { PublicEvent } from './event.ts';
import { keptSince } from './key-retention.ts';
import { opened } from './open.ts';
import type { Finding } from './replay.ts';
import { type Beside, unpacked } from './rows.ts';
import type { SubjectKeys } from './subject-keys.ts';

interface Row {
  id: number;
  leaves: string;
  sealed: Buffer;
  first: number | null;
}

/** One may have hundreds of events, of a hundred patients each. */
const rowsAtOnce = 200;

/** Returns what is wrong first, and how many events could be opened. */
export async function verifyDeep(
  database: Queryable,
  keys: SubjectKeys,
): Promise<{ finding?: Finding; opened: number; sealed: number }> {
  const counts = { opened: 0, sealed: 0 };
  for (let after = 0; ; ) {
    const { rows } = await database.query<Row>(
      `SELECT l.id, l.leaves, l.sealed, p.first FROM access_log l LEFT JOIN audit_place p ON p.log = l.id
       WHERE l.id > $1 ORDER BY l.id LIMIT ${rowsAtOnce}`,
      [after],
    );
    if (rows.length === 0) return counts;
    const last = rows.at(-1)!.id;
    const about = await aboutOf(database, after, last);
    for (const row of rows) {
      const finding = await rowFinding(row, about, keys, counts);
      if (finding) return { finding, ...counts };
    }
    after = last;
  }
}

async function rowFinding(
  { id, leaves, sealed, first }: Row,
  about: ReadonlyMap<string, number[]>,
  keys: SubjectKeys,
  counts: { opened: number; sealed: number },
): Promise<Finding | undefined> {
  const at = (place: number) => ({ ...(first === null ? {} : { index: first + place }) });
  const named = (place: number) => (first === null ? `The event ${place} of row ${id}` : `Entry ${first + place}`);
  let beside: Beside[];
  try {
    beside = unpacked(sealed);
  } catch {
    return { kind: 'sealed', ...at(0), text: `What is sealed of row ${id} of access_log cannot be read.` };
  }
  const lines = leaves.split('\n');
  const ring = await keys.byNumber([...new Set(beside.flatMap(({ subjects }) => subjects))]);
  for (const [place, line] of lines.entries()) {
    const event = JSON.parse(line) as PublicEvent;
    const stored = beside[place];
    if (!stored) return { kind: 'sealed', ...at(place), text: `${named(place)} has nothing sealed.` };
    const found = (event.patients?.length ?? 0) + Number(event.who === undefined);
    const isFoundBy = stored.subjects.slice(0, found);
    if (isFoundBy.toSorted((a, b) => a - b).join() !== (about.get(`${id}.${place}`) ?? []).join()) {
      return { kind: 'about', ...at(place), text: `${named(place)} is not found by those it is about.` };
    }
    const month = stored.subjects.at(found);
    if (month !== undefined && !ring.has(month) && event.at > keptSince()) {
      const text = `${named(place)} cannot be opened: the key of its month is gone before its time.`;
      return { kind: 'sealed', ...at(place), text };
    }
    try {
      if (opened(event, stored, ring).private) counts.opened++;
      else counts.sealed++;
    } catch (error) {
      return {
        kind: 'sealed',
        ...at(place),
        text: `${named(place)} has another thing sealed: ${(error as Error).message}`,
      };
    }
  }
  return undefined;
}

/** The numbers of the subjects by which the events of rows are found, in order. */
async function aboutOf(database: Queryable, after: number, to: number): Promise<Map<string, number[]>> {
  const { rows } = await database.query<{ log: number; place: number; subject: number }>(
    'SELECT log, place, subject FROM audit_about WHERE log > $1 AND log <= $2 ORDER BY subject',
    [after, to],
  );
  const found = new Map<string, number[]>();
  for (const { log, place, subject } of rows) {
    const key = `${log}.${place}`;
    const subjects = found.get(key);
    if (subjects) subjects.push(subject);
    else found.set(key, [subject]);
  }
  return found;
}
