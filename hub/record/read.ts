/**
 * Reading by id: current version, one version, history. Reads that arrive together are answered by one query.
 */
import { typeCode, typeName } from '@causeway/fhir';
import type { Queryable } from '../database/index.ts';
import { Together } from '../together.ts';
import { type Access, accessCondition, scopeOf } from '../trust/index.ts';
import type { HomeKeys } from './home-keys.ts';
import { ridOf } from './keys.ts';
import { present } from './present.ts';
import { redacted } from './redaction.ts';
import { openText, sealIdentity } from './sealing.ts';
import { withLabels } from './shown-labels.ts';
import { named } from './statement-names.ts';

/** A stored version as it is handed out. */
export interface StoredResource {
  type: string;
  rid: string;
  home: number;
  rkey: number;
  seq: number;
  version: number;
  updated: Date;
  deleted: boolean;
  message: string | undefined;
  labels: number;
  /** Canonical JSON, the person's reference and the hub's labels in place; empty when deleted. */
  text: string;
}

/** What there is of a stored version where nothing but the resource is told. */
export type ShownResource = Pick<StoredResource, 'type' | 'rid' | 'home' | 'text'>;

export const storedColumns = `r.home, r.rkey, r.type, r.rid, r.seq, r.version, r.updated, r.deleted, r.message, r.refs,
  r.labels, r.body, l.presented`;

/** A page of a history. */
export interface HistoryPage {
  count: number;
  /** Only versions with a smaller sequence number: the cursor. */
  before?: number;
  since?: Date;
  /** Only versions that were current at some time in this range, in milliseconds since 1970, `high` exclusive. */
  at?: { low: number; high: number };
}

/** When the next version took a version's place; infinity for the current one. */
const replacedAt = `coalesce((SELECT min(n.updated) FROM (
    SELECT h.updated FROM resource_history h WHERE h.rid = r.rid AND h.type = r.type AND h.version > r.version
    UNION ALL
    SELECT c.updated FROM resource c WHERE c.rid = r.rid AND c.type = r.type AND c.version > r.version
  ) n), 'infinity')`;

interface PendingRead {
  access: Access;
  type: string;
  rid: string;
  resolve(found: StoredResource | undefined): void;
  reject(error: unknown): void;
}

export class Reader {
  readonly #database: Queryable;
  readonly #keys: HomeKeys;
  readonly #reads = new Together<PendingRead>((reads) => this.#answer(reads), { atOnce: 2, most: 500 });

  constructor(database: Queryable, keys: HomeKeys) {
    this.#database = database;
    this.#keys = keys;
  }

  /** The current version, deleted ones included; undefined when there is none that this access may see. */
  read(access: Access, type: string, id: string): Promise<StoredResource | undefined> {
    return new Promise((resolve, reject) => {
      this.#reads.ask({ access, type, rid: ridOf(id), resolve, reject });
    });
  }

