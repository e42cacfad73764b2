/** The way of an organisation onto the network, and what it may do there, over two hubs of one database. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { startHub } from '../main.ts';
import { type Answer, type Json, startTestHub, type TestHub } from '../testing.ts';

let hub: TestHub;
let other: { url: string; stop(): Promise<void> };

beforeAll(async () => {
  hub = await startTestHub();
  const progress = { say: () => {}, count: () => {}, fail: () => {} };
  other = await startHub(hub.config, progress, async () => undefined);
});
afterAll(async () => {
  await other.stop();
  await hub.stop();
});

const admin = { role: 'administrator' } as const;
const officer = { role: 'privacy-officer' } as const;

const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const terms = (over: object = {}) => ({
  may: ['send', 'query', 'receive'],
  purposes: ['TREAT'],
  from: day(-1),
  to: day(365),
  text: 'The organisation keeps what it is given to itself.',
  ...over,
});

async function register(key: string): Promise<void> {
  const body = { name: `${key} Hospital`, kind: 'hospital', sendingFacility: key.toUpperCase() };
  expect((await hub.send('PUT', `/api/participants/${key}`, body)).status).toBe(200);
}

async function settle(key: string, state: string, note = 'As agreed.'): Promise<Answer> {
  return hub.send('POST', `/api/participants/${key}/steps`, { state, note }, admin);
}

const standing = async (key: string): Promise<Json> => (await hub.get(`/api/participants/${key}/standing`, admin)).json;

/** Signs the newest agreement of an organisation for both. */
async function signBoth(token: string): Promise<void> {
  const headers = { 'x-invitation': token };
  const { json } = await hub.get('/api/onboarding', { role: null, headers });
  const { id, hash } = json.agreement;
  const signed = await hub.send(
    'POST',
    '/api/onboarding/signature',
    { hash, name: 'Ada Chief', office: 'Director' },
    { role: null, headers },
  );
  expect(signed.status).toBe(204);
  expect((await hub.send('POST', `/api/agreements/${id}/sign`, { hash }, officer)).status).toBe(204);
}

/** Brings an organisation onto the network by the decisions that stand for its keys and its test. */
async function goLive(key: string, agreed: object = {}): Promise<void> {
  const { json } = await hub.send('POST', `/api/participants/${key}/invitation`, { note: 'Wants to join.' }, admin);
  expect((await settle(key, 'keys', 'Connected by a private line.')).status).toBe(204);
  expect((await settle(key, 'tested', 'Looked at its messages.')).status).toBe(204);
  const drafted = await hub.send('POST', `/api/participants/${key}/agreements`, terms(agreed), admin);
  expect([drafted.status, drafted.text]).toEqual([201, drafted.text]);
  await signBoth(json.token);
  expect((await standing(key)).state).toBe('signed');
  expect((await settle(key, 'live')).status).toBe(204);
}

async function policy(over: object): Promise<void> {
  const { json } = await hub.get('/api/network-policy', officer);
  const body = {
    version: json.version,
    reason: 'A test.',
    policy: { model: 'opt-out', zone: 'UTC', rules: [], ...over },
  };
  expect((await hub.send('PUT', '/api/network-policy', body, officer)).status).toBe(200);
}

const siteAt = async (
  url: string,
  key: string,
  path: string,
  headers: Record<string, string> = {},
  role = 'system',
) => {
  const authorization = `Bearer ${await hub.token(role, `site:${key}`)}`;
  const response = await fetch(url + path, { headers: { authorization, ...headers } });
  return { status: response.status, text: await response.text() };
};

const adt = (facility: string, id: string, processing = 'P') =>
  [
    `MSH|^~\\&|ADT|${facility}|HUB|HUB|20260101120000||ADT^A01|${id}|${processing}|2.5.1`,
    `PID|1||${id}^^^${facility}||Doe^Jane||19700101|F`,
    'PV1|1|I',
  ].join('\r');

function certificate(days: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-certificate-'));
  const [key, file] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', '/CN=sender'];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...subject];
  execFileSync('openssl', [...made, '-days', String(days), '-keyout', key, '-out', file], { stdio: 'ignore' });
  return readFileSync(file, 'utf8');
}

