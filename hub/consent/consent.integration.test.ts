import { type GivenConsent, readConsent } from '@causeway/access';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ridOf } from '../record/index.ts';
import {
  organizations,
  random,
  randomConsent,
  randomPolicy,
  randomResource,
  randomUser,
  storedFacts,
  visibleOf,
} from '../testing-consents.ts';
import { type TestRecord, testRecord } from '../testing-record.ts';
import { type Access, accessOf, defaultPolicy } from '../trust/index.ts';
import { explanationsOf } from './index.ts';

let made: TestRecord;
beforeAll(async () => {
  made = await testRecord();
});
afterAll(() => made.test.drop());

const custodian = accessOf({ username: 'a', name: 'A', role: 'administrator', organization: 'o' });

/** What searches of some types find, and what reads by id find, as `Type/id`. */
async function found(access: Access, types: readonly string[]): Promise<string[]> {
  const { record } = made;
  const all = await Promise.all(
    types.map(async (type) => {
      const { matches } = await record.search(access, { ...record.readSearch(type, [], false), count: 1_000 });
      return matches.map(({ text }) => `${type}/${JSON.parse(text).id}`);
    }),
  );
  return all.flat().sort();
}

const types = ['Patient', 'Condition', 'Observation', 'Organization'];

it('gives out by search, read and count exactly what the decision in memory lets pass, and explains it so', async () => {
  const { put, record, test } = made;
  const r = random(20_260_101);
  const patients = Array.from({ length: 6 }, (_, i) => ({ id: `p${i}`, source: organizations[i % 3]! }));
  const resources: { resourceType: string; id: string }[] = [
    { resourceType: 'Organization', id: 'org', name: 'Org' } as never,
  ];
  for (const { id, source } of patients) {
    const meta = { tag: [{ system: 'urn:causeway:source', code: source }] };
    resources.push({ resourceType: 'Patient', id, meta, name: [{ family: `Family${id}` }] } as never);
    for (let i = 0; i < 9; i++) resources.push(randomResource(r, `${id}-${i}`, id));
  }
  for (const resource of resources) await put(resource);
  await test.database.query(`UPDATE resource SET labels = labels | 1 WHERE rid = ANY($1)`, [
    ['p0-1', 'p1-1', 'p3-2'].map(ridOf),
  ]);
  const rows = await storedFacts(test, resources);
  const byId = new Map(rows.map(({ home, facts }) => [facts.reference, home]));
  const homes = [...new Set(rows.map(({ home }) => home).filter((home) => home > 0))];
  const ids = resources.map(({ resourceType, id }) => `${resourceType}/${id}`);
  let hidden = 0;
  for (let round = 0; round < 25; round++) {
    const consents = new Map<number, GivenConsent[]>();
    for (const { id } of patients) {
      for (let i = 0; i < 3; i++) {
        const consent = randomConsent(r, `c-${id}-${i}`, id, ids);
        await put(consent);
        const home = byId.get(`Patient/${id}`)!;
        const given = consents.get(home) ?? [];
        consents.set(home, given);
        const isActive = (consent as { status?: string }).status === 'active';
        if (isActive) {
          given.push({
            id: ridOf(consent.id),
            isConfirmed: true,
            consent: readConsent(consent as never, defaultPolicy.zone),
          });
        }
      }
    }
    for (let i = 0; i < 12; i++) {
      const user = randomUser(r, homes);
      const access = accessOf(user, { ...randomPolicy(r), zone: 'UTC' });
      const visible = [...visibleOf(access, rows, consents)].sort();
      hidden += rows.length - visible.length;
      expect(await found(access, types), JSON.stringify({ user, access })).toEqual(visible);
      const one = r.of(rows).facts;
      const [type, id] = one.reference.split('/') as [string, string];
      const explained = await explanationsOf(
        test.database,
        { homes, seenBy: custodian },
        { limits: access.limits, withoutRules: access.limits, isEmergency: user.isEmergency === true },
        access.homes === 'all' ? undefined : access.homes,
      );
      const countOf = (wanted: string) =>
        explained
          .filter(({ type, explanation }) => type === wanted && explanation.isVisible)
          .reduce((sum, { count }) => sum + count, 0);
      for (const wanted of ['Patient', 'Condition', 'Observation']) {
        const shown = visible.filter((reference) => reference.startsWith(`${wanted}/`)).length;
        expect(countOf(wanted), JSON.stringify({ user, access })).toBe(shown);
      }
      const read = await record.reader.read(access, type, id);
      expect(read !== undefined).toBe(visible.includes(one.reference));
      const history = await record.reader.history(access, { type, id }, { count: 10 });
      if (!visible.includes(one.reference)) expect(history).toEqual([]);
      const counted = await record.search(access, { ...record.readSearch('Condition', [], false), summaryCount: true });
      expect(counted.total).toBe(visible.filter((reference) => reference.startsWith('Condition/')).length);
    }
  }
  expect(hidden).toBeGreaterThan(2_000);
  expect(await found(custodian, types)).toEqual(ids.sort());
}, 120_000);
