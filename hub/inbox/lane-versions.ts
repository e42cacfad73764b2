/** Stored versions of the resources that a lane is folded from. Memory holds what is noted of each; texts lie in a spool. */
import { typeCode, typeName } from '@causeway/fhir';
import type { Queryable } from '../database/index.ts';
import { type HomeKeys, openText, sealIdentity, type TextSpool } from '../record/index.ts';

/** A stored version without its text. */
export interface StoredVersion {
  type: string;
  rid: string;
  home: number;
  version: number;
  /** Times are in milliseconds since 1970. */
  updated: number;
  deleted: boolean;
  asOf: number | undefined;
  /** Null: a client's. */
  message: string | null;
  /** Of the message: when it was received, and its place in the log. */
  received: number | undefined;
  place: number;
  current: boolean;
}

const keysAtOnce = 2_000;

/** The keys of the resources of which messages made a version. */
export async function keysMadeBy(database: Queryable, messages: readonly string[]): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const some of inParts(messages, keysAtOnce)) {
    const { rows } = await database.query(
      `SELECT type, rid FROM resource WHERE message = ANY($1)
       UNION SELECT type, rid FROM resource_history WHERE message = ANY($1)`,
      [some],
    );
    for (const { type, rid } of rows) keys.add(`${typeName(type)!}/${rid}`);
  }
  return keys;
}

/** All versions of resources by their keys, in the order in which they were made. */
export async function versionsOf(database: Queryable, keys: Iterable<string>): Promise<Map<string, StoredVersion[]>> {
  const found = new Map<string, StoredVersion[]>();
  for (const some of inParts([...keys], keysAtOnce)) {
    const named = some.map((key) => key.split('/') as [string, string]);
    const columns = 'type, rid, home, version, seq, updated, deleted, as_of, message';
    const { rows } = await database.query(
      `WITH named AS (SELECT * FROM unnest($1::smallint[], $2::uuid[]) AS v (type, rid)),
       stored AS (
         SELECT ${columns}, true AS current FROM named JOIN resource USING (type, rid)
         UNION ALL SELECT ${columns}, false FROM named JOIN resource_history USING (type, rid))
       SELECT stored.*, m.received, coalesce(m.seq, 0) AS place FROM stored LEFT JOIN message m ON m.id = stored.message
       ORDER BY stored.seq`,
      [named.map(([type]) => typeCode(type)!), named.map(([, rid]) => rid)],
    );
    for (const row of rows) {
      const { rid, home, version, deleted, message, place, current } = row;
      const type = typeName(row.type)!;
      const [updated, asOf, received] = [row.updated.getTime(), row.as_of?.getTime(), row.received?.getTime()];
      const one = { type, rid, home, version, updated, deleted, asOf, message, received, place, current };
      const others = found.get(`${type}/${rid}`);
      if (others) others.push(one);
      else found.set(`${type}/${rid}`, [one]);
    }
  }
  return found;
}

/** The messages of a source that made a version of anything in some homes. */
export async function messagesAbout(database: Queryable, source: string, homes: readonly number[]): Promise<string[]> {
  const { rows } = await database.query(
    `SELECT id FROM message WHERE source = $1 AND id IN (
       SELECT message FROM resource WHERE home = ANY($2::bigint[])
       UNION SELECT message FROM resource_history WHERE home = ANY($2::bigint[]))`,
    [source, homes],
  );
  return rows.map(({ id }) => id);
}

const textsAtOnce = 100;

/** The texts of versions, sealed as they are stored. */
export class StoredTexts {
  readonly #spool: TextSpool;
  readonly #places = new Map<StoredVersion, number>();
  readonly #keys = new Map<number, Buffer>();

  constructor(spool: TextSpool) {
    this.#spool = spool;
  }

  /** Reads the texts of versions; of a deleted one there is none. */
  async load({ database, keys }: { database: Queryable; keys: HomeKeys }, versions: readonly StoredVersion[]) {
    const wanted = versions.filter(({ deleted }) => !deleted);
    for (const part of inParts(wanted, textsAtOnce)) {
      const some = new Map(part.map((one) => [sealIdentity(one), one]));
      const column = <T>(value: (one: StoredVersion) => T) => [...some.values()].map(value);
      const { rows } = await database.query(
        `WITH named AS (SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::integer[]) AS v (type, rid, version))
         SELECT type, rid, version, home, body FROM named JOIN resource USING (type, rid, version)
         UNION ALL SELECT type, rid, version, home, body FROM named JOIN resource_history USING (type, rid, version)`,
        [column(({ type }) => typeCode(type)!), column(({ rid }) => rid), column(({ version }) => version)],
      );
      const opening = await keys.load(database, new Set(rows.map(({ home }) => home)));
      for (const [home, key] of opening) this.#keys.set(home, key);
      for (const { type, rid, version, home, body } of rows) {
        const one = some.get(sealIdentity({ type: typeName(type)!, rid, version }))!;
        if (body !== null && this.#keys.has(home)) this.#places.set(one, this.#spool.keep(body));
      }
    }
  }

  /** Undefined where there is none, or what it was sealed with is gone. */
  of(version: StoredVersion): string | undefined {
    const place = this.#places.get(version);
    if (place === undefined) return undefined;
    return openText(this.#spool.bytes(place), this.#keys.get(version.home)!, sealIdentity(version));
  }
}

function* inParts<T>(items: readonly T[], atOnce: number): Generator<T[]> {
  for (let from = 0; from < items.length; from += atOnce) yield items.slice(from, from + atOnce);
}
