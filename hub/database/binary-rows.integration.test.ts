import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isReadInBinary } from './binary-rows.ts';
import type { Queryable } from './pool.ts';
import { type TestDatabase, testDatabase } from './testing.ts';

let base: TestDatabase;
let readers: Queryable;

beforeAll(async () => {
  base = await testDatabase(null);
  readers = base.database.as('all');
});

afterAll(() => base.drop());

/** What a statement gives at first, as text, and thereafter. */
async function threeTimes(text: string, values: unknown[] = []) {
  const results = [];
  for (let i = 0; i < 3; i++) results.push((await readers.query({ name: `t${text.length}`, text, values })).rows);
  return results;
}

test('values are the same in binary as in text', async () => {
  const bytes = randomBytes(300);
  const [asText, ...binary] = await threeTimes(
    `select true as yes, false as no, $1::bytea as bytes, ''::bytea as none, 9007199254740991::int8 as big,
            -9007199254740991::int8 as least, -5::int8 as minus, -3::int2 as small, -70000::int4 as middle, 'zürich ✓'::text as word,
            'a'::varchar(3) as short, ''::text as empty, -1.5e300::float8 as wide, 'NaN'::float8 as nan,
            array[1, null, -9007199254740991]::int8[] as many, '{}'::int8[] as nothing,
            array[212, null, -248]::int4[] as places,
            timestamptz '2024-02-29 12:00:00.123987+02' as then, timestamptz '1969-12-31 23:59:59.9999Z' as earlier,
            timestamptz 'infinity' as never, timestamptz '-infinity' as always,
            date '2024-02-29' as day, date '0001-01-01' as early, date '9999-12-31' as late, date 'infinity' as no_end,
            uuid '0193f00d-1234-8abc-9def-00ff00ff00ff' as id, null::int8 as no_number, null::bytea as no_bytes`,
    [bytes],
  );
  expect(asText![0]).toMatchObject({
    bytes,
    big: 9007199254740991,
    word: 'zürich ✓',
    many: [1, null, -9007199254740991],
  });
  for (const rows of binary) expect(rows).toEqual(asText);
});

test('what has a type that is not read in binary stays text', async () => {
  const [first, ...others] = await threeTimes(`select 1.00::numeric as exact, '{"a": 1}'::jsonb as json, 7::int8 as n`);
  expect(first).toEqual([{ exact: '1.00', json: { a: 1 }, n: 7 }]);
  for (const rows of others) expect(rows).toEqual(first);
});

test('rows come whole, however they are cut on their way', async () => {
  const text = `select n::int8, repeat(md5(n::text), (n * n % 9000)::int) as word, decode(repeat('0f', (n * 17 % 3000)::int), 'hex') as bytes
                from generate_series(1, 60) as g (n) union all select 0, repeat('x', 3000000), null`;
  const [asText, ...binary] = await threeTimes(text);
  expect(asText).toHaveLength(61);
  for (const rows of binary) expect(rows).toEqual(asText);
});

test('statements sent together are answered each with its own', async () => {
  const ask = (n: number) =>
    readers.query({ name: 'own', text: 'select $1::int8 as n from generate_series(1, 50)', values: [n] });
  for (let round = 0; round < 3; round++) {
    const results = await Promise.all(Array.from({ length: 40 }, (_, n) => ask(n)));
    results.forEach(({ rows, rowCount }, n) => {
      expect([rowCount, new Set(rows.map((row) => row.n))]).toEqual([50, new Set([n])]);
    });
  }
});

test('an error is that of its statement alone: of the value, of PostgreSQL', async () => {
  const big = (value: string) =>
    readers.query({ name: 'big', text: 'select $1::int8 as big, 1 / $2::int4 as part', values: [value, 1] });
  const part = (by: number) =>
    readers.query({ name: 'big', text: 'select $1::int8 as big, 1 / $2::int4 as part', values: ['1', by] });
  await big('1');
  await expect(big('9007199254740993')).rejects.toThrow(/::text/);
  await expect(part(0)).rejects.toMatchObject({ code: '22012' });
  expect((await big('-2')).rows).toEqual([{ big: -2, part: 1 }]);
});

test('all columns of a stored resource come in binary', async () => {
  const { database, drop } = await testDatabase();
  const { rows } = await database.query(
    `select attname::text as name, atttypid::int8 as type from pg_attribute
     where attrelid in ('resource'::regclass, 'resource_history'::regclass, 'person'::regclass) and attnum > 0`,
  );
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter(({ type }) => !isReadInBinary(type))).toEqual([]);
  await drop();
});
