import { firstCareRules } from '@causeway/access';
import type { Resource } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { shownBy } from './evidence.ts';

const shown = (resource: object) =>
  shownBy(resource as Resource, firstCareRules).map(({ kind, party, starts, ends }) => [
    kind,
    party?.reference ?? party?.identifier?.value ?? 'own',
    starts?.toISOString().slice(0, 10) ?? 'now',
    ends?.toISOString().slice(0, 10) ?? 'on',
  ]);
const visit = (more: object) => shown({ resourceType: 'Encounter', ...more });

it('a Patient shows a chart and the family doctors that it names, one that was merged away nothing', () => {
  const generalPractitioner = [{ reference: 'Practitioner/a' }, { identifier: { system: 's', value: 'b' } }];
  const patient = { resourceType: 'Patient', generalPractitioner };
  expect(shown(patient)).toEqual([
    ['chart', 'own', 'now', 'on'],
    ['family-doctor', 'Practitioner/a', 'now', 'on'],
    ['family-doctor', 'b', 'now', 'on'],
  ]);
  expect(shown({ ...patient, active: false })).toEqual([]);
});

it('a visit shows care for as long as it lasts and a while after', () => {
  const period = { start: '2026-03-01T08:00:00Z', end: '2026-03-04T09:00:00Z' };
  expect(visit({ status: 'finished', period })).toEqual([['encounter', 'own', '2026-03-01', '2026-06-02']]);
  expect(visit({ status: 'in-progress', period: { start: period.start } })).toEqual([
    ['encounter', 'own', '2026-03-01', 'on'],
  ]);
  // One that ended, nobody says when: as if on the day when it began.
  expect(visit({ status: 'finished', period: { start: period.start } })).toEqual([
    ['encounter', 'own', '2026-03-01', '2026-05-30'],
  ]);
  expect(visit({ status: 'finished', period, serviceProvider: { reference: 'Organization/o' } })).toContainEqual([
    'encounter',
    'Organization/o',
    '2026-03-01',
    '2026-06-02',
  ]);
  for (const status of ['cancelled', 'entered-in-error']) expect(visit({ status, period })).toEqual([]);
});

it('an order shows care of who made it, a referral of whom it goes to; a plan shows none', () => {
  const request = {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    authoredOn: '2026-03-01T00:00:00Z',
    requester: { reference: 'Practitioner/a' },
    performer: [{ reference: 'Organization/b' }],
  };
  const [day, end] = ['2026-03-01', '2026-05-30'];
  expect(shown(request)).toEqual([
    ['order', 'Practitioner/a', day, end],
    ['order', 'Organization/b', day, end],
  ]);
  const category = [{ coding: [{ system: 'http://snomed.info/sct', code: '3457005' }] }];
  expect(shown({ ...request, category })[1]).toEqual(['referral', 'Organization/b', day, end]);
  for (const more of [{ intent: 'plan' }, { status: 'revoked' }, { status: 'draft' }]) {
    expect(shown({ ...request, ...more })).toEqual([]);
  }
});

it('an appointment counts from when it is made on, a place that takes part in it cares for nobody', () => {
  const participant = [
    { actor: { reference: 'Patient/p' } },
    { actor: { reference: 'Location/l' } },
    { actor: { reference: 'PractitionerRole/r' } },
    { actor: { type: 'Organization', identifier: { value: 'o' } } },
  ];
  const appointment = { resourceType: 'Appointment', status: 'booked', start: '2026-03-01T08:00:00Z', participant };
  expect(shown(appointment)).toEqual([
    ['appointment', 'own', 'now', '2026-03-31'],
    ['appointment', 'PractitionerRole/r', 'now', '2026-03-31'],
    ['appointment', 'o', 'now', '2026-03-31'],
  ]);
  expect(shown({ ...appointment, status: 'noshow' })).toEqual([]);
});

it('a care team shows care of its members and of who manages it, each for its own time', () => {
  const team = {
    resourceType: 'CareTeam',
    status: 'active',
    period: { start: '2026-01-01' },
    managingOrganization: [{ reference: 'Organization/m' }],
    participant: [
      { member: { reference: 'Practitioner/a' }, onBehalfOf: { reference: 'Organization/o' } },
      { member: { reference: 'Practitioner/b' }, period: { start: '2026-02-01', end: '2026-02-10' } },
      { member: { reference: 'RelatedPerson/x' } },
    ],
  };
  expect(shown(team)).toEqual([
    ['care-team', 'Organization/m', '2026-01-01', 'on'],
    ['care-team', 'Practitioner/a', '2026-01-01', 'on'],
    ['care-team', 'Organization/o', '2026-01-01', 'on'],
    ['care-team', 'Practitioner/b', '2026-02-01', '2026-02-10'],
  ]);
  expect(shown({ ...team, status: 'inactive' })[0]).toEqual([
    'care-team',
    'Organization/m',
    '2026-01-01',
    '1970-01-01',
  ]);
  expect(shown({ ...team, status: 'entered-in-error' })).toEqual([]);
});
