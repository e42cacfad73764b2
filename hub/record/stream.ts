/**
 * The record as it stood at one moment, streamed: each resource's version of that moment, however much is written
 * meanwhile. A moment is a sequence number: numbers become visible in their order, so all versions up to it are there
 * for good. Texts are handed out as they are stored; none is parsed.
 */
import { typeCode, typeName } from '@causeway/fhir';
import type { Queryable } from '../database/index.ts';
import { type Access, accessCondition, homeCondition, scopeOf } from '../trust/index.ts';
import type { Reader, StoredResource, StoredRow } from './read.ts';
import type { PresentPersons } from './search/index.ts';
import { named } from './statement-names.ts';

/** The moment that a stream shows. */
export interface Moment {
  /** Versions up to this sequence number. */
  seq: number;
  /** Source patients that were linked later are shown as their person wherever they come. */
  linked: Date;
}

/** What a stream is confined to. */
export interface StreamScope {
  moment: Moment;
  /** Homes with numbers from and to these, both included. */
  from?: number;
  to?: number;
  /** Only these homes, in ascending order; undefined for all of the range. */
  homes?: readonly number[];
  /** Only what changed after this; `seq`, where it is known, is the sequence number that belongs to it. */
  since?: { at: Date; seq: number | undefined };
  /** Types that are left out of homes of patients. */
  sharedOnly?: readonly string[];
}

/** A version named by its place. */
export interface VersionKey {
  home: number;
  rkey: number;
  version: number;
}

/** A deleted resource; `previous` holds its last text, for its id. */
export interface Deleted {
  resource: StoredResource;
  previous: StoredResource | undefined;
}

/** By what access a stream is read; of one that may change, what it is as each batch begins. */
export type Reading = Access | (() => Access);

const homesPerPage = 500;
const rowsPerBatch = 1_000;
/** Sealed bytes of one batch beyond its first row; they open to about ten times as much. */
const bytesPerBatch = 256 * 1024;

export class RecordStream {
  readonly #database: Queryable;
  readonly #reader: Reader;
  readonly #present: PresentPersons;

  constructor(database: Queryable, reader: Reader, present: PresentPersons) {
    this.#database = database;
    this.#reader = reader;
    this.#present = present;
  }

  /**
   * The resources of a type in batches, by home and key. A person with several source patients comes once, as the
   * merged Patient, as it is linked while the stream is read.
   */
  async *resources(reading: Reading, type: string, scope: StreamScope): AsyncGenerator<StoredResource[]> {
    for await (const rows of this.#batches(reading, type, scope, 'NOT v.deleted')) {
      yield this.#opened(accessIn(reading), type, rows);
    }
  }

  /** What was deleted of a type, in batches. */
  async *deleted(reading: Reading, type: string, scope: StreamScope): AsyncGenerator<Deleted[]> {
    for await (const rows of this.#batches(reading, type, scope, 'v.deleted')) {
      const access = accessIn(reading);
      const resources = await this.#reader.open(access, rows);
      const previous = await this.#previous(access, rows);
      yield resources.map((resource, i) => ({ resource, previous: previous[i] }));
    }
  }

  /** The named versions of a type, in batches, in their order; those that are gone or may not be seen are left out. */
  async *versions(reading: Reading, type: string, keys: readonly VersionKey[]): AsyncGenerator<StoredResource[]> {
    let from = 0;
    while (from < keys.length) {
      const access = accessIn(reading);
      const page = keys.slice(from, from + rowsPerBatch);
      const values: unknown[] = [
        braces(page.map(({ home }) => home)),
        braces(page.map(({ rkey }) => rkey)),
        braces(page.map(({ version }) => version)),
        typeCode(type),
      ];
      const visible = visibleBy(access, (value) => `$${values.push(value)}`);
      const text = withinBytes(
        `
          SELECT k.place, ${columns('r')} FROM unnest($1::bigint[], $2::bigint[], $3::integer[])
            WITH ORDINALITY AS k (home, rkey, version, place)
          CROSS JOIN LATERAL (
            SELECT * FROM (
              SELECT ${columns('r')} FROM resource r
              WHERE r.home = k.home AND r.rkey = k.rkey AND r.version = k.version AND ${visible('resource')}
              UNION ALL
              SELECT ${columns('r')} FROM resource_history r
              WHERE r.home = k.home AND r.rkey = k.rkey AND r.version = k.version AND ${visible('resource_history')}
            ) r LIMIT 1
          ) r
          WHERE r.type = $4 AND NOT r.deleted`,
        'true',
      );
      const { rows } = await this.#database.as(scopeOf(access)).query<StreamedRow>(named(text, values));
      if (rows.length > 0) yield this.#opened(access, type, rows);
      from = rows.length > 0 && rows.at(-1)!.more ? from + rows.at(-1)!.place : from + page.length;
    }
  }

