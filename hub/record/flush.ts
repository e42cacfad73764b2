/**
 * The statements that write a transaction's resources: new rows, next versions, history and index entries. Texts travel
 * as one block of bytes that PostgreSQL cuts up, because one large binary parameter costs a fraction of an array.
 */
import { typeCode } from '@causeway/fhir';
import type { Transaction } from '../database/index.ts';
import { int8Array } from './binary-arrays.ts';
import { type IndexEntries, noEntries } from './index-entries.ts';
import type { IndexKey } from './index-key.ts';
import { type Indexed, insertIndex, numberOf, piecesOf, replaceIndex } from './index-rows.ts';
import { selfHash } from './keys.ts';
import type { Version } from './transaction-resources.ts';

/** One version to write. */
export interface Row extends Version {
  /** The version as those see it who made it. */
  after: Version;
  code: number;
  refs: number[];
  /** Where the value of `meta.lastUpdated` begins in the text. */
  timeAt: number;
  index: IndexEntries | undefined;
  body: Buffer | undefined;
}

const patient = typeCode('Patient')!;

/** Another hub changed the custom search parameters: what is written must be indexed by them. */
export class ParametersChanged extends Error {}

/**
 * Takes the numbers of so many versions, and their time, from the clock, which stays locked until the commit: so numbers
 * and times become visible in their order. The time is that under which the versions were prepared where it is later than
 * the last one given and, by the database's own clock, not in the future; else the next that is.
 * @param parameters the version of the search parameters by which they are indexed, and whether this changes them
 * @returns the last of the numbers, and the time
 * @throws ParametersChanged
 */
export async function takeNumbers(
  transaction: Transaction,
  count: number,
  prepared: Date,
  parameters: { version: number; changed: boolean },
): Promise<{ last: number; time: Date }> {
  const change = parameters.changed ? 1 : 0;
  const { rows } = await transaction.query({
    name: 'clock',
    text: `UPDATE clock SET seq = seq + $1, parameters = parameters + $2,
             updated = CASE WHEN $3 > updated AND $3 < clock_timestamp() + interval '1 s' THEN $3
                       ELSE greatest(date_trunc('milliseconds', clock_timestamp()), updated + interval '1 ms') END
           RETURNING seq, parameters, updated`,
    values: [count, change, prepared],
  });
  const { seq: last, parameters: version, updated: time } = rows[0]!;
  if (version !== parameters.version + change) throw new ParametersChanged();
  if (parameters.changed) {
    transaction.send({ text: 'UPDATE search_parameter SET since = $1 WHERE since IS NULL', values: [last] });
  }
  return { last, time };
}

/**
 * Takes numbers as `takeNumbers` does, without being told them: nobody waits for the answer. Versions are then numbered
 * relatively, from `1 - count` to 0, and the statements that write them add the clock; see `numberOf`. Where the time under
 * which they were prepared is none that they may have, or the search parameters are others, the transaction fails with
 * what `isRefusedByClock` tells.
 */
export function takeNumbersUnseen(
  transaction: Transaction,
  count: number,
  prepared: Date,
  parameters: { version: number },
): void {
  transaction.send({
    name: 'clock_unseen',
    text: `UPDATE clock SET seq = CASE WHEN parameters = $2 THEN seq + $1 END,
             updated = CASE WHEN $3 > updated AND $3 < clock_timestamp() + interval '1 s' THEN $3 END`,
    values: [count, parameters.version, prepared],
  });
}

const notNullViolation = '23502';

/** Whether a transaction failed since it did not see what the clock says. */
export function isRefusedByClock(error: unknown): boolean {
  const { code, table } = error as { code?: string; table?: string };
  return code === notNullViolation && table === 'clock';
}

/**
 * Writes each resource's new versions; `before` is the version that the database holds.
 * @param index the key of what they are found by
 * @param last the last of their sequence numbers; 0 where they are relative
 */
