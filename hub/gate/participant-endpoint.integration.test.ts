/** Where an organisation receives and what it wants, as the API takes it; and a result from the FHIR interface to its socket. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type Behaviour, mllpReceiver } from '../outbox/testing.ts';
import { startTestHub, type TestHub } from '../testing.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const put = (key: string, body: object) => hub.send('PUT', `/api/participants/${key}`, body);
const mllp = { dialect: 'hl7v2', host: '127.0.0.1', port: 2575 };

describe('an endpoint', () => {
  it.each([
    ['messages', { messages: ['ORU', 'ZZZ'] }, 'a list of ADT, ORU'],
    ['messages', { messages: 'ORU' }, 'a list of ADT, ORU'],
    ['messages', { messages: ['ORU', 'ORU'] }, 'each once'],
    ['messages', { messages: ['ORM', 'OMG'] }, 'one of ORM, OMG and OML'],
    ['messages', { messages: ['OMG'], version: '2.3' }, 'came with HL7 v2.4'],
    ['version', { version: '3.0' }, 'one of 2.3, 2.3.1'],
    ['application', { application: '' }, 'application'],
    [
      'authorization',
      { url: 'https://a.example/hl7', host: undefined, port: undefined, authorization: 'secret' },
      'absolute path',
    ],
    ['url', { url: 'ftp://a.example', host: undefined, port: undefined }, 'an http address'],
    ['url', { url: 'https://me:secret@a.example', host: undefined, port: undefined }, 'without credentials'],
  ])('is refused for its %s', async (_name, wrong, sentence) => {
    const { status, text } = await put('nobody', { name: 'Nobody', kind: 'hospital', endpoint: { ...mllp, ...wrong } });
    expect([status, text]).toEqual([400, expect.stringContaining(sentence)]);
  });

  it('is kept as it was told and told again', async () => {
    const endpoint = {
      ...mllp,
      messages: ['ADT', 'ORU', 'OML'],
      version: '2.7',
      application: 'ENGINE',
      facility: 'DOOR',
      acknowledgement: 'enhanced',
    };
    expect((await put('somebody', { name: 'Somebody', kind: 'hospital', endpoint })).status).toBe(200);
    expect((await hub.get('/api/participants/somebody')).json.endpoint).toEqual(endpoint);
    expect((await put('somebody', { endpoint: null })).status).toBe(200);
    expect((await hub.get('/api/participants/somebody')).json.endpoint).toBeUndefined();
  });
});

it('whose numbers a system is, is told to everybody who is signed in', async () => {
  await put('numbering', {
    name: 'Numbering House',
    kind: 'hospital',
    identifierSystem: 'https://numbering.example/mrn',
  });
  await hub.send('PUT', '/api/participants/numbering/settings', { oid: '2.999.7.1' });
  const asPatient = { headers: { authorization: `Bearer ${await hub.token('patient')}` }, role: null };
  const { status, json } = await hub.get('/api/identifier-systems', asPatient);
  expect(status).toBe(200);
  expect(json.systems).toMatchObject({
    'https://numbering.example/mrn': 'Numbering House',
    'urn:oid:2.999.7.1': 'Numbering House',
  });
});

describe('routes', () => {
  const to = { dialect: 'hl7v2', host: '127.0.0.1', port: 2575, acknowledgement: 'original' };
  const sftp = {
    host: 'a.example',
    username: 'hub',
    fingerprint: `SHA256:${'A'.repeat(43)}`,
    keyFile: '/k',
    path: '/in',
  };
  const http = { dialect: 'fhir', url: 'https://a.example/fhir' };

  it.each([
    ['names', [{ name: 'Main', to }], 'lower-case'],
    [
      'names twice',
      [
        { name: 'a', to },
        { name: 'a', to },
      ],
      'different names',
    ],
    ['topics', [{ name: 'a', to, topics: ['gossip'] }], 'a list of result'],
    ['filters', [{ name: 'a', to, filters: ['DiagnosticReport?result.code=1'] }], 'more than the resource says'],
    ['quiet hours', [{ name: 'a', to, quiet: { zone: 'Moon', from: '22:00', to: '06:00' } }], 'a time zone'],
    ['dialects', [{ name: 'a', to: { dialect: 'pigeon' } }], 'hl7v2, fhir or ccda'],
    ['folders', [{ name: 'a', to: { dialect: 'ccda', folder: 'in' } }], 'absolute path of a folder'],
    ['host keys', [{ name: 'a', to: { dialect: 'ccda', sftp: { ...sftp, fingerprint: 'ab:cd' } } }], 'ssh-keygen'],
    ['secrets', [{ name: 'a', to: { ...http, authorization: '/f', services: { clientId: 'c' } } }], 'not both'],
    ['purposes', [{ name: 'a', to, purpose: 'HMARKT' }], 'one of TREAT'],
    ['grades', [{ name: 'a', to, grade: 'guess' }], 'confirmed'],
    ['codes', [{ name: 'a', to, codes: [{ from: { system: 'x' }, to: { system: 'y', code: 'z' } }] }], 'code'],
  ])('are refused for their %s', async (_name, routes, sentence) => {
    const { status, text } = await put('nobody', { name: 'Nobody', kind: 'hospital', routes });
    expect([status, text]).toEqual([400, expect.stringContaining(sentence)]);
  });

  it('are kept as they were told; endpoint stands for main', async () => {
    const routes = [
      { name: 'main', to, topics: ['result', 'discharged'], urgent: ['discharged'], grade: 'confirmed' },
      { name: 'files', to: { dialect: 'ccda', sftp }, quiet: { zone: 'UTC', from: '22:00', to: '06:00' } },
      {
        name: 'server',
        to: { ...http, form: 'message', services: { clientId: 'c' } },
        filters: ['DiagnosticReport?status=final'],
      },
    ];
    expect((await put('routed', { name: 'Routed', kind: 'hospital', routes })).status).toBe(200);
    const { json } = await hub.get('/api/participants/routed');
    expect([json.routes, json.endpoint]).toEqual([routes, to]);
    const other = { ...to, port: 2576 };
    expect((await put('routed', { endpoint: other })).status).toBe(200);
    const changed = (await hub.get('/api/participants/routed')).json.routes;
    expect(changed).toEqual([{ ...routes[0], to: other }, ...routes.slice(1)]);
    await put('routed', { routes: null });
  });
});

describe('a route that is tried', () => {
  const tried = async (to: object) => {
    await put('tried', { name: 'Tried', kind: 'hospital', routes: [{ name: 'one', to }] });
    return hub.send('POST', '/api/participants/tried/routes/one/test', {});
  };

  it('is told nothing of anybody, and what it says is told', async () => {
    const receiver = await mllpReceiver(() => 'reject');
    const { status, json } = await tried(receiver.endpoint);
    expect([status, json]).toEqual([200, { ok: true, found: expect.stringContaining('NMD, which is no fault') }]);
    expect(receiver.messages.map((message) => message.get('MSH-9.1'))).toEqual(['NMD']);
    expect(receiver.messages[0]!.segments.map(({ name }) => name)).toEqual(['MSH', 'NCK']);
    await receiver.close();
    expect((await tried(receiver.endpoint)).json).toEqual({
      ok: false,
      found: expect.stringContaining('ECONNREFUSED'),
    });
    expect((await tried({ dialect: 'ccda', folder: '/nowhere/at/all' })).json).toMatchObject({ ok: false });
    const inside = { dialect: 'fhir', url: 'http://127.0.0.1:9/fhir' };
    expect((await tried(inside)).json).toEqual({ ok: false, found: 'Only https addresses are asked.' });
    const { status: absent } = await hub.send('POST', '/api/participants/tried/routes/two/test', {});
    expect(absent).toBe(404);
    await put('tried', { routes: null });
  });
});

/** A hospital that asks for results and listens, a laboratory, and one human whom both know. */
async function network(person: string, behaviour?: Behaviour) {
  const receiver = await mllpReceiver(behaviour);
  const site = { kind: 'hospital', identifierSystem: 'urn:oid:2.999.1', identifierAuthority: 'MRN' };
  await put('lab', { name: 'The laboratory', kind: 'lab' });
  await put('hospital', { name: 'The hospital', ...site, endpoint: { ...receiver.endpoint, messages: ['ORU'] } });
  const ids = { hospital: `H-${person}`, lab: `L-${person}` };
  for (const source of ['hospital', 'lab'] as const) {
    const patient = {
      resourceType: 'Patient',
      id: ids[source],
      meta: { tag: [{ system: 'urn:causeway:source', code: source }] },
      identifier: [{ system: source === 'hospital' ? 'urn:oid:2.999.1' : 'urn:oid:2.999.2', value: ids[source] }],
      name: [{ family: 'Quillfeather', given: [person] }],
      birthDate: '1957-03-14',
      gender: 'female',
      telecom: [{ system: 'phone', value: '555-0199' }],
      address: [{ line: [`${person} Lane`], city: 'Sedgewick', postalCode: '04999' }],
    };
    expect((await hub.send('PUT', `/fhir/Patient/${ids[source]}`, patient)).status).toBe(201);
  }
  const report = async (conclusion: string, security?: string) => {
    const { status } = await hub.send('POST', '/fhir/DiagnosticReport', {
      resourceType: 'DiagnosticReport',
      ...(security
        ? { meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: security }] } }
        : {}),
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] },
      subject: { reference: `Patient/${ids.lab}` },
      conclusion,
    });
    expect(status).toBe(201);
  };
  const concluded = async (count: number) => {
    for (let tries = 0; receiver.messages.length < count && tries < 500; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    return receiver.messages.map((message) => message.get('NTE-3'));
  };
  return { receiver, ids, report, concluded };
}