it('an organisation is invited, shows its certificate, is tested, signs and goes live, step by step', async () => {
  await register('north');
  expect((await standing('north')).state).toBeUndefined();
  const invited = await hub.send('POST', '/api/participants/north/invitation', { note: 'Wants to join.' }, admin);
  expect(invited.status).toBe(201);
  const headers = { 'x-invitation': invited.json.token };
  const guest = { role: null, headers };
  expect((await hub.get('/api/onboarding', guest)).json).toMatchObject({
    key: 'north',
    state: 'invited',
    agreement: null,
  });
  expect((await settle('north', 'live')).status).toBe(409);

  const pem = certificate(20);
  expect((await hub.send('POST', '/api/onboarding/certificate', { certificate: 'no' }, guest)).status).toBe(400);
  const added = await hub.send('POST', '/api/onboarding/certificate', { certificate: pem }, guest);
  expect(added.status).toBe(201);
  expect(await standing('north')).toMatchObject({ state: 'keys', certificates: [added.json.fingerprint] });
  await register('south');
  const stolen = await hub.send('POST', '/api/participants/south/certificate', { certificate: pem }, admin);
  expect(stolen.status).toBe(409);

  // Over plain MLLP a message could be anybody's once a certificate stands for it: it is sent with its token.
  const send = async (message: string) => {
    const authorization = `Bearer ${await hub.token('system', 'site:north')}`;
    return hub.send('POST', '/hl7', message, { headers: { authorization, 'content-type': 'application/hl7-v2' } });
  };
  expect((await send(adt('NORTH', 'T1', 'T'))).text).toContain('MSA|AA|T1');
  expect((await standing('north')).state).toBe('tested');
  await hub.settled();
  expect(await hub.resources('Patient?identifier=T1')).toEqual([]);

  expect((await hub.send('POST', '/api/participants/north/agreements', terms({ purposes: [] }), admin)).status).toBe(
    400,
  );
  const drafted = await hub.send('POST', '/api/participants/north/agreements', terms(), admin);
  expect(drafted.status).toBe(201);
  const { id, hash } = drafted.json;
  const sign = (body: object) => hub.send('POST', '/api/onboarding/signature', body, guest);
  expect((await sign({ hash: '0'.repeat(64), name: 'Ada', office: 'Director' })).status).toBe(409);
  expect((await sign({ hash, name: 'Ada', office: 'Director' })).status).toBe(204);
  expect((await settle('north', 'live')).status).toBe(409);
  expect((await hub.send('POST', `/api/agreements/${id}/sign`, { hash }, { role: 'clinician' })).status).toBe(403);
  expect((await hub.send('POST', `/api/agreements/${id}/sign`, { hash }, officer)).status).toBe(204);
  expect((await hub.get('/api/onboarding', guest)).status).toBe(403);
  expect((await settle('north', 'live')).status).toBe(204);
  const whole = await standing('north');
  expect(whole.state).toBe('live');
  expect(whole.steps.map(({ state }: Json) => state).reverse()).toEqual([
    'invited',
    'keys',
    'tested',
    'tested',
    'tested',
    'signed',
    'live',
  ]);
  expect(whole.agreements[0]).toMatchObject({ version: 1, isSigned: true, participantSigned: { by: 'Ada, Director' } });
  const { json } = await hub.get('/api/standings', admin);
  expect(json.standings.find(({ key }: Json) => key === 'north').expiring).toMatchObject([{ what: 'certificate' }]);
});

