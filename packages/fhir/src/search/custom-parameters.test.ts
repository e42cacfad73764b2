import type { Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { customParameter, parameterTypes, useSearchParameters } from './custom-parameters.ts';
import { extract } from './extract.ts';
import { searchParameters } from './parameters.ts';

const eye = {
  resourceType: 'SearchParameter',
  url: 'urn:eye',
  code: 'eye-colour',
  status: 'active',
  base: ['Patient'],
  type: 'token' as const,
  expression: "Patient.extension('urn:eye').value.ofType(CodeableConcept)",
};
const patient = {
  resourceType: 'Patient',
  extension: [{ url: 'urn:eye', valueCodeableConcept: { coding: [{ system: 'urn:c', code: 'green' }] } }],
} as Resource;

function taken(resource: object) {
  const found = customParameter(resource);
  if (!found || 'reason' in found) throw new Error(found?.reason ?? 'It is built in.');
  return found;
}

describe('custom parameters', () => {
  afterEach(() => useSearchParameters([]));

  test('are found by and listed while they are in use', () => {
    const before = extract(patient);
    useSearchParameters([taken(eye)]);
    expect(searchParameters('Patient').find(({ code }) => code === 'eye-colour')).toMatchObject({ type: 'token' });
    expect(extract(patient)).toContainEqual({ param: 'eye-colour', kind: 'token', system: 'urn:c', code: 'green' });
    useSearchParameters([]);
    expect(searchParameters('Patient').some(({ code }) => code === 'eye-colour')).toBe(false);
    expect(extract(patient)).toEqual(before);
  });

  test('never take the place of a built-in one', () => {
    useSearchParameters([{ ...taken(eye), code: 'gender' }]);
    expect(searchParameters('Patient').filter(({ code }) => code === 'gender')).toMatchObject([
      { expression: 'Patient.gender' },
    ]);
  });

  test('of every resource are of all types', () => {
    expect(parameterTypes({ base: ['Resource'] })).toContain('Bundle');
    expect(parameterTypes({ base: ['DomainResource', 'Patient'] })).not.toContain('Bundle');
    useSearchParameters([
      taken({ ...eye, base: ['DomainResource'], expression: "DomainResource.extension('urn:eye').value" }),
    ]);
    expect(extract(patient).some(({ param }) => param === 'eye-colour')).toBe(true);
  });

  test('whatever their expression is, are taken or refused with a reason', () => {
    const piece = fc.constantFrom(
      'Patient',
      'name',
      '.',
      '(',
      ')',
      "'x'",
      'where',
      'exists',
      ' as ',
      '=',
      '[',
      '0',
      '|',
      'and',
      'resolve',
      'is',
      'extension',
      '%',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const found = customParameter({ ...eye, expression: pieces.join('') });
        if (found && 'reason' in found) {
          expect(found.reason).not.toBe('');
          return;
        }
        useSearchParameters(found ? [found] : []);
        expect(Array.isArray(extract(patient))).toBe(true);
      }),
    );
  });
});