  /** One version. */
  async vread(access: Access, type: string, id: string, version: number): Promise<StoredResource | undefined> {
    const versions = await this.#versions(
      access,
      (parameter) =>
        `r.rid = ${parameter(ridOf(id))} AND r.type = ${parameter(typeCode(type))} AND r.version = ${parameter(version)}`,
      1,
    );
    return versions[0];
  }

  /**
   * Versions, newest first. `before`: only those with a smaller sequence number (the cursor of a page).
   * @param scope a type, or a type and an id, or neither for the whole record
   */
  async history(access: Access, scope: { type?: string; id?: string }, page: HistoryPage): Promise<StoredResource[]> {
    const types = scope.type === undefined ? await this.storedTypes(access) : undefined;
    return this.#versions(
      access,
      (parameter) => {
        const conditions = ['true'];
        if (scope.type !== undefined) conditions.push(`r.type = ${parameter(typeCode(scope.type))}`);
        if (scope.id !== undefined) conditions.push(`r.rid = ${parameter(ridOf(scope.id))}`);
        if (page.before !== undefined) conditions.push(`r.seq < ${parameter(page.before)}`);
        if (page.since !== undefined) conditions.push(`r.updated >= ${parameter(page.since)}`);
        if (page.at !== undefined) {
          conditions.push(`r.updated < ${parameter(new Date(page.at.high))}`);
          conditions.push(`${replacedAt} > ${parameter(new Date(page.at.low))}`);
        }
        return conditions.join(' AND ');
      },
      page.count,
      types?.map((type) => typeCode(type)!),
    );
  }

  /** The types of which anything is stored, so that what is about all types asks for no others. */
  async storedTypes(access: Access): Promise<string[]> {
    const { rows } = await this.#database.as(scopeOf(access)).query({
      name: 'stored_types',
      text: `WITH RECURSIVE stored (type) AS (
               SELECT min(type) FROM resource
               UNION ALL
               SELECT (SELECT min(r.type) FROM resource r WHERE r.type > stored.type) FROM stored WHERE stored.type IS NOT NULL
             ) SELECT type FROM stored WHERE type IS NOT NULL`,
    });
    return rows.map((row) => typeName(row.type)!);
  }

  /** How many versions of a resource there are. */
  async versionCount(access: Access, type: string, id: string): Promise<number> {
    const values: unknown[] = [ridOf(id), typeCode(type)];
    const own = (table: 'resource' | 'resource_history') =>
      `r.rid = $1 AND r.type = $2 AND ${accessCondition(access, 'r', (value) => `$${values.push(value)}`, table)}`;
    const { rows } = await this.#database.as(scopeOf(access)).query({
      text: `SELECT (SELECT count(*) FROM resource r WHERE ${own('resource')})
               + (SELECT count(*) FROM resource_history r WHERE ${own('resource_history')}) AS count`,
      values,
    });
    return rows[0]!.count;
  }

  /**
   * Opens rows selected with `storedColumns`, in their order, without what is hidden of them from the caller.
   * @param isAskedAgain whether the same are likely to be asked for within moments
   */
  async open(access: Access, rows: StoredRow[], isAskedAgain = false): Promise<StoredResource[]> {
    const openBy = isAskedAgain ? this.#openKept : openText;
    const keys = await this.#keys.load(
      this.#database,
      rows.map((row) => row.home),
    );
    return rows.map((row) => openRow(access, row, keys, openBy));
  }

  /** As `open`, of rows that have no more than is shown of them. */
  async openShown(access: Access, rows: readonly ShownRow[]): Promise<ShownResource[]> {
    const keys = await this.#keys.load(
      this.#database,
      rows.map((row) => row.home),
    );
    return rows.map((row) => {
      const type = typeName(row.type)!;
      return { type, rid: row.rid, home: row.home, text: shownTextOf(access, row, type, keys, openText) };
    });
  }

  readonly #openKept: typeof openText = (sealed, key, identity) => this.#keys.opened.open(sealed, key, identity);

  async #answer(reads: PendingRead[]): Promise<void> {
    const same = Map.groupBy(reads, ({ access }) => decisionKey(access));
    await Promise.all([...same.values()].map((some) => this.#readTogether(some[0]!.access, some)));
  }

  /** Answers reads on which one decision is made. */
  async #readTogether(access: Access, reads: PendingRead[]): Promise<void> {
    try {
      const values: unknown[] = [`{${[...new Set(reads.map(({ rid }) => rid))].join(',')}}`];
      const parameter = (value: unknown) => `$${values.push(value)}`;
      const condition = accessCondition(access, 'r', parameter, 'resource', { isOfFew: true });
      const text = `SELECT ${storedColumns} FROM resource r LEFT JOIN link l ON l.home = r.home
                    WHERE r.rid = ANY($1) AND ${condition}`;
      const { rows } = await this.#database.as(scopeOf(access)).query(named(text, values));
      const found = new Map(
        (await this.open(access, rows as StoredRow[], true)).map((stored) => [`${stored.type}/${stored.rid}`, stored]),
      );
      for (const read of reads) {
        const stored = found.get(`${read.type}/${read.rid}`);
        read.resolve(stored);
      }
    } catch (error) {
      for (const read of reads) read.reject(error);
    }
  }

  /** @param types looks for the newest of each of these types, which an index by type and sequence has in order */
  async #versions(
    access: Access,
    where: (parameter: (value: unknown) => string) => string,
    count: number,
    types?: number[],
  ): Promise<StoredResource[]> {
    const values: unknown[] = [];
    const parameter = (value: unknown) => `$${values.push(value)}`;
    const asked = where(parameter);
    const columns = storedColumns.replace(', l.presented', '');
    const each = types && `unnest(${parameter(types)}::smallint[]) AS t (type)`;
    const newest = (table: 'resource' | 'resource_history') => {
      const condition = `${asked} AND ${accessCondition(access, 'r', parameter, table)}`;
      return each
        ? `SELECT r.* FROM ${each} CROSS JOIN LATERAL (
             SELECT ${columns} FROM ${table} r WHERE r.type = t.type AND ${condition} ORDER BY r.seq DESC LIMIT ${count}) r`
        : `(SELECT ${columns} FROM ${table} r WHERE ${condition} ORDER BY r.seq DESC LIMIT ${count})`;
    };
    const { rows } = await this.#database.as(scopeOf(access)).query({
      text: `SELECT r.*, l.presented FROM (
               ${newest('resource')} UNION ALL ${newest('resource_history')}
             ) r LEFT JOIN link l ON l.home = r.home ORDER BY r.seq DESC LIMIT ${count}`,
      values,
    });
    return this.open(access, rows as StoredRow[]);
  }
}

