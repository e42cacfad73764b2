import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type Answer, type Json, startTestHub, type TestHub } from '../testing.ts';
import { Accounts, Bindings, EmergencyLookups } from '../trust/index.ts';

let hub: TestHub;
let ann: string;
let pia: string;
const password = 'a-password-of-hers';
const reason = 'Found unconscious in the street.';

beforeAll(async () => {
  hub = await startTestHub();
  const accounts = new Accounts(hub.test.database);
  for (const [username, role] of [
    ['ann', 'clinician'],
    ['ben', 'clinician'],
    ['eve', 'steward'],
    ['pia', 'privacy-officer'],
    ['pat', 'patient'],
  ] as const) {
    await accounts.make({ username, name: username, role, organization: 'Clinic' }, password);
  }
  ann = await signIn('ann');
  pia = await signIn('pia');
  for (const id of ['one', 'two']) {
    await put({ resourceType: 'Patient', id, name: [{ family: id }] });
    await put(condition(`${id}-plain`, id));
    await put(condition(`${id}-part2`, id, '42CFRPart2'));
    await put(condition(`${id}-notes`, id, 'PSYTHPN'));
  }
  await put({
    resourceType: 'Consent',
    id: 'refusal',
    status: 'active',
    scope: { coding: [{ code: 'patient-privacy' }] },
    category: [{ text: 'x' }],
    patient: { reference: 'Patient/one' },
    policyRule: { coding: [{ code: 'OPTOUT' }] },
  });
});
afterAll(() => hub.stop());

const put = (resource: Json) => hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
const condition = (id: string, patient: string, code?: string) => ({
  resourceType: 'Condition',
  id,
  ...(code ? { meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code }] } } : {}),
  subject: { reference: `Patient/${patient}` },
  code: { text: 'x' },
});

async function signIn(username: string): Promise<string> {
  const { headers } = await hub.send('POST', '/auth/login', { username, password }, { role: null });
  return headers.get('set-cookie')!.split(';')[0]!;
}

function as(cookie: string, method: string, path: string, body?: object, emergency?: string): Promise<Answer> {
  const named: Record<string, string> = emergency ? { 'x-emergency-access': emergency } : {};
  return hub.send(method, path, body, { role: null, headers: { cookie, 'sec-fetch-site': 'same-origin', ...named } });
}

const begin = (cookie: string, more: object = {}) =>
  as(cookie, 'POST', '/api/emergency', { patient: 'one', reasonCode: 'unconscious', reason, password, ...more });

const conditions = async (cookie: string, emergency?: string) =>
  ((await as(cookie, 'GET', '/fhir/Condition', undefined, emergency)).json.entry ?? [])
    .map(({ resource }: Json) => resource.id)
    .sort();

async function logged(action: string): Promise<Json[]> {
  return (await accessesOf(hub)).filter((access) => access.action === action);
}

