import { validate } from '@causeway/fhir';
import type { Patient } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { read } from './demographics-store.ts';
import { mergedPatient } from './merged-patient.ts';

const at = new Date('2026-01-01T00:00:00Z');

function merge(...patients: Omit<Patient, 'resourceType'>[]): Patient {
  const sources = patients.map((patient, i) =>
    read(i + 1, 1, new Date(`2026-01-0${i + 1}T00:00:00Z`), {
      resourceType: 'Patient',
      id: `s${i + 1}`,
      ...patient,
    }),
  );
  return mergedPatient('person', 3, at, sources);
}

describe('mergedPatient', () => {
  it('names every source Patient and keeps every identifier once', () => {
    const merged = merge(
      { identifier: [{ system: 'a', value: '1' }] },
      {
        identifier: [
          { system: 'b', value: '2' },
          { system: 'a', value: '1' },
        ],
      },
    );
    expect(merged.link?.map(({ other }) => other.reference)).toEqual(['Patient/s2', 'Patient/s1']);
    expect(merged.identifier).toHaveLength(2);
    expect(merged.meta?.versionId).toBe('3');
  });

  it('is a valid resource, also of sources that say next to nothing', () => {
    expect(validate(merge({}, {}))).toEqual([]);
    expect(validate(merge({ meta: { tag: [] as never } }, { name: [{ family: 'A' }] }))).toEqual([]);
  });

  it('takes what most sources say, of equals what was said last', () => {
    expect(merge({ birthDate: '1980-01-02' }, { birthDate: '1980-01-02' }, { birthDate: '1980-02-01' }).birthDate).toBe(
      '1980-01-02',
    );
    expect(merge({ gender: 'male' }, { gender: 'female' }).gender).toBe('female');
  });

  it('prefers a whole birth date to a part of one', () => {
    expect(merge({ birthDate: '1980-01-02' }, { birthDate: '1980' }).birthDate).toBe('1980-01-02');
  });

  it('keeps other names behind the agreed one, which it does not write in capitals', () => {
    const merged = merge(
      { name: [{ family: 'Reed', given: ['Ann'] }] },
      { name: [{ family: 'REED', given: ['ANN'] }] },
      { name: [{ family: 'Stone', given: ['Ann'] }] },
    );
    expect(merged.name?.map(({ family }) => family)).toEqual(['Reed', 'Stone']);
  });

  it('leaves out elements of sources that went away, while another is active', () => {
    const merged = merge({ address: [{ city: 'Here' }] }, { active: false, address: [{ city: 'Gone' }] });
    expect(merged.address).toEqual([{ city: 'Here' }]);
    expect(merged.active).toBe(true);
  });
});
