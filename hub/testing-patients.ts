/** Patients for tests. */

/**
 * What two sources say of one human, so that the hub links them for certain.
 * @param family tells one human from another
 */
export function oneHuman(family: string): object {
  const digits = [...family].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 10_000, 0);
  return {
    resourceType: 'Patient',
    name: [{ family, given: ['Same'] }],
    birthDate: '1980-02-03',
    gender: 'female',
    address: [{ line: ['1 Same Street'], city: 'Town', postalCode: '12345' }],
    telecom: [{ system: 'phone', value: `+1555123${digits}` }],
    identifier: [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'SS' }] },
        system: 'http://hl7.org/fhir/sid/us-ssn',
        value: `123-45-${String(digits).padStart(4, '0')}`,
      },
    ],
  };
}
