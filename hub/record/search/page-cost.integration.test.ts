/** A page of a search costs what a page holds: resources that it does not give are not read. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../../database/testing.ts';
import { clinician, type TestRecord, testRecord } from '../../testing-record.ts';
import type { FhirRecord } from '../index.ts';

let test: TestDatabase;
let record: FhirRecord;
let put: TestRecord['put'];

const patientCount = 30;
const perPatient = 10;
const monthOf = (i: number) => String((i % 12) + 1).padStart(2, '0');

const observation = (id: string, patient: string, i: number) => ({
  resourceType: 'Observation',
  id,
  status: i % 5 === 0 ? 'amended' : 'final',
  code: { coding: [{ system: 'urn:s', code: i % 2 === 0 ? 'even' : 'odd' }] },
  subject: { reference: `Patient/${patient}` },
  effectiveDateTime: `${2000 + (i % 20)}-${monthOf(i)}-15`,
  valueQuantity: { value: i, system: 'http://unitsofmeasure.org', code: 'mg' },
});

/** Alike enough to be one person. */
const twin = (id: string) => ({
  resourceType: 'Patient',
  id,
  name: [{ family: 'Holloway', given: ['Adelaide'] }],
  gender: 'female',
  birthDate: '1972-03-14',
  telecom: [{ system: 'phone', value: '555-0171' }],
  address: [{ line: ['17 Orchard Row'], city: 'Ellery', postalCode: '04999' }],
  identifier: [{ system: 'http://hl7.org/fhir/sid/us-ssn', value: '900-11-2222' }],
});

const request = (query: string) => {
  const [type, parameters] = query.split('?') as [string, string];
  return record.readSearch(type, new URLSearchParams(parameters), false);
};

/** The ids on all pages. */
async function found(query: string): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor = ''; ; ) {
    const { matches, next } = await record.search(clinician, request(`${query}${cursor}`));
    ids.push(...matches.map(({ text }) => JSON.parse(text).id));
    if (next === undefined) return ids;
    cursor = `&_cursor=${next}`;
  }
}

/** How often the statement of a search's first page looked into an index; of resources, the one by their place. */
async function resourcesRead(query: string, index = 'resource_pkey'): Promise<number> {
  const { plan } = await record.explain(clinician, request(query));
  const count = (node: Record<string, unknown>): number => {
    const own = node['Index Name'] === index ? Number(node['Actual Loops']) : 0;
    return ((node.Plans ?? []) as Record<string, unknown>[]).reduce((sum, one) => sum + count(one), own);
  };
  return count((plan as { Plan: Record<string, unknown> }[])[0]!.Plan);
}

beforeAll(async () => {
  ({ test, record, put } = await testRecord());
  for (let p = 0; p < patientCount; p++) await put({ resourceType: 'Patient', id: `p${p}` });
  await Promise.all(
    Array.from({ length: patientCount * perPatient }, (_, i) => put(observation(`o${i}`, `p${i % patientCount}`, i))),
  );
  await test.database.query('ANALYZE');
});
afterAll(() => test.drop());

