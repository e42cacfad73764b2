import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { newId, ridOf } from '../record/index.ts';
import { type Answer, type Json, startTestHub, type TestHub } from '../testing.ts';
import { oneHuman } from '../testing-patients.ts';
import { Accounts, Bindings, type Relation } from '../trust/index.ts';

let hub: TestHub;
let pat: string;
let pia: string;
let site: string;
const password = 'a-password-of-theirs';
const sensitive = { system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'B20' };

beforeAll(async () => {
  hub = await startTestHub();
  const accounts = new Accounts(hub.test.database);
  for (const [username, role] of [
    ['pat', 'patient'],
    ['cara', 'proxy'],
    ['pia', 'privacy-officer'],
    ['ann', 'clinician'],
  ] as const) {
    await accounts.make({ username, name: username, role, organization: 'Clinic' }, password);
  }
  for (const key of ['harbor', 'millbrook']) {
    expect((await hub.send('PUT', `/api/participants/${key}`, { name: key, kind: 'hospital' })).status).toBeLessThan(
      300,
    );
  }
  for (const id of ['p', 'q']) {
    await put({ resourceType: 'Patient', id, name: [{ family: id }] });
    await put({
      resourceType: 'Condition',
      id: `${id}-plain`,
      subject: { reference: `Patient/${id}` },
      code: { text: 'x' },
    });
    const code = { coding: [sensitive] };
    await put({ resourceType: 'Condition', id: `${id}-hiv`, subject: { reference: `Patient/${id}` }, code });
  }
  const bindings = new Bindings(hub.test.database);
  const bound = { proofing: 'in-person', evidence: 'x', by: 'x', until: undefined } as const;
  await bindings.bind({
    ...bound,
    id: '019a0000-0000-7000-8000-000000000001',
    username: 'pat',
    patient: 'p',
    relation: 'self',
  });
  await bindings.bind({
    ...bound,
    id: '019a0000-0000-7000-8000-000000000002',
    username: 'cara',
    patient: 'p',
    relation: 'carer',
  });
  [pat, pia] = [await signIn('pat'), await signIn('pia')];
  site = await hub.token('system', 'site:harbor');
});
afterAll(() => hub.stop());

const put = async (resource: Json) =>
  expect((await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource)).status).toBeLessThan(300);

async function signIn(username: string): Promise<string> {
  const answer = await hub.send('POST', '/auth/login', { username, password }, { role: null });
  return answer.headers.get('set-cookie')!.split(';')[0]!;
}

function as(cookie: string, method: string, path: string, body?: object): Promise<Answer> {
  return hub.send(method, path, body, { role: null, headers: { cookie, 'sec-fetch-site': 'same-origin' } });
}

/** The Conditions that the clinicians' system of a participant is given. */
async function seenBy(token = site): Promise<string[]> {
  const { json } = await hub.get('/fhir/Condition', { role: null, headers: { authorization: `Bearer ${token}` } });
  return (json.entry ?? []).map(({ resource }: Json) => resource.id).sort();
}

const file = (cookie: string, choice: object, more: object = {}, patient = 'p') =>
  as(cookie, 'POST', `/api/patients/${patient}/consents`, { choice, ...more });

const bindCara = (patient: string, relation: Relation) =>
  new Bindings(hub.test.database).bind({
    ...{ id: newId(), username: 'cara', patient, relation, proofing: 'in-person' },
    ...{ evidence: 'x', by: 'x', until: undefined },
  });

