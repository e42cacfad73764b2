import type { Group } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { csvRows, groupRows } from './panel-rows.ts';

it('reads a CSV by the names of its columns, with the line of each person', async () => {
  const text =
    '\ufeffMRN,Last Name,first_name,DOB,Sex,Zip,notes\r\n17,"Quill, Feather",Ada May,1957-03-14,F,04999,x\n\n,Rook,,19600102,,,\n';
  const read = await csvRows(text);
  expect(read).toEqual([
    {
      line: 2,
      number: '17',
      patient: undefined,
      described: {
        resourceType: 'Patient',
        name: [{ family: 'Quill, Feather', given: ['Ada', 'May'] }],
        gender: 'female',
        birthDate: '1957-03-14',
        address: [{ postalCode: '04999' }],
      },
    },
    {
      line: 4,
      number: undefined,
      patient: undefined,
      described: { resourceType: 'Patient', name: [{ family: 'Rook' }], birthDate: '1960-01-02' },
    },
  ]);
  expect(await csvRows('mrn;dob\n1;2026-02-30')).toEqual([
    { line: 2, number: '1', patient: undefined, described: { resourceType: 'Patient' } },
  ]);
});

it('says what is wrong with a file without repeating what stands there', async () => {
  for (const text of ['', 'name,dob\nx,y', 'family\nx']) expect(await csvRows(text)).toHaveProperty('wrong');
  const broken = await csvRows('mrn\n"secret');
  expect(broken).toEqual({ wrong: expect.stringMatching(/^The file is not CSV: CSV_/) });
  expect(JSON.stringify(broken)).not.toContain('secret');
});

it('reads the members of an actual Group of persons that are active', () => {
  const group = {
    resourceType: 'Group',
    type: 'person',
    actual: true,
    member: [
      { entity: { identifier: { system: 'urn:own', value: '1' } } },
      { entity: { identifier: { system: 'urn:other', value: '2' } } },
      { entity: { reference: 'Patient/p' } },
      { entity: { reference: 'Patient/q' }, inactive: true },
    ],
  } as Group;
  const read = groupRows(group, 'urn:own');
  if ('wrong' in read) throw new Error(read.wrong);
  expect(
    read.map(({ line, number, patient, described }) => [line, number, patient, described.identifier?.[0]?.value]),
  ).toEqual([
    [1, '1', undefined, '1'],
    [2, undefined, undefined, '2'],
    [3, undefined, 'p', undefined],
  ]);
  for (const more of [{ actual: false }, { type: 'animal' }, { resourceType: 'List' }])
    expect(groupRows({ ...group, ...more } as Group, undefined)).toHaveProperty('wrong');
});
