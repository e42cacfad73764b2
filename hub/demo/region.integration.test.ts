import { sites } from '@causeway/region';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { Accounts, Participants } from '../trust/index.ts';
import { registerSites } from './region.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

it('keeps what somebody told of a site when the hub starts again: how its tables are read, the state whose rules hold', async () => {
  const participants = new Participants(test.database);
  const accounts = new Accounts(test.database);
  await registerSites(participants, accounts, 'town');
  const { key, oid } = sites()[0]!;
  const tables = { labs: { kind: 'patient', columns: { MRN: { field: 'patient.id' } } } } as const;
  const before = participants.byKey(key);
  await participants.put({ ...before, state: 'CA', settings: { ...before.settings, tables } });
  await registerSites(participants, accounts, 'town');
  expect(participants.byKey(key)).toMatchObject({ state: 'CA', settings: { oid, tables } });
});
