import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey, newDataKey } from '../secrets/index.ts';
import { accessOf } from '../trust/index.ts';
import { Jobs } from './jobs.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

it('all jobs that are open are looked at, however many there are, the oldest first', async () => {
  const limits = { keptMs: 3_600_000, perOwner: 100, atOnce: 100, leaseMs: 60_000, attempts: 3 };
  const jobs = new Jobs(test.database, fixedMasterKey(newDataKey()), limits);
  const access = accessOf({ username: 'a', name: 'A', role: 'administrator', organization: 'o' });
  const asked = { kind: 'export', access, request: '/fhir/$export', parameters: {}, homes: undefined } as const;
  const made: string[] = [];
  for (let i = 0; i < 7; i++) made.push((await jobs.create({ ...asked, state: 'waiting' })).id);
  const [waiting, expired, ...complete] = made;
  await test.database.query(`UPDATE bulk_job SET state = 'complete' WHERE id <> $1`, [waiting]);
  await test.database.query('UPDATE bulk_job SET expires = now() WHERE id = $1', [expired]);
  for (const atOnce of [1, 2, 5, 1_000]) {
    const open = await Array.fromAsync(jobs.open(atOnce));
    expect(open.map(({ id }) => id)).toEqual(complete);
  }
});
