/** Who may see who cares for a person, and who may do what with the loops that are open. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type Answer, type Json, startTestHub, type TestHub } from '../testing.ts';
import { Accounts } from '../trust/index.ts';

let hub: TestHub;
const password = 'a-password-of-theirs';
const cookies: Record<string, string> = {};
const north = { identifier: { system: 'urn:causeway:participant', value: 'north' } };

beforeAll(async () => {
  hub = await startTestHub();
  for (const key of ['north', 'south', 'west']) {
    await hub.send('PUT', `/api/participants/${key}`, { name: `${key} hospital`, kind: 'hospital' });
  }
  const accounts = new Accounts(hub.test.database);
  const users = [
    ['nora', 'clinician', 'north'],
    ['sam', 'clinician', 'south'],
    ['will', 'clinician', 'west'],
    ['eli', 'integration-engineer', 'hub'],
    ['pia', 'privacy-officer', 'hub'],
    ['pat', 'patient', 'home'],
  ] as const;
  for (const [username, role, organization] of users) {
    await accounts.make({ username, name: username, role, organization }, password);
    const { headers } = await hub.send('POST', '/auth/login', { username, password }, { role: null });
    cookies[username] = headers.get('set-cookie')!.split(';')[0]!;
  }
  const put = async (resource: Json) => {
    const { status, text } = await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
    if (status > 201) throw new Error(text);
  };
  const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: '42CFRPart2' }];
  const subject = { reference: 'Patient/p' };
  const date = new Date().toISOString();
  await put({ resourceType: 'Patient', id: 'p', generalPractitioner: [north] });
  const request = { resourceType: 'ServiceRequest', status: 'active', intent: 'order', subject, authoredOn: date };
  await put({
    ...request,
    id: 'hidden',
    performer: [{ identifier: { ...north.identifier, value: 'south' } }],
    meta: { security },
  });
  const interpretation = [{ coding: [{ code: 'HH' }] }];
  const result = { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject, interpretation };
  await put({ ...result, id: 'critical' });
  await put({ ...result, id: 'other', meta: { security } });
});
afterAll(() => hub.stop());

function as(user: string, method: string, path: string, body?: object): Promise<Answer> {
  const headers = { cookie: cookies[user]!, 'sec-fetch-site': 'same-origin' };
  return hub.send(method, path, body, { role: null, headers });
}

const loops = async (user: string, query = '') => (await as(user, 'GET', `/api/loops${query}`)).json.loops as Json[];

it('a chart shows who cares and why, as far as the reader may see what shows it', async () => {
  const care = async (user: string) =>
    (await as(user, 'GET', '/api/care?patient=p')).json.care.map(({ site, kind }: Json) => `${site} ${kind}`);
  expect(await care('nora')).toEqual(['north family-doctor']);
  const { json } = await hub.get('/api/care?patient=p');
  expect(json.care.map(({ site, kind }: Json) => `${site} ${kind}`).sort()).toEqual([
    'north family-doctor',
    'south order',
  ]);
  expect((await as('eli', 'GET', '/api/care?patient=p')).status).toBe(403);
  expect((await as('pat', 'GET', '/api/care?patient=p')).status).toBe(403);
});

it('clinicians see the loops of whom their organisation cares for, as far as they may read what they are about', async () => {
  expect((await loops('nora')).map(({ focus, kind, patient }) => [focus.split('/')[0], kind, typeof patient])).toEqual([
    ['Observation', 'critical-result', 'string'],
  ]);
  // South was referred to, by what its clinician may not read.
  expect((await loops('sam')).map(({ kind }) => kind)).toEqual(['critical-result']);
  expect(await loops('will')).toEqual([]);
  const all = await loops('pia');
  expect(all.map(({ kind }) => kind).sort()).toEqual(['critical-result', 'critical-result', 'referral']);
  expect((await loops('eli'))[0]).not.toHaveProperty('patient');
  expect(await loops('pia', '?kind=referral')).toHaveLength(1);
  expect(await loops('pia', '?state=late')).toEqual([]);
  expect((await as('pia', 'GET', '/api/loops?kind=x')).status).toBe(400);
  expect((await as('pat', 'GET', '/api/loops')).status).toBe(403);
});

it('a critical result is acknowledged by a clinician who may read it, once, and closed by nobody else', async () => {
  const [loop] = await loops('nora');
  const path = `/api/loops/${loop.id}`;
  expect((await as('will', 'POST', `${path}/acknowledge`, {})).status).toBe(404);
  expect((await as('pia', 'POST', `${path}/acknowledge`, {})).status).toBe(403);
  expect((await as('pia', 'POST', `${path}/close`, { note: 'x' })).status).toBe(403);
  expect((await as('pia', 'POST', `${path}/assign`, { to: 'nora' })).json.assignee).toBe('nora');
  expect(await loops('nora', '?mine=1')).toHaveLength(1);
  expect((await as('nora', 'POST', `${path}/acknowledge`, { note: 'Called the ward.' })).json).toMatchObject({
    state: 'closed',
    closedBy: 'nora',
    outcome: 'acknowledged',
  });
  expect((await as('nora', 'POST', `${path}/acknowledge`, {})).status).toBe(409);
  const { json } = await as('nora', 'GET', path);
  expect(json.events.map(({ event, by, note }: Json) => [event, by, note])).toEqual([
    ['assigned', 'pia', 'nora'],
    ['acknowledged', 'nora', 'Called the ward.'],
  ]);
  const closed = (await accessesOf(hub)).filter(
    ({ action, status }) => action === 'acknowledge-loop' && status === 200,
  );
  expect(closed.map(({ who }) => who)).toEqual(['nora']);
});

it('other loops are closed by hand with what was found, and recalls are for those who look after the network', async () => {
  const [referral] = await loops('pia', '?kind=referral');
  const path = `/api/loops/${referral.id}`;
  expect((await as('pia', 'POST', `${path}/close`, {})).status).toBe(400);
  await as('eli', 'POST', `${path}/note`, { note: 'Asked the practice.' });
  expect((await as('pia', 'POST', `${path}/close`, { note: 'The person moved away.' })).json.state).toBe('closed');
  expect((await loops('pia', '?state=closed')).map(({ kind }) => kind)).toContain('referral');
  expect((await as('nora', 'GET', '/api/recalls')).status).toBe(403);
  expect((await as('eli', 'GET', '/api/recalls')).json.loops).toEqual([]);
  expect((await as('eli', 'GET', `/api/recalls/${referral.id}`)).status).toBe(404);
});

it('clinicians are told in the notices of their organisation, of what they may read', async () => {
  const told = async (user: string) =>
    (await as(user, 'GET', '/api/notices')).json.notices.map(({ kind, about }: Json) => `${kind} ${about.kind}`);
  expect(await told('nora')).toEqual(['loop critical-result']);
  expect(await told('will')).toEqual([]);
});

it('an organisation’s clinician uploads its list; nobody else’s, and not engineers', async () => {
  const list = { csv: 'mrn,family,given,dob\nN1,Wren,Ada,1950-01-01\n' };
  const path = '/api/participants/north/panel';
  await hub.send('PUT', '/api/participants/north', {
    name: 'north hospital',
    kind: 'hospital',
    identifierSystem: 'urn:north:mrn',
  });
  expect((await as('nora', 'POST', `${path}/preview`, list)).json.rows).toEqual([
    { line: 2, outcome: 'unknown', isTaken: true },
  ]);
  expect((await as('nora', 'POST', path, { csv: 'x' })).status).toBe(400);
  for (const user of ['sam', 'eli', 'pat']) {
    for (const [method, of] of [
      ['GET', path],
      ['POST', path],
      ['POST', `${path}/preview`],
    ] as const)
      expect([404, 403]).toContain((await as(user, method, of, method === 'GET' ? undefined : list)).status);
  }
  // Where it counts who treats whom, nobody proves it by a list of their own.
  const officer = { role: 'privacy-officer' };
  const policy = { model: 'opt-out', zone: 'UTC', rules: [] };
  const decide = async (more: object) => {
    const { version } = (await hub.get('/api/network-policy', officer)).json;
    const body = { version, reason: 'A test.', policy: { ...policy, ...more } };
    expect((await hub.send('PUT', '/api/network-policy', body, officer)).status).toBe(200);
  };
  await decide({ relationship: { mode: 'flag', daysBack: 1, daysAhead: 1 } });
  expect((await as('nora', 'POST', path, list)).status).toBe(403);
  await decide({});
  expect((await as('nora', 'POST', path, list)).json).toMatchObject({ state: 'current', people: 1, by: 'nora' });
  const { json } = await as('nora', 'GET', path);
  expect([json.lists.length, json.members.length]).toEqual([1, 1]);
  const member = JSON.parse((await hub.get(`/fhir/Patient/${json.members[0].patient}`)).text);
  expect(member.identifier).toMatchObject([{ system: 'urn:north:mrn', value: 'N1' }]);
});
