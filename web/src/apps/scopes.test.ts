import { expect, test } from 'vitest';
import { chosenScopes, readRequest, scopeWords } from './scopes.ts';

const all = (scopes: string[], ...left: string[]) => chosenScopes(readRequest(scopes), new Set(left));

test('what is asked for stays as it is where nothing is taken out', () => {
  const scopes = ['openid', 'fhirUser', 'launch/patient', 'offline_access', 'patient/*.rs', 'user/Observation.read'];
  expect(all(scopes)).toEqual(scopes);
});

test('a part taken out leaves the others', () => {
  const { data } = readRequest(['patient/Observation.rs']);
  expect(data[0]!.parts.map(({ label }) => label)).toContain('Laboratory results');
  const [laboratory, ...others] = data[0]!.parts.map(({ scope }) => scope);
  expect(laboratory).toBe(
    'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
  );
  expect(all(['patient/Observation.rs'], laboratory!)).toEqual(others);
  expect(all(['patient/Observation.read'], ...others)).toEqual([laboratory]);
  expect(all(['patient/*.read'], 'patient/Condition.read')).not.toContain('patient/Condition.read');
  expect(all(['patient/*.read'], 'patient/Condition.read')).toContain('patient/Observation.read');
});

test('what another choice includes is no choice of its own', () => {
  const scopes = [
    'patient/*.rs',
    'patient/Observation.rs',
    'patient/Condition.read',
    'patient/Goal.cruds',
    'user/Goal.rs',
  ];
  const { data } = readRequest(scopes);
  expect(data.map(({ label }) => label)).toEqual([
    'Everything in the record',
    'Goals',
    'Goals, of everyone whose record you may see',
  ]);
  expect(all(scopes).toSorted()).toEqual(scopes.toSorted());
  expect(all(scopes, 'patient/Observation.rs')).not.toContain('patient/Observation.rs');
  expect(all(scopes, 'patient/Observation.rs')).not.toContain('patient/*.rs');
  expect(readRequest(['patient/Goal.r', 'patient/Goal.s']).data).toHaveLength(1);
  expect(all(['patient/Goal.r', 'patient/Goal.s'])).toEqual(['patient/Goal.r', 'patient/Goal.s']);
  const narrow = ['patient/Observation.rs', 'patient/Observation.rs?category=a'];
  expect(readRequest(narrow).data).toHaveLength(1);
});

test('a choice, the identity and staying connected can be taken out whole', () => {
  const scopes = ['openid', 'fhirUser', 'offline_access', 'patient/Patient.rs', 'patient/Condition.rs'];
  expect(all(scopes, 'patient/Condition.rs', 'offline_access', 'fhirUser')).toEqual(['openid', 'patient/Patient.rs']);
});

test('words for what is done, and for what is narrow', () => {
  expect(scopeWords('patient/Condition.rs')).toBe('Diagnoses and problems');
  expect(scopeWords('user/Condition.cruds')).toBe(
    'Diagnoses and problems, of everyone whose record you may see (see, add, change and delete)',
  );
  expect(scopeWords('patient/Observation.c')).toMatch(/\(add only\)$/);
  expect(
    scopeWords(
      'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs',
    ),
  ).toMatch(/, only vital signs$/);
  expect(scopeWords('patient/Observation.rs?code=a%7Cb')).toMatch(/, only code b$/);
  expect(scopeWords('offline_access')).toMatch(/until you disconnect it/);
  expect(readRequest(['patient/Observation.cruds']).data[0]!.parts).toEqual([]);
});
