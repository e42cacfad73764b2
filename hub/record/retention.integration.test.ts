import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesIn, testAudit } from '../audit/testing.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey, newDataKey } from '../secrets/index.ts';
import { AccessLog, accessOf } from '../trust/index.ts';
import { Expunger, FhirRecord, IndexKey, Retention, sealIdentity } from './index.ts';

const administrator = accessOf({ username: 'c', name: 'C', role: 'administrator', organization: 'o' });

describe('retention', () => {
  let test: TestDatabase;
  let record: FhirRecord;
  let retention: Retention;
  let expunger: Expunger;
  beforeAll(async () => {
    test = await testDatabase();
    record = new FhirRecord(test.database, fixedMasterKey(newDataKey()), new IndexKey(1, newDataKey()));
    expunger = new Expunger(test.database, record, new AccessLog(test.database, testAudit(test.database)));
    const fail = (error: unknown) => {
      throw error;
    };
    retention = new Retention(test.database, expunger, fail, { betweenStepsMs: 0 });
  });
  afterAll(() => test.drop());

  const write = async (type: 'Basic' | 'Flag', id: string, versions: number) => {
    const more = type === 'Basic' ? {} : { status: 'active', subject: { reference: 'Patient/p' } };
    for (let i = 0; i < versions; i++) {
      const resource = { resourceType: type, id, code: { text: `${i}` }, ...more };
      await record.update(administrator, record.scan(JSON.stringify(resource), type), id);
    }
  };
  const versionsOf = async (type: string, id: string) =>
    (await record.history(administrator, { type, id }, { count: 100 })).versions.map(({ version }) => version);
  const set = (type: string, keepVersions: number | undefined, keepDays: number | undefined) =>
    retention.set({ type, keepVersions, keepDays }, 'admin', 'test', async () => {});

  it('keeps everything where nothing is said', async () => {
    await write('Basic', 'all', 3);
    expect(await retention.pass()).toBe(0);
    expect(await versionsOf('Basic', 'all')).toEqual([3, 2, 1]);
  });

  it('lets go in memory what is removed', async () => {
    const request = { scope: { type: 'Basic', id: 'seen' }, what: 'everything', limit: 10 } as const;
    const note = { access: administrator, entry: { action: 'expunge', what: 'Basic/seen', status: 200 } };
    await write('Basic', 'seen', 1);
    const { type, rid, version } = await record.read(administrator, 'Basic', 'seen');
    const isKept = () => record.keys.opened.holds(sealIdentity({ type, rid, version }));
    await expunger.expunge({ ...request, dryRun: true, note });
    expect(isKept()).toBe(true);
    expect(await expunger.expunge({ ...request, dryRun: false, note })).toMatchObject({ resources: 1 });
    expect(isKept()).toBe(false);
    await write('Basic', 'seen', 1);
    expect((await record.read(administrator, 'Basic', 'seen')).version).toBe(1);
  });

  it('removes what is neither among the newest nor young enough, of that type only', async () => {
    await write('Basic', 'both', 4);
    await write('Flag', 'both', 4);
    await set('Basic', 2, 1);
    await retention.pass();
    expect(await versionsOf('Basic', 'both')).toEqual([4, 3, 2, 1]);
    await test.database.query(`UPDATE resource_history SET updated = updated - interval '2 days' WHERE version <= 3`);
    await retention.pass();
    expect(await versionsOf('Basic', 'both')).toEqual([4, 3]);
    expect(await versionsOf('Flag', 'both')).toEqual([4, 3, 2, 1]);
    await set('Basic', undefined, undefined);
    await write('Basic', 'both', 2);
    await retention.pass();
    expect(await versionsOf('Basic', 'both')).toEqual([6, 5, 4, 3]);
  });

  it('leaves the newest versions of each resource, however many there are', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (counts, keep) => {
          const name = `run-${run++}`;
          await set('Basic', undefined, undefined);
          for (const [i, count] of counts.entries()) await write('Basic', `${name}-${i}`, count);
          await set('Basic', keep, undefined);
          await retention.pass();
          for (const [i, count] of counts.entries()) {
            const newest = Array.from({ length: count }, (_, n) => count - n).slice(0, keep);
            expect(await versionsOf('Basic', `${name}-${i}`)).toEqual(newest);
          }
        },
      ),
      { numRuns: 10 },
    );
    const removed = (await accessesIn(test.database)).filter(
      ({ who, what }) => who === 'retention' && what.startsWith('retention removed '),
    );
    expect(removed.length).toBeGreaterThan(0);
    expect(await retention.lastPass()).toMatchObject({ removed: expect.any(Number) });
  });

  it('goes on by itself and stops at once', async () => {
    await set('Basic', 1, undefined);
    await write('Basic', 'alone', 3);
    retention.start();
    await expect.poll(() => versionsOf('Basic', 'alone')).toEqual([3]);
    const begun = performance.now();
    await retention.stop();
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});
