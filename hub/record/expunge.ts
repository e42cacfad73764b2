/**
 * Taking out of the record for good: old versions, and what was deleted, with everything the hub knows of it. Nothing
 * else removes rows of the record. What went stays written in the record of accesses, with the reason.
 *
 * Original messages stay in the inbox: expunging is about the record, and processing a message again brings its facts
 * back.
 */
import { typeCode, typeName } from '@causeway/fhir';
import type { Database, Transaction } from '../database/index.ts';
import type { AccessLog, AccessNote } from '../trust/index.ts';
import { ridOf } from './keys.ts';
import type { FhirRecord } from './record.ts';

export interface ExpungeRequest {
  /** A type and an id, a type, or neither: the whole record. */
  scope: { type?: string; id?: string };
  /** Old versions; resources that were deleted; or one resource, which is deleted first where it is not. */
  what: 'versions' | 'deleted' | 'everything';
  /** At most so many versions, or resources with all their versions. */
  limit: number;
  /** Count only. */
  dryRun: boolean;
  /** Recorded in the same transaction. */
  note: AccessNote;
}

export interface Expunged {
  /** Versions that went, or would go. */
  versions: number;
  /** Resources of which nothing is left. */
  resources: number;
  /** Of what was looked at, versions or resources that stay for now, because something waits to be sent. */
  withheld: number;
  /** Whether there is more in the scope than was looked at. */
  more: boolean;
}

/** A resource that is gone. */
export interface Gone {
  type: string;
  rid: string;
  home: number;
}

/** What another room has to do with it. */
export interface ExpungePart {
  /** Takes the locks it needs; the rows to go are locked before. */
  lock?(transaction: Transaction): Promise<void>;
  /** The homes, of these, of which nothing may go yet. */
  withheld?(transaction: Transaction, homes: readonly number[]): Promise<Set<number>>;
  /** Removes what it knows of resources that go. */
  forget?(transaction: Transaction, gone: readonly Gone[]): Promise<void>;
}

/** A version by its place. */
export interface OldVersion {
  home: number;
  rkey: number;
  version: number;
}

export class Expunger {
  readonly #database: Database;
  readonly #record: FhirRecord;
  readonly #accessLog: AccessLog;
  readonly #parts: ExpungePart[] = [];

  constructor(database: Database, record: FhirRecord, accessLog: AccessLog) {
    this.#database = database;
    this.#record = record;
    this.#accessLog = accessLog;
  }

  /** Adds what another room does; parts act in the order in which they were added. */
  also(part: ExpungePart): void {
    this.#parts.push(part);
  }