it('a result that comes by FHIR goes out as ORU to who asked for it', async () => {
  const { receiver, report, concluded } = await network('Petronella');
  await report('Normal.');
  expect(await concluded(1)).toEqual(['Normal.']);
  await receiver.close();
  const [message] = receiver.messages;
  expect(['MSH-9.2', 'PID-3.1', 'PID-3.4.1', 'OBR-4.1'].map((path) => message?.get(path as 'MSH-9'))).toEqual([
    'R01',
    'H-Petronella',
    'MRN',
    '2823-3',
  ]);
});

it('what a destination has lost is sent again in its order, and what was given up is listed with its reason', async () => {
  let refuses = false;
  const { receiver, report, concluded } = await network('Thea', () => (refuses ? 'reject' : 'accept'));
  const begun = new Date().toISOString();
  await report('First.');
  await report('Second.');
  expect(await concluded(2)).toEqual(['First.', 'Second.']);
  const replay = (body: object) => hub.send('POST', '/api/deliveries/replay', { destination: 'hospital', ...body });
  expect((await replay({ delivered: true })).status).toBe(400);
  expect((await replay({ from: begun })).json).toEqual({ replayed: 0 });
  expect((await replay({ from: begun, delivered: true })).json).toEqual({ replayed: 2 });
  expect((await concluded(4)).slice(2)).toEqual(['First.', 'Second.']);
  expect(receiver.messages[2]!.controlId).toBe(receiver.messages[0]!.controlId);
  refuses = true;
  await report('Third.');
  const dead = async () => (await hub.get('/api/deliveries?state=dead&destination=hospital&limit=5')).json.deliveries;
  for (let tries = 0; (await dead()).length === 0 && tries < 500; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const [given] = await dead();
  expect([given.route, given.lastError]).toEqual(['main', expect.stringContaining('AR')]);
  refuses = false;
  expect((await hub.send('POST', `/api/deliveries/${given.id}/replay`, {})).json).toEqual({ replayed: 1 });
  const count = receiver.messages.length;
  expect((await concluded(count + 1)).at(-1)).toBe('Third.');
  await receiver.close();
});

describe('what the access decision keeps from an organisation is not sent to it', () => {
  const cancelled = async () => {
    const { rows } = await hub.test.database.query(`SELECT last_error FROM delivery WHERE state = 'cancelled'`);
    return rows.map((row) => row.last_error);
  };

  it('by a label', async () => {
    const { receiver, report, concluded } = await network('Rowena');
    await report('Of a therapy.', 'PSYTHPN');
    await report('Of the blood.');
    expect(await concluded(1)).toEqual(['Of the blood.']);
    await receiver.close();
    expect(await cancelled()).toEqual([expect.stringContaining('access decision')]);
  });

  it('by a consent', async () => {
    const { receiver, ids, report, concluded } = await network('Sidonia');
    await report('Before.');
    expect(await concluded(1)).toEqual(['Before.']);
    const consent = await hub.send('POST', '/fhir/Consent', {
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
      category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
      patient: { reference: `Patient/${ids.lab}` },
      policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] },
      provision: { type: 'deny' },
    });
    expect(consent.status).toBe(201);
    await report('After.');
    for (let tries = 0; (await cancelled()).length < 2 && tries < 500; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await cancelled()).toHaveLength(2);
    expect(await concluded(1)).toEqual(['Before.']);
    await receiver.close();
  });

  it('by the purpose of its route: what no agreement names waits and says so; another purpose is recorded', async () => {
    const { receiver, report, concluded } = await network('Ursula');
    const sentFor = (purpose: string) =>
      put('hospital', { routes: [{ name: 'main', to: receiver.endpoint, purpose }] });
    expect((await sentFor('PUBHLTH')).status).toBe(200);
    await report('Of an outbreak.');
    const waiting = async () =>
      (await hub.test.database.query(`SELECT last_error FROM delivery WHERE state = 'failed'`)).rows;
    await vi.waitFor(async () => expect(await waiting()).toHaveLength(1), { timeout: 10_000, interval: 20 });
    expect((await waiting())[0]!.last_error).toContain('no agreement that names what it may read for PUBHLTH');
    expect((await sentFor('HPAYMT')).status).toBe(200);
    expect(await concluded(1)).toEqual(['Of an outbreak.']);
    await receiver.close();
    const delivered = async () => (await accessesOf(hub)).findLast(({ action }) => action === 'deliver');
    await vi.waitFor(async () => expect(await delivered()).toMatchObject({ purpose: 'HPAYMT' }), { timeout: 10_000 });
  });
});
