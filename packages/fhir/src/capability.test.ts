import { expect, test } from 'vitest';
import { capabilityResources } from './capability.ts';

test('a type is told with its search parameters, those left out which are not supported', () => {
  const [patient] = capabilityResources(['Patient'], (_, code) => code === 'birthdate' || code === '_id');
  expect(patient).toEqual({
    type: 'Patient',
    profile: 'http://hl7.org/fhir/StructureDefinition/Patient',
    searchParam: [
      { name: '_id', definition: 'http://hl7.org/fhir/SearchParameter/Resource-id', type: 'token' },
      { name: 'birthdate', definition: 'http://hl7.org/fhir/SearchParameter/individual-birthdate', type: 'date' },
    ],
  });
  expect(capabilityResources()).toHaveLength(147);
});
