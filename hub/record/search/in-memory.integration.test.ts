/** What filters say of a resource in memory is what a search says of it. */
import { scanResource } from '@causeway/fhir';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../../database/testing.ts';
import { clinician as access, custodian, testRecord } from '../../testing-record.ts';
import { type FhirRecord, heldInMemory, indexEntries, ridOf } from '../index.ts';

// biome-ignore lint/suspicious/noExplicitAny: resources of several kinds.
type Json = any;

let record: FhirRecord;
let test: TestDatabase;
const resources: Json[] = [];

const pick = <T>(list: readonly T[], i: number) => list[i % list.length]!;
const ucum = 'http://unitsofmeasure.org';

beforeAll(async () => {
  ({ record, test } = await testRecord());
  for (const id of ['p0', 'p1', 'p2']) resources.push({ resourceType: 'Patient', id, name: [{ family: `Dow ${id}` }] });
  for (let i = 0; i < 120; i++) {
    resources.push({
      resourceType: 'Observation',
      id: `o${i}`,
      status: pick(['final', 'amended', 'preliminary'], i),
      code: { coding: [{ ...(i % 4 ? { system: pick(['urn:s', 'urn:t'], i) } : {}), code: pick(['a', 'b', 'A'], i) }] },
      category: i % 3 ? [{ coding: [{ system: 'urn:k', code: pick(['lab', 'vital'], i) }] }] : undefined,
      subject: i % 5 ? { reference: `Patient/p${i % 3}` } : undefined,
      performer: i % 2 ? [{ reference: `Organization/g${i % 4}` }] : undefined,
      effectiveDateTime:
        i % 6 ? pick(['2020', '2020-02', '2020-02-29', '2020-02-29T12:00:00Z', '2021-01-01'], i) : undefined,
      valueQuantity:
        i % 2 === 0
          ? {
              value: pick([0.5, 1, 1.04, 500, 1000], i),
              ...(i % 4 ? { system: ucum, code: pick(['mg', 'g'], i) } : { unit: 'g' }),
            }
          : undefined,
      valueString: i % 7 === 0 && i % 2 ? pick(['Größe', 'gross', 'klein'], i) : undefined,
    });
  }
  for (const resource of resources) {
    const scanned = record.scan(JSON.stringify(resource), resource.resourceType);
    await record.update(custodian, scanned, resource.id);
  }
});
afterAll(() => test?.drop());

const queries = [
  'code=a',
  'code=urn:s|a',
  'code=|a',
  'code=urn:s|',
  'code=a,b',
  'code:not=a',
  'code:not=urn:s|a',
  'code:missing=true',
  'category:missing=true',
  'category:missing=false',
  'category=urn:k|lab&code=b',
  'subject=Patient/p1',
  'subject=p1',
  'patient=p1',
  'patient=Patient/p0,Patient/p2',
  'patient:missing=true',
  'performer=Organization/g1',
  'performer:missing=true',
  'date=2020',
  'date=2020-02-29',
  'date=ne2020-02-29',
  'date=gt2020-02',
  'date=ge2020-02-29',
  'date=lt2020-02-29T12:00:00Z',
  'date=le2020-02',
  'date=sa2020-02-28',
  'date=eb2021',
  'date=ap2020-02-29',
  'date=ge2020-02&date=lt2021',
  'value-quantity=1',
  'value-quantity=1|http://unitsofmeasure.org|g',
  'value-quantity=1000|http://unitsofmeasure.org|mg',
  'value-quantity=gt1|http://unitsofmeasure.org|mg',
  'value-quantity=le500',
  'value-quantity=ne1',
  'value-quantity=1||g',
  'value-quantity=ap1',
  'value-quantity=lt1|http://unitsofmeasure.org|g',
  'value-string=gro',
  'value-string:contains=ei',
  '_id=o3,o5',
  '_id=o3&code=a',
  '_lastUpdated=gt2020',
  '_lastUpdated=lt2020',
  'status=final',
  'status:not=final,amended',
  'status=http://hl7.org/fhir/observation-status|final',
] as const;

it.each(queries)('Observation?%s', async (query) => {
  const request = () => record.readSearch('Observation', [...new URLSearchParams(query)], false);
  const held = heldInMemory('Observation', request().filters);
  // What is bound to a value set needs a search.
  expect(held.isPartial).toBe(query.includes('observation-status'));
  if (held.isPartial) return;
  const { matches } = await record.search(access, { ...request(), count: 1_000 });
  const found = matches.map(({ text }) => JSON.parse(text).id).sort();
  const own = resources.filter(({ resourceType, id }) => resourceType === 'Observation' && held.holds(factsOf(id)));
  expect(own.map(({ id }) => id).sort()).toEqual(found);
  for (const { id } of own) {
    const { hashes, persons } = factsOf(id);
    const { key } = held;
    if (key)
      expect(
        'hashes' in key ? key.hashes.some((one) => hashes.has(one)) : key.persons.some((one) => persons.has(one)),
      ).toBe(true);
  }
});

function factsOf(id: string) {
  const resource = resources.find((one) => one.id === id);
  const scanned = scanResource(JSON.stringify(resource));
  if ('error' in scanned) throw new Error(scanned.error);
  const entries = indexEntries(scanned);
  const patient = resource.subject?.reference.slice('Patient/'.length);
  return {
    rid: ridOf(id),
    updated: new Date(),
    hashes: new Set([...entries.tokens, ...entries.markers]),
    entries: () => entries,
    persons: new Set(patient === undefined ? [] : [ridOf(patient)]),
  };
}