  /** How many resources of each type the homes have, page by page; Patients are source patients here. */
  async *counts(
    reading: Reading,
    types: readonly string[] | undefined,
    scope: StreamScope,
  ): AsyncGenerator<HomeCounts> {
    for await (const homes of this.#homes(reading, scope)) {
      const access = accessIn(reading);
      const values: unknown[] = [braces(homes), scope.moment.seq];
      const parameter = (value: unknown) => `$${values.push(value)}`;
      const changed = this.#changed(scope, parameter);
      const ofTypes = types ? `r.type = ANY(${parameter(types.map(typeCode))}::smallint[])` : 'true';
      const shared = sharedCondition(scope, parameter);
      const { rows } = await this.#database.as(scopeOf(access)).query({
        text: `SELECT v.type, v.deleted, count(*) AS count, count(l.presented) AS linked
               FROM unnest($1::bigint[]) AS h (home)
               CROSS JOIN LATERAL (${versionsOfMoment(`${ofTypes} AND ${shared}`, visibleBy(access, parameter))}) v
               LEFT JOIN link l ON l.home = v.home
               WHERE ${changed} GROUP BY v.type, v.deleted`,
        values,
      });
      yield {
        homes,
        counts: rows.map((row) => ({
          type: typeName(row.type)!,
          deleted: row.deleted,
          count: row.count,
          isLinked: row.linked > 0,
        })),
      };
    }
  }

  /** The current Patients of homes. */
  async patientKeys(homes: readonly number[]): Promise<VersionKey[]> {
    if (homes.length === 0) return [];
    const { rows } = await this.#database.query<VersionKey>({
      name: 'stream_patients',
      text: `SELECT home, rkey, version FROM resource
             WHERE home = ANY($1) AND type = ${typeCode('Patient')} AND NOT deleted ORDER BY home, rkey`,
      values: [braces(homes)],
    });
    return rows;
  }

  async *#batches(reading: Reading, type: string, scope: StreamScope, state: string): AsyncGenerator<StreamedRow[]> {
    for await (const page of this.#homes(reading, scope)) {
      let homes: readonly number[] = page;
      let after = 0;
      while (homes.length > 0) {
        const { rows, full } = await this.#batch(accessIn(reading), type, scope, state, homes, after);
        if (rows.length > 0) yield rows;
        if (!full) break;
        const last = rows.at(-1)!;
        homes = homes.slice(homes.indexOf(last.home));
        after = last.rkey;
      }
    }
  }

  /** The next rows of a list of homes, those of the first home after a key. `full`: there may be more. */
  async #batch(
    access: Access,
    type: string,
    scope: StreamScope,
    state: string,
    homes: readonly number[],
    after: number,
  ): Promise<{ rows: StreamedRow[]; full: boolean }> {
    const values: unknown[] = [braces(homes), scope.moment.seq, typeCode(type), after];
    const parameter = (value: unknown) => `$${values.push(value)}`;
    const changed = this.#changed(scope, parameter, type);
    const leads = type === 'Patient' ? leadsPerson(parameter(scope.moment.linked)) : 'true';
    const beyond = 'r.type = $3 AND r.rkey > CASE WHEN h.place = 1 THEN $4::bigint ELSE 0 END';
    // The homes are walked one by one in the order of the list, so that the limit ends the walk.
    const { rows } = await this.#database.as(scopeOf(access)).query<StreamedRow>({
      text: withinBytes(
        `
        SELECT h.place, ${columns('v')} FROM unnest($1::bigint[]) WITH ORDINALITY AS h (home, place)
        CROSS JOIN LATERAL (
          SELECT * FROM (${versionsOfMoment(beyond, visibleBy(access, parameter))}) v WHERE ${state} AND ${changed}
          ORDER BY v.rkey LIMIT ${rowsPerBatch}
        ) v
        LIMIT ${rowsPerBatch}`,
        leads,
      ),
      values,
    });
    const full = rows.length === rowsPerBatch || (rows.length > 0 && rows.at(-1)!.more);
    return { rows, full };
  }

  /** The homes of a scope that the caller may see, in ascending order, page by page. */
  async *#homes(reading: Reading, scope: StreamScope): AsyncGenerator<number[]> {
    const allowed = (home: number) =>
      (scope.from === undefined || home >= scope.from) &&
      (scope.to === undefined || home <= scope.to) &&
      maySee(accessIn(reading), home);
    if (scope.homes) {
      const homes = scope.homes.filter(allowed);
      for (let i = 0; i < homes.length; i += homesPerPage) yield homes.slice(i, i + homesPerPage);
      return;
    }
    let after: number | undefined;
    for (;;) {
      const values: unknown[] = [];
      const parameter = (value: unknown) => `$${values.push(value)}`;
      const conditions = [homeCondition(accessIn(reading), 'k.home', parameter)];
      if (after !== undefined) conditions.push(`k.home > ${parameter(after)}`);
      else if (scope.from !== undefined) conditions.push(`k.home >= ${parameter(scope.from)}`);
      if (scope.to !== undefined) conditions.push(`k.home <= ${parameter(scope.to)}`);
      const { rows } = await this.#database.query({
        text: `SELECT k.home FROM home_key k WHERE ${conditions.join(' AND ')} ORDER BY k.home LIMIT ${homesPerPage}`,
        values,
      });
      if (rows.length > 0) yield rows.map((row) => row.home as number);
      if (rows.length < homesPerPage) return;
      after = rows.at(-1)!.home;
    }
  }

  #changed(scope: StreamScope, parameter: (value: unknown) => string, type?: string): string {
    if (!scope.since) return 'true';
    const at = `${parameter(scope.since.at)}::timestamptz`;
    const conditions = [`v.updated > ${at}`];
    if (scope.since.seq !== undefined) conditions.push(`v.seq > ${parameter(scope.since.seq)}`);
    if (type === undefined || type === 'Patient') {
      conditions.push(`(v.type = ${typeCode('Patient')} AND EXISTS (
        SELECT FROM link l JOIN person p ON p.id = l.presented WHERE l.home = v.home AND p.updated > ${at}))`);
    }
    return `(${conditions.join(' OR ')})`;
  }

  async #opened(access: Access, type: string, rows: StreamedRow[]): Promise<StoredResource[]> {
    if (type !== 'Patient') return this.#reader.open(access, rows);
    const leading = rows.filter((row) => row.leads);
    const opened = await this.#reader.open(access, leading);
    return this.#present(
      access,
      opened,
      leading.map((row) => row.presented),
    );
  }

  async #previous(access: Access, rows: StreamedRow[]): Promise<(StoredResource | undefined)[]> {
    const { rows: found } = await this.#database.query<StoredRow & { place: number }>({
      name: 'stream_previous',
      text: `SELECT k.place, ${columns('r')}, NULL AS presented
             FROM unnest($1::uuid[], $2::smallint[], $3::integer[]) WITH ORDINALITY AS k (rid, type, version, place)
             JOIN resource_history r ON r.rid = k.rid AND r.type = k.type AND r.version = k.version - 1`,
      values: [
        braces(rows.map(({ rid }) => rid)),
        braces(rows.map(({ type }) => type)),
        braces(rows.map(({ version }) => version)),
      ],
    });
    const opened = await this.#reader.open(access, found);
    const previous = new Array<StoredResource | undefined>(rows.length).fill(undefined);
    for (const [i, row] of found.entries()) previous[row.place - 1] = opened[i];
    return previous;
  }
}

