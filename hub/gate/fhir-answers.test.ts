import { expect, test } from 'vitest';
import { patientsIn } from './fhir-answers.ts';

test.each([
  ['{"resourceType":"Patient","id":"a","link":[{"other":{"reference":"Patient/b"}}]}', ['a', 'b']],
  ['{"resourceType":"Patient","active":true,"id":"a"}', ['a']],
  ['{"id":"a","resourceType":"Patient"}', ['a']],
  ['{"resourceType":"Basic","id":"c","contained":[{"resourceType":"Patient","id":"d"}]}', []],
  ['Patient/a', ['a']],
  ['/Observation?subject=Patient/a', ['a']],
])('the patients in %s', (text, patients) => {
  expect(patientsIn(text)).toEqual(patients);
});
