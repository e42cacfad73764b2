import type { Resource } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { extract } from '../search/extract.ts';
import { validate } from '../validation/validate.ts';
import { ARTIFACT_FORMAT } from './artifact.ts';
import { compileDefinitions } from './compile.ts';
import { definitions, loadDefinitions } from './definitions.ts';

const patient = { resourceType: 'Patient', gender: 'x', name: [{ family: 'a' }] } as unknown as Resource;

describe('definitions', () => {
  const artifact = compileDefinitions();

  test('are the same after a way through JSON', () => {
    expect(JSON.parse(JSON.stringify(artifact))).toEqual(artifact);
    const [issues, values] = [validate(patient), extract(patient)];
    expect(loadDefinitions(JSON.parse(JSON.stringify(artifact)))).toBe(true);
    expect([validate(patient), extract(patient)]).toEqual([issues, values]);
  });

  test('of another format are not used', () => {
    const before = definitions();
    expect(loadDefinitions({ ...artifact, format: ARTIFACT_FORMAT + 1 })).toBe(false);
    expect(definitions()).toBe(before);
  });

  test('hold what R4 defines', () => {
    expect(artifact.source).toMatch(/^@medplum\/definitions \d/);
    expect(artifact.types['Observation.component']?.elements.find(([name]) => name === 'code')).toEqual([
      'code',
      1,
      1,
      ['CodeableConcept'],
    ]);
    expect(artifact.types['Observation.component']?.elements.find(([name]) => name === 'referenceRange')?.[3]).toEqual([
      'Observation.referenceRange',
    ]);
    expect(artifact.valueSets['http://hl7.org/fhir/ValueSet/administrative-gender']).toEqual([
      'female',
      'male',
      'other',
      'unknown',
    ]);
    expect(artifact.patientCompartment.Observation).toEqual(['subject', 'performer']);
  });
});