describe('a page reads the resources that it gives', () => {
  const page = 3;
  it.each([
    ['of one code and time', 'Observation?code=even&date=ge2004-05-01&date=lt2004-06-01'],
    ['of one code and one status', 'Observation?code=odd&status=amended'],
    ['of a code, system and time', 'Observation?code=urn:s|even&date=lt2001'],
    ['of a range of quantities', 'Observation?value-quantity=gt20||mg'],
    ['of two parameters together', 'Observation?code-value-quantity=even$gt200||mg'],
    ['sorted by time', 'Observation?code=even&_sort=-date'],
    ['sorted by time, of one patient', 'Observation?patient=p4&date=ge2001&_sort=-date'],
    ['sorted by several keys', 'Observation?status=final&_sort=date,-value-quantity'],
  ])('%s', async (_, query) => {
    expect(await found(`${query}&_count=${page}`)).not.toEqual([]);
    expect(await resourcesRead(`${query}&_count=${page}`)).toBeLessThanOrEqual(page + 1);
  });

  it('sorted, of one patient: all keys are read at once', async () => {
    const query = `Observation?patient=p4&date=ge2001&_sort=-date,value-quantity&_count=${page}`;
    expect(await resourcesRead(query)).toBeLessThanOrEqual(page + 1);
    // Once for each key, and for the filter on what the page gives.
    expect(await resourcesRead(query, 'index_range_by_resource')).toBeLessThanOrEqual(2 + page + 1);
  });

  it('sorted by time, from and to: the index gives both', async () => {
    for (const query of ['date=ge2010&_sort=date', 'status=final&date=ge2004&date=lt2016-07&_sort=-date']) {
      const asked = `Observation?${query}&_count=${page}`;
      const { lead } = await record.explain(clinician, request(asked));
      expect([query, lead]).toEqual([query, 'the index of date, in its order']);
      expect(await resourcesRead(asked)).toBeLessThanOrEqual(page + 2);
      expect(await resourcesRead(asked, 'index_range_by_resource')).toBe(0);
      expect((await found(asked)).length).toBeGreaterThan(page);
    }
  });

  it('begins with a time from and to where that is rarer than the code', async () => {
    const lead = async (query: string) => (await record.explain(clinician, request(query))).lead;
    expect(await lead('Observation?code=even&date=ge2004-05-01&date=lt2004-06-01')).toBe('date');
    expect(await lead('Observation?code=even&date=ge2004-05-01')).toBe('code');
  });

  it('of Patients that have something: and of what they have, the first', async () => {
    const query = `Patient?_has:Observation:patient:code=urn:s|even&_count=${page}`;
    expect(await found(query)).toHaveLength(patientCount / 2);
    expect(await resourcesRead(query)).toBeLessThanOrEqual(2 * (page + 1));
  });
});

it('finds a person by what any source patient has, once, on whatever page', async () => {
  await put(twin('h1'));
  await put(twin('l1'));
  const { rows } = await test.database.query('SELECT DISTINCT presented FROM link WHERE presented IS NOT NULL');
  expect(rows).toHaveLength(1);
  await put(observation('twin1', 'h1', 1_001));
  await put(observation('twin2', 'l1', 1_001));
  await put(observation('twin3', 'l1', 1_002));
  const persons = 'Patient?family=Holloway';
  const [person, ...others] = await found(persons);
  expect(others).toEqual([]);
  for (const count of [1, 2, 50]) {
    const having = (what: string) => found(`Patient?${what}&_count=${count}`);
    const odd = await having('_has:Observation:patient:code=odd');
    expect([odd.length, new Set(odd).size]).toEqual([patientCount / 2 + 1, patientCount / 2 + 1]);
    expect(odd).toContain(person);
    expect(await having('_has:Observation:patient:code=even')).toContain(person);
    const both = '_has:Observation:patient:code=odd&_has:Observation:patient:code=even';
    expect(await having(both)).toEqual([person]);
    expect(await having(`family=Holloway&${both}`)).toEqual([person]);
    expect(await having(`_has:Observation:patient:code=odd,even&_sort=family`)).toHaveLength(patientCount + 1);
    expect(await having('_filter=not (family eq Holloway)')).not.toContain(person);
  }
});

it('reads a merged Patient without going through who else is linked', async () => {
  const { rows } = await test.database.query('SELECT DISTINCT presented FROM link WHERE presented IS NOT NULL');
  await test.database.query(`INSERT INTO link (home, patient, source, person, grade, since)
    SELECT 1000000 + n, gen_random_uuid(), 'elsewhere', gen_random_uuid(), 'source', now() FROM generate_series(1, 20000) n`);
  await test.database.query('ANALYZE link');
  const reads = 200;
  const scans = async () => {
    const text = `SELECT seq_tup_read, idx_scan FROM pg_stat_user_tables WHERE relname = 'link'`;
    const [now] = (await test.database.query(text)).rows;
    return now as { seq_tup_read: number; idx_scan: number };
  };
  const before = await scans();
  for (let i = 0; i < reads; i++) {
    expect((await record.read(clinician, 'Patient', rows[0]!.presented))?.text).toContain('Holloway');
  }
  // Connections tell what they scanned within a second.
  await expect.poll(async () => (await scans()).idx_scan - before.idx_scan, { timeout: 20_000 }).toBeGreaterThan(reads);
  expect((await scans()).seq_tup_read - before.seq_tup_read).toBeLessThan(20_000);
});
