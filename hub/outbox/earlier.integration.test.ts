import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../record/index.ts';
import { type TestRecord, testRecord } from '../testing-record.ts';
import { patientsNow } from './earlier.ts';

let hub: TestRecord;
beforeAll(async () => {
  hub = await testRecord();
});
afterAll(() => hub.test.drop());

it('gives Patients as the transaction leaves them: stored, changed, none that are deleted', async () => {
  const { record, put } = hub;
  const [stored, changed, gone, made] = [newId(), newId(), newId(), newId()];
  const patient = (id: string, city: string) => ({ resourceType: 'Patient', id, address: [{ city }] });
  for (const id of [stored, changed, gone]) await put(patient(id, 'Old Town'));
  const rids = [gone, made, changed, stored];
  const found = await record.writer.write({
    keys: rids.map((id) => ({ type: 'Patient', id })),
    patients: rids,
    apply: async (set) => {
      for (const id of [changed, gone, made])
        set.put(record.scan(JSON.stringify(patient(id, 'New Town')), 'Patient'), 'Patient', id);
      set.remove('Patient', gone);
      return patientsNow(set, record.keys, rids);
    },
  });
  const city = ({ rid, resource }: (typeof found)[number]) => [
    rid,
    (resource as object as { address: [{ city: string }] }).address[0].city,
  ];
  expect(found.map(city)).toEqual([
    [stored, 'Old Town'],
    [made, 'New Town'],
    [changed, 'New Town'],
  ]);
});
