import type { AuditEvent } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { auditedOf } from './audited.ts';

const told = (id: string, patient?: string): AuditEvent => ({
  resourceType: 'AuditEvent',
  id,
  type: {},
  recorded: '2026-01-01T00:00:00Z',
  agent: [],
  source: { observer: {} },
  entity: patient === undefined ? [] : [{ what: { reference: `Patient/${patient}` } }],
});

it('what was done once is one line, however many people it is about', () => {
  const events = [
    told('log-9-0-0', 'a'),
    told('log-9-0-1', 'b'),
    told('log-9-1'),
    told('log-8-0-0', 'a'),
    told('log-8-0-1', 'a'),
  ];
  expect(auditedOf(events).map(({ place, patients }) => [place, patients])).toEqual([
    ['log-9-0', ['a', 'b']],
    ['log-9-1', []],
    ['log-8-0', ['a']],
  ]);
});

it('what was searched for is told, and what was done to', () => {
  const done = (entity: AuditEvent['entity']) => auditedOf([{ ...told('log-1-0'), entity }])[0]?.type;
  const patient = { what: { reference: 'Patient/p' } };
  expect(done([patient, { query: btoa('/fhir/AuditEvent?_count=50') }])).toBe('AuditEvent');
  expect(done([patient, { query: btoa('AuditEvent') }])).toBe('AuditEvent');
  expect(done([patient, { what: { reference: 'Observation/o1' } }])).toBe('Observation');
  expect(done([patient, { query: btoa('/api/patients/1') }, { query: '%' }])).toBeUndefined();
});

it('nobody whom an event is about is left out', () => {
  const place = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(5));
  fc.assert(
    fc.property(fc.array(place), (places) => {
      const lines = auditedOf(places.map(([row, at, patient]) => told(`log-${row}-${at}-${patient}`, `p${patient}`)));
      for (const [row, at, patient] of places) {
        const of = lines.filter((line) => line.place === `log-${row}-${at}`);
        expect(of.map(({ patients }) => patients.includes(`p${patient}`))).toEqual([true]);
      }
    }),
  );
});
