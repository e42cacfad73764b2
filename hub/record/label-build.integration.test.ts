import { label } from '@causeway/access';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clinician, custodian, type TestRecord, testRecord } from '../testing-record.ts';
import { ridOf } from './index.ts';

let made: TestRecord;
beforeAll(async () => {
  made = await testRecord();
});
afterAll(() => made.test.drop());

it('labels what was stored before there were labels, every version of it; until then clinicians do not see it', async () => {
  const { put, record, test } = made;
  const condition = (code: string) => ({
    resourceType: 'Condition',
    id: 'c',
    subject: { reference: 'Patient/p' },
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code }] },
    recordedDate: '2024-05',
  });
  await put(condition('B20'));
  await put(condition('I10'));
  await put({ ...condition('F11.20'), id: 'gone' });
  await record.remove(custodian, 'Condition', 'gone');
  const state = async () => {
    const { rows } = await test.database.query(
      `SELECT version, labels, first_day::text AS day FROM (
         SELECT rid, version, labels, first_day FROM resource
         UNION ALL SELECT rid, version, labels, first_day FROM resource_history) v
       WHERE rid = ANY($1) ORDER BY rid = $2, version`,
      [[ridOf('c'), ridOf('gone')], ridOf('gone')],
    );
    return rows.map((row) => [row.version, row.labels, row.day]);
  };
  const written = await state();
  expect(written.map(([version, labels]) => [version, labels])).toEqual([
    [1, label.hiv],
    [2, 0],
    [1, label.substanceUse],
    [2, label.substanceUse],
  ]);
  for (const table of ['resource', 'resource_history']) {
    await test.database.query(`UPDATE ${table} SET labels = 1, first_day = NULL, last_day = NULL`);
  }
  expect(await record.reader.read(clinician, 'Condition', 'c')).toBeUndefined();
  expect(await record.reader.read(custodian, 'Condition', 'c')).toBeDefined();
  const told: number[] = [];
  await record.labelStored((done) => told.push(done));
  expect(told.length).toBeGreaterThan(0);
  const again = await state();
  expect(again.map(([, labels]) => labels)).toEqual(written.map(([, labels]) => labels));
  expect(again[0]).toEqual(written[0]);
  expect(await record.reader.read(clinician, 'Condition', 'c')).toBeDefined();
  told.length = 0;
  await record.labelStored((done) => told.push(done));
  expect(told).toEqual([]);
});
