import type { Resource } from '@medplum/fhirtypes';
import { afterEach, expect, test } from 'vitest';
import { type CustomParameter, useSearchParameters } from './custom-parameters.ts';
import { extract } from './extract.ts';

afterEach(() => useSearchParameters([]));

const contained = [
  { resourceType: 'Practitioner', id: 'a', name: [{ given: ['Ada', 'B'] }] },
  { resourceType: 'Practitioner', id: 'b', name: [{ given: ['Bob'] }] },
  { resourceType: 'Organization', id: 'c', name: 'Clinic' },
];

function given(author: { reference?: string }[], more: object = { contained }): unknown[] {
  const parameter: CustomParameter = {
    code: 'author.given',
    type: 'string',
    url: 'urn:x',
    base: ['DocumentReference'],
    expression: 'DocumentReference.author.resolve().ofType(Practitioner).name.given',
  };
  useSearchParameters([parameter]);
  const found = extract({ resourceType: 'DocumentReference', author, ...more } as Resource);
  return found.flatMap((one) => (one.param === 'author.given' && 'value' in one ? [one.value] : []));
}

test('resolve() leads to the contained resource that is referred to, of the type that is meant', () => {
  expect(given([{ reference: '#a' }])).toEqual(['Ada', 'B']);
  expect(given([{ reference: '#a' }, { reference: '#c' }, { reference: '#nobody' }])).toEqual(['Ada', 'B']);
  expect(given([{ reference: 'Practitioner/a' }, {}])).toEqual([]);
  expect(given([{ reference: '#a' }], {})).toEqual([]);
});