describe('a person’s own choice', () => {
  it('holds from the commit on, and no more once it is revoked', async () => {
    const everything = ['p-hiv', 'p-plain', 'q-hiv', 'q-plain'];
    expect(await seenBy()).toEqual(everything);
    const filed = await file(pat, { effect: 'deny', organizations: ['harbor'], kinds: ['hiv'] });
    expect(filed.status, filed.text).toBe(201);
    expect(await seenBy()).toEqual(['p-plain', 'q-hiv', 'q-plain']);
    expect(await seenBy(await hub.token('system', 'site:millbrook'))).toEqual(everything);
    const list = (await as(pat, 'GET', '/api/patients/p/consents')).json.consents;
    expect(list).toMatchObject([{ id: filed.json.id, status: 'active', choice: { effect: 'deny', kinds: ['hiv'] } }]);
    expect((await as(pat, 'DELETE', `/api/patients/p/consents/${filed.json.id}`)).status).toBe(204);
    expect(await seenBy()).toEqual(everything);
    expect((await as(pat, 'GET', '/api/patients/p/consents')).json.consents[0].status).toBe('inactive');
  });

  it('with an exception leaves what the exception says', async () => {
    const exceptions = [{ effect: 'permit', organizations: ['harbor'], purposes: ['TREAT'] }];
    const { json } = await file(pat, { effect: 'deny', exceptions });
    expect(await seenBy()).toContain('p-plain');
    expect(await seenBy(await hub.token('system', 'site:millbrook'))).toEqual(['q-hiv', 'q-plain']);
    await as(pat, 'DELETE', `/api/patients/p/consents/${json.id}`);
  });

  it('opens all but a kind of data to those who treat, and that kind to nobody', async () => {
    const treating = { effect: 'permit', purposes: ['TREAT'], exceptions: [{ effect: 'deny', kinds: ['hiv'] }] };
    const { json } = await file(pat, { effect: 'deny', exceptions: [treating] });
    expect(json.choice).toEqual({ effect: 'deny', exceptions: [treating] });
    expect(await seenBy()).toEqual(['p-plain', 'q-hiv', 'q-plain']);
    await as(pat, 'DELETE', `/api/patients/p/consents/${json.id}`);
  });

  it('takes the place of others in one transaction, or of none where one of them is not the person’s', async () => {
    const old = (await file(pat, { effect: 'deny', organizations: ['harbor'] })).json.id;
    const active = async () =>
      (await as(pat, 'GET', '/api/patients/p/consents')).json.consents
        .filter(({ status }: Json) => status === 'active')
        .map(({ id }: Json) => id);
    const choice = { effect: 'deny', organizations: ['harbor'], kinds: ['hiv'] };
    for (const replaces of [[old, 'none'], 'all', [1]]) {
      expect((await file(pat, choice, { replaces })).status).toBeGreaterThanOrEqual(400);
      expect(await active()).toEqual([old]);
    }
    const filed = await file(pat, choice, { replaces: [old] });
    expect(filed.status, filed.text).toBe(201);
    expect(await active()).toEqual([filed.json.id]);
    const { rows } = await hub.test.database.query(
      `SELECT count(DISTINCT updated) AS n FROM resource WHERE rid IN ($1, $2)`,
      [old, filed.json.id],
    );
    expect(rows[0]!.n).toBe(1);
    await as(pat, 'DELETE', `/api/patients/p/consents/${filed.json.id}`);
  });

  it('is filed with the Patient that the account is bound to, by whichever id of the person it is asked', async () => {
    for (const id of ['same-1', 'same-2']) await put({ resourceType: 'Patient', id, ...oneHuman('Same') });
    const { rows } = await hub.test.database.query(
      `UPDATE link SET grade = 'confirmed' WHERE patient = ANY($1) RETURNING presented`,
      [['same-1', 'same-2'].map(ridOf)],
    );
    await bindCara('same-2', 'guardian');
    const filed = await file(await signIn('cara'), { effect: 'deny', purposes: ['HRESCH'] }, {}, rows[0]!.presented);
    expect(filed.status, filed.text).toBe(201);
    const { rows: homes } = await hub.test.database.query(
      'SELECT rid FROM patient_home WHERE home = (SELECT home FROM resource WHERE rid = $1)',
      [filed.json.id],
    );
    expect(homes.map(({ rid }) => rid)).toEqual([ridOf('same-2')]);
  });

  it('of a child is a parent’s until the child is grown', async () => {
    const parent = await signIn('cara');
    const bornYearsAgo = (years: number) => `${new Date().getUTCFullYear() - years}-01-01`;
    const choice = { effect: 'deny', purposes: ['HRESCH'] };
    for (const [id, years, status] of [
      ['child', 12, 201],
      ['grown', 19, 404],
    ] as const) {
      await put({ resourceType: 'Patient', id, birthDate: bornYearsAgo(years) });
      await bindCara(id, 'parent');
      expect((await file(parent, choice, {}, id)).status, id).toBe(status);
    }
    // As a carer of the grown child it sees the record, and decides nothing.
    await bindCara('grown', 'carer');
    expect((await file(parent, choice, {}, 'grown')).status).toBe(403);
  });

  it('is shown beforehand: the counts of the preview are those of what an organisation is given', async () => {
    const { json } = await file(pat, { effect: 'deny', organizations: ['harbor'], kinds: ['hiv'] });
    const preview = (await as(pat, 'GET', '/api/patients/p/consent-preview?organization=harbor')).json;
    expect(preview.types).toEqual(
      expect.arrayContaining([
        { type: 'Condition', all: 2, visible: 1 },
        { type: 'Patient', all: 1, visible: 1 },
      ]),
    );
    const other = (await as(pat, 'GET', '/api/patients/p/consent-preview?organization=millbrook')).json;
    expect(other.types).toContainEqual({ type: 'Condition', all: 2, visible: 2 });
    expect((await as(pat, 'GET', '/api/patients/p/consent-preview?organization=nobody')).status).toBe(400);
    await as(pat, 'DELETE', `/api/patients/p/consents/${json.id}`);
  });

  it('is shown before it is filed as it is afterwards', async () => {
    const sorted = ({ types }: Json) => types.toSorted((a: Json, b: Json) => (a.type < b.type ? -1 : 1));
    const treating = { effect: 'permit', purposes: ['TREAT'], exceptions: [{ effect: 'deny', kinds: ['hiv'] }] };
    for (const choice of [
      { effect: 'deny' },
      { effect: 'deny', organizations: ['harbor'], kinds: ['hiv'] },
      { effect: 'deny', exceptions: [treating] },
      { effect: 'deny', exceptions: [{ effect: 'permit', days: { from: '2020-01-01' } }] },
    ]) {
      const body = { organization: 'harbor', choice };
      const before = await as(pat, 'POST', '/api/patients/p/consent-preview', body);
      const { json } = await file(pat, choice);
      const after = await as(pat, 'GET', '/api/patients/p/consent-preview?organization=harbor');
      expect(sorted(before.json), JSON.stringify(choice)).toEqual(sorted(after.json));
      await as(pat, 'DELETE', `/api/patients/p/consents/${json.id}`);
    }
    const elsewhere = await as(pat, 'POST', '/api/patients/q/consent-preview', {
      organization: 'harbor',
      choice: { effect: 'deny' },
    });
    expect(elsewhere.status).toBe(404);
  });

  it('is the person’s alone', async () => {
    const deny = { effect: 'deny' };
    expect((await file(pat, deny, {}, 'q')).status).toBe(404);
    expect((await file(await signIn('cara'), deny)).status).toBe(403);
    expect((await file(await signIn('ann'), deny)).status).toBe(403);
    expect((await file(pat, { effect: 'perhaps' })).status).toBe(400);
    expect((await file(pat, { effect: 'deny', organizations: ['nobody'] })).status).toBe(400);
    const token = { role: null, headers: { authorization: `Bearer ${site}` } };
    expect((await hub.send('POST', '/api/patients/p/consents', { choice: deny }, token)).status).toBe(403);
  });
});

describe('staff', () => {
  it('file and revoke what a person said, with evidence, and not without', async () => {
    const choice = { effect: 'deny', organizations: ['harbor'] };
    expect((await file(pia, choice)).status).toBe(400);
    const filed = await file(pia, choice, { evidence: 'Signed form of today.' });
    expect(filed.json).toMatchObject({ status: 'active', evidence: 'Signed form of today.' });
    expect(await seenBy()).toEqual(['q-hiv', 'q-plain']);
    const address = `/api/patients/p/consents/${filed.json.id}`;
    expect((await as(pia, 'DELETE', address.replace('/p/', '/q/'), { evidence: 'x' })).status).toBe(404);
    expect((await as(pia, 'DELETE', address, { evidence: 'Said so by telephone.' })).status).toBe(204);
    expect(await seenBy()).toContain('p-plain');
    const changes = (await accessesOf(hub)).filter(
      ({ action, who, status }) => /^(file|revoke)-consent$/.test(action) && who === 'pia' && status < 300,
    );
    expect(changes.map(({ action }) => action)).toEqual(['file-consent', 'revoke-consent']);
  });
});
