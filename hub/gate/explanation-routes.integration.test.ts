import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type Answer, type Json, startTestHub, type TestHub } from '../testing.ts';
import { Accounts, Bindings } from '../trust/index.ts';

let hub: TestHub;
const password = 'a-password-of-theirs';
const cookies = new Map<string, string>();
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

beforeAll(async () => {
  hub = await startTestHub();
  for (const key of ['harbor', 'millbrook']) {
    await hub.send('PUT', `/api/participants/${key}`, { name: `The ${key}`, kind: 'hospital', state: 'TX' });
  }
  const accounts = new Accounts(hub.test.database);
  for (const [username, role] of [
    ['pat', 'patient'],
    ['cara', 'proxy'],
    ['pia', 'privacy-officer'],
    ['ann', 'clinician'],
    ['sue', 'steward'],
  ] as const) {
    await accounts.make({ username, name: username, role, organization: 'harbor' }, password);
    const { headers } = await hub.send('POST', '/auth/login', { username, password }, { role: null });
    cookies.set(username, headers.get('set-cookie')!.split(';')[0]!);
  }
  for (const id of ['p', 'q']) {
    await put({ resourceType: 'Patient', id, name: [{ family: id }] });
    await put(condition(`${id}-plain`, id));
    await put(condition(`${id}-hiv`, id, 'HIV'));
    await put(condition(`${id}-part2`, id, '42CFRPart2'));
    await put(condition(`${id}-notes`, id, 'PSYTHPN'));
  }
  const bindings = new Bindings(hub.test.database);
  const bound = { proofing: 'in-person', evidence: 'x', by: 'x', until: undefined, patient: 'p' } as const;
  for (const [n, username, relation] of [
    [1, 'pat', 'self'],
    [2, 'cara', 'carer'],
  ] as const) {
    await bindings.bind({ ...bound, id: `019a0000-0000-7000-8000-00000000000${n}`, username, relation });
  }
});
afterAll(() => hub.stop());

const put = async (resource: Json) =>
  expect((await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource)).status).toBeLessThan(300);

const condition = (id: string, patient: string, code?: string) => ({
  resourceType: 'Condition',
  id,
  ...(code ? { meta: { security: [{ system: actCode, code }] } } : {}),
  subject: { reference: `Patient/${patient}` },
  code: { text: 'x' },
});

function as(who: string, method: string, path: string, body?: object): Promise<Answer> {
  const headers = { cookie: cookies.get(who)!, 'sec-fetch-site': 'same-origin' };
  return hub.send(method, path, body, { role: null, headers });
}

const ask = (who: string, query: string, patient = 'p') =>
  as(who, 'GET', `/api/persons/${patient}/access-explanation?${query}`);
const wordsOf = ({ json }: Answer, layer: string): string => json.layers.find((one: Json) => one.layer === layer).words;
const conditionsOf = ({ json }: Answer) => json.types.find(({ type }: Json) => type === 'Condition');

