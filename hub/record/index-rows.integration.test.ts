import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../database/testing.ts';
import { clinician, custodian, testRecord } from '../testing-record.ts';
import type { FhirRecord } from './index.ts';

let test: TestDatabase;
let record: FhirRecord;

beforeAll(async () => {
  ({ test, record } = await testRecord());
  await record.buildIndex(() => {});
});
afterAll(() => test.drop());

const few = <T>(values: fc.Arbitrary<T>) => fc.array(values, { minLength: 1, maxLength: 3 });
// A value with a bar in it must not be taken for a value of a system.
const identifier = fc.record(
  { system: fc.constantFrom('s', 't'), value: fc.constantFrom('1', '2', 's|1', '|2') },
  { requiredKeys: ['value'] },
);
const patient = fc.record(
  {
    name: few(
      fc.record(
        { family: fc.constantFrom('Roe', 'Doe', 'Poe'), given: few(fc.constantFrom('Ann', 'Bo')) },
        { requiredKeys: ['family'] },
      ),
    ),
    identifier: few(identifier),
    birthDate: fc.constantFrom('1970-01-01', '1970-01', '1980'),
  },
  { requiredKeys: [] },
);
const quantity = fc.record({
  value: fc.integer({ min: 1, max: 3 }),
  system: fc.constant('http://unitsofmeasure.org'),
  code: fc.constantFrom('mg', 'g', 'x'),
});
const observation = fc.record({
  code: fc.record({ coding: few(fc.record({ system: fc.constantFrom('s', 't'), code: fc.constantFrom('a', 'b') })) }),
  subject: fc.record({ reference: fc.constantFrom('Patient/p0', 'Patient/p1', 'Device/d') }),
  valueQuantity: quantity,
});
const id = (prefix: string) => fc.integer({ min: 0, max: 3 }).map((i) => `${prefix}${i}`);
const change = fc.oneof(
  fc.record({ type: fc.constant('Patient'), id: id('p'), body: fc.option(patient, { freq: 6 }) }),
  fc.record({ type: fc.constant('Observation'), id: id('o'), body: fc.option(observation, { freq: 6 }) }),
);

async function indexRows(): Promise<unknown> {
  const { rows } = await test.database.query(`
    SELECT (SELECT json_agg(t ORDER BY t::text) FROM index_token t) AS tokens,
           (SELECT json_agg(r ORDER BY r::text) FROM index_range r) AS ranges,
           (SELECT json_agg(s ORDER BY s::text) FROM index_string s) AS strings,
           (SELECT json_agg(ARRAY(SELECT unnest(tokens) ORDER BY 1) ORDER BY home, rkey) FROM resource) AS hashes`);
  return JSON.parse(JSON.stringify(rows[0]));
}

it('whatever is changed, resources are found by what they say last, and by nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 6 }), async (rounds) => {
      for (const round of rounds) {
        await Promise.all(
          round.map(({ type, id, body }) => {
            if (body === null) return record.remove(custodian, type, id);
            const text = JSON.stringify({
              resourceType: type,
              id,
              status: type === 'Patient' ? undefined : 'final',
              ...body,
            });
            return record.update(custodian, record.scan(text, type), id);
          }),
        );
      }
      const kept = await indexRows();
      await test.database.query('DELETE FROM index_build');
      await record.buildIndex(() => {});
      expect(await indexRows()).toEqual(kept);
    }),
    { numRuns: 40 },
  );
  const { matches } = await record.search(clinician, record.readSearch('Patient', new URLSearchParams(''), false));
  expect(matches.length).toBeGreaterThan(0);
});