export async function writeRows(
  transaction: Transaction,
  resources: { before: Version | undefined; rows: Row[] }[],
  last: number,
  index: IndexKey,
): Promise<void> {
  const count = resources.reduce((sum, { rows }) => sum + rows.length, 0);
  if (count === 0) return;
  countResources(transaction, resources);
  let seq = last - count;
  const made: Numbered[] = [];
  const replacing: Numbered[] = [];
  const past: Numbered[] = [];
  for (const { before, rows } of resources) {
    let rkey = before?.rkey;
    for (const [i, row] of rows.entries()) {
      seq++;
      rkey ??= seq;
      const version: Numbered = { row, rkey, seq, before, body: row.body, index: row.index };
      if (i < rows.length - 1) past.push(version);
      else if (before) replacing.push(version);
      else made.push(version);
    }
  }
  if (past.length > 0) writeVersions(transaction, insertInto('resource_history'), past.map(withSettled));
  const parts = [...inParts(replacing), ...inParts(made)];
  for (const part of parts) {
    const rows = withKeyedIndex(part.map(withSettled), index);
    if (rows[0]!.before) replace(transaction, rows);
    else {
      writeVersions(transaction, insertInto('resource'), rows);
      insertIndex(transaction, rows.map(indexedOf));
    }
    // What was read of a large transaction is let go before more is.
    if (part.some(({ row }) => row.settled)) await transaction.query({ name: 'part_written', text: 'SELECT 1' });
  }
}

/** A version with its text and index entries, wherever they are. */
function withSettled(version: Numbered): Numbered {
  const { settled } = version.row;
  if (!settled) return version;
  return { ...version, body: settled.body(), index: settled.index() };
}

/** The versions with what they are found by as the database has it. */
function withKeyedIndex(versions: Numbered[], key: IndexKey): Numbered[] {
  const keyed = key.keyedEntries(versions.map(({ index }) => index ?? noEntries));
  return versions.map((version, i) => (version.index ? { ...version, index: keyed[i]! } : version));
}

const partBytes = 1024 * 1024;
const partRows = 250;

/** All versions, or, where their texts are not in memory, lists of them that may be. */
function inParts(versions: Numbered[]): Numbered[][] {
  if (versions.length === 0) return [];
  if (!versions.some(({ row }) => row.settled)) return [versions];
  const parts: Numbered[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const version of versions) {
    const { length } = version.row.settled ?? version.row.body ?? { length: 0 };
    if (bytes + length > partBytes || parts.at(-1)!.length === partRows) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(version);
    bytes += length;
  }
  return parts;
}

/** Keeps how many resources there are of each type but Patient, which is counted as persons. The lock of the clock is held, so that no two writers meet here. */
function countResources(transaction: Transaction, resources: { before: Version | undefined; rows: Row[] }[]): void {
  const more = new Map<number, number>();
  for (const { before, rows } of resources) {
    const last = rows.at(-1)!;
    const change = Number(!last.deleted) - Number(before !== undefined && !before.deleted);
    if (change !== 0 && last.code !== patient) more.set(last.code, (more.get(last.code) ?? 0) + change);
  }
  if (more.size === 0) return;
  transaction.send({
    name: 'count_resources',
    text: `UPDATE resource_count r SET count = count + v.change
           FROM unnest($1::smallint[], $2::integer[]) AS v (type, change) WHERE r.type = v.type`,
    values: [`{${[...more.keys()].join(',')}}`, `{${[...more.values()].join(',')}}`],
  });
}

/** Notes since when resources are known to be as they are. */
export function writeStatementTimes(transaction: Transaction, versions: Version[]): void {
  if (versions.length === 0) return;
  transaction.send({
    name: 'restate',
    text: `UPDATE resource r SET as_of = v.as_of FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[])
             AS v (home, rkey, as_of) WHERE r.home = v.home AND r.rkey = v.rkey`,
    values: [versions.map(({ home }) => home), versions.map(({ rkey }) => rkey), versions.map(({ asOf }) => asOf)],
  });
}

interface Numbered {
  row: Row;
  rkey: number;
  seq: number;
  /** The version that the database holds. */
  before: Version | undefined;
  body: Buffer | undefined;
  index: IndexEntries | undefined;
}

/** Keeps the versions that the database holds in history, and puts the next ones in their rows. */
function replace(transaction: Transaction, versions: Numbered[]): void {
  const homes = versions.map(({ before }) => before!.home);
  transaction.send({
    name: 'retire',
    text: `
      INSERT INTO resource_history (home, rkey, version, type, rid, seq, updated, deleted, as_of, message, refs, body,
        labels, first_day, last_day)
      SELECT home, rkey, version, type, rid, seq, updated, deleted, as_of, message, refs, body,
        labels, first_day, last_day
      FROM unnest($1::bigint[], $2::bigint[]) AS k (home, rkey) JOIN resource USING (home, rkey)`,
    values: [int8Array(homes), int8Array(versions.map(({ rkey }) => rkey))],
  });
  replaceIndex(
    transaction,
    versions.map((version, i) => ({ ...indexedOf(version), homeBefore: homes[i]! })),
  );
  writeVersions(transaction, update, versions);
}