describe('the person', () => {
  it('is told what an organisation would see of its record, and by which of its own decisions it would not', async () => {
    const before = conditionsOf(await ask('pat', 'organization=harbor'));
    expect(before).toMatchObject({ all: 3, visible: 2 });
    expect(JSON.stringify(before.reasons)).toMatch(/Part 2.*no decision of the person gives it/);
    const { json: filed } = await as('pat', 'POST', '/api/patients/p/consents', {
      choice: { effect: 'deny', organizations: ['harbor'], kinds: ['hiv'] },
    });
    const after = conditionsOf(await ask('pat', 'organization=harbor'));
    expect(after).toMatchObject({ all: 3, visible: 1 });
    const today = new Date().toISOString().slice(0, 10);
    const refused = {
      words: `It is refused by the decision of ${today}, said by the person or who represents it.`,
      count: 1,
    };
    expect(after.reasons).toContainEqual(refused);
    expect(conditionsOf(await ask('pat', 'organization=millbrook'))).toMatchObject({ visible: 2 });
    const preview = (await as('pat', 'GET', '/api/patients/p/consent-preview?organization=harbor')).json;
    expect(preview.types).toContainEqual({ type: 'Condition', all: 3, visible: 1 });
    const one = await ask('pat', 'organization=harbor&resource=Condition/p-hiv');
    expect(one.json).toMatchObject({ isVisible: false, hiddenBy: 'refusal' });
    expect(one.json.layers.map(({ layer, passes }: Json) => [layer, passes])).toEqual([
      ['role', true],
      ['compartment', true],
      ['label', true],
      ['refusal', false],
      ['permission', true],
    ]);
    expect(wordsOf(one, 'label')).toBe('It is marked as HIV, which is not kept from them for treatment.');
    const emergency = await ask('pat', 'organization=harbor&emergency=true&resource=Condition/p-hiv');
    expect(emergency.json.isVisible).toBe(true);
    expect(wordsOf(emergency, 'refusal')).toBe('An emergency access goes on where the person refused.');
    await as('pat', 'DELETE', `/api/patients/p/consents/${filed.id}`);
  });

  it('hears nothing of what is withheld from itself, and nothing of others', async () => {
    const absent = await ask('pat', 'resource=Condition/none');
    const hidden = await ask('pat', 'resource=Condition/p-notes');
    expect([hidden.status, absent.status]).toEqual([404, 404]);
    expect(hidden.text.replace('p-notes', 'none')).toBe(absent.text);
    expect((await ask('pat', 'resource=Condition/q-plain')).status).toBe(404);
    expect((await ask('pat', '', 'q')).status).toBe(404);
  });

  it('is told alone: not a carer, not a steward, not a system', async () => {
    for (const who of ['cara', 'sue']) expect((await ask(who, '')).status, who).toBe(403);
    const authorization = `Bearer ${await hub.token('system', 'site:harbor')}`;
    const site = await hub.get('/api/persons/p/access-explanation', { role: null, headers: { authorization } });
    expect(site.status).toBe(403);
    for (const wrong of ['organization=nobody', 'role=king', 'purpose=fun', 'resource=Condition', 'resource=X/1']) {
      expect((await ask('pat', wrong)).status, wrong).toBe(400);
    }
  });
});

describe('a clinician', () => {
  it('is told why it sees what it sees, and cannot tell what is hidden from what is absent', async () => {
    const seen = await ask('ann', 'resource=Condition/p-hiv');
    expect(seen.json.isVisible, seen.text).toBe(true);
    expect(wordsOf(seen, 'role')).toBe('You may ask for records of this kind for treatment.');
    const hidden = await ask('ann', 'resource=Condition/p-part2');
    const absent = await ask('ann', 'resource=Condition/none');
    expect(hidden.status).toBe(404);
    expect(hidden.text.replace('p-part2', 'none')).toBe(absent.text);
    for (const query of [
      '',
      'organization=millbrook&resource=Condition/p-hiv',
      'emergency=true&resource=Condition/p-hiv',
    ]) {
      expect((await ask('ann', query)).status, query).toBe(403);
    }
    expect(seen.json.notice).toBe((await ask('pat', '')).json.notice);
  });
});

describe('a privacy officer', () => {
  it('is told of all that there is, by label, rule and consent, and the question is recorded', async () => {
    expect(conditionsOf(await ask('pia', 'organization=harbor'))).toMatchObject({ all: 4, visible: 2 });
    const notes = await ask('pia', 'organization=harbor&resource=Condition/p-notes');
    expect(notes.json).toMatchObject({ isVisible: false, hiddenBy: 'label' });
    expect(wordsOf(notes, 'label')).toBe('It is marked as psychotherapy notes, which is kept from them for treatment.');
    const rules = [{ label: 'hiv', mode: 'withheld', states: ['TX'], purposes: ['TREAT'] }];
    const policy = { version: 0, reason: 'New law.', policy: { model: 'opt-out', zone: 'UTC', rules } };
    expect((await as('pia', 'PUT', '/api/network-policy', policy)).status).toBe(200);
    const ruled = await ask('pia', 'organization=harbor&resource=Condition/p-hiv');
    expect(wordsOf(ruled, 'label')).toBe(
      'It is marked as HIV, which is kept from them for treatment, by a rule of this network.',
    );
    const explained = (await accessesOf(hub)).filter(({ action, who }) => action === 'explain-access' && who === 'pia');
    expect(explained.map(({ what }) => what)).toContain('Patient/p Condition/p-hiv: clinician TREAT harbor');
  });
});
