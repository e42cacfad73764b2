/** Which ADT event tells of which change. */
import type { Encounter, Patient } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { personEvent, visitEvent } from './adt-events.ts';

const visit = (status: Encounter['status'], code = 'IMP', place = 'Location/a'): Encounter => ({
  resourceType: 'Encounter',
  status,
  class: { code },
  location: [{ status: 'active', location: { reference: place } }],
});

describe('visitEvent', () => {
  it.each<[string, Encounter | undefined, Encounter]>([
    ['A01', undefined, visit('in-progress')],
    ['A04', undefined, visit('in-progress', 'AMB')],
    ['A05', undefined, visit('planned')],
    ['A01', visit('planned'), visit('in-progress')],
    ['A02', visit('in-progress'), visit('in-progress', 'IMP', 'Location/b')],
    ['A03', visit('in-progress'), visit('finished')],
    ['A06', visit('in-progress', 'AMB'), visit('in-progress')],
    ['A07', visit('in-progress'), visit('in-progress', 'AMB')],
    ['A08', visit('in-progress'), visit('in-progress')],
    ['A11', visit('in-progress'), visit('cancelled')],
    ['A13', visit('finished'), visit('in-progress')],
    ['A21', visit('in-progress'), visit('onleave')],
    ['A22', visit('onleave'), visit('in-progress')],
    ['A23', visit('finished'), visit('entered-in-error')],
    ['A38', visit('planned'), visit('cancelled')],
  ])('is %s', (event, before, after) => {
    expect(visitEvent({ before, after })).toBe(event);
  });
});

describe('personEvent', () => {
  const known: Patient = { resourceType: 'Patient', id: 'a' };
  const replaced: Patient = { ...known, link: [{ type: 'replaced-by', other: { reference: 'Patient/b' } }] };
  it.each<[string, Patient | undefined, Patient]>([
    ['A28', undefined, known],
    ['A31', known, known],
    ['A40', known, replaced],
    ['A31', replaced, replaced],
  ])('is %s', (event, before, after) => {
    expect(personEvent({ before, after })).toBe(event);
  });
});