describe('a look-up for an emergency', () => {
  const look = (cookie: string, asked: object) => as(cookie, 'POST', '/api/emergency/lookup', asked);
  const zoe = { family: 'Zürcher', given: 'Zoë', birthDate: '1990-05-06' };

  it('finds who closed everything, by a whole name with the birth date or by an identifier, and tells who it is alone', async () => {
    const identifier = [{ system: 'urn:n', value: 'Z-4711,1' }];
    const name = [{ family: 'Zürcher', given: ['Zoë', 'Ann'] }];
    const address = [{ city: 'Secretville' }];
    await put({
      resourceType: 'Patient',
      id: 'zoe',
      name,
      birthDate: zoe.birthDate,
      gender: 'female',
      identifier,
      address,
    });
    await put({
      resourceType: 'Consent',
      id: 'zoe-closed',
      status: 'active',
      scope: { coding: [{ code: 'patient-privacy' }] },
      category: [{ text: 'x' }],
      patient: { reference: 'Patient/zoe' },
      policyRule: { coding: [{ code: 'OPTOUT' }] },
    });
    expect((await as(ann, 'GET', '/fhir/Patient?family=Zürcher')).json.entry ?? []).toEqual([]);
    const person = {
      id: 'zoe',
      name: [{ family: 'Zürcher', given: ['Zoë', 'Ann'] }],
      birthDate: '1990-05-06',
      gender: 'female',
    };
    for (const asked of [
      zoe,
      { ...zoe, family: 'ZURCHER', given: 'zoe' },
      { identifier: 'Z-4711,1' },
      { identifier: 'urn:n|Z-4711,1' },
    ]) {
      const found = await look(ann, asked);
      expect(found.json, JSON.stringify(asked)).toEqual({ isTooMany: false, persons: [person] });
    }
    for (const asked of [
      { ...zoe, family: 'Zür' },
      { ...zoe, given: 'Z' },
      { ...zoe, birthDate: '1990-05-07' },
      { identifier: 'Z-4711' },
    ]) {
      expect((await look(ann, asked)).json, JSON.stringify(asked)).toEqual({ isTooMany: false, persons: [] });
    }
    for (const wrong of [{ ...zoe, birthDate: '1990' }, { ...zoe, given: undefined }, { identifier: 'Z' }, {}]) {
      expect((await look(ann, wrong)).status, JSON.stringify(wrong)).toBe(400);
    }
    for (const who of ['eve', 'pia']) expect((await look(await signIn(who), zoe)).status, who).toBe(403);
    expect((await logged('emergency-lookup'))[0]).toMatchObject({ who: 'ann', patients: ['zoe'], status: 200 });
    expect(await conditions((await begin(ann, { patient: 'zoe' })).json.id)).toEqual([]);
  });

  it('after which no emergency access begins is told to the privacy officers, once; and twenty an hour are the most', async () => {
    const lookups = new EmergencyLookups(hub.test.database);
    const told = async () =>
      (await as(pia, 'GET', '/api/notices')).json.notices.filter(
        ({ kind }: Json) => kind === 'emergency-lookup-unused',
      );
    await lookups.settle();
    expect(await told()).toEqual([]);
    const { rows } = await hub.test.database.query('SELECT count(*) AS count FROM emergency_lookup WHERE found = $1', [
      ['zoe'],
    ]);
    await hub.test.database.query(`UPDATE emergency_access SET begun = begun - interval '31 minutes'`);
    await hub.test.database.query(`UPDATE emergency_lookup SET at = at - interval '31 minutes'`);
    await lookups.settle();
    await lookups.settle();
    const notices = await told();
    expect(rows[0]!.count).toBe(4);
    expect(notices).toHaveLength(4);
    expect(notices.every(({ about }: Json) => about.by === 'ann' && about.patients.length === 0)).toBe(true);
    const statuses = [];
    for (let i = 0; i < 20; i++) statuses.push((await look(ann, zoe)).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([200, 429]);
  });
});

describe('an emergency access', () => {
  it('lifts refusals and what needs permission, of one person, and never psychotherapy notes', async () => {
    expect(await conditions(ann)).toEqual(['two-plain']);
    const begun = await begin(ann);
    expect(begun.status, begun.text).toBe(201);
    const { id, begun: from, ends } = begun.json;
    expect(Date.parse(ends) - Date.parse(from)).toBeLessThanOrEqual(60 * 60_000);
    expect(await conditions(ann, id)).toEqual(['one-part2', 'one-plain']);
    expect((await as(ann, 'GET', '/fhir/Condition/one-part2', undefined, id)).status).toBe(200);
    for (const hidden of ['Condition/one-notes', 'Condition/two-plain', 'Condition/two-part2', 'Patient/two']) {
      expect((await as(ann, 'GET', `/fhir/${hidden}`, undefined, id)).status, hidden).toBe(404);
    }
    // Without the header she is who she was.
    expect(await conditions(ann)).toEqual(['two-plain']);
    expect((await as(ann, 'GET', '/api/emergency')).json.underWay).toMatchObject({ id, patient: 'one' });
  });

  it('is recorded with each access under it, and told to the privacy officers and the patient', async () => {
    const [last] = (await logged('emergency-begin')).slice(-1);
    expect(last).toMatchObject({ who: 'ann', reason, patients: ['one'], status: 201, purpose: 'ETREAT' });
    const reads = (await logged('read')).filter(({ emergency }) => emergency !== undefined);
    expect(reads.length).toBeGreaterThan(3);
    expect(new Set(reads.map(({ purpose }) => purpose))).toEqual(new Set(['ETREAT']));
    const { notices } = (await as(pia, 'GET', '/api/notices')).json;
    expect(notices[0]).toMatchObject({ kind: 'emergency-begun', isRead: false, about: { patient: 'one', reason } });
    await as(pia, 'POST', '/api/notices/read', { ids: [notices[0].id] });
    expect((await as(pia, 'GET', '/api/notices')).json.notices[0].isRead).toBe(true);
    expect((await as(ann, 'GET', '/api/notices')).json.notices).toEqual([]);
    const { rows } = await hub.test.database.query(`SELECT kind FROM notice WHERE recipient = 'patient:one'`);
    expect(rows).toEqual([{ kind: 'emergency-begun' }]);
  });

  it('is told to the account of the person, while it is bound, and to no other', async () => {
    const pat = await signIn('pat');
    const told = async () => (await as(pat, 'GET', '/api/notices')).json.notices;
    expect(await told()).toEqual([]);
    const bound = { username: 'pat', relation: 'self', proofing: 'in-person', evidence: 'x', by: 'x' } as const;
    const id = '019a0000-0000-7000-8000-000000000001';
    const bindings = new Bindings(hub.test.database);
    await bindings.bind({ ...bound, id, patient: 'one', until: undefined });
    expect(await told()).toMatchObject([{ kind: 'emergency-begun', isRead: false, about: { patient: 'one' } }]);
    await as(pat, 'POST', '/api/notices/read', { ids: [(await told())[0].id] });
    expect((await told())[0].isRead).toBe(true);
    await bindings.end(id, 'x');
    expect(await told()).toEqual([]);
  });

  it('goes on when consents cannot be read', async () => {
    const { id } = (await begin(ann)).json;
    await hub.test.database.query('ALTER TABLE consent_provision RENAME TO consent_provision_gone');
    try {
      expect(await conditions(ann, id)).toEqual(['one-part2', 'one-plain']);
      expect((await as(ann, 'GET', '/fhir/Condition')).status).toBeGreaterThanOrEqual(500);
    } finally {
      await hub.test.database.query('ALTER TABLE consent_provision_gone RENAME TO consent_provision');
    }
  });

  it('is for those who may, who prove who they are and say why', async () => {
    const eve = await signIn('eve');
    expect((await begin(eve)).status).toBe(403);
    expect((await begin(ann, { password: 'wrong' })).status).toBe(403);
    expect((await begin(ann, { reason: 'why' })).status).toBe(400);
    expect((await begin(ann, { reasonCode: 'curious' })).status).toBe(400);
    expect((await begin(ann, { patient: 'nobody' })).status).toBe(404);
    await hub.test.database.query(`UPDATE account SET may_emergency = false WHERE username = 'ben'`);
    const ben = await signIn('ben');
    expect((await begin(ben)).status).toBe(403);
    const { id } = (await begin(ann)).json;
    expect((await as(ben, 'GET', '/fhir/Condition', undefined, id)).status).toBe(403);
    expect((await as(ann, 'GET', '/fhir/Condition', undefined, 'nonsense')).status).toBe(403);
    expect(
      (await hub.send('POST', '/api/emergency', { patient: 'one', reasonCode: 'other', reason, password })).status,
    ).toBe(403);
  });

  it('counts wrong passwords as attempts to sign in', async () => {
    const eve = await signIn('eve');
    await hub.test.database.query(`UPDATE account SET role = 'clinician' WHERE username = 'eve'`);
    for (let i = 0; i < 5; i++) await begin(eve, { password: 'wrong' });
    expect((await begin(eve)).status).toBe(429);
    expect((await hub.send('POST', '/auth/login', { username: 'eve', password }, { role: null })).status).toBe(429);
  });

  it('ends when it is ended, when another begins, and with its time', async () => {
    const first = (await begin(ann)).json.id;
    const second = (await begin(ann, { patient: 'two' })).json.id;
    expect((await as(ann, 'GET', '/fhir/Condition', undefined, first)).status).toBe(403);
    expect(await conditions(ann, second)).toEqual(['two-part2', 'two-plain']);
    expect((await as(ann, 'DELETE', `/api/emergency/${second}`)).status).toBe(204);
    expect((await as(ann, 'GET', '/fhir/Condition', undefined, second)).status).toBe(403);
    const third = (await begin(ann)).json.id;
    await hub.test.database.query(`UPDATE emergency_access SET ends = now() WHERE id = $1`, [third]);
    expect((await as(ann, 'GET', '/fhir/Condition', undefined, third)).status).toBe(403);
    expect((await logged('emergency-end')).length).toBe(1);
  });
});

describe('the review of emergency accesses', () => {
  it('lists the oldest first, is decided once, by somebody else, and told', async () => {
    const { json } = await as(pia, 'GET', '/api/emergencies');
    const [oldest] = json.emergencies;
    expect(json.open).toBe(json.emergencies.length);
    const times = json.emergencies.map(({ begun }: Json) => begun);
    expect(times).toEqual([...times].sort());
    expect((await as(ann, 'GET', '/api/emergencies')).status).toBe(403);
    const review = (cookie: string, body: object) => as(cookie, 'POST', `/api/emergencies/${oldest.id}/review`, body);
    expect((await review(ann, { verdict: 'appropriate', comment: 'mine' })).status).toBe(403);
    expect((await review(pia, { verdict: 'fine', comment: 'x' })).status).toBe(400);
    const reviewed = await review(pia, { verdict: 'inappropriate', comment: 'Nobody was in danger.' });
    expect(reviewed.json.review).toMatchObject({ verdict: 'inappropriate', by: 'pia' });
    expect((await review(pia, { verdict: 'appropriate', comment: 'x' })).status).toBe(404);
    expect((await as(pia, 'GET', '/api/emergencies?state=reviewed')).json.emergencies).toHaveLength(1);
    expect((await as(ann, 'GET', '/api/notices')).json.notices[0]).toMatchObject({ kind: 'emergency-reviewed' });
    await hub.test.database.query(
      `UPDATE emergency_access SET begun = now() - interval '80 hours' WHERE verdict IS NULL`,
    );
    expect((await as(pia, 'GET', '/api/emergencies')).json.overdue).toBe(json.open - 1);
  });
});