/** What a page of homes has. `isLinked`: some of it belongs to persons with several source patients. */
export interface HomeCounts {
  homes: number[];
  counts: { type: string; deleted: boolean; count: number; isLinked: boolean }[];
}

interface StreamedRow extends StoredRow {
  place: number;
  /** Whether this row shows its person. */
  leads: boolean;
  /** Whether the batch was cut after it, or within it. */
  more: boolean;
}

function columns(alias: string): string {
  return ['home', 'rkey', 'type', 'rid', 'seq', 'version', 'updated', 'deleted', 'message', 'refs', 'labels', 'body']
    .map((column) => `${alias}.${column}`)
    .join(', ');
}

/**
 * The versions that were current at the moment $2 in the home `h.home`: current ones that are as old, and past ones
 * that were replaced later. `condition` is on `r`, `visible` too.
 */
function versionsOfMoment(condition: string, visible: Visible): string {
  return `
    SELECT ${columns('r')} FROM resource r WHERE r.home = h.home AND r.seq <= $2 AND ${condition}
      AND ${visible('resource')}
    UNION ALL
    SELECT ${columns('r')} FROM resource_history r WHERE r.home = h.home AND r.seq <= $2 AND ${condition}
      AND ${visible('resource_history')}
      AND NOT EXISTS (SELECT FROM resource n WHERE n.rid = r.rid AND n.type = r.type AND n.seq <= $2)
      AND NOT EXISTS (SELECT FROM resource_history n
                      WHERE n.rid = r.rid AND n.type = r.type AND n.version > r.version AND n.seq <= $2)`;
}

