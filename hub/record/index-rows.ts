/** The rows of the index tables: what resources are found by. */
import type { Transaction } from '../database/index.ts';
import { float8Array, int8Array } from './binary-arrays.ts';
import type { IndexEntries } from './index-entries.ts';

/** A resource's place and what it is found by. */
export interface Indexed {
  home: number;
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
        INSERT INTO index_token (value, home, rkey) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
      ), ranges AS (
        INSERT INTO index_range (param, low, high, unit, home, rkey)
        SELECT * FROM unnest($4::bigint[], $5::float8[], $6::float8[], $7::bigint[], $8::bigint[], $9::bigint[])
      )
      INSERT INTO index_string (param, value, home, rkey)
      SELECT * FROM unnest($10::bigint[], $11::text[], $12::bigint[], $13::bigint[])`,
    values: [
      int8Array(tokens),
      ...placesOf(resources, ({ tokens }) => tokens.length),
      int8Array(ranges.map(({ param }) => param)),
      float8Array(ranges.map(({ low }) => low)),
      float8Array(ranges.map(({ high }) => high)),
      int8Array(ranges.map(({ unit }) => unit)),
      ...placesOf(resources, ({ ranges }) => ranges.length),
      int8Array(strings.map(({ param }) => param)),
      `{${strings.map(({ value }) => quoted(value)).join(',')}}`,
      ...placesOf(resources, ({ strings }) => strings.length),
    ],
  });
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
