/**
 * The statements that write a transaction's resources: new rows, next versions, history and index entries. Texts travel
 * as one block of bytes that PostgreSQL cuts up, because one large binary parameter costs a fraction of an array.
 */
import type { Transaction } from '../database/index.ts';
import { int8Array } from './binary-arrays.ts';
import type { IndexEntries } from './index-entries.ts';
import { insertIndex } from './index-rows.ts';
import { selfHash } from './keys.ts';
import type { Version } from './write-set.ts';

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
 * Writes each resource's new versions; `before` is the version that the database holds.
 * @param last the last of their sequence numbers
 */
export async function writeRows(
  transaction: Transaction,
  resources: { before: Version | undefined; rows: Row[] }[],
  last: number,
): Promise<void> {
  const count = resources.reduce((sum, { rows }) => sum + rows.length, 0);
  if (count === 0) return;
  countResources(transaction, resources);
  let seq = last - count;
  const current: Numbered[] = [];
  const past: Numbered[] = [];
  const replaced: Version[] = [];
  for (const { before, rows } of resources) {
    let rkey = before?.rkey;
    rows.forEach((row, i) => {
      seq++;
      rkey ??= seq;
      (i === rows.length - 1 ? current : past).push({ row, rkey, seq });
    });
    if (before) replaced.push(before);
  }
  if (replaced.length > 0) retire(transaction, replaced);
  if (past.length > 0) insertVersions(transaction, 'resource_history', past.map(withSettled));
  const parts = inParts(current);
  for (const part of parts) {
    const rows = part.map(withSettled);
    insertVersions(transaction, 'resource', rows);
    insertIndex(
      transaction,
      rows.flatMap(({ row: { home, index }, rkey }) => (index ? { home, rkey, index } : [])),
    );
    // What was read of a large transaction is let go before more is.
    if (parts.length > 1) await transaction.query({ name: 'part_written', text: 'SELECT 1' });
  }
}

/** A version with its text and index entries, wherever they are. */
function withSettled(version: Numbered): Numbered {
  const { settled } = version.row;
  if (!settled) return version;
  return {
    ...version,
    row: Object.assign(Object.create(version.row), { body: settled.body(), index: settled.index() }),
  };
}

const partBytes = 1024 * 1024;
const partRows = 250;

/** All versions, or, where their texts are not in memory, lists of them that may be. */
function inParts(versions: Numbered[]): Numbered[][] {
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

/** Keeps how many resources of each type there are. The lock of the clock is held, so that no two writers meet here. */
function countResources(transaction: Transaction, resources: { before: Version | undefined; rows: Row[] }[]): void {
  const more = new Map<number, number>();
  for (const { before, rows } of resources) {
    const last = rows.at(-1)!;
    const change = Number(!last.deleted) - Number(before !== undefined && !before.deleted);
    if (change !== 0) more.set(last.code, (more.get(last.code) ?? 0) + change);
  }
  for (const [code, change] of more) {
    transaction.send({
      name: 'count_resources',
      text: 'UPDATE resource_count SET count = count + $2 WHERE type = $1',
      values: [code, change],
    });
  }
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
}

/** Moves the versions that the database holds into history, with what they are found by. */
function retire(transaction: Transaction, versions: Version[]): void {
  transaction.send({
    name: 'retire',
    text: `
      WITH old AS (
        DELETE FROM resource r USING unnest($1::bigint[], $2::bigint[]) AS k (home, rkey)
        WHERE r.home = k.home AND r.rkey = k.rkey RETURNING r.*
      ), ranges AS (
        DELETE FROM index_range i USING old WHERE i.home = old.home AND i.rkey = old.rkey
      ), strings AS (
        DELETE FROM index_string i USING old WHERE i.home = old.home AND i.rkey = old.rkey
      ), tokens AS (
        DELETE FROM index_token i USING (SELECT unnest(tokens) AS value, rkey, home FROM old) AS o
        WHERE i.value = o.value AND i.rkey = o.rkey AND i.home = o.home
      )
      INSERT INTO resource_history (home, rkey, version, type, rid, seq, updated, deleted, as_of, message, refs, body)
      SELECT home, rkey, version, type, rid, seq, updated, deleted, as_of, message, refs, body FROM old`,
    values: [versions.map(({ home }) => home), versions.map(({ rkey }) => rkey)],
  });
}

function insertVersions(transaction: Transaction, table: 'resource' | 'resource_history', versions: Numbered[]): void {
  const bodies = piecesOf(versions.map(({ row }) => row.body ?? nothing));
  const hashes = versions.map(({ row: { index } }) => (index ? [...index.tokens, ...index.markers] : []));
  const tokens = piecesOf(hashes);
  const isCurrent = table === 'resource';
  transaction.send({
    name: `insert_${table}`,
    text: `
      INSERT INTO ${table} (home, rkey, type, rid, version, seq, updated, deleted, as_of, message, refs, body
                            ${isCurrent ? ', self, tokens' : ''})
      SELECT home, rkey, type, rid, version, seq, $7::timestamptz, deleted, as_of, message, refs::integer[],
             CASE WHEN NOT deleted THEN substring($12::bytea FROM body FOR body_length) END
             ${isCurrent ? ', self, CASE WHEN NOT deleted THEN ($16::bigint[])[token : token + token_count - 1] END' : ''}
      FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::uuid[], $5::integer[], $6::bigint[],
                  $8::boolean[], $9::timestamptz[], $10::uuid[], $11::text[], $13::integer[], $14::integer[]
                  ${isCurrent ? ', $15::bigint[], $17::integer[], $18::integer[]' : ''})
        AS v (home, rkey, type, rid, version, seq, deleted, as_of, message, refs, body, body_length
              ${isCurrent ? ', self, token, token_count' : ''})`,
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
      Buffer.concat(versions.flatMap(({ row }) => row.body ?? [])),
      bodies.starts,
      bodies.lengths,
      ...(isCurrent
        ? [
            int8Array(versions.map(({ row }) => selfHash(row.type, row.rid))),
            int8Array(hashes.flat()),
            tokens.starts,
            tokens.lengths,
          ]
        : []),
    ],
  });
}

const nothing = { length: 0 };

/** Where each of several pieces begins, counted from 1, when they are put together, and how long it is. */
function piecesOf(pieces: readonly { length: number }[]): { starts: string; lengths: string } {
  let next = 1;
  const starts = pieces.map(({ length }) => {
    const start = next;
    next += length;
    return start;
  });
  return { starts: `{${starts.join(',')}}`, lengths: `{${pieces.map(({ length }) => length).join(',')}}` };
}

/** A PostgreSQL array literal; the driver's own way of writing arrays costs several times as much. */
function array<T>(items: T[], value: (item: T) => string | number | boolean): string {
  return `{${items.map(value).join(',')}}`;
}