/** A row selected with `storedColumns`. */
export interface StoredRow {
  home: number;
  rkey: number;
  type: number;
  rid: string;
  seq: number;
  version: number;
  updated: Date;
  deleted: boolean;
  message: string | null;
  refs: number[] | null;
  labels: number;
  body: Buffer | null;
  presented: string | null;
}

/** What of a row its text is made of; `refs` where there is somebody presented. */
export type ShownRow = Pick<
  StoredRow,
  'home' | 'rkey' | 'type' | 'rid' | 'version' | 'refs' | 'labels' | 'body' | 'presented'
>;

function openRow(access: Access, row: StoredRow, keys: Map<number, Buffer>, openBy: typeof openText): StoredResource {
  const type = typeName(row.type)!;
  const text = shownTextOf(access, row, type, keys, openBy);
  return {
    type,
    rid: row.rid,
    home: row.home,
    rkey: row.rkey,
    seq: row.seq,
    version: row.version,
    updated: row.updated,
    deleted: row.deleted || text === '',
    message: row.message ?? undefined,
    labels: row.labels,
    text,
  };
}

/** The text of a row as the caller sees it; empty where there is none, or the key of its home is gone. */
function shownTextOf(
  access: Access,
  { home, rid, version, refs, labels, body, presented }: ShownRow,
  type: string,
  keys: Map<number, Buffer>,
  openBy: typeof openText,
): string {
  const key = keys.get(home);
  if (!body || !key) return '';
  let text = openBy(body, key, sealIdentity({ type, rid, version }));
  if (presented && refs && type !== 'Patient') text = present(text, refs, presented);
  return withLabels(redacted(access, { type, labels, text }), labels);
}

const keys = new WeakMap<Access, string>();

/** What tells apart the accesses on whose reads different decisions are made. */
function decisionKey(access: Access): string {
  let key = keys.get(access);
  if (key === undefined) {
    const { homes, limits, relation, notOf } = access;
    const asked = relation && [relation.mode, relation.organization, relation.daysBack, relation.daysAhead];
    key = limits.isCustodian && homes === 'all' ? 'all' : JSON.stringify([homes, limits, asked, notOf]);
    keys.set(access, key);
  }
  return key;
}
