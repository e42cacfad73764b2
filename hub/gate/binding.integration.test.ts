import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Json, startTestHub, type TestHub } from '../testing.ts';
import { oneHuman } from '../testing-patients.ts';
import { Accounts, Bindings } from '../trust/index.ts';

let hub: TestHub;
let sue: string;
const password = 'a-password-of-theirs';

beforeAll(async () => {
  hub = await startTestHub();
  const accounts = new Accounts(hub.test.database);
  for (const [username, role] of [
    ['sue', 'steward'],
    ['pat', 'patient'],
    ['mum', 'proxy'],
  ] as const) {
    await accounts.make({ username, name: username, role, organization: 'Clinic' }, password);
  }
  sue = await signIn('sue');
  const number = [{ system: 'urn:n', value: 'N-12345678' }];
  for (const [id, more] of [
    ['pat-1', { ...oneHuman('Pat'), identifier: [...(oneHuman('Pat') as Json).identifier, ...number] }],
    ['pat-2', oneHuman('Pat')],
    ['child', { birthDate: birthDateOfAge(12) }],
    ['grown', { birthDate: birthDateOfAge(18) }],
    ['other', {}],
  ] as const) {
    await put({ resourceType: 'Patient', id, ...more });
    await put({
      resourceType: 'Condition',
      id: `of-${id}`,
      subject: { reference: `Patient/${id}` },
      code: { text: 'x' },
    });
  }
});
afterAll(() => hub.stop());

const put = async (resource: Json) => {
  const answer = await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  expect(answer.status, answer.text).toBeLessThan(300);
};

function birthDateOfAge(years: number): string {
  const today = new Date().toISOString().slice(0, 10);
  return `${Number(today.slice(0, 4)) - years}${today.slice(4)}`;
}

async function signIn(username: string, given = password): Promise<string> {
  const answer = await hub.send('POST', '/auth/login', { username, password: given }, { role: null });
  return answer.headers.get('set-cookie')!.split(';')[0]!;
}

function as(cookie: string, method: string, path: string, body?: object): Promise<Answer> {
  return hub.send(method, path, body, { role: null, headers: { cookie, 'sec-fetch-site': 'same-origin' } });
}

const bind = (patient: string, username: string, relation: string) =>
  as(sue, 'POST', `/api/patients/${patient}/bindings`, { username, relation, evidence: 'Saw the passport.' });

const seen = async (cookie: string) =>
  ((await as(cookie, 'GET', '/fhir/Condition')).json.entry ?? []).map(({ resource }: Json) => resource.id).sort();

describe('an account of a patient', () => {
  it('sees nothing before it is bound, then its own, and of automatic links nothing until they are confirmed', async () => {
    const pat = await signIn('pat');
    expect(await seen(pat)).toEqual([]);
    const bound = await bind('pat-1', 'pat', 'self');
    expect(bound.status, bound.text).toBe(201);
    expect(await seen(pat)).toEqual(['of-pat-1']);
    const { rows } = await hub.test.database.query(
      'SELECT count(DISTINCT person) AS persons, count(*) AS all FROM link WHERE patient IN (SELECT rid FROM patient_home)',
    );
    expect(rows[0]!.persons).toBeLessThan(rows[0]!.all);
    for (const hidden of ['Condition/of-pat-2', 'Condition/of-other', 'Patient/other']) {
      expect((await as(pat, 'GET', `/fhir/${hidden}`)).status, hidden).toBe(404);
    }
    await hub.test.database.query(`UPDATE link SET grade = 'confirmed' WHERE presented IS NOT NULL`);
    expect(await seen(pat)).toEqual(['of-pat-1', 'of-pat-2']);
    expect((await as(pat, 'POST', '/fhir/Condition', { resourceType: 'Condition' })).status).toBe(403);
  });

  it('is bound to what one source says of a person, not to the person as it is shown', async () => {
    const { rows } = await hub.test.database.query('SELECT presented FROM link WHERE presented IS NOT NULL LIMIT 1');
    const shown = rows[0]!.presented;
    expect((await hub.get(`/fhir/Patient/${shown}`)).status).toBe(200);
    expect((await bind(shown, 'pat', 'self')).status).toBe(409);
    const invited = await as(sue, 'POST', `/api/patients/${shown}/invitations`, { relation: 'self' });
    expect(invited.status).toBe(409);
  });

  it('sees nothing any more once the binding is ended, by itself or by staff', async () => {
    const pat = await signIn('pat');
    const [{ id }] = (await as(pat, 'GET', '/api/bindings')).json.bindings;
    const mum = await signIn('mum');
    expect((await as(mum, 'DELETE', `/api/bindings/${id}`)).status).toBe(404);
    expect((await as(pat, 'DELETE', `/api/bindings/${id}`)).status).toBe(204);
    expect(await seen(pat)).toEqual([]);
    expect((await as(pat, 'POST', '/api/patients/other/bindings', {})).status).toBe(403);
  });
});

