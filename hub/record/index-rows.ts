/** The rows of the index tables: what resources are found by. */
import type { Transaction } from '../database/index.ts';
import { float8Array, int8Array } from './binary-arrays.ts';
import type { IndexEntries } from './index-entries.ts';

/** A number of the clock as it is written: those above 0 as they are, others count from where the clock is. */
export function numberOf(column: string): string {
  return `(${column} + CASE WHEN ${column} > 0 THEN 0 ELSE (SELECT seq FROM clock) END)`;
}

/** A resource's place and what it is found by. */
export interface Indexed {
  home: number;
  /** May be relative, see `numberOf`, where it is inserted. */
  rkey: number;
  index: IndexEntries;
}

/** Writes what resources are found by. */
export function insertIndex(transaction: Transaction, resources: readonly Indexed[]): void {
  const tokens = resources.flatMap(({ index }) => index.tokens);
  const ranges = resources.flatMap(({ index }) => index.ranges);
  const strings = resources.flatMap(({ index }) => index.strings);
  transaction.send({
    name: 'insert_index',
    text: `
      WITH tokens AS (
        INSERT INTO index_token (value, home, rkey) SELECT value, home, ${numberOf('rkey')}
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS v (value, home, rkey)
      ), ranges AS (
        INSERT INTO index_range (param, low, high, unit, step, home, rkey)
        SELECT param, low, high, unit, step, home, ${numberOf('rkey')}
        FROM unnest($4::bigint[], $5::float8[], $6::float8[], $7::bigint[], $8::float8[], $9::bigint[],
                    $10::bigint[]) AS v (param, low, high, unit, step, home, rkey)
      )
      INSERT INTO index_string (param, value, home, rkey)
      SELECT param, value, home, ${numberOf('rkey')}
      FROM unnest($11::bigint[], $12::text[], $13::bigint[], $14::bigint[]) AS v (param, value, home, rkey)`,
    values: [
      int8Array(tokens),
      ...placesOf(resources, ({ tokens }) => tokens.length),
      ...rangeColumns(ranges),
      ...placesOf(resources, ({ ranges }) => ranges.length),
      ...stringColumns(strings),
      ...placesOf(resources, ({ strings }) => strings.length),
    ],
  });
}

/** A resource that is written anew: where it was and where it is, and what it is found by from then on. */
export interface Reindexed extends Indexed {
  homeBefore: number;
}

/**
 * Takes away what resources are found by no longer and writes what they are found by besides. To be sent before the rows
 * of `resource` are changed: their tokens tell what there is.
 */
