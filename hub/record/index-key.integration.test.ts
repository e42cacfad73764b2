import { blockingKeys, demographicsOf, prepare } from '@causeway/matching';
import type { Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Consents } from '../consent/index.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { PersonIndex, patientsIndexed } from '../identity/index.ts';
import { fixedMasterKey, newDataKey } from '../secrets/index.ts';
import { clinician, custodian } from '../testing-record.ts';
import { FhirRecord, indexKeyOf, renewIndexKey } from './index.ts';
import { codedHash, logicalHash, presenceHash, systemHash, typedHash } from './index-entries.ts';
import { parameterNumber, tokenHash } from './keys.ts';

const ssn = 'http://hl7.org/fhir/sid/us-ssn';
const number = '219-09-9999';
const patient: Patient = {
  resourceType: 'Patient',
  id: 'p1',
  identifier: [{ system: ssn, value: number, type: { coding: [{ system: 'urn:v2', code: 'SS' }] } }],
  name: [{ family: 'Rivers', given: ['Ann'] }],
  birthDate: '1970-02-03',
  telecom: [{ system: 'phone', value: '+1 555 0100' }],
};
const stored = [
  patient,
  {
    resourceType: 'Condition',
    id: 'c1',
    subject: { reference: 'Patient/p1', identifier: { system: ssn, value: number } },
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'B20' }] },
  },
  {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    subject: { reference: 'Patient/p1' },
    code: { coding: [{ code: '85354-9' }] },
    component: [{ code: { coding: [{ code: '8480-6' }] }, valueQuantity: { value: 120, code: 'mm[Hg]' } }],
  },
];
/** What finds each of them. */
const searches = [
  ['Patient', 'identifier', number, 'p1'],
  ['Patient', 'identifier', `${ssn}|${number}`, 'p1'],
  ['Patient', 'identifier:of-type', `urn:v2|SS|${number}`, 'p1'],
  ['Patient', 'phone', '+1 555 0100', 'p1'],
  ['Patient', '_has:Condition:patient:code', 'B20', 'p1'],
  ['Condition', 'code', 'B20', 'c1'],
  ['Condition', 'subject:identifier', `${ssn}|${number}`, 'c1'],
  ['Condition', 'patient.identifier', number, 'c1'],
  ['Condition', 'subject', 'Patient/p1', 'c1'],
  ['Observation', 'component-code-value-quantity', '8480-6$120', 'o1'],
  ['Observation', 'combo-code', '8480-6', 'o1'],
] as const;

const master = fixedMasterKey(newDataKey());
let test: TestDatabase;
let hub: Awaited<ReturnType<typeof start>>;

beforeAll(async () => {
  test = await testDatabase();
  hub = await start();
  for (const resource of stored) {
    const text = JSON.stringify(resource);
    await hub.record.update(custodian, hub.record.scan(text, resource.resourceType), resource.id!);
  }
});
afterAll(() => test.drop());

/** A hub over the database, as it starts. */
async function start(progress: (done: number, total: number) => void = () => {}) {
  const { database } = test;
  const index = await indexKeyOf(database, master);
  const record = new FhirRecord(database, master, index);
  await record.buildIndex(progress, patientsIndexed(index));
  const persons = new PersonIndex(database, record);
  const consents = new Consents(record, persons, () => 'UTC');
  await database.transaction((transaction) => consents.expect(transaction, 'UTC'), { scope: 'all' });
  return { index, record, persons, consents };
}

async function found({ record }: { record: FhirRecord }): Promise<string[]> {
  const all: string[] = [];
  for (const [type, name, value] of searches) {
    const { matches } = await record.search(clinician, record.readSearch(type, [[name, value]], false));
    all.push(matches.map(({ text }) => (JSON.parse(text) as { id: string }).id).join());
  }
  return all;
}

/** What stands in the database to find by. */
async function kept() {
  const { rows } = await test.database.query<{ values: string[]; params: string[]; blocking: string[] }>(
    `SELECT ARRAY(SELECT value::text FROM index_token UNION SELECT unnest(tokens)::text FROM resource ORDER BY 1) AS values,
            ARRAY(SELECT param::text FROM index_range UNION SELECT param::text FROM index_string ORDER BY 1) AS params,
            ARRAY(SELECT key::text FROM blocking_key UNION SELECT unnest(keys)::text FROM link ORDER BY 1) AS blocking`,
  );
  return rows[0]!;
}

const expected = searches.map(([, , , id]) => id);

