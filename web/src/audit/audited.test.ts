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
  const events = [told('9.0.0', 'a'), told('9.0.1', 'b'), told('9.1'), told('8.0', 'a'), told('8.0.1', 'a')];
  expect(auditedOf(events).map(({ place, patients }) => [place, patients])).toEqual([
    ['9.0', ['a', 'b']],
    ['9.1', []],
    ['8.0', ['a']],
  ]);
});

it('nobody whom an event is about is left out', () => {
  const place = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(5));
  fc.assert(
    fc.property(fc.array(place), (places) => {
      const lines = auditedOf(places.map(([row, at, patient]) => told(`${row}.${at}.${patient}`, `p${patient}`)));
      for (const [row, at, patient] of places) {
        const of = lines.filter((line) => line.place === `${row}.${at}`);
        expect(of.map(({ patients }) => patients.includes(`p${patient}`))).toEqual([true]);
      }
    }),
  );
});