function indexedOf({ row: { home }, rkey, index }: Numbered): Indexed {
  return { home, rkey, index: index ?? noEntries };
}

interface Write {
  name: string;
  /** The statement, of what it is given as `v`. */
  text(given: string): string;
}

const own =
  'home, rkey, type, rid, version, seq, updated, deleted, as_of, message, refs, body, labels, first_day, last_day';

function insertInto(table: 'resource' | 'resource_history'): Write {
  const columns = table === 'resource' ? `${own}, self, tokens` : own;
  return {
    name: `insert_${table}`,
    text: (given) => `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${given}`,
  };
}

const update: Write = {
  name: 'update_resource',
  text: (given) => `
    UPDATE resource r SET home = v.home, version = v.version, seq = v.seq, updated = v.updated, deleted = v.deleted,
      as_of = v.as_of, message = v.message, refs = v.refs, body = v.body, tokens = v.tokens,
      labels = v.labels, first_day = v.first_day, last_day = v.last_day
    FROM ${given} WHERE r.home = v.home_before AND r.rkey = v.rkey`,
};

function writeVersions(transaction: Transaction, write: Write, versions: Numbered[]): void {
  const hashes = versions.map(({ index }) => (index ? [...index.tokens, ...index.markers] : []));
  const bodies = piecesOf(versions.map(({ body }) => body ?? nothing));
  const tokens = piecesOf(hashes);
  transaction.send({
    name: write.name,
    text: write.text(`(
      SELECT home, ${numberOf('rkey')} AS rkey, type, rid, version, ${numberOf('seq')} AS seq,
             $7::timestamptz AS updated, deleted, as_of, message,
             refs::integer[] AS refs, self, home_before, labels, first_day, last_day,
             CASE WHEN NOT deleted THEN substring($12::bytea FROM body FOR body_length) END AS body,
             CASE WHEN NOT deleted THEN ($16::bigint[])[token : token + token_count - 1] END AS tokens
      FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::uuid[], $5::integer[], $6::bigint[],
                  $8::boolean[], $9::timestamptz[], $10::uuid[], $11::text[], $13::integer[], $14::integer[],
                  $15::bigint[], $17::integer[], $18::integer[], $19::bigint[], $20::integer[], $21::date[], $22::date[])
        AS v (home, rkey, type, rid, version, seq, deleted, as_of, message, refs, body, body_length,
              self, token, token_count, home_before, labels, first_day, last_day)) v`),
    values: [
      int8Array(versions.map(({ row }) => row.home)),
      int8Array(versions.map(({ rkey }) => rkey)),
      array(versions, ({ row }) => row.code),
      array(versions, ({ row }) => row.rid),
      array(versions, ({ row }) => row.version),
      int8Array(versions.map(({ seq }) => seq)),
      versions[0]!.row.updated,
      array(versions, ({ row }) => row.deleted),
      array(versions, ({ row }) => (row.asOf === undefined ? 'NULL' : `"${row.asOf}"`)),
      array(versions, ({ row }) => row.message ?? 'NULL'),
      array(versions, ({ row }) => (row.refs.length === 0 ? 'NULL' : `"{${row.refs.join(',')}}"`)),
      Buffer.concat(versions.flatMap(({ body }) => body ?? [])),
      bodies.starts,
      bodies.lengths,
      int8Array(versions.map(({ row }) => selfHash(row.type, row.rid))),
      int8Array(hashes.flat()),
      tokens.starts,
      tokens.lengths,
      int8Array(versions.map(({ before }) => before?.home)),
      array(versions, ({ row }) => row.labels),
      array(versions, ({ row }) => row.days?.from ?? 'NULL'),
      array(versions, ({ row }) => row.days?.to ?? 'NULL'),
    ],
  });
}

const nothing = { length: 0 };

/** A PostgreSQL array literal; the driver's own way of writing arrays costs several times as much. */
function array<T>(items: T[], value: (item: T) => string | number | boolean): string {
  return `{${items.map(value).join(',')}}`;
}
