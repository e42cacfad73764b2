import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../database/testing.ts';
import { clinician, custodian, testRecord } from '../testing-record.ts';
import type { FhirRecord } from './index.ts';
import { indexFormat } from './index-entries.ts';

let test: TestDatabase;
let record: FhirRecord;

beforeAll(async () => {
  ({ test, record } = await testRecord());
});
afterAll(() => test.drop());

const rowsOf = async () => {
  const { rows } = await test.database.query(
    `SELECT (SELECT count(*) FROM index_token) AS tokens, (SELECT count(*) FROM index_range) AS ranges,
            (SELECT count(*) FROM index_string) AS strings, (SELECT count(self) FROM resource) AS selves,
            (SELECT format FROM index_build) AS format`,
  );
  return rows[0]!;
};

it('leaves nothing to be indexed where nothing is stored: every parameter can be searched by from the start', async () => {
  const states = async () => (await test.database.query('SELECT DISTINCT state FROM search_parameter')).rows;
  await test.database.query('TRUNCATE index_build');
  await record.buildIndex(() => {});
  expect(await states()).toEqual([{ state: 'active' }]);
  await test.database.query('TRUNCATE index_build');
});

it('makes the index of an older form anew, goes on where it was interrupted, and then leaves it alone', async () => {
  for (let i = 0; i < 1_300; i++) {
    const text = JSON.stringify({
      resourceType: 'Observation',
      id: `o${i}`,
      status: 'final',
      code: { coding: [{ code: i === 7 ? 'seven' : 'other' }] },
      subject: { reference: `Patient/p${i % 10}` },
      valueQuantity: { value: i, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' },
    });
    await record.update(custodian, record.scan(text, 'Observation'), `o${i}`);
  }
  await record.remove(custodian, 'Observation', 'o8');
  await record.buildIndex(() => {});
  const built = await rowsOf();
  expect(built).toMatchObject({ format: indexFormat, selves: 1_300 });
  await test.database.query('TRUNCATE index_token, index_range, index_string, index_build');
  await test.database.query(`UPDATE resource SET self = NULL, tokens = '{}'`);
  const told: [number, number][] = [];
  const interrupted = record.buildIndex((done, total) => {
    told.push([done, total]);
    throw new Error('interrupted');
  });
  await expect(interrupted).rejects.toThrow('interrupted');
  expect((await rowsOf()).format).toBe(0);
  await record.buildIndex((done, total) => told.push([done, total]));
  expect(told).toEqual([
    [1_000, 1_300],
    [300, 1_300],
  ]);
  expect(await rowsOf()).toEqual(built);
  await record.buildIndex(() => expect.unreachable());
  const found = await record.search(clinician, record.readSearch('Observation', [['code', 'seven']], false));
  expect(found.matches.map(({ text }) => (JSON.parse(text) as { id: string }).id)).toEqual(['o7']);
  expect((await record.search(clinician, record.readSearch('Observation', [['_id', 'o8']], false))).matches).toEqual(
    [],
  );
});