describe('an account of a proxy', () => {
  it('sees a child’s record as a parent, not that of somebody of eighteen; as a guardian both, till the end that was set', async () => {
    const mum = await signIn('mum');
    await bind('child', 'mum', 'parent');
    await bind('grown', 'mum', 'parent');
    expect(await seen(mum)).toEqual(['of-child']);
    await bind('grown', 'mum', 'guardian');
    expect(await seen(mum)).toEqual(['of-child', 'of-grown']);
    await hub.test.database.query(`UPDATE account_person SET until = now() WHERE relation = 'guardian'`);
    expect(await seen(mum)).toEqual(['of-child']);
    expect((await bind('child', 'mum', 'self')).status).toBe(409);
    expect((await bind('child', 'sue', 'parent')).status).toBe(409);
  });

  it('is kept from what a rule withholds from proxies of that age', async () => {
    const mum = await signIn('mum');
    const coding = [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'F12.10' }];
    await put({ resourceType: 'Condition', id: 'teen', subject: { reference: 'Patient/child' }, code: { coding } });
    expect(await seen(mum)).toEqual(['of-child', 'teen']);
    const rule = (proxyFromAge: number) =>
      hub.test.database.query(`INSERT INTO network_policy (by_whom, reason, policy) VALUES ('t', 't', $1)`, [
        JSON.stringify({
          model: 'opt-out',
          zone: 'UTC',
          rules: [{ label: 'substanceUse', mode: 'withheld', proxyFromAge }],
        }),
      ]);
    await rule(13);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await seen(mum)).toEqual(['of-child', 'teen']);
    await rule(12);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await seen(mum)).toEqual(['of-child']);
  });
});

describe('an invitation', () => {
  const register = (more: object) =>
    hub.send(
      'POST',
      '/auth/register',
      { username: 'new', password, name: 'New', birthDate: '1980-02-03', number: '5678', ...more },
      { role: null },
    );

  it('binds an account of whoever has the code and knows two things of the person, once', async () => {
    const { code } = (await as(sue, 'POST', '/api/patients/pat-1/invitations', { relation: 'self' })).json;
    expect((await register({ code, birthDate: '1980-02-04' })).status).toBe(403);
    expect((await register({ code, number: '0000' })).status).toBe(403);
    expect((await register({ code: 'x' })).status).toBe(403);
    expect((await register({ code, password: 'short' })).status).toBe(400);
    expect((await register({ code, username: 'pat' })).status).toBe(409);
    const made = await register({ code });
    expect(made.status, made.text).toBe(201);
    expect((await register({ code, username: 'again' })).status).toBe(403);
    expect(await seen(await signIn('new'))).toContain('of-pat-1');
    const [binding] = await new Bindings(hub.test.database).of('new');
    expect(binding).toMatchObject({ patient: 'pat-1', relation: 'self', proofing: 'invitation', by: 'sue' });
    const { rows } = await hub.test.database.query(`SELECT count(*) AS count FROM invitation`);
    expect(rows[0]!.count).toBe(0);
  });

  it('binds nobody else’s account where two choose one name at one moment', async () => {
    const codes = await Promise.all(
      ['pat-1', 'pat-1'].map(async (id) => {
        return (await as(sue, 'POST', `/api/patients/${id}/invitations`, { relation: 'self' })).json.code as string;
      }),
    );
    const made = await Promise.all(codes.map((code) => register({ code, username: 'twice' })));
    expect(made.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(await new Bindings(hub.test.database).of('twice')).toHaveLength(1);
    // The code of the one who came second is still good.
    const left = codes[made.findIndex(({ status }) => status === 409)]!;
    expect((await register({ code: left, username: 'another' })).status).toBe(201);
  });

  it('is good for a few tries only', async () => {
    const { code } = (await as(sue, 'POST', '/api/patients/pat-1/invitations', { relation: 'self' })).json;
    for (let i = 0; i < 5; i++) expect((await register({ code, username: 'late', number: '0000' })).status).toBe(403);
    expect((await register({ code, username: 'late' })).status).toBe(403);
  });
});
