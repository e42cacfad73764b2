import type { Patient } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { demographicsOf } from './demographics.ts';

it('takes out of a Patient what linkage looks at', () => {
  const patient: Patient = {
    resourceType: 'Patient',
    name: [
      { use: 'official', family: 'Okafor', given: ['Martha', 'Jean'], suffix: ['Jr'] },
      { use: 'maiden', family: 'Hollis' },
      { text: 'Okafor, Marty' },
    ],
    birthDate: '1971-06-23',
    gender: 'female',
    telecom: [
      { system: 'phone', value: '440-321-8765' },
      { system: 'email', value: 'm@example.org' },
      { system: 'fax', value: '440-321-0000' },
      { system: 'phone' },
    ],
    address: [{ use: 'home', line: ['14 Quarry Lane'], city: 'Elmbridge', state: 'OH', postalCode: '44055' }],
    identifier: [
      { system: 'urn:example:clinic', value: 'A17', type: { coding: [{ code: 'MR' }] } },
      { system: 'urn:example:clinic' },
    ],
    multipleBirthInteger: 2,
    deceasedDateTime: '2020-01-01',
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: 'Ekwueme' }],
  };
  expect(demographicsOf(patient)).toEqual({
    names: [
      { family: 'Okafor', given: ['Martha', 'Jean'], use: 'official', suffix: 'Jr' },
      { family: 'Hollis', given: [], use: 'maiden', suffix: undefined },
      { family: 'Okafor', given: ['Marty'], use: undefined, suffix: undefined },
    ],
    birthDate: '1971-06-23',
    gender: 'female',
    addresses: [{ line: ['14 Quarry Lane'], city: 'Elmbridge', state: 'OH', postalCode: '44055', use: 'home' }],
    phones: ['440-321-8765'],
    emails: ['m@example.org'],
    identifiers: [{ system: 'urn:example:clinic', value: 'A17', type: 'MR' }],
    deceased: true,
    multipleBirth: 2,
    motherMaidenName: 'Ekwueme',
  });
});