  /** Removes, or counts what would be removed, in one transaction with its record. */
  async expunge(request: ExpungeRequest): Promise<Expunged> {
    const { scope, what, dryRun, note } = request;
    if (what === 'everything' && !dryRun)
      await this.#record.remove(note.access, scope.type!, scope.id!, {}, () => note);
    const outcome = await this.#database.transaction(async (transaction) => {
      const outcome =
        what === 'versions'
          ? await this.#oldVersions(transaction, request)
          : await this.#resources(transaction, request);
      const counts = `${dryRun ? 'would remove' : 'removed'} ${outcome.versions} versions, ${outcome.resources} resources`;
      const entry = { ...note.entry, what: `${note.entry.what} ${counts}`.slice(0, 500) };
      this.#accessLog.recordWith(transaction, [{ ...note, entry }]);
      return outcome;
    });
    // What is gone is let go in memory too.
    if (!dryRun) this.#record.keys.opened.clear();
    return outcome;
  }

  /** Removes old versions, but for those of homes that wait for something to be sent; returns how many went. */
  async removeVersions(transaction: Transaction, versions: readonly OldVersion[], note: AccessNote): Promise<number> {
    const free = await this.#free(transaction, versions);
    if (free.length === 0) return 0;
    await deleteVersions(transaction, free);
    this.#record.keys.opened.clear();
    const entry = { ...note.entry, what: `${note.entry.what} removed ${free.length} versions` };
    this.#accessLog.recordWith(transaction, [{ ...note, entry }]);
    return free.length;
  }

  async #oldVersions(transaction: Transaction, { scope, limit, dryRun }: ExpungeRequest): Promise<Expunged> {
    const values: unknown[] = [];
    const where = inScope(scope, (value) => `$${values.push(value)}`);
    const { rows } = await transaction.query({
      text: `SELECT home, rkey, version FROM resource_history r WHERE ${where}
             ORDER BY home, rkey, version LIMIT ${limit + 1}`,
      values,
    });
    const chosen = rows.slice(0, limit) as OldVersion[];
    const free = await this.#free(transaction, chosen);
    if (!dryRun) await deleteVersions(transaction, free);
    return {
      versions: free.length,
      resources: 0,
      withheld: chosen.length - free.length,
      more: rows.length > limit,
    };
  }

  async #resources(transaction: Transaction, { scope, what, limit, dryRun }: ExpungeRequest): Promise<Expunged> {
    const values: unknown[] = [];
    const where = inScope(scope, (value) => `$${values.push(value)}`);
    const deleted = what === 'everything' && dryRun ? 'true' : 'r.deleted';
    const { rows } = await transaction.query({
      text: `SELECT home, rkey, type, rid FROM resource r WHERE ${deleted} AND ${where}
             ORDER BY home, rkey LIMIT ${limit + 1} FOR UPDATE`,
      values,
    });
    const chosen = rows.slice(0, limit) as { home: number; rkey: number; type: number; rid: string }[];
    const free = await this.#free(transaction, chosen);
    const keys = [free.map(({ type }) => type), free.map(({ rid }) => rid)];
    const which = 'FROM unnest($1::smallint[], $2::uuid[]) AS k (type, rid) WHERE h.type = k.type AND h.rid = k.rid';
    const history = await transaction.query(
      dryRun
        ? `SELECT count(*) AS count FROM resource_history h WHERE EXISTS (SELECT 1 ${which})`
        : `DELETE FROM resource_history h WHERE EXISTS (SELECT 1 ${which})`,
      keys,
    );
    const past = dryRun ? Number(history.rows[0]!.count) : (history.rowCount ?? 0);
    if (!dryRun && free.length > 0) {
      await transaction.query(`DELETE FROM resource h WHERE EXISTS (SELECT 1 ${which})`, keys);
      const gone = free.map(({ type, rid, home }) => ({ type: typeName(type)!, rid, home }));
      for (const part of this.#parts) await part.forget?.(transaction, gone);
    }
    return {
      versions: past + free.length,
      resources: free.length,
      withheld: chosen.length - free.length,
      more: rows.length > limit,
    };
  }

  async #free<T extends { home: number }>(transaction: Transaction, chosen: readonly T[]): Promise<T[]> {
    for (const part of this.#parts) await part.lock?.(transaction);
    const homes = [...new Set(chosen.map(({ home }) => home))];
    const held = new Set<number>();
    for (const part of this.#parts) {
      for (const home of (await part.withheld?.(transaction, homes)) ?? []) held.add(home);
    }
    return chosen.filter(({ home }) => !held.has(home));
  }
}

function inScope({ type, id }: ExpungeRequest['scope'], parameter: (value: unknown) => string): string {
  const conditions = ['true'];
  if (type !== undefined) conditions.push(`r.type = ${parameter(typeCode(type))}`);
  if (id !== undefined) conditions.push(`r.rid = ${parameter(ridOf(id))}`);
  return conditions.join(' AND ');
}

async function deleteVersions(transaction: Transaction, versions: readonly OldVersion[]): Promise<void> {
  if (versions.length === 0) return;
  await transaction.query({
    name: 'expunge_versions',
    text: `DELETE FROM resource_history h USING unnest($1::bigint[], $2::bigint[], $3::integer[]) AS k (home, rkey, version)
           WHERE h.home = k.home AND h.rkey = k.rkey AND h.version = k.version`,
    values: [
      versions.map(({ home }) => home),
      versions.map(({ rkey }) => rkey),
      versions.map(({ version }) => version),
    ],
  });
}
