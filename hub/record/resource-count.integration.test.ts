import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resourceTypes, typeCode } from '@causeway/fhir';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../database/testing.ts';
import { clinician as access, custodian, engineer as nobody, testRecord } from '../testing-record.ts';
import type { FhirRecord } from './index.ts';

let test: TestDatabase;
let record: FhirRecord;
beforeAll(async () => {
  ({ test, record } = await testRecord());
});
afterAll(() => test.drop());

async function total(type: string, who = access, control: [string, string] = ['_summary', 'count']) {
  return (await record.search(who, { ...record.readSearch(type, [control], false), count: 1 })).total;
}

it('an estimate beyond what was counted is given to nobody from whom something may be hidden', async () => {
  const put = (id: string) =>
    record.update(
      custodian,
      record.scan(JSON.stringify({ resourceType: 'Medication', id, code: { text: 'x' } }), 'Medication'),
      id,
    );
  await put('m');
  await test.database.as('all').query(
    `INSERT INTO resource SELECT c.* FROM resource r, generate_series(1, 10001) n,
       jsonb_populate_record(r, jsonb_build_object('rid', gen_random_uuid(), 'rkey', -n, 'self', n + 1)) c WHERE r.type = $1`,
    [typeCode('Medication')],
  );
  const estimated = (who: typeof access) => total('Medication', who, ['_total', 'estimate']);
  expect(await estimated(custodian)).toBeGreaterThan(0);
  expect(await estimated(access)).toBeUndefined();
  expect(await total('Medication', access)).toBe(10_002);
});

it('the total of a type is kept with every write, shown to those who may read all, and made for older databases', async () => {
  const put = (type: string, id: string) =>
    record.update(custodian, record.scan(JSON.stringify({ resourceType: type, id, code: { text: 'x' } }), type), id);
  expect(await total('Basic')).toBe(0);
  await Promise.all(Array.from({ length: 20 }, (_, i) => put('Basic', `b${i}`)));
  await put('Basic', 'b0');
  await record.remove(custodian, 'Basic', 'b1');
  await record.remove(custodian, 'Basic', 'b1');
  await put('Substance', 's');
  await record.remove(custodian, 'Substance', 's');
  const expected = [19, 0];
  const totals = async () => [await total('Basic'), await total('Substance')];
  expect(await totals()).toEqual(expected);
  expect(await total('Basic', access, ['_total', 'accurate'])).toBe(19);
  expect(await total('Basic', access, ['_total', 'estimate'])).toBe(19);
  expect(await total('Basic', nobody)).toBe(0);

  await test.database.query('DROP TABLE resource_count');
  const file = join(import.meta.dirname, '../database/migrations/0018-resource-count.sql');
  await test.database.pool.query(readFileSync(file, 'utf8'));
  expect(await totals()).toEqual(expected);
  await put('Substance', 's');
  await put('Basic', 'b1');
  expect(await totals()).toEqual([20, 1]);
  expect(resourceTypes().length).toBeLessThan(1_000);
});
