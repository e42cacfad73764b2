import { firstCareRules } from '@causeway/access';
import type { Resource } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { ofReferrals, saidBy } from './loop-evidence.ts';

const now = new Date('2026-03-10T12:00:00Z');
const said = (resource: object, isKnown = false) => {
  const found = saidBy(resource as Resource, { now, rules: firstCareRules, isKnown });
  if (!found) return undefined;
  return found.is === 'over' ? [found.kind, found.outcome] : [found.kind, found.why, found.due.toISOString()];
};

it('a critical result opens a loop for an hour; what is old, or not critical, none', () => {
  const result = (code: string, more: object = {}) => ({
    resourceType: 'Observation',
    status: 'final',
    effectiveDateTime: '2026-03-10T11:50:00Z',
    interpretation: [{ coding: [{ system: 'x', code: 'zz' }] }, { coding: [{ system: 'y', code }] }],
    ...more,
  });
  for (const code of ['AA', 'HH', 'LL', 'HU', 'LU'])
    expect(said(result(code))).toEqual(['critical-result', 'critical', '2026-03-10T13:00:00.000Z']);
  for (const code of ['H', 'L', 'A', 'N']) expect(said(result(code))).toBeUndefined();
  expect(said(result('HH', { effectiveDateTime: '2026-03-01' }))).toBeUndefined();
  expect(said(result('HH', { status: 'registered' }))).toBeUndefined();
  expect(said(result('HH', { effectiveDateTime: undefined }))?.[0]).toBe('critical-result');
  expect(said(result('H'), true)).toEqual(['critical-result', 'not-critical']);
  expect(said(result('HH', { status: 'entered-in-error' }), true)).toEqual(['critical-result', 'not-critical']);
});

it('a discharge from a stay opens a loop until its summary is due, other visits none', () => {
  const stay = (more: object) => ({
    resourceType: 'Encounter',
    status: 'finished',
    class: { code: 'IMP' },
    period: { start: '2026-03-05T08:00:00Z', end: '2026-03-09T10:00:00Z' },
    ...more,
  });
  expect(said(stay({}))).toEqual(['transition', 'discharged', '2026-03-11T10:00:00.000Z']);
  expect(said(stay({ class: { code: 'AMB' } }))).toBeUndefined();
  expect(said(stay({ status: 'in-progress' }))).toBeUndefined();
  expect(said(stay({ status: 'in-progress' }), true)).toEqual(['transition', 'cancelled']);
  expect(said(stay({ period: { start: '2025-03-05', end: '2025-03-09' } }))).toBeUndefined();
});

it('a referral opens a loop until the note is due, and is over when it is completed or revoked', () => {
  const request = (more: object) => ({
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    authoredOn: '2026-03-10T00:00:00Z',
    category: [{ coding: [{ code: '3457005' }] }],
    ...more,
  });
  expect(said(request({}))).toEqual(['referral', 'referred', '2026-04-09T00:00:00.000Z']);
  expect(said(request({ category: undefined }))).toBeUndefined();
  expect(said(request({ status: 'completed' }), true)).toEqual(['referral', 'completed']);
  expect(said(request({ status: 'revoked' }), true)).toEqual(['referral', 'cancelled']);
  expect(said(request({ authoredOn: '2025-03-10' }))).toBeUndefined();
});

it('tasks, appointments, reports and documents accept, refuse and answer the referrals that they name', () => {
  const basedOn = [{ reference: 'ServiceRequest/r' }];
  const of = (resource: object) => ofReferrals(resource as Resource);
  expect(of({ resourceType: 'Task', status: 'accepted', focus: basedOn[0] })).toEqual({
    is: 'accepted',
    requests: ['r'],
  });
  expect(of({ resourceType: 'Task', status: 'rejected', basedOn })).toEqual({ is: 'refused', requests: ['r'] });
  expect(of({ resourceType: 'Task', status: 'requested', basedOn })).toBeUndefined();
  expect(of({ resourceType: 'Appointment', status: 'booked', basedOn })).toEqual({ is: 'accepted', requests: ['r'] });
  expect(of({ resourceType: 'Appointment', status: 'cancelled', basedOn })).toBeUndefined();
  expect(of({ resourceType: 'DiagnosticReport', status: 'final', basedOn })).toEqual({
    is: 'answered',
    requests: ['r'],
  });
  expect(of({ resourceType: 'DiagnosticReport', status: 'preliminary', basedOn })).toBeUndefined();
  const document = { resourceType: 'DocumentReference', status: 'current' };
  expect(of({ ...document, context: { related: basedOn } })).toEqual({ is: 'answered', requests: ['r'] });
  const type = { coding: [{ system: 'http://loinc.org', code: '11488-4' }] };
  expect(of({ ...document, type })).toEqual({ is: 'answered', requests: 'of-the-person' });
  expect(of({ ...document, type, status: 'entered-in-error' })).toBeUndefined();
});
