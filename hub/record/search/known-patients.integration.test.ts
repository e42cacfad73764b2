/** A search goes by the links as they are, also where another hub changed them since this one looked. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../../database/testing.ts';
import { oneHuman } from '../../testing-patients.ts';
import { clinician, custodian, testRecord } from '../../testing-record.ts';
import type { FhirRecord } from '../index.ts';
import { ridOf } from '../keys.ts';

let test: TestDatabase;
let one: FhirRecord;
let other: FhirRecord;

beforeAll(async () => {
  const made = await testRecord();
  ({ test, record: one } = made);
  other = made.another();
});
afterAll(() => test.drop());

const put = (record: FhirRecord, resource: { resourceType: string; id: string; [element: string]: unknown }) =>
  record.update(custodian, record.scan(JSON.stringify(resource), resource.resourceType), resource.id);

const observed = (record: FhirRecord, patient: string, id: string) =>
  put(record, {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ code: id.split('-')[1]! }] },
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime: '2026-01-01',
  });

async function found(query: string): Promise<string[]> {
  const { matches } = await one.search(clinician, one.readSearch('Observation', new URLSearchParams(query), false));
  return matches.map(({ text }) => (JSON.parse(text) as { id: string }).id).sort();
}

const split = (patient: string) =>
  test.database.query('UPDATE link SET person = gen_random_uuid(), presented = NULL WHERE patient = $1', [
    ridOf(patient),
  ]);

it.each(['', '&_sort=date', '&_sort=-_lastUpdated', '&_sort=code', '&_total=accurate'])(
  'whatever else is asked for: %s',
  async (rest) => {
    const name = rest.replaceAll(/[^a-zA-Z]/g, '') || 'plain';
    const [a, b] = [`a${name}`, `b${name}`];
    const human = { ...oneHuman(name), resourceType: 'Patient' };
    await put(one, { ...human, id: a });
    await observed(one, a, `${a}-mine`);
    for (let i = 0; i < 2; i++) {
      expect(await found(`patient=${a}&code=mine${rest}`)).toEqual([`${a}-mine`]);
      expect(await found(`patient=${a}&code=theirs${rest}`)).toEqual([]);
    }
    await put(other, { ...human, id: b });
    await observed(other, b, `${b}-mine`);
    await observed(other, b, `${b}-theirs`);
    expect(await found(`patient=${a}&code=mine${rest}`)).toEqual([`${a}-mine`, `${b}-mine`]);
    expect(await found(`patient=${a}&code=theirs${rest}`)).toEqual([`${b}-theirs`]);
    await split(b);
    expect(await found(`patient=${a}&code=theirs${rest}`)).toEqual([]);
    expect(await found(`patient=${a}&code=mine${rest}`)).toEqual([`${a}-mine`]);
    expect(await found(`patient=${b}&code=mine,theirs${rest}`)).toEqual([`${b}-mine`, `${b}-theirs`]);
  },
);

it('what was said of a patient that is deleted, and made again', async () => {
  const human = { ...oneHuman('gone'), resourceType: 'Patient' };
  await put(one, { ...human, id: 'gone' });
  await observed(one, 'gone', 'gone-x');
  expect(await found('patient=gone&code=x')).toEqual(['gone-x']);
  await other.remove(custodian, 'Patient', 'gone');
  expect(await found('patient=gone&code=x')).toEqual(['gone-x']);
  await put(other, { ...human, id: 'gone' });
  expect(await found('patient=gone&code=x')).toEqual(['gone-x']);
});