it('an organisation without an agreement sends, asks and reads nothing as soon as one is required, on every hub', async () => {
  await register('east');
  await register('west');
  await goLive('east');
  const everywhere = async (key: string) =>
    Promise.all([hub.url, other.url].map(async (url) => (await siteAt(url, key, '/fhir/Patient')).status));
  expect(await everywhere('west')).toEqual([200, 200]);
  expect((await hub.deliver(adt('WEST', 'W1')))[0]).toContain('MSA|AA|W1');
  await policy({ requireAgreements: true });
  expect(await everywhere('west')).toEqual([403, 403]);
  expect(await everywhere('east')).toEqual([200, 200]);
  const { text } = await siteAt(other.url, 'west', '/fhir/Patient');
  expect(text).toContain('not live on the network');
  expect((await hub.deliver(adt('WEST', 'W2')))[0]).toMatch(/MSA\|AR\|W2(.|\r)*not live/);
  expect((await hub.deliver(adt('EAST', 'E1')))[0]).toContain('MSA|AA|E1');
  const authorization = `Bearer ${await hub.token('system', 'site:west')}`;
  const put = await hub.send(
    'PUT',
    '/fhir/Patient/w',
    { resourceType: 'Patient', id: 'w' },
    { headers: { authorization } },
  );
  expect(put.status).toBe(403);
  const inbox = await hub.send('POST', '/inbox', adt('WEST', 'W3'), { headers: { authorization } });
  expect([inbox.status, inbox.json.error]).toEqual([422, 'The organisation is not live on the network.']);
  await settle('east', 'suspended', 'Asked for too much.');
  expect(await everywhere('east')).toEqual([403, 403]);
  await policy({});
  expect(await everywhere('west')).toEqual([200, 200]);
  // Whoever was suspended stays so, whatever the network requires.
  expect(await everywhere('east')).toEqual([403, 403]);
  expect((await hub.deliver(adt('EAST', 'E2')))[0]).toMatch(/MSA\|AR\|E2(.|\r)*suspended/);
});

it('an agreement holds for its time, its purposes and what it lets an organisation do', async () => {
  await policy({ requireAgreements: true });
  await register('late');
  await goLive('late', {
    may: ['query'],
    purposes: ['TREAT', 'HPAYMT'],
    to: new Date(Date.now() + 60_000).toISOString(),
  });
  const asked = (purpose?: string) =>
    siteAt(other.url, 'late', '/fhir/Patient', purpose === undefined ? {} : { 'x-purpose-of-use': purpose });
  expect((await asked()).status).toBe(200);
  expect((await asked('HPAYMT')).status).toBe(200);
  const wrong = await asked('HOPERAT');
  expect([wrong.status, wrong.text]).toEqual([
    403,
    expect.stringContaining('does not let it ask for records for HOPERAT'),
  ]);
  expect((await asked('HRESCH')).text).toContain('does not read for the purpose HRESCH');
  expect((await hub.deliver(adt('LATE', 'L1')))[0]).toMatch(/MSA\|AR\|L1(.|\r)*does not let it send/);
  const searches = (await accessesOf(hub)).filter(({ who, action }) => who === 'site:late' && action === 'search');
  expect(searches.map(({ purpose, status }) => `${purpose} ${status}`)).toEqual([
    'TREAT 200',
    'HPAYMT 200',
    'HOPERAT 403',
    'HRESCH 403',
  ]);
  // Its time is over by the clock alone: nobody has to do anything.
  await hub.test.database.query(
    `UPDATE agreement SET valid_to = now() + interval '2 seconds' WHERE participant = 'late'`,
  );
  await settle('late', 'suspended');
  await settle('late', 'live');
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const { status, text } = await asked();
  expect([status, text]).toEqual([403, expect.stringContaining('no agreement in force')]);
});

it('public health reads the types of its agreement, and nothing without one', async () => {
  await policy({});
  await register('health');
  for (const resource of [
    { resourceType: 'Patient', id: 'ph' },
    {
      resourceType: 'Observation',
      id: 'ph',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: 'Patient/ph' },
    },
    { resourceType: 'Condition', id: 'ph', subject: { reference: 'Patient/ph' } },
  ])
    expect((await hub.send('PUT', `/fhir/${resource.resourceType}/ph`, resource)).status).toBe(201);
  const found = async (type: string) => {
    const { status, text } = await siteAt(other.url, 'health', `/fhir/${type}?_id=ph`, {}, 'public-health');
    return [status, (JSON.parse(text).entry ?? []).length];
  };
  expect(await found('Observation')).toEqual([200, 0]);
  const without = await hub.send('POST', '/api/participants/health/invitation', {}, admin);
  expect(without.status).toBe(201);
  const typeless = terms({ may: ['query'], purposes: ['PUBHLTH'] });
  expect((await hub.send('POST', '/api/participants/health/agreements', typeless, admin)).status).toBe(400);
  await hub.send('POST', '/api/participants/health/steps', { state: 'ended', note: 'Anew.' }, admin);
  await goLive('health', { may: ['query'], purposes: ['PUBHLTH'], types: ['Observation'] });
  expect(await found('Observation')).toEqual([200, 1]);
  expect(await found('Condition')).toEqual([200, 0]);
});
