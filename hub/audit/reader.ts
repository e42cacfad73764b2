/** Finds events: those about persons by an index, others from the latest on. */
import type { Database } from '../database/index.ts';
import { accountSubject, type Entry, type PublicEvent } from './event.ts';
import { type Keyring, type Opened, opened, sealedPartOf } from './open.ts';
import { type Beside, unpacked } from './rows.ts';
import type { SubjectKeys } from './subject-keys.ts';

export interface EventQuery {
  /** About any of these, by ids of Patients. */
  patients?: readonly string[];
  /** By the account of a patient or proxy. */
  accounts?: readonly string[];
  /** By an account. */
  who?: string;
  actions?: readonly string[];
  from?: Date;
  to?: Date;
  /** Goes on where the events before ended. */
  after?: string;
  limit?: number;
}

/** An event as it is stored. */
export interface RawEvent {
  row: number;
  place: number;
  leaf: string;
  event: PublicEvent;
  /** The numbers of its patients' subjects. */
  about: number[];
}

export interface AuditedEvent {
  row: number;
  place: number;
  /** Its number in the log; undefined until it has one. */
  index?: number;
  leaf: string;
  event: PublicEvent;
  opened: Opened;
  /** The access in plain, as far as it could be opened. */
  entry: Omit<Entry, 'what' | 'who'> & { what?: string; who?: string };
}

interface Found {
  row: number;
  place: number;
}

const atOnce = 200;
const usualLimit = 100;

export class EventReader {
  readonly #database: Database;
  readonly #keys: SubjectKeys;

  constructor(database: Database, keys: SubjectKeys) {
    this.#database = database;
    this.#keys = keys;
  }

  async eventsOf(query: EventQuery): Promise<{ events: AuditedEvent[]; next?: string }> {
    const { patients, accounts, limit = usualLimit } = query;
    const names = [...(patients ?? []), ...(accounts ?? []).map(accountSubject)];
    const subjects = patients || accounts ? await this.#keys.numbers(names) : undefined;
    // Leaves name an account, but for those of patients and proxies, which are subjects of their events.
    const own = !subjects && query.who !== undefined ? await this.#keys.numbers([accountSubject(query.who)]) : [];
    const events: AuditedEvent[] = [];
    let after = readCursor(query.after);
    for (;;) {
      const found = subjects ? await this.#about(subjects, after, query) : await this.#latest(after, query, own);
      for (const one of await this.#events(found.places)) {
        if (!isAsked(one, query)) continue;
        if (events.length === limit) return { events, next: cursorOf(events.at(-1)!) };
        events.push(one);
      }
      if (!found.next) return { events };
      after = found.next;
    }
  }

