import type { Encounter, Observation, Patient, ServiceRequest } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import type { Participant, Route } from '../trust/index.ts';
import { withCodes } from './code-maps.ts';
import type { Focus } from './focus.ts';
import { isQuiet } from './quiet-hours.ts';
import { going, readFilter, tryFilters } from './route-rules.ts';

const hospital = { key: 'h', name: 'H', kind: 'hospital' } as Participant;
const route = (more: Partial<Route>): Route => ({
  name: 'r',
  to: { dialect: 'fhir', url: 'https://h.example' },
  ...more,
});
const focus = (topic: Focus['topic'], resource: object, more: Partial<Focus> = {}): Focus => ({
  type: (resource as { resourceType: string }).resourceType,
  rid: '01890000-0000-7000-8000-000000000001',
  home: 1,
  version: 1,
  message: undefined,
  topic,
  withdrawn: false,
  isPast: false,
  resource: resource as never,
  isCritical: false,
  ...more,
});
const visit = (status: Encounter['status'], code = 'IMP') =>
  focus('visit', { resourceType: 'Encounter', status, class: { code } });
const goes = (one: Route, what: Focus, isTold = false) => going(one, hospital, what, isTold).goes;

it('a route takes the finer topics that it names, and what becomes of what was told', () => {
  const discharges = route({ topics: ['discharged'] });
  expect([visit('in-progress'), visit('finished')].map((one) => goes(discharges, one))).toEqual([false, true]);
  const stays = route({ topics: ['admitted', 'discharged'] });
  expect(goes(stays, visit('in-progress'))).toBe(true);
  expect(goes(stays, visit('in-progress', 'AMB'))).toBe(false);
  // A change in between is none of both; a visit that never was is taken back.
  expect(goes(stays, visit('in-progress'), true)).toBe(false);
  expect(goes(stays, { ...visit('entered-in-error'), withdrawn: true }, true)).toBe(true);
  expect(goes(route({ topics: ['transferred'] }), visit('in-progress'), true)).toBe(true);
  const deaths = route({ topics: ['death'] });
  const patient = (more: Partial<Patient>) => focus('person', { resourceType: 'Patient', ...more });
  expect([patient({}), patient({ deceasedBoolean: true })].map((one) => goes(deaths, one))).toEqual([false, true]);
  const order = (more: Partial<ServiceRequest>) => focus('order', { resourceType: 'ServiceRequest', ...more });
  const referral = order({ category: [{ coding: [{ system: 'http://snomed.info/sct', code: '3457005' }] }], code: {} });
  expect([order({ code: {} }), referral].map((one) => goes(route({ topics: ['referral'] }), one))).toEqual([
    false,
    true,
  ]);
});

it('what changed shows beside what was there, and is told as a change where a route asks for it', () => {
  const medicine = (status: string, dose = 1) => ({
    resourceType: 'MedicationRequest',
    status,
    dosageInstruction: [{ text: `${dose}` }],
  });
  const topicsOf = (before: object | undefined, after: object) =>
    (['medication-started', 'medication-changed', 'medication-stopped'] as const).filter((topic) =>
      goes(route({ topics: [topic] }), focus('prescription', after, before ? { before: before as never } : {})),
    );
  expect(topicsOf(undefined, medicine('active'))).toEqual(['medication-started']);
  expect(topicsOf(medicine('on-hold'), medicine('active'))).toEqual(['medication-started']);
  expect(topicsOf(medicine('active'), medicine('active', 2))).toEqual(['medication-changed']);
  expect(topicsOf(medicine('active'), { ...medicine('active'), note: [] })).toEqual([]);
  expect(topicsOf(medicine('active'), medicine('stopped'))).toEqual(['medication-stopped']);
  expect(topicsOf(undefined, medicine('stopped'))).toEqual([]);
  expect(topicsOf(medicine('active'), medicine('entered-in-error'))).toEqual([]);
  const stopped = focus('prescription', medicine('stopped'), { before: medicine('active') as never });
  const isChange = (one: Route) => going(one, hospital, stopped, false).isChange;
  expect(isChange(route({ topics: ['medication-stopped'] }))).toBe(true);
  expect(isChange(route({ topics: ['prescription'] }))).toBe(false);
});

