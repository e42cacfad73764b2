import type { Resource } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { assertions } from './assertions.ts';

const problem = (code: string, verification: string): Resource => ({
  resourceType: 'Condition',
  subject: {},
  code: { coding: [{ code }] },
  verificationStatus: { coding: [{ code: verification }] },
});

it('what is denied and what is not are told apart, by type and code', () => {
  const said = assertions([
    problem('1', 'confirmed'),
    problem('2', 'refuted'),
    { resourceType: 'MedicationStatement', status: 'not-taken', subject: {}, medicationCodeableConcept: { text: 'a' } },
    {
      resourceType: 'MedicationRequest',
      status: 'active',
      intent: 'order',
      subject: {},
      medicationCodeableConcept: { text: 'a' },
    },
  ]);
  expect([...said].map(([key, values]) => [key, [...values]])).toEqual([
    ['Condition 1', ['so']],
    ['Condition 2', ['not so']],
    ['Medication a', ['not so', 'so']],
  ]);
});
