/** What consents say is read anew when the program or the time zone changes; until then those who gave one are closed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ridOf } from '../record/index.ts';
import { clinician, custodian, type TestRecord, testRecord } from '../testing-record.ts';
import { Consents } from './index.ts';

let made: TestRecord;
let zone = 'UTC';
let consents: Consents;
const patients = ['a', 'b', 'c'];

beforeAll(async () => {
  made = await testRecord();
  consents = new Consents(made.record, made.persons, () => zone);
  for (const id of [...patients, 'without']) {
    await made.put({ resourceType: 'Patient', id });
    await made.put({ resourceType: 'Condition', id: `of-${id}`, subject: { reference: `Patient/${id}` } } as never);
  }
  for (const id of patients) {
    await made.put({
      resourceType: 'Consent',
      id: `consent-${id}`,
      status: 'active',
      scope: { coding: [{ code: 'patient-privacy' }] },
      category: [{ text: 'x' }],
      patient: { reference: `Patient/${id}` },
      policyRule: { coding: [{ code: 'OPTOUT' }] },
      provision: { type: 'deny', period: { start: '2031-01-01' } },
    } as never);
  }
});
afterAll(() => made.test.drop());

async function seen(): Promise<string[]> {
  const { record } = made;
  const { matches } = await record.search(clinician, record.readSearch('Condition', [], false));
  return matches.map(({ text }) => JSON.parse(text).id).sort();
}

const all = [...patients, 'without'].map((id) => `of-${id}`);
const expectZone = (to: string) =>
  made.test.database.transaction((transaction) => consents.expect(transaction, to), { scope: 'all' });
const makeAnew = (by = consents) =>
  by.makeAnew(made.test.database.as('all'), (error) => {
    throw error;
  });

async function begins(): Promise<unknown[]> {
  const { rows } = await made.test.database.query(
    'SELECT DISTINCT lower(times) AS at, stale FROM consent_provision ORDER BY stale',
  );
  return rows.map(({ at, stale }) => (stale ? 'stale' : at.toISOString()));
}

it('closes all who gave a consent when the time zone changes, and opens them as they are read anew', async () => {
  await expectZone('UTC');
  await makeAnew();
  expect([await seen(), await begins()]).toEqual([all, ['2031-01-01T00:00:00.000Z']]);
  await expectZone('America/Chicago');
  expect([await seen(), await begins()]).toEqual([['of-without'], ['stale']]);
  // Who does not know of it yet makes nothing by what held before.
  await makeAnew();
  await made.put({ resourceType: 'Condition', id: 'of-a', subject: { reference: 'Patient/a' } } as never);
  expect([await seen(), await begins()]).toEqual([['of-without'], ['stale']]);
  zone = 'America/Chicago';
  await makeAnew();
  expect([await seen(), await begins()]).toEqual([all, ['2031-01-01T06:00:00.000Z']]);
  await expectZone('America/Chicago');
  expect(await begins()).toEqual(['2031-01-01T06:00:00.000Z']);
});

it('does the same for what another program made, and goes on where it was interrupted', async () => {
  await made.test.database.query(`UPDATE consent_derivation SET stamp = 'another program America/Chicago'`);
  await expectZone(zone);
  expect(await seen()).toEqual(['of-without']);
  await made.test.database.query('ALTER TABLE link RENAME TO link_away');
  await expect(makeAnew()).rejects.toThrow();
  await made.test.database.query('ALTER TABLE link_away RENAME TO link');
  const home = (await made.record.homesOf(['a'])).get('a')![0]!;
  await made.test.database.query('DELETE FROM consent_provision WHERE stale AND home <> $1', [home]);
  await makeAnew(new Consents(made.record, made.persons, () => zone));
  expect(await begins()).toEqual(['2031-01-01T06:00:00.000Z']);
  expect(await seen()).toEqual(all);
});

it('keeps both of two consents that are filed at one moment', async () => {
  const other = made.another();
  const consent = (id: string, kind: string) => ({
    resourceType: 'Consent',
    id,
    status: 'active',
    scope: { coding: [{ code: 'patient-privacy' }] },
    category: [{ text: 'x' }],
    patient: { reference: 'Patient/b' },
    policyRule: { coding: [{ code: 'OPTOUT' }] },
    provision: {
      type: 'deny',
      purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: kind }],
    },
  });
  await made.test.database.query(`UPDATE consent_derivation SET stamp = ''`);
  for (let round = 0; round < 5; round++) {
    const filed = [made.record, other].map((record, i) =>
      record.update(
        custodian,
        record.scan(JSON.stringify(consent(`at-once-${round}-${i}`, i === 0 ? 'HRESCH' : 'HPAYMT')), 'Consent'),
        `at-once-${round}-${i}`,
      ),
    );
    await Promise.all(filed);
    const { rows } = await made.test.database.query(
      'SELECT count(DISTINCT consent) AS n FROM consent_provision WHERE consent = ANY($1)',
      [[0, 1].map((i) => ridOf(`at-once-${round}-${i}`))],
    );
    expect(rows[0]!.n).toBe(2);
  }
});
