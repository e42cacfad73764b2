import type { Patient } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { Output, saysTheSame } from './presence.ts';

const patient: Patient = {
  resourceType: 'Patient',
  id: 'p1',
  gender: 'female',
  birthDate: '1970-05-23',
  name: [{ family: "O'Hara", given: ['Mary Ann'] }],
  telecom: [{ system: 'phone', value: '(555) 010-0001' }],
  identifier: [{ system: 'urn:oid:2.999.7', value: '0042' }],
};
const output = new Output([patient]);

describe('a value said to be mapped', () => {
  it('is found where the ledger says, in the forms FHIR gives it', () => {
    expect(output.presence('OHARA', 'Patient/p1#name[0].family')).toBe('there');
    expect(output.presence('19700523', 'Patient/p1#birthDate')).toBe('there');
    expect(output.presence('197005231015+0100', 'Patient/p1#birthDate')).toBe('there');
    expect(output.presence('5550100001', 'Patient/p1#telecom[0].value')).toBe('there');
    expect(output.presence('F', 'Patient/p1#gender')).toBe('there');
    expect(output.presence('2.999.7', 'Patient/p1#identifier[0].system')).toBe('there');
  });

  it('is told apart when it stands in another element', () => {
    expect(output.presence('0042', 'Patient/p1#name[0].family')).toBe('elsewhere');
  });

  it('is missed when it is not there: a planted lie is found', () => {
    expect(output.presence('Smith', 'Patient/p1#name[0].family')).toBe('absent');
    expect(output.presence('19700524', 'Patient/p1#birthDate')).toBe('absent');
    expect(output.presence('M', 'Patient/p1#gender')).toBe('absent');
    expect(output.presence("O'Hara", 'Patient/p2#name[0].family')).toBe('absent');
    expect(output.presence('7', 'Patient/p1#name[0].family')).not.toBe('there');
  });
});

describe('forms of one value', () => {
  it.each([
    ['2024-03-05T08:30:00+01:00', '202403050830+0100'],
    ['2024-03', '20240305'],
    ['urn:causeway:universal:x:A%20place', 'A place'],
    ['<div>a &amp; b</div>', 'a & b'],
    ['7.0', '7'],
    ['Building-4 FL-2 Room-4', 'FL-2'],
  ])('%s carries %s', (leaf, value) => expect(saysTheSame(leaf, value)).toBe(true));

  it.each([
    ['2024-03-06', '20240305'],
    ['71', '7'],
    ['http://example.org/7', '70'],
    ['final', 'F'],
    ['3.5', '35'],
  ])('%s does not carry %s', (leaf, value) => expect(saysTheSame(leaf, value)).toBe(false));
});
