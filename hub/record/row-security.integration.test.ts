import { label } from '@causeway/access';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Queryable } from '../database/index.ts';
import type { TestDatabase } from '../database/testing.ts';
import { clinician, custodian, engineer, testRecord } from '../testing-record.ts';
import { type Access, scopeOf } from '../trust/index.ts';
import type { FhirRecord } from './index.ts';

let test: TestDatabase;
let record: FhirRecord;
let homes: number[];

beforeAll(async () => {
  ({ test, record } = await testRecord());
  const put = (resource: { resourceType: string; id: string } & object) =>
    record.update(custodian, record.scan(JSON.stringify(resource), resource.resourceType), resource.id);
  for (const id of ['a', 'b', 'c']) {
    await put({ resourceType: 'Patient', id, name: [{ family: `Family${id}` }] } as never);
    const observation = {
      resourceType: 'Observation',
      id: `o${id}`,
      status: 'final',
      code: { coding: [{ code: 'x' }] },
    };
    for (const status of ['preliminary', 'final']) {
      await put({
        ...observation,
        status,
        subject: { reference: `Patient/${id}` },
        effectiveDateTime: '2024-01-01',
      } as never);
    }
  }
  await put({ resourceType: 'Organization', id: 'shared', name: 'Shared' } as never);
  const { rows } = await test.database.query(
    `SELECT home FROM resource WHERE type = (SELECT type FROM resource WHERE home > 0 ORDER BY rkey LIMIT 1) ORDER BY rkey`,
  );
  homes = rows.map((row) => row.home);
});
afterAll(() => test.drop());

const tables = ['resource', 'resource_history', 'index_token', 'index_range', 'index_string', 'person'];

async function homesSeen(database: Queryable, table: string): Promise<number[]> {
  const { rows } = await database.query(`SELECT DISTINCT home FROM ${table} ORDER BY home`);
  return rows.map((row) => row.home);
}

it('gives no rows without a scope, on fresh connections and on those that had one', async () => {
  for (const table of tables) {
    expect(await homesSeen(test.unscoped, table)).toEqual([]);
    await homesSeen(test.unscoped.as('all'), table);
    expect(await homesSeen(test.unscoped, table)).toEqual([]);
    expect(await homesSeen(test.unscoped.as(''), table)).toEqual([]);
  }
  await test.unscoped.transaction(async (transaction) => {
    expect(await homesSeen(transaction, 'resource')).toEqual([]);
    expect(await homesSeen(transaction.as('all'), 'resource')).not.toEqual([]);
    expect(await homesSeen(transaction.as(String(homes[0])), 'index_token')).toContain(homes[0]);
  });
  expect(await homesSeen(test.unscoped, 'resource')).toEqual([]);
});

it('gives the rows of the homes in scope and of no others, however the statement asks', async () => {
  const [a, b] = homes as [number, number, number];
  for (const table of ['resource', 'index_token', 'index_string', 'resource_history']) {
    const seen = await homesSeen(test.database.as(`${a},${b}`), table);
    expect(seen.filter((home) => home > 0)).toEqual([a, b]);
  }
  const scoped = test.database.as(String(a));
  expect((await scoped.query('SELECT 1 FROM resource WHERE home = $1 OR true', [b])).rows.length).toBeGreaterThan(0);
  expect((await scoped.query('SELECT 1 FROM resource WHERE home = $1', [b])).rows).toEqual([]);
  expect((await scoped.query('UPDATE resource SET as_of = now() WHERE home = $1', [b])).rowCount).toBe(0);
  expect((await scoped.query('DELETE FROM index_token WHERE home = $1', [b])).rowCount).toBe(0);
  await expect(scoped.query('INSERT INTO index_token VALUES (1, $1, 1)', [b])).rejects.toThrow(/row-level security/);
});

it('holds even where the first lock is open', async () => {
  const [a] = homes as [number];
  const narrow: Access = { ...clinician, homes: [a] };
  expect(scopeOf(narrow)).toBe(`0,${a}/${label.psychotherapyNotes | label.unlabelled}`);
  const search = async (query: string, who: Access) => {
    const [type, parameters] = query.split('?') as [string, string];
    return (await record.search(who, record.readSearch(type, new URLSearchParams(parameters), false))).matches.length;
  };
  for (const query of [
    'Observation?code=x',
    'Observation?patient.family=family',
    'Patient?_has:Observation:patient:code=x',
  ]) {
    expect(await search(query, narrow)).toBe(1);
    expect(await search(query, clinician)).toBe(3);
    expect(await search(query, engineer)).toBe(0);
  }
  expect(await record.reader.read(narrow, 'Observation', 'ob')).toBeUndefined();
  expect(await record.reader.read(narrow, 'Observation', 'oa')).toBeDefined();
  expect(await record.reader.read(engineer, 'Organization', 'shared')).toBeUndefined();
});

it('keeps the indexes', async () => {
  const [a] = homes as [number];
  for (const scope of ['all', String(a)]) {
    await test.database.transaction(async (transaction) => {
      await transaction.query('SET LOCAL enable_seqscan = off');
      const plan = async (text: string, values: unknown[]) =>
        JSON.stringify((await transaction.as(scope).query(`EXPLAIN (FORMAT JSON) ${text}`, values)).rows);
      const token = await plan('SELECT 1 FROM index_token WHERE value = $1::bigint AND home = $2::bigint', ['1', a]);
      expect(token).toMatch(/"Index Cond":"\(\(value = [^"]*home = /);
      const range = await plan('SELECT 1 FROM index_range WHERE param = $1::bigint AND step >= $2::float8', ['1', 5]);
      expect(range).toMatch(/"Index Cond":"\(\(param = [^"]*step >= /);
      const string = await plan('SELECT 1 FROM index_string WHERE param = $1::bigint AND value >= $2 AND value < $3', [
        '1',
        'a',
        'b',
      ]);
      expect(string).toMatch(/"Index Cond":"\(\(param = [^"]*value >= /);
    });
  }
});
