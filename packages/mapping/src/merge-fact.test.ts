import type { Encounter, Patient } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { mergeFact } from './merge-fact.ts';

const known = {
  resourceType: 'Patient',
  telecom: [
    { use: 'home', value: '1' },
    { use: 'work', value: '2' },
  ],
  birthDate: '1970-01-01',
  deceasedBoolean: false,
};

test('what is stated replaces, what is left out stays, what is deleted goes', () => {
  const stated: Patient = { resourceType: 'Patient', telecom: [{ use: 'home', value: '3' }], deceasedDateTime: '2026' };
  expect(mergeFact(known, { resource: stated, clears: ['birthDate'] })).toEqual({
    resourceType: 'Patient',
    telecom: [
      { use: 'work', value: '2' },
      { use: 'home', value: '3' },
    ],
    deceasedDateTime: '2026',
  });
});

test('a clear names a member or an item', () => {
  const resource: Patient = { resourceType: 'Patient' };
  expect(mergeFact(known, { resource, clears: ['telecom[use=work]'] }).telecom).toEqual([{ use: 'home', value: '1' }]);
  const visit = {
    period: { start: '2026-01-01', end: '2026-01-02' },
    participant: [{ type: [{ coding: [{ code: 'ATND' }] }] }],
  };
  const stated = { resourceType: 'Encounter', status: 'in-progress' } as Encounter;
  expect(mergeFact(visit, { resource: stated, clears: ['period.end', 'participant[type=ATND]'] })).toEqual({
    resourceType: 'Encounter',
    status: 'in-progress',
    period: { start: '2026-01-01' },
  });
});

test('a discharge keeps the admission time; a default never replaces what is known', () => {
  const visit = { period: { start: '2026-01-01' }, status: 'finished' };
  const stated = { resourceType: 'Encounter', status: 'unknown', period: { end: '2026-01-02' } } as Encounter;
  expect(mergeFact(visit, { resource: stated, defaults: ['status'] })).toMatchObject({
    period: { start: '2026-01-01', end: '2026-01-02' },
    status: 'finished',
  });
});
