import { dayMessages, sites } from '@causeway/region';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { type Json, startTestHub } from '../testing.ts';
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

it('of what the sites say on the day something stays to be closed: a critical result, a discharge, a referral to the practice', async () => {
  const hub = await startTestHub();
  try {
    for (const { key, name, kind, oid, timeZone, ...said } of sites()) {
      const { sendingFacility, identifierSystem, identifierAuthority } = said;
      const body = { name, kind, sendingFacility, identifierSystem, identifierAuthority };
      expect((await hub.send('PUT', `/api/participants/${key}`, body)).status).toBe(200);
      expect((await hub.send('PUT', `/api/participants/${key}/settings`, { oid, timeZone })).status).toBe(200);
    }
    await hub.take(...dayMessages({ people: 20 }, Date.now()).map(({ body }) => body));
    const { json } = await hub.get('/api/loops?state=open', { role: 'steward' });
    const open = json.loops.map(({ kind, source, site }: Json) => [kind, source, site]);
    expect(open.sort()).toEqual([
      ['critical-result', 'ellery-lab', null],
      ['referral', 'harbor-hospital', 'millbrook-practice'],
      ['transition', 'harbor-hospital', null],
    ]);
  } finally {
    await hub.stop();
  }
});