it('nobody who has the database can try whether somebody has a number or an illness', async () => {
  const { values, params, blocking } = await kept();
  const guesses = [
    tokenHash('Patient', 'identifier', number),
    codedHash('Patient', 'identifier', ssn, number),
    typedHash('Patient', 'identifier', 'SS', number),
    systemHash('Patient', 'identifier', ssn),
    presenceHash('Patient', 'identifier'),
    tokenHash('Patient', 'phone', '+1 555 0100'),
    tokenHash('Condition', 'code', 'B20'),
    logicalHash('Condition', 'subject', number),
    parameterNumber('Observation', 'component-code-value-quantity$8480-6'),
  ];
  const known = new Set([...values, ...params]);
  expect(known.size).toBeGreaterThan(40);
  expect(guesses.filter((hash) => known.has(String(hash)))).toEqual([]);
  // With the key they are found: what is guessed is what is stored.
  expect(hub.index.keyed(guesses).filter((hash) => !known.has(String(hash)))).toEqual([]);
  const keys = blockingKeys(prepare(demographicsOf(patient)));
  expect(blocking).toHaveLength(keys.length);
  expect(keys.filter((key) => blocking.includes(String(key)))).toEqual([]);
  expect(await found(hub)).toEqual(expected);
  expect(await hub.persons.alike(patient)).toHaveLength(1);
});

it('an index of before, without a key, is made anew at the start, and blocking keys with it', async () => {
  const before = await kept();
  const raw = blockingKeys(prepare(demographicsOf(patient)));
  await test.database.query('UPDATE index_build SET format = 3, key = NULL');
  await test.database.query('UPDATE index_token SET value = value + 2');
  await test.database.query('UPDATE link SET keys = $1', [raw.map(String)]);
  await test.database.query('DELETE FROM blocking_key');
  await test.database.query('INSERT INTO blocking_key SELECT unnest($1::bigint[]), home FROM link', [raw.map(String)]);
  hub = await start();
  expect(await kept()).toEqual(before);
  expect(await found(hub)).toEqual(expected);
});

it('under another key everything is made anew, also where that was interrupted and yet another was asked for', async () => {
  const before = await kept();
  const isOfValue = (hash: string) => (BigInt(hash) & 1n) === 1n;
  await renewIndexKey(test.database);
  const interrupted = start(() => {
    throw new Error('interrupted');
  });
  await expect(interrupted).rejects.toThrow('interrupted');
  await renewIndexKey(test.database);
  hub = await start();
  expect(hub.index.id).toBe(3);
  const after = await kept();
  for (const kind of ['values', 'params', 'blocking'] as const) {
    expect(after[kind]).toHaveLength(before[kind].length);
    const same = after[kind].filter((one) => before[kind].includes(one));
    expect(kind === 'blocking' ? same : same.filter(isOfValue)).toEqual([]);
  }
  const { rows } = await test.database.query(
    'SELECT count(*) AS rows, count(DISTINCT (value, home, rkey)) AS different FROM index_token',
  );
  expect(rows[0]!.rows).toBe(rows[0]!.different);
  expect(await found(hub)).toEqual(expected);
  expect((await start(() => expect.unreachable())).index.id).toBe(3);
});

it('what a patient restricts by codes holds under another key: until it is made anew, all is closed', async () => {
  const text = JSON.stringify({
    resourceType: 'Consent',
    id: 'no-b20',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: 'Patient/p1' },
    dateTime: '2026-01-01',
    provision: {
      type: 'permit',
      provision: [{ type: 'deny', code: [{ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'B20' }] }] }],
    },
  });
  await hub.record.update(custodian, hub.record.scan(text, 'Consent'), 'no-b20');
  const seen = async () => {
    const ids: string[] = [];
    for (const type of ['Condition', 'Observation']) {
      const { matches } = await hub.record.search(clinician, hub.record.readSearch(type, [['patient', 'p1']], false));
      ids.push(...matches.map((one) => (JSON.parse(one.text) as { id: string }).id));
    }
    return ids;
  };
  expect(await seen()).toEqual(['o1']);
  await renewIndexKey(test.database);
  hub = await start();
  expect(await seen()).toEqual([]);
  await hub.consents.makeAnew(test.database, (error) => expect.unreachable(String(error)));
  expect(await seen()).toEqual(['o1']);
});

it('a hub that goes on by the index of before learns of it before anything is made anew, and once', async () => {
  const told: string[] = [];
  const before = await kept();
  const end = hub.record.watchIndex(
    () => told.push('lost'),
    (error) => told.push(String(error)),
  );
  await renewIndexKey(test.database);
  let atFirst: string[] | undefined;
  const next = start(() => {
    atFirst ??= [...told];
  });
  await vi.waitFor(() => expect(told).toEqual(['lost']), 10_000);
  expect(await kept()).toEqual(before);
  hub = await next;
  const stays = hub.record.watchIndex(
    () => told.push('lost again'),
    (error) => told.push(String(error)),
  );
  expect(atFirst).toEqual(['lost']);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await Promise.all([end(), stays()]);
  expect(told).toEqual(['lost']);
});