  async eventAt(index: number): Promise<AuditedEvent | undefined> {
    const { rows } = await this.#database.query<{ first: number; log: number; count: number }>({
      name: 'audit_place_of',
      text: 'SELECT first, log, count FROM audit_place WHERE first <= $1 ORDER BY first DESC LIMIT 1',
      values: [index],
    });
    const [row] = rows;
    if (!row || index >= row.first + row.count) return undefined;
    return (await this.#events([{ row: row.log, place: index - row.first }]))[0];
  }

  async rawAfter(
    row: number,
    settledMs: number,
    most: number,
  ): Promise<{ events: RawEvent[]; rows: number; last: number }> {
    const { rows } = await this.#database.query<{ id: number; leaves: string; sealed: Buffer }>({
      name: 'audit_after',
      text: `SELECT id, leaves, sealed FROM access_log
             WHERE id > $1 AND at < clock_timestamp() - $2 * interval '1 millisecond' ORDER BY id LIMIT $3`,
      values: [row, settledMs, most],
    });
    const events = rows.flatMap(({ id, leaves, sealed }) => {
      const beside = unpacked(sealed);
      return leaves.split('\n').map((leaf, place): RawEvent => {
        const event = JSON.parse(leaf) as PublicEvent;
        return { row: id, place, leaf, event, about: beside[place]!.subjects.slice(0, event.patients?.length ?? 0) };
      });
    });
    return { events, rows: rows.length, last: rows.at(-1)?.id ?? row };
  }

  /** Where the next events about subjects are. */
  async #about(subjects: readonly number[], after: Found, { from }: EventQuery) {
    const { rows } = await this.#database.query<Found & { at: Date }>({
      name: 'audit_about_subjects',
      text: `SELECT f.log AS row, f.place, l.at FROM (
               SELECT DISTINCT a.log, a.place FROM unnest($1::bigint[]) AS s (subject), LATERAL (
                 SELECT log, place FROM audit_about WHERE subject = s.subject AND (log, place) < ($2, $3)
                 ORDER BY subject DESC, log DESC, place DESC LIMIT $4) a
               ORDER BY a.log DESC, a.place DESC LIMIT $4) f
             JOIN access_log l ON l.id = f.log ORDER BY f.log DESC, f.place DESC`,
      values: [subjects, after.row, after.place, atOnce],
    });
    const last = rows.at(-1);
    const isOver = rows.length < atOnce || (from !== undefined && last!.at < from);
    return { places: rows as Found[], next: isOver ? undefined : last };
  }

  /** Where the next events are, whomever they are about. @param own the subjects that stand for the account */
  async #latest(after: Found, { from, who }: EventQuery, own: readonly number[]) {
    const named = who === undefined ? null : `%"who":${JSON.stringify(who).replace(/[\\%_]/g, '\\$&')}%`;
    const { rows } = await this.#database.query<{ id: number; count: number }>({
      name: 'audit_latest',
      text: `SELECT id, count FROM access_log WHERE id <= $1 AND ($2::text IS NULL OR leaves LIKE $2
               OR EXISTS (SELECT FROM audit_about a WHERE a.subject = ANY ($5::bigint[]) AND a.log = access_log.id))
               AND ($3::timestamptz IS NULL OR at >= $3) ORDER BY id DESC LIMIT $4`,
      values: [after.row, named, from ?? null, atOnce, own],
    });
    const places = rows.flatMap(({ id, count }) =>
      Array.from({ length: count }, (_, i) => ({ row: id, place: count - 1 - i })),
    );
    const before = places.filter(({ row, place }) => row < after.row || place < after.place);
    return { places: before, next: rows.length < atOnce ? undefined : { row: rows.at(-1)!.id, place: 0 } };
  }

  /** The events at places, in the same order. */
  async #events(places: readonly Found[]): Promise<AuditedEvent[]> {
    if (places.length === 0) return [];
    const { rows } = await this.#database.query<{ id: number; leaves: string; sealed: Buffer; first: number | null }>({
      name: 'audit_rows',
      text: `SELECT l.id, l.leaves, l.sealed, p.first FROM access_log l LEFT JOIN audit_place p ON p.log = l.id
             WHERE l.id = ANY ($1)`,
      values: [[...new Set(places.map(({ row }) => row))]],
    });
    const byId = new Map(
      rows.map(({ id, leaves, sealed, first }) => [
        id,
        { leaves: leaves.split('\n'), beside: unpacked(sealed), first },
      ]),
    );
    const at = (place: Found) => byId.get(place.row)!.beside[place.place]!;
    const keys = await this.#keys.byNumber([...new Set(places.flatMap((place) => at(place).subjects))]);
    return places.map(({ row, place }) => {
      const { leaves, first } = byId.get(row)!;
      return {
        ...auditedEvent(leaves[place]!, at({ row, place }), keys),
        row,
        place,
        ...(first === null ? {} : { index: first + place }),
      };
    });
  }
}

function auditedEvent(
  leaf: string,
  beside: Beside,
  keys: Keyring,
): Pick<AuditedEvent, 'leaf' | 'event' | 'opened' | 'entry'> {
  const event = JSON.parse(leaf) as PublicEvent;
  const part = opened(event, beside, keys);
  const { private: _private, patients, type: _type, v: _v, ...plain } = event;
  const ids = part.patients.map(({ id }) => id);
  return {
    leaf,
    event,
    opened: part,
    entry: { ...plain, ...sealedPartOf(part), ...(patients ? { patients: ids } : {}) },
  };
}

function isAsked({ event, entry }: AuditedEvent, { who, actions, from, to }: EventQuery): boolean {
  const at = Date.parse(event.at);
  return (
    (who === undefined || entry.who === who) &&
    (actions === undefined || actions.includes(event.action)) &&
    (from === undefined || at >= from.getTime()) &&
    (to === undefined || at <= to.getTime())
  );
}

function cursorOf({ row, place }: Found): string {
  return `${row}.${place}`;
}

/** @throws RangeError where it is none */
function readCursor(text: string | undefined): Found {
  if (text === undefined) return { row: Number.MAX_SAFE_INTEGER, place: 0 };
  const [, row, place] = /^(\d{1,15})\.(\d{1,4})$/.exec(text) ?? [];
  if (row === undefined) throw new RangeError('This is no place in the audit log.');
  return { row: Number(row), place: Number(place) };
}