it('critical results are urgent whatever the route says, others where it says so', () => {
  const result = focus('result', { resourceType: 'DiagnosticReport' });
  const urgent = (one: Route, what: Focus) => going(one, hospital, what, false).urgent;
  expect(urgent(route({}), result)).toBe(false);
  expect(urgent(route({}), { ...result, isCritical: true })).toBe(true);
  expect(urgent(route({ urgent: ['result'] }), result)).toBe(true);
});

it('a filter is held against the types that it names, and refused where only a search could answer it', () => {
  const filtered = route({
    topics: ['result', 'visit'],
    filters: ['DiagnosticReport?category=LAB', 'DiagnosticReport?status=final,amended&category=RAD'],
  });
  const report = (code: string, status: string) =>
    focus('result', {
      resourceType: 'DiagnosticReport',
      id: 'x',
      status,
      category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0074', code }] }],
      code: { text: 'x' },
    });
  expect(goes(filtered, report('LAB', 'preliminary'))).toBe(true);
  expect(goes(filtered, report('RAD', 'preliminary'))).toBe(false);
  expect(goes(filtered, report('RAD', 'final'))).toBe(true);
  expect(goes(filtered, report('CT', 'final'))).toBe(false);
  expect(goes(filtered, report('CT', 'final'), true)).toBe(true);
  expect(goes(filtered, visit('in-progress'))).toBe(true);
  for (const wrong of [
    'DiagnosticReport',
    'DiagnosticReport?nonsense=1',
    'DiagnosticReport?result.code=1',
    'Nothing?a=1',
  ])
    expect(() => readFilter(wrong), wrong).toThrow();
  const sample = (status: string) => JSON.stringify(report('RAD', status).resource);
  expect(tryFilters(filtered.filters!, sample('final'))).toEqual({
    goes: true,
    found: 'DiagnosticReport?status=final,amended&category=RAD finds it.',
  });
  expect(tryFilters(filtered.filters!, sample('preliminary')).goes).toBe(false);
  expect(tryFilters(filtered.filters!, '{"resourceType":"Patient"}')).toEqual({
    goes: true,
    found: 'No filter is for a Patient.',
  });
  expect(() => tryFilters(filtered.filters!, '{')).toThrow('no resource');
});

it('quiet hours go over midnight, by the clock of their zone', () => {
  const night = { zone: 'America/New_York', from: '22:00', to: '06:30' };
  const quiet = (time: string) => isQuiet(night, new Date(time));
  // Summer time: four hours behind.
  expect([quiet('2026-07-02T01:59:00Z'), quiet('2026-07-02T02:00:00Z')]).toEqual([false, true]);
  expect([quiet('2026-07-02T10:29:00Z'), quiet('2026-07-02T10:30:00Z')]).toEqual([true, false]);
  expect(quiet('2026-01-02T02:00:00Z')).toBe(false);
  expect(isQuiet({ zone: 'UTC', from: '12:00', to: '13:00' }, new Date('2026-01-01T12:30:00Z'))).toBe(true);
});

it('codes of the destination stand first, those that were stated behind them', () => {
  const loinc = { system: 'http://loinc.org', code: '2823-3', display: 'Potassium' };
  const observation: Observation = { resourceType: 'Observation', status: 'final', code: { coding: [loinc] } };
  const maps = [{ from: { system: loinc.system, code: loinc.code }, to: { system: 'urn:local', code: 'K' } }];
  expect(withCodes([observation], maps)[0]!.code.coding).toEqual([{ system: 'urn:local', code: 'K' }, loinc]);
  const [once] = withCodes([observation], maps);
  expect(withCodes([once!], maps)).toEqual([once]);
  expect(withCodes([observation], [{ ...maps[0]!, from: { ...maps[0]!.from, system: 'urn:other' } }])).toEqual([
    observation,
  ]);
});