export function replaceIndex(transaction: Transaction, resources: readonly Reindexed[]): void {
  const indexes = resources.map(({ index }) => index);
  const ranges = indexes.flatMap((index) => index.ranges);
  const strings = indexes.flatMap((index) => index.strings);
  const hashes = indexes.map(({ tokens, markers }) => [...tokens, ...markers]);
  const pieces = [hashes, indexes.map((one) => one.ranges), indexes.map((one) => one.strings)].map(piecesOf);
  transaction.send({
    name: 'replace_index',
    text: `
      WITH next AS MATERIALIZED (
        SELECT r.home, r.rkey, k.next_home, k.next_home <> r.home AS moves, coalesce(r.tokens, '{}') AS tokens,
               ($11::bigint[])[k.hash : k.hash + k.hash_count - 1] AS hashes,
               ($11::bigint[])[k.hash : k.hash + k.token_count - 1] AS next_tokens,
               ($12::bigint[])[k.range : k.range + k.range_count - 1] AS range_params,
               ($13::float8[])[k.range : k.range + k.range_count - 1] AS lows,
               ($14::float8[])[k.range : k.range + k.range_count - 1] AS highs,
               ($15::bigint[])[k.range : k.range + k.range_count - 1] AS units,
               ($16::float8[])[k.range : k.range + k.range_count - 1] AS steps,
               ($17::bigint[])[k.string : k.string + k.string_count - 1] AS string_params,
               ($18::text[])[k.string : k.string + k.string_count - 1] AS string_values
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::integer[], $5::integer[], $6::integer[],
                    $7::integer[], $8::integer[], $9::integer[], $10::integer[])
          AS k (home, rkey, next_home, token_count, hash, hash_count, range, range_count, string, string_count)
        JOIN resource r USING (home, rkey)
      ), gone_tokens AS (
        DELETE FROM index_token i USING (SELECT home, rkey, moves, hashes, unnest(tokens) AS value FROM next) o
        WHERE (o.moves OR o.value <> ALL (o.hashes)) AND i.value = o.value AND i.home = o.home AND i.rkey = o.rkey
      ), gone_ranges AS (
        DELETE FROM index_range i USING next o WHERE i.home = o.home AND i.rkey = o.rkey AND (o.moves OR NOT EXISTS (
          SELECT 1 FROM ${nextRanges} WHERE ${sameRange}))
      ), gone_strings AS (
        DELETE FROM index_string i USING next o WHERE i.home = o.home AND i.rkey = o.rkey AND (o.moves OR NOT EXISTS (
          SELECT 1 FROM ${nextStrings} WHERE ${sameString}))
      ), tokens AS (
        INSERT INTO index_token (value, home, rkey)
        SELECT n.value, o.next_home, o.rkey FROM next o CROSS JOIN LATERAL unnest(o.next_tokens) AS n (value)
        WHERE o.moves OR n.value <> ALL (o.tokens)
      ), ranges AS (
        INSERT INTO index_range (param, low, high, unit, step, home, rkey)
        SELECT n.*, o.next_home, o.rkey FROM next o CROSS JOIN LATERAL ${nextRanges}
        WHERE o.moves OR NOT EXISTS (
          SELECT 1 FROM index_range i WHERE i.home = o.home AND i.rkey = o.rkey AND ${sameRange} OFFSET 0)
      )
      INSERT INTO index_string (param, value, home, rkey)
      SELECT n.*, o.next_home, o.rkey FROM next o CROSS JOIN LATERAL ${nextStrings}
      WHERE o.moves OR NOT EXISTS (
        SELECT 1 FROM index_string i WHERE i.home = o.home AND i.rkey = o.rkey AND ${sameString} OFFSET 0)`,
    values: [
      int8Array(resources.map(({ homeBefore }) => homeBefore)),
      int8Array(resources.map(({ rkey }) => rkey)),
      int8Array(resources.map(({ home }) => home)),
      `{${indexes.map(({ tokens }) => tokens.length).join(',')}}`,
      ...pieces.flatMap(({ starts, lengths }) => [starts, lengths]),
      int8Array(hashes.flat()),
      ...rangeColumns(ranges),
      ...stringColumns(strings),
    ],
  });
}

const nextRanges = 'unnest(o.range_params, o.lows, o.highs, o.units, o.steps) AS n (param, low, high, unit, step)';
const sameRange = 'i.param = n.param AND i.low = n.low AND i.high = n.high AND i.unit IS NOT DISTINCT FROM n.unit';
const nextStrings = 'unnest(o.string_params, o.string_values) AS n (param, value)';
const sameString = 'i.param = n.param AND i.value = n.value';

function rangeColumns(ranges: IndexEntries['ranges']): Buffer[] {
  return [
    int8Array(ranges.map(({ param }) => param)),
    float8Array(ranges.map(({ low }) => low)),
    float8Array(ranges.map(({ high }) => high)),
    int8Array(ranges.map(({ unit }) => unit)),
    float8Array(ranges.map(({ step }) => step)),
  ];
}

function stringColumns(strings: IndexEntries['strings']): [Buffer, string] {
  return [int8Array(strings.map(({ param }) => param)), `{${strings.map(({ value }) => quoted(value)).join(',')}}`];
}

/** Where each of several pieces begins, counted from 1, when they are put together, and how long it is. */
export function piecesOf(pieces: readonly { length: number }[]): { starts: string; lengths: string } {
  let next = 1;
  const starts = pieces.map(({ length }) => {
    const start = next;
    next += length;
    return start;
  });
  return { starts: `{${starts.join(',')}}`, lengths: `{${pieces.map(({ length }) => length).join(',')}}` };
}

/** The home and the key of each resource, as often as it has rows. */
function placesOf(resources: readonly Indexed[], rowsOf: (index: IndexEntries) => number): [Buffer, Buffer] {
  const homes: number[] = [];
  const keys: number[] = [];
  for (const { home, rkey, index } of resources) {
    for (let left = rowsOf(index); left > 0; left--) {
      homes.push(home);
      keys.push(rkey);
    }
  }
  return [int8Array(homes), int8Array(keys)];
}

function quoted(value: string): string {
  return `"${value.replaceAll('\0', '').replace(/["\\]/g, '\\$&')}"`;
}
