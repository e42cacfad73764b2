import { isFhirError, scanResource, validate } from '@causeway/fhir';
import type { Bundle } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { patientStory, syntheaSize } from './bundle.ts';
import { namesake, perName } from './namesakes.ts';
import { patientOf, sized } from './patient.ts';
import { drawsFrom } from './random.ts';
import { regionTransactions } from './region.ts';
import { filesOf, toldOfAnother } from './synthea.ts';

const problems = (resource: object) => {
  const scanned = scanResource(JSON.stringify(resource));
  if (isFhirError(scanned)) return [scanned.error];
  return validate(scanned.value).filter(({ severity }) => severity === 'error');
};

test.each([2_100, 3_500, 4_000])('a Patient of %i bytes, and still a valid one', (bytes) => {
  for (let serial = 0; serial < 20; serial++) {
    const patient = sized(patientOf(drawsFrom(serial), String(serial)), bytes);
    expect(JSON.stringify(patient)).toHaveLength(bytes);
    expect(problems(patient)).toEqual([]);
  }
});

test('namesakes share family name and birth date, and differ in all that tells people apart', () => {
  const all = Array.from({ length: perName + 1 }, (_, serial) => namesake('a', serial));
  const shared = (patient: (typeof all)[number]) => `${patient.name![0]!.family} ${patient.birthDate}`;
  expect(new Set(all.slice(0, perName).map(shared)).size).toBe(1);
  expect(shared(all[perName]!)).not.toBe(shared(all[0]!));
  const identifiers = all.flatMap(({ identifier }) => identifier!.map(({ value }) => value));
  expect(new Set(identifiers).size).toBe(identifiers.length);
  expect(problems(all[0]!)).toEqual([]);
});

test('a story of the size of Synthea has some 390 KB', () => {
  const sizes = Array.from({ length: 20 }, (_, serial) => patientStory('a', serial, syntheaSize).text.length);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  expect(mean).toBeGreaterThan(340_000);
  expect(mean).toBeLessThan(440_000);
});

test('the region tells each resource once, with what is merged put together', () => {
  const seen = new Set<string>();
  let patients = 0;
  for (const transaction of regionTransactions(12)) {
    const { entry } = JSON.parse(transaction.text) as Bundle;
    expect(entry).toHaveLength(transaction.resources);
    for (const { resource, request } of entry!) {
      expect(request!.url).toBe(`${resource!.resourceType}/${resource!.id}`);
      expect(seen).not.toContain(request!.url);
      seen.add(request!.url);
      if (resource!.resourceType === 'Patient') patients++;
    }
  }
  expect(patients).toBeGreaterThanOrEqual(12);
}, 60_000);

test('the people beyond a number are those of the larger region without those of the smaller', () => {
  const patientsOf = (to: number, from: number) =>
    regionTransactions(to, from).flatMap(({ text }) =>
      (JSON.parse(text) as Bundle).entry!.flatMap(({ request }) => (/^Patient/.test(request!.url) ? request!.url : [])),
    );
  const [few, rest, all] = [patientsOf(4, 0), patientsOf(10, 4), patientsOf(10, 0)].map((some) => new Set(some));
  expect(rest!.size).toBeGreaterThan(0);
  expect(rest!.isDisjointFrom(few!)).toBe(true);
  expect(rest!.isSubsetOf(all!)).toBe(true);
}, 60_000);

test('a bundle told of another person has other names, birth date and identifiers, and the same references', () => {
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:1',
        resource: {
          resourceType: 'Patient',
          identifier: [{ system: 's', value: '1' }],
          name: [{ family: 'Frost', given: ['Ada'] }],
          birthDate: '1980-02-03',
        },
      },
      {
        fullUrl: 'urn:uuid:2',
        resource: {
          resourceType: 'Observation',
          status: 'final',
          code: { text: 'x' },
          subject: { reference: 'urn:uuid:1' },
        },
      },
    ],
  };
  const [patient, observation] = (JSON.parse(toldOfAnother(bundle, 'm1')) as Bundle).entry!;
  expect(toldOfAnother(bundle, 'm1')).toBe(toldOfAnother(bundle, 'm1'));
  expect(toldOfAnother(bundle, 'm2')).not.toBe(toldOfAnother(bundle, 'm1'));
  expect(patient!.resource).toMatchObject({ identifier: [{ system: 's', value: '1-m1' }] });
  expect(patient!.resource).not.toMatchObject({ birthDate: '1980-02-03' });
  expect(patient!.resource).not.toMatchObject({ name: [{ family: 'Frost' }] });
  expect(observation).toEqual(bundle.entry![1]);
});

test('a tar holds regular files only, by name and size', () => {
  const header = (name: string, size: number, kind: string) => {
    const block = Buffer.alloc(512);
    block.write(name, 0);
    block.write(size.toString(8).padStart(11, '0'), 124);
    block.write(kind, 156);
    return block;
  };
  const padded = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(512 - text.length)]);
  const tar = Buffer.concat([
    header('folder/', 0, '5'),
    header('a.json', 2, '0'),
    padded('{}'),
    header('b.json', 5, '0'),
    padded('[1,2]'),
    Buffer.alloc(1024),
  ]);
  expect([...filesOf(tar)].map(({ name, bytes }) => [name, bytes.toString()])).toEqual([
    ['a.json', '{}'],
    ['b.json', '[1,2]'],
  ]);
});
