import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../../database/testing.ts';
import { custodian, testRecord } from '../../testing-record.ts';
import type { FhirRecord } from '../index.ts';

let test: TestDatabase;
let record: FhirRecord;

beforeAll(async () => {
  ({ test, record } = await testRecord());
  for (const id of ['one', 'two']) await put({ resourceType: 'Patient', id });
});
afterAll(() => test.drop());

async function put(resource: { resourceType: string; id: string } & Record<string, unknown>) {
  const { resourceType, id } = resource;
  await record.update(custodian, record.scan(JSON.stringify(resource), resourceType), id);
}

async function found(query: string) {
  const [type, parameters] = query.split('?') as [string, string];
  return (await record.search(custodian, record.readSearch(type, new URLSearchParams(parameters), false))).matches;
}

const idOf = ({ text }: { text: string }) => (JSON.parse(text) as { id: string }).id;

it('what names a version of a Patient is of that patient’s record, and is told as it was sent', async () => {
  const subject = { reference: 'Patient/one/_history/1' };
  await put({ resourceType: 'Observation', id: 'of-version', status: 'final', code: { text: 'x' }, subject });
  const stored = await record.read(custodian, 'Observation', 'of-version');
  expect(stored.home).toBe((await record.read(custodian, 'Patient', 'one')).home);
  expect(JSON.parse(stored.text)).toMatchObject({ subject });
  for (const query of ['patient=one', 'subject=Patient/one', 'patient=one&status=final'])
    expect((await found(`Observation?${query}`)).map(idOf)).toEqual(['of-version']);
  expect(await found('Observation?patient=two')).toEqual([]);
});

it('what has several subjects is found by each of them', async () => {
  const subject = ['one', 'two'].map((id) => ({ reference: `Patient/${id}` }));
  await put({ resourceType: 'Account', id: 'of-both', status: 'active', subject });
  for (const query of ['patient=one', 'patient=two', 'subject=Patient/two', 'patient=two&status=active'])
    expect([query, (await found(`Account?${query}`)).map(idOf)]).toEqual([query, ['of-both']]);
});
