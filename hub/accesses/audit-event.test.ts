import { describe, expect, it } from 'vitest';
import type { AuditedEvent } from '../audit/index.ts';
import { auditEventId, auditEventOf, auditEventProfiles, readAuditEventId } from './audit-event.ts';
import { balpFaults } from './testing.ts';

const base = 'https://hub.example/fhir';
const patients = [
  { index: 0, id: 'p1', salt: 'x' },
  { index: 1, id: 'p2', salt: 'y' },
];

/** An event as it is read from the log. */
function event(over: Partial<AuditedEvent['event']> & { what?: string | undefined }, isOfPatient = true): AuditedEvent {
  const { what = '/Observation/o1', ...of } = over;
  const all = { action: 'read', at: '2026-11-26T18:00:00.000Z', organization: 'north', private: 'c', purpose: 'TREAT' };
  const read = { ...all, role: 'clinician', status: 200, type: 'Observation', v: 1 as const, who: 'ann', ...of };
  const commitments = isOfPatient ? { patients: ['a', 'b'] } : {};
  return {
    row: 12,
    place: 3,
    index: 257,
    leaf: '',
    event: { ...read, ...commitments },
    opened: { patients: isOfPatient ? patients : [] },
    entry: { ...read, what },
  };
}

const whole = { base, isWhole: true };
const actions = ['read', 'vread', 'search', 'create', 'update', 'patch', 'delete', 'bulk-delete', 'deliver', 'export'];

describe('an event as an AuditEvent', () => {
  it.each(actions)(
    '%s follows the profiles of IHE, with a patient and without, by people, apps and systems',
    (action) => {
      const profiles = new Set<string>();
      for (const isOfPatient of [true, false]) {
        for (const isWhole of [true, false]) {
          for (const by of [
            {},
            { client: 'app-1' },
            { role: 'system', who: 'site:north' },
            { role: 'patient', who: undefined },
          ]) {
            const made = auditEventOf(event({ action, ...by }, isOfPatient), isOfPatient ? patients[0] : undefined, {
              base,
              isWhole,
            });
            expect(balpFaults(made)).toEqual([]);
            for (const profile of made.meta?.profile ?? []) profiles.add(profile);
          }
        }
      }
      expect(profiles.size).toBe(action === 'deliver' || action === 'export' ? 1 : 2);
      for (const profile of profiles) expect(auditEventProfiles).toContain(profile);
    },
  );

  it('says who, why, when and what', () => {
    const made = auditEventOf(event({ emergency: 'e1', client: 'app-1' }), patients[1], whole);
    expect(made).toMatchObject({
      id: 'log-12-3-1',
      recorded: '2026-11-26T18:00:00.000Z',
      outcome: '0',
      purposeOfEvent: [{ coding: [{ code: 'TREAT' }] }],
      subtype: [{ code: 'read' }, { system: 'urn:causeway:audit-action', code: 'read' }],
    });
    expect(made.agent?.find(({ requestor }) => requestor)).toMatchObject({ name: 'ann' });
    expect(made.entity?.map(({ what, detail }) => what?.reference ?? detail?.[0]?.valueString)).toEqual([
      'Patient/p2',
      'Observation/o1',
      'e1',
      '257',
    ]);
    const query = auditEventOf(event({ action: 'search', what: '/Observation?code=718-7' }), patients[0], whole);
    expect(Buffer.from(query.entity![1]!.query!, 'base64').toString()).toBe('/Observation?code=718-7');
  });

  it('of what was sent on names who got it', () => {
    const sent = event({ action: 'deliver', role: 'system', who: 'outbox', what: 'Observation/o1 to harbor' });
    const made = auditEventOf(sent, patients[0], whole);
    expect(balpFaults(made)).toEqual([]);
    expect(made.agent).toMatchObject([{ who: { identifier: { value: 'harbor' } } }, { requestor: true }]);
    expect(made.entity?.[1]?.what).toEqual({ reference: 'Observation/o1' });
    expect(JSON.stringify(auditEventOf(sent, patients[0], { base, isWhole: false }))).not.toContain('harbor');
  });

  it('of which the reader may see a part keeps the rest to itself', () => {
    const masked = { base, isWhole: false };
    const proxy = event({ role: 'proxy', what: '/Observation/secret' });
    proxy.entry.who = 'mother';
    delete (proxy.event as { who?: string }).who;
    for (const action of ['read', 'search', 'graphql', 'deliver']) {
      const made = JSON.stringify(auditEventOf({ ...proxy, event: { ...proxy.event, action } }, patients[0], masked));
      expect(made).not.toMatch(/secret|mother|p2/);
      expect(made).toContain('masked');
    }
    expect(JSON.stringify(auditEventOf(proxy, patients[0], whole))).toContain('mother');
  });

  it('that was refused says so, and claims no profile of what succeeded', () => {
    expect(auditEventOf(event({ status: 403 }), patients[0], whole)).toMatchObject({ outcome: '4' });
    expect(auditEventOf(event({ status: 503 }), patients[0], whole)).toMatchObject({ outcome: '8' });
    expect(auditEventOf(event({ status: 403 }), patients[0], whole).meta?.profile).toBeUndefined();
  });

  it('has an id by which it is found', () => {
    expect(readAuditEventId(auditEventId({ row: 12, place: 3 }, 1))).toEqual({ row: 12, place: 3, patient: 1 });
    expect(readAuditEventId(auditEventId({ row: 12, place: 3 }))).toEqual({ row: 12, place: 3, patient: undefined });
    for (const id of ['', 'log-', 'log-1', 'log-1-2-3-4', 'log--1-2', '9b88'])
      expect(readAuditEventId(id)).toBeUndefined();
  });
});
