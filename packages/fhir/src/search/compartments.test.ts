import { describe, expect, it } from 'vitest';
import { isResourceType } from '../resource-types.ts';
import { compartmentMembers, compartmentParameters, compartmentTypes } from './compartments.ts';
import { searchParameters } from './parameters.ts';

describe('compartments', () => {
  it('name only parameters that are references of their type', () => {
    for (const compartment of compartmentTypes) {
      expect(compartmentMembers(compartment).length).toBeGreaterThan(20);
      for (const type of compartmentMembers(compartment)) {
        expect(isResourceType(type)).toBe(true);
        for (const code of compartmentParameters(compartment, type)) {
          const parameter = searchParameters(type).find((one) => one.code === code);
          const wanted = code === '_id' ? 'token' : 'reference';
          expect([compartment, type, code, parameter?.type]).toEqual([compartment, type, code, wanted]);
        }
      }
    }
  });

  it('hold their own resource, and no type that never belongs', () => {
    for (const compartment of ['Patient', 'Encounter', 'RelatedPerson', 'Practitioner']) {
      expect(compartmentParameters(compartment, compartment)).toContain('_id');
    }
    expect(compartmentParameters('Patient', 'Observation')).toEqual(['subject', 'performer']);
    expect(compartmentParameters('Encounter', 'Observation')).toEqual(['encounter']);
    expect(compartmentParameters('Encounter', 'Organization')).toEqual([]);
    expect(compartmentParameters('Organization', 'Patient')).toEqual([]);
  });
});
