import { describe, expect, it } from 'vitest';
import type { AuditedEvent } from '../audit/index.ts';
import { auditEventId, auditEventOf, auditEventProfiles, readAuditEventId } from './audit-event.ts';
import { kindOf, knownActions } from './kinds.ts';
import { balpFaults } from './testing.ts';

const base = 'https://hub.example/fhir';
const patients = [
  { index: 0, id: 'p1', salt: 'x' },
  { index: 1, id: 'p2', salt: 'y' },
];

/** An event as it is read from the log. */
function event(
  over: Partial<AuditedEvent['event']> & { what?: string | undefined; address?: string; token?: string },
  isOfPatient = true,
): AuditedEvent {
  const { what = '/Observation/o1', address, token, ...of } = over;
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
    entry: { ...read, what, ...(address ? { address } : {}), ...(token ? { token } : {}) },
  };
}

const whole = { base, isWhole: true, seesOrigin: true };
const masked = { base, isWhole: false, seesOrigin: false };
const origin = { address: '192.0.2.7', token: 'ab12' };
const oauth = /OAUTHaccessTokenUse/;

describe('an event as an AuditEvent', () => {
  it.each([...knownActions, 'open-message'])(
    '%s follows the profiles of IHE, with a patient and without, by people, apps and systems',
    (action) => {
      const profiles = new Set<string>();
      for (const isOfPatient of [true, false]) {
        for (const shown of [whole, masked, { ...whole, seesOrigin: false }]) {
          for (const by of [
            {},
            origin,
            { client: 'app-1', ...origin },
            { client: 'app-1' },
            { client: 'app-1', role: 'patient', who: undefined, ...origin },
            { client: 'service', role: 'system', who: 'client:service', ...origin },
            { role: 'system', who: 'site:north', ...origin },
            { role: 'patient', who: undefined },
          ]) {
            const patient = isOfPatient ? patients[0] : undefined;
            const made = auditEventOf(event({ action, ...by }, isOfPatient), patient, shown);
            expect(balpFaults(made)).toEqual([]);
            for (const profile of made.meta?.profile ?? []) profiles.add(profile);
          }
        }
      }
      const { pattern } = kindOf(action);
      const ofPattern = [...profiles].filter((profile) => !oauth.test(profile));
      expect(ofPattern).toHaveLength(pattern === 'Other' ? 0 : pattern === 'Disclosure' ? 1 : 2);
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
    expect(JSON.stringify(auditEventOf(sent, patients[0], masked))).not.toContain('harbor');
  });

  it('of which the reader may see a part keeps the rest to itself', () => {
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

  it('by a token of an app says by which app, by which token and from where, to those who see all alone', () => {
    const read = event({ client: 'app-1', ...origin });
    const made = auditEventOf(read, patients[0], whole);
    expect(made.meta?.profile).toHaveLength(3);
    expect(made.agent).toMatchObject([
      { network: { address: '192.0.2.7', type: '2' } },
      {},
      { requestor: true, policy: ['urn:ietf:params:oauth:jti:ab12'], who: { identifier: { value: 'ann' } } },
      { who: { identifier: { value: 'app-1' } }, network: { address: '192.0.2.7' } },
    ]);
    const service = event({ client: 's', role: 'system', who: 'client:s', ...origin });
    const profiles = auditEventOf(service, patients[0], whole).meta?.profile;
    expect(profiles?.at(-1)).toMatch(/OAUTHaccessTokenUse\.Comprehensive$/);
    const toPatient = auditEventOf(read, patients[0], { ...whole, seesOrigin: false });
    expect(JSON.stringify(toPatient)).not.toMatch(/192\.0\.2\.7|ab12|OAUTH/);
    expect(toPatient.agent?.[0]?.network).toEqual({ extension: [expect.objectContaining({ valueCode: 'masked' })] });
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
