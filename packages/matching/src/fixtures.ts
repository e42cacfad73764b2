/**
 * People for the tests of this package.
 */
import type { Demographics } from './demographics.ts';
import { type Prepared, prepare } from './prepare.ts';

export const SSN = 'http://hl7.org/fhir/sid/us-ssn';

/** A woman with everything known; `changes` replace whole fields. */
export function person(changes: Partial<Demographics> = {}): Demographics {
  return {
    names: [{ family: 'Okafor', given: ['Martha', 'Jean'] }],
    birthDate: '1971-06-23',
    gender: 'female',
    addresses: [{ line: ['14 Quarry Lane'], city: 'Elmbridge', state: 'OH', postalCode: '44055' }],
    phones: ['440-321-8765'],
    emails: ['mj.okafor@example.org'],
    identifiers: [],
    ...changes,
  };
}

export function prepared(changes: Partial<Demographics> = {}): Prepared {
  return prepare(person(changes));
}

/** `Given Middle Family` as a list of one name. */
export function named(written: string): Demographics['names'] {
  const words = written.split(' ');
  return [{ family: words.at(-1)!, given: words.slice(0, -1) }];
}

export function ssn(value: string): Demographics['identifiers'] {
  return [{ system: SSN, value, type: 'SS' }];
}
