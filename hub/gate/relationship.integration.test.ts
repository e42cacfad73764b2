/** Proof of a relationship: what counts, what is recorded and shown where it is flagged, and what is seen where it is required. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

let hub: TestHub;

const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const organization = { identifier: { system: 'urn:causeway:participant', value: 'north' } };
const created = async (type: string, id: string, rest: object) => {
  const { status, text } = await hub.send('PUT', `/fhir/${type}/${id}`, { resourceType: type, id, ...rest });
  if (status > 201) throw new Error(text);
};
const reasons = ['none', 'visit', 'old', 'cancelled', 'booked', 'referred', 'team', 'literal', 'share', 'attested'];

beforeAll(async () => {
  hub = await startTestHub();
  await hub.send('PUT', '/api/participants/north', { name: 'North Hospital', kind: 'hospital' });
  await created('Organization', 'north-org', { name: 'North', identifier: [organization.identifier] });
  for (const id of reasons) {
    const subject = { reference: `Patient/${id}` };
    await created('Patient', id, { name: [{ family: `Person-${id}` }] });
    await created('Observation', id, { status: 'final', code: { coding: [{ code: 'x1' }] }, subject });
  }
  const visit = (id: string, over: object) =>
    created('Encounter', `visit-${id}`, {
      status: 'finished',
      class: { code: 'AMB' },
      subject: { reference: `Patient/${id}` },
      serviceProvider: organization,
      period: { start: day(-30), end: day(-30) },
      ...over,
    });
  await visit('visit', {});
  await visit('old', { period: { start: day(-500), end: day(-500) } });
  await visit('cancelled', { status: 'cancelled' });
  await visit('literal', { serviceProvider: { reference: 'Organization/north-org' } });
  await visit('none', { serviceProvider: { identifier: { system: 'urn:other', value: 'north' } } });
  await created('Appointment', 'booked', {
    status: 'booked',
    start: `${day(7)}T10:00:00Z`,
    end: `${day(7)}T10:30:00Z`,
    participant: [
      { actor: { reference: 'Patient/booked' }, status: 'accepted' },
      { actor: organization, status: 'accepted' },
    ],
  });
  await created('ServiceRequest', 'referred', {
    status: 'active',
    intent: 'order',
    subject: { reference: 'Patient/referred' },
    performer: [organization],
    authoredOn: day(-3),
  });
  await created('CareTeam', 'team', {
    status: 'active',
    subject: { reference: 'Patient/team' },
    participant: [{ member: organization }],
  });
  await created('Consent', 'share', {
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: 'Patient/share' },
    dateTime: `${day(-1)}T00:00:00Z`,
    verification: [{ verified: true }],
    policyRule: { coding: [{ code: 'OPTIN' }] },
    provision: {
      type: 'permit',
      actor: [{ role: { coding: [{ code: 'PRCP' }] }, reference: organization }],
    },
  });
});
afterAll(() => hub.stop());

const officer = { role: 'privacy-officer' } as const;

async function rule(relationship: object | undefined): Promise<void> {
  const { json } = await hub.get('/api/network-policy', officer);
  const policy = { model: 'opt-out', zone: 'UTC', rules: [], ...(relationship ? { relationship } : {}) };
  const body = { version: json.version, reason: 'A test.', policy };
  expect((await hub.send('PUT', '/api/network-policy', body, officer)).status).toBe(200);
}

const clinician = async (purpose = 'TREAT', organization = 'north') => ({
  headers: {
    authorization: `Bearer ${await hub.token('clinician', `site:${organization}`)}`,
    'x-purpose-of-use': purpose,
  },
});
const window = { daysBack: 365, daysAhead: 30 };

async function lastRecorded(): Promise<Json> {
  return (await accessesOf(hub)).findLast(({ who }) => who === 'site:north')!;
}

it('is not looked at until the network decides so', async () => {
  expect((await hub.get('/fhir/Observation/none', await clinician())).status).toBe(200);
  expect(await lastRecorded()).not.toHaveProperty('relationship');
});

it('is recorded with each access, and what nothing proves is listed until somebody has looked into it', async () => {
  await rule({ mode: 'flag', purposes: ['TREAT', 'HPAYMT'], ...window });
  const as = await clinician();
  const recorded: { [id: string]: string } = {};
  for (const id of reasons) {
    expect((await hub.get(`/fhir/Observation/${id}`, as)).status).toBe(200);
    recorded[id] = (await lastRecorded()).relationship;
  }
  expect(recorded).toEqual({
    none: 'none',
    visit: 'encounter',
    old: 'none',
    cancelled: 'none',
    booked: 'appointment',
    referred: 'referral',
    team: 'care-team',
    literal: 'encounter',
    share: 'share',
    attested: 'none',
  });
  expect((await hub.get('/fhir/Observation?code=x1', as)).status).toBe(200);
  const wide = await lastRecorded();
  expect(wide.relationship).toBe('appointment care-team encounter none referral share');
  expect([...wide.unproven].sort()).toEqual(['attested', 'cancelled', 'none', 'old']);
  expect((await hub.get('/fhir/Patient/none', as)).status).toBe(200);
  expect(await lastRecorded()).not.toHaveProperty('relationship');
  const open = async () => (await hub.get('/api/unproven', officer)).json.unproven;
  const listed = await open();
  expect(listed.map(({ patient, times }: Json) => `${patient} ${times}`).sort()).toEqual([
    'attested 2',
    'cancelled 2',
    'none 2',
    'old 2',
  ]);
  const { day: on, organization: of, username, patient } = listed.find((one: Json) => one.patient === 'none');
  const review = { day: on, organization: of, username, patient, comment: 'It was a mistake.' };
  expect((await hub.send('POST', '/api/unproven/review', review, { role: 'clinician' })).status).toBe(403);
  expect((await hub.send('POST', '/api/unproven/review', review, officer)).status).toBe(204);
  expect((await hub.send('POST', '/api/unproven/review', review, officer)).status).toBe(404);
  expect(await open()).toHaveLength(3);
  expect((await hub.get('/fhir/Observation/none', await clinician('HPAYMT'))).status).toBe(200);
  expect(await lastRecorded()).toMatchObject({ purpose: 'HPAYMT', relationship: 'none' });
  const paid = (await open()).filter(({ purpose }: Json) => purpose === 'HPAYMT');
  expect(paid).toMatchObject([{ patient: 'none', times: 1 }]);
  expect((await hub.send('POST', '/api/unproven/review', { ...review, purpose: 'HPAYMT' }, officer)).status).toBe(204);
});

it('hides where it is required what is not proven, by every way alike, until somebody attests it', async () => {
  await rule({ mode: 'require', ...window });
  const as = await clinician();
  const proven = ['booked', 'literal', 'referred', 'share', 'team', 'visit'];
  const { json } = await hub.get('/fhir/Observation?code=x1&_total=accurate', as);
  expect(json.entry.map(({ resource }: Json) => resource.id).sort()).toEqual(proven);
  expect(json.total).toBe(proven.length);
  for (const id of reasons) {
    const status = proven.includes(id) ? 200 : 404;
    expect([id, (await hub.get(`/fhir/Observation/${id}`, as)).status]).toEqual([id, status]);
    const everything = (await hub.get(`/fhir/Patient/${id}/$everything`, as)).json;
    const types = new Set(everything.entry.map(({ resource }: Json) => resource.resourceType));
    expect([id, types.has('Observation')]).toEqual([id, proven.includes(id)]);
    expect((await hub.get(`/fhir/Patient/${id}/Observation`, as)).json.entry?.length ?? 0).toBe(status === 200 ? 1 : 0);
  }
  const found = await hub.get('/fhir/Patient?_has:Observation:patient:code=x1', as);
  expect(found.json.entry.map(({ resource }: Json) => resource.id).sort()).toEqual(proven);
  const hidden = await hub.get('/fhir/Observation/attested', as);
  const absent = await hub.get('/fhir/Observation/absent1', as);
  expect(hidden.text.replaceAll('attested', 'absent1')).toBe(absent.text);

  expect((await hub.get('/api/relationship?patient=attested', as)).json).toEqual({ mode: 'require', proof: 'none' });
  const attest = (reason: string, options: object) =>
    hub.send('POST', '/api/attestations', { patient: 'attested', reason }, options);
  expect((await attest('short', as)).status).toBe(400);
  expect((await attest('She is sent to us by phone.', officer)).status).toBe(403);
  expect((await attest('She is sent to us by phone.', as)).status).toBe(201);
  expect((await hub.get('/fhir/Observation/attested', as)).status).toBe(200);
  expect(await lastRecorded()).toMatchObject({ relationship: 'attestation', patients: ['attested'] });
  expect((await hub.get('/api/relationship?patient=attested', as)).json.proof).toBe('attestation');
  // Who treats nobody is not asked.
  const steward = await hub.get('/fhir/Observation/none', { role: 'steward' });
  expect(steward.status).toBe(200);
  expect((await hub.get('/fhir/Observation/none', await clinician('HPAYMT'))).status).toBe(200);
});

it('is asked for payment and operations where the network decides so, each with its own proof', async () => {
  await hub.send('PUT', '/api/participants/payer', { name: 'Payer', kind: 'hospital' });
  const payor = { identifier: { system: 'urn:causeway:participant', value: 'payer' } };
  const coverage = (id: string, over: object = {}) =>
    created('Coverage', `paid-${id}`, {
      status: 'active',
      beneficiary: { reference: `Patient/${id}` },
      payor: [payor],
      ...over,
    });
  await coverage('none');
  await coverage('old', { period: { start: day(-900) } });
  await coverage('booked', { period: { start: day(-900), end: day(-800) } });
  await coverage('cancelled', { status: 'cancelled' });
  await rule({ mode: 'require', purposes: ['TREAT', 'HPAYMT', 'HOPERAT'], ...window });
  const seen = async (purpose: string, organization: string) => {
    const { json } = await hub.get('/fhir/Observation?code=x1', await clinician(purpose, organization));
    return (json.entry ?? []).map(({ resource }: Json) => resource.id).sort();
  };
  expect(await seen('TREAT', 'payer')).toEqual([]);
  expect(await seen('HPAYMT', 'payer')).toEqual(['none', 'old']);
  expect(await seen('HOPERAT', 'payer')).toEqual(['none', 'old']);
  expect(await seen('HPAYMT', 'north')).toEqual(['literal', 'share', 'visit']);
  expect(await seen('HOPERAT', 'north')).toEqual(['booked', 'literal', 'referred', 'share', 'team', 'visit']);
  // What a clinician said of it is for treatment.
  expect(await seen('TREAT', 'north')).toContain('attested');
  expect((await hub.get('/fhir/Observation/none', await clinician('HPAYMT', 'payer'))).status).toBe(200);
  const recorded = (await accessesOf(hub)).findLast(({ who }) => who === 'site:payer');
  expect(recorded).toMatchObject({ purpose: 'HPAYMT', relationship: 'coverage' });
  const attested = { patient: 'none', reason: 'We pay for her, after all.' };
  expect((await hub.send('POST', '/api/attestations', attested, await clinician('HPAYMT', 'payer'))).status).toBe(403);
});

it('is proven by a record that the organisation itself sent of the person', async () => {
  await rule({ mode: 'require', ...window });
  const authorization = `Bearer ${await hub.token('system', 'site:north')}`;
  const message = [
    'MSH|^~\\&|ADT|NORTH|HUB|HUB|20260101120000||ADT^A01|N1|P|2.5.1',
    'PID|1||77^^^NORTH||Own^Person||19700101|F',
    'PV1|1|I',
    'DG1|1||I10^Hypertension^I10||20260101|A',
  ].join('\r');
  const options = { headers: { authorization, 'content-type': 'application/hl7-v2' } };
  expect((await hub.send('POST', '/hl7', message, options)).text).toContain('MSA|AA|N1');
  await hub.settled();
  const found = await hub.get('/fhir/Condition?code=I10', await clinician());
  expect(found.json.entry).toHaveLength(1);
  expect(await lastRecorded()).toMatchObject({ relationship: 'own' });
});