/** The access decision on `r`, a row of a table. */
type Visible = (table: 'resource' | 'resource_history') => string;

function visibleBy(access: Access, parameter: (value: unknown) => string): Visible {
  return (table) => accessCondition(access, 'r', parameter, table);
}

/** Cuts a statement's rows where their bodies reach the size of a batch. `leads` is a condition on their `l`. */
function withinBytes(statement: string, leads: string): string {
  return `
    SELECT w.*, w.bytes >= ${bytesPerBatch} AS more FROM (
      SELECT s.*, l.presented, ${leads} AS leads,
             sum(coalesce(octet_length(s.body), 0)) OVER (ORDER BY s.place, s.rkey) AS bytes
      FROM (${statement}) s LEFT JOIN link l ON l.home = s.home
    ) w WHERE w.bytes - coalesce(octet_length(w.body), 0) < ${bytesPerBatch}
    ORDER BY w.place, w.rkey`;
}

/**
 * Whether a source patient shows its person: the first of those that were linked at the moment does. One that was linked
 * since does too, so that nobody is lost when links change while a stream is read.
 */
function leadsPerson(linked: string): string {
  return `(l.presented IS NULL OR l.since > ${linked}::timestamptz OR l.home = (
    SELECT min(m.home) FROM link m WHERE m.person = l.person AND m.since <= ${linked}::timestamptz))`;
}

function sharedCondition(scope: StreamScope, parameter: (value: unknown) => string): string {
  if (!scope.sharedOnly || scope.sharedOnly.length === 0) return 'true';
  return `(r.home < 0 OR NOT r.type = ANY(${parameter(scope.sharedOnly.map(typeCode))}::smallint[]))`;
}

function accessIn(reading: Reading): Access {
  return typeof reading === 'function' ? reading() : reading;
}

function maySee(access: Access, home: number): boolean {
  if (access.homes === 'all') return true;
  return access.homes.length > 0 && (home < 0 || access.homes.includes(home));
}

function braces(values: readonly (string | number)[]): string {
  return `{${values.join(',')}}`;
}
