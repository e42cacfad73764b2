/** Parameters that share index rows find what each of them means, and no more. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestDatabase } from '../../database/testing.ts';
import { clinician, custodian, testRecord } from '../../testing-record.ts';
import type { FhirRecord } from '../index.ts';

let test: TestDatabase;
let record: FhirRecord;

const put = (resource: { resourceType: string; id: string; [element: string]: unknown }) =>
  record.update(custodian, record.scan(JSON.stringify(resource), resource.resourceType), resource.id);

const quantity = (value: number) => ({ value, system: 'http://unitsofmeasure.org', code: 'mg' });

beforeAll(async () => {
  ({ test, record } = await testRecord());
  await put({ resourceType: 'Patient', id: 'p', name: [{ family: 'Roe' }] });
  await put({ resourceType: 'Group', id: 'g', type: 'person', actual: true, name: 'Roe' });
  const about = { p: 'Patient/p', g: 'Group/g', away: 'https://elsewhere.example/Patient/p' };
  for (const [id, reference] of Object.entries(about)) {
    await put({
      resourceType: 'Observation',
      id,
      status: 'final',
      code: { coding: [{ system: 'urn:s', code: 'panel' }] },
      subject: { reference },
      ...(id === 'p' && {
        component: [{ code: { coding: [{ system: 'urn:s', code: 'part' }] }, valueQuantity: quantity(7) }],
      }),
      ...(id === 'g' && { valueQuantity: quantity(5) }),
    });
  }
});
afterAll(() => test.drop());

it.each([
  ['Observation?subject=Patient/p', ['p']],
  ['Observation?patient=p', ['p']],
  ['Observation?subject=Group/g', ['g']],
  ['Observation?patient=Group/g', []],
  ['Observation?subject=https://elsewhere.example/Patient/p', ['away']],
  ['Observation?patient:missing=true', ['g']],
  ['Observation?subject:Group.identifier:missing=true', ['g']],
  ['Observation?patient.name=roe', ['p']],
  ['Group?_has:Observation:subject:code=panel', ['g']],
  ['Patient?_has:Observation:patient:code=panel', ['p']],
  ['Patient?_has:Observation:subject:combo-code=part', ['p']],
  ['Observation?combo-code=part', ['p']],
  ['Observation?combo-code=urn:s|panel', ['away', 'g', 'p']],
  ['Observation?combo-code:not=part', ['away', 'g']],
  ['Observation?combo-code:not=part,panel', []],
  ['Observation?combo-value-quantity=ge5|mg', ['g', 'p']],
  ['Observation?combo-value-quantity:missing=true', ['away']],
  ['Observation?combo-code-value-quantity=urn:s|part$7', ['p']],
  ['Observation?combo-code-value-quantity=panel$5|mg', ['g']],
  ['Observation?combo-code-value-quantity=panel$7', []],
])('%s finds %j', async (query, found) => {
  const [type, parameters] = query.split('?') as [string, string];
  const { matches } = await record.search(clinician, record.readSearch(type, new URLSearchParams(parameters), false));
  expect(matches.map(({ text }) => (JSON.parse(text) as { id: string }).id).sort()).toEqual(found);
});

it('is sorted by what is of the resource or of its components', async () => {
  for (const [sort, found] of [
    ['combo-value-quantity', ['g', 'p', 'away']],
    ['-combo-value-quantity', ['p', 'g', 'away']],
  ] as const) {
    const { matches } = await record.search(clinician, record.readSearch('Observation', [['_sort', sort]], false));
    expect(matches.map(({ text }) => (JSON.parse(text) as { id: string }).id)).toEqual(found);
  }
});
