import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { FhirRecord, HomeKeys, indexKeyOf, newId } from '../record/index.ts';
import { fixedMasterKey, newDataKey } from '../secrets/index.ts';
import { Versions } from './versions.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

it('gives the version of the time that is asked for from memory, unless it is gone or its key is', async () => {
  const { database } = test;
  const master = fixedMasterKey(newDataKey());
  const index = await indexKeyOf(database, master);
  const record = new FhirRecord(database, master, index);
  const versions = new Versions(database, record.keys);
  record.writer.afterCommit(({ changes }) => versions.keep(changes));
  const id = newId();
  const write = (city: string) =>
    record.writer.write({
      keys: [{ type: 'Patient', id }],
      patients: [id],
      apply: (set) => {
        const said = { resourceType: 'Patient', id, address: [{ city }] };
        return set.put(record.scan(JSON.stringify(said), 'Patient'), 'Patient', id);
      },
    });
  const first = await write('Old Town');
  const second = await write('New Town');
  const asked = (at?: Date) => versions.read([{ rid: id, home: second.home, at }]);
  const city = async (at?: Date) =>
    (await asked(at)).map((some) => some.map(({ said }) => /"city":"([^"]*)"/.exec(said.text)![1]));
  expect(await city(first.updated)).toEqual([['Old Town']]);
  expect(await city()).toEqual([['New Town']]);
  // Only from memory, since what is stored cannot be opened.
  await database.query(`UPDATE resource SET body = '\\x00'`);
  expect(await city()).toEqual([['New Town']]);
  await expect(
    new Versions(database, record.keys).read([{ rid: id, home: second.home, at: undefined }]),
  ).rejects.toThrow();
  await database.query('UPDATE home_key SET wrapped = NULL');
  const later = new Versions(database, new HomeKeys(master, index));
  later.keep([{ before: undefined, after: second, parsed: () => undefined, meta: undefined }]);
  expect(await later.read([{ rid: id, home: second.home, at: undefined }])).toEqual([[]]);
  await database.query('DELETE FROM resource');
  expect(await city()).toEqual([['Old Town']]);
});
