/** Subscriptions over real sockets: what is asked for is told, once numbered, in order, until it is taken. */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { startHub } from '../main.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { leavingOneEvent } from '../testing-attacks.ts';
import { removeOld } from './store.ts';
import { statusIn, type TestEndpoint, testEndpoint } from './testing.ts';

const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';
const soon = { timeout: 15_000, interval: 20 };

let hub: TestHub;
let endpoint: TestEndpoint;

beforeAll(async () => {
  endpoint = await testEndpoint();
  hub = await startTestHub({ notifyTo: [endpoint.url], accessJournal: 'database' });
  await put('Patient', { id: 'ann', name: [{ family: 'Dow' }] });
  await put('Patient', { id: 'bob', name: [{ family: 'Roe' }] });
});
afterAll(async () => {
  await hub?.stop();
  await endpoint?.close();
});
beforeEach(() => {
  endpoint.got.length = 0;
  endpoint.answer = 200;
  endpoint.answerHeaders = {};
});

async function put(type: string, resource: Json, role = 'administrator') {
  const answer = await hub.send('PUT', `/fhir/${type}/${resource.id}`, { resourceType: type, ...resource }, { role });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer;
}

async function subscribe(more: Json = {}, channel: Json = {}, role = 'administrator'): Promise<string> {
  const answer = await hub.send('POST', '/fhir/Subscription', subscription(more, channel), { role });
  expect(answer.status, answer.text).toBe(201);
  return answer.json.id;
}

function subscription(more: Json = {}, channel: Json = {}): Json {
  return {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'test',
    criteria: 'Observation?code=urn:c|a',
    channel: { type: 'rest-hook', endpoint: `${endpoint.url}/hook`, payload: 'application/fhir+json', ...channel },
    ...more,
  };
}

function byTopic(name: string, content: string, filters: string[] = []): [Json, Json] {
  const extension = filters.map((valueString) => ({ url: `${backport}/backport-filter-criteria`, valueString }));
  return [
    { criteria: `urn:causeway:SubscriptionTopic:${name}`, ...(filters.length > 0 ? { _criteria: { extension } } : {}) },
    { _payload: { extension: [{ url: `${backport}/backport-payload-content`, valueCode: content }] } },
  ];
}

const isActive = (id: string) =>
  vi.waitFor(async () => expect((await hub.get(`/fhir/Subscription/${id}`)).json.status).toBe('active'), soon);

function observation(id: string, more: Json = {}): Json {
  return {
    id,
    status: 'final',
    code: { coding: [{ system: 'urn:c', code: 'a' }] },
    subject: { reference: 'Patient/ann' },
    ...more,
  };
}

it('by criteria: puts what is new and what changes, and nothing that does not fit or is deleted', async () => {
  const id = await subscribe({}, { header: ['Authorization: Bearer secret-of-theirs'] });
  await isActive(id);
  await put('Observation', observation('o1'));
  await put('Observation', observation('o2', { code: { coding: [{ system: 'urn:c', code: 'b' }] } }));
  await put('Observation', observation('o1', { status: 'amended' }));
  await hub.send('DELETE', '/fhir/Observation/o1');
  await put('Observation', observation('o3'));
  await vi.waitFor(() => expect(endpoint.got.length).toBe(3), soon);
  expect(endpoint.got.map(({ method, path, json }) => [method, path, json.id, json.status])).toEqual([
    ['PUT', '/hook/Observation/o1', 'o1', 'final'],
    ['PUT', '/hook/Observation/o1', 'o1', 'amended'],
    ['PUT', '/hook/Observation/o3', 'o3', 'final'],
  ]);
  expect(endpoint.got[0]!.headers.authorization).toBe('Bearer secret-of-theirs');
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
});

it('by topic: a handshake, then numbered events of what the topic is about', async () => {
  const id = await subscribe(...byTopic('admitted', 'full-resource', ['Encounter?patient=Patient/ann']));
  await isActive(id);
  const stay = { class: { code: 'IMP' }, subject: { reference: 'Patient/ann' } };
  await put('Encounter', { id: 'e1', status: 'planned', ...stay });
  await put('Encounter', { id: 'e1', status: 'in-progress', ...stay });
  await put('Encounter', { id: 'e1', status: 'in-progress', ...stay, length: { value: 1 } });
  await put('Encounter', { id: 'e2', status: 'in-progress', ...stay, subject: { reference: 'Patient/bob' } });
  await put('Encounter', { id: 'e3', status: 'in-progress', ...stay });
  await vi.waitFor(() => expect(endpoint.numbers()).toEqual([1, 2]), soon);
  const [handshake, first] = endpoint.got.map(({ json }) => json);
  expect(statusIn(handshake)).toMatchObject({ type: 'handshake', 'events-since-subscription-start': '0', events: [] });
  expect(first).toMatchObject({ resourceType: 'Bundle', type: 'history' });
  expect(statusIn(first)).toMatchObject({ type: 'event-notification', status: 'active' });
  expect(statusIn(first).events[0].focus).toMatch(/\/fhir\/Encounter\/e1$/);
  expect(first.entry[1].resource).toMatchObject({ resourceType: 'Encounter', id: 'e1', status: 'in-progress' });
  expect(first.entry[1].request).toEqual({ method: 'PUT', url: 'Encounter/e1' });
  const valid = await hub.send('POST', '/fhir/Bundle/$validate', first);
  expect(valid.json.issue.filter(({ severity }: Json) => severity === 'error')).toEqual([]);
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
});

it.each(['empty', 'id-only'])('content %s says no more than that', async (content) => {
  const id = await subscribe(...byTopic('result', content));
  await isActive(id);
  await put('DiagnosticReport', {
    id: `r-${content}`,
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/ann' },
  });
  await vi.waitFor(() => expect(endpoint.numbers()).toEqual([1]), soon);
  const told = endpoint.got.at(-1)!.json;
  expect(endpoint.got.at(-1)!.body).not.toContain('"code"');
  expect(statusIn(told).events[0].focus === undefined).toBe(content === 'empty');
  expect(told.entry.length).toBe(content === 'empty' ? 1 : 2);
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
});

it('an endpoint that fails is shown as in error, tried again, and gets all that it missed, in order', async () => {
  const id = await subscribe(...byTopic('result', 'id-only'));
  await isActive(id);
  endpoint.answer = 503;
  for (let i = 0; i < 5; i++)
    await put('DiagnosticReport', {
      id: `f${i}`,
      status: 'final',
      code: { text: 'x' },
      subject: { reference: 'Patient/ann' },
    });
  await vi.waitFor(async () => {
    const { json } = await hub.get(`/fhir/Subscription/${id}`);
    expect(json).toMatchObject({ status: 'error', error: 'The endpoint answered 503.' });
  }, soon);
  await vi.waitFor(async () => {
    const { json } = await hub.get(`/fhir/Subscription/${id}/$status`);
    expect(json.type).toBe('searchset');
    expect(statusIn(json)).toMatchObject({
      status: 'error',
      type: 'query-status',
      'events-since-subscription-start': '5',
    });
  }, soon);
  endpoint.answer = 200;
  await vi.waitFor(() => expect(endpoint.numbers()).toEqual([1, 2, 3, 4, 5]), soon);
  await isActive(id);
  const missed = await hub.get(`/fhir/Subscription/${id}/$events?eventsSinceNumber=2&eventsUntilNumber=3`);
  expect(statusIn(missed.json).events.map(({ number }: Json) => number)).toEqual([2, 3]);
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
  const { rows } = await hub.test.database.query('SELECT FROM subscription_event');
  expect(rows).toEqual([]);
});

it('a subscriber that was away for a week misses nothing; one that was away for longer than events are kept is told what', async () => {
  const { database } = hub.test;
  const id = await subscribe(...byTopic('result', 'id-only'));
  await isActive(id);
  endpoint.answer = 503;
  const reports = async (from: number, to: number) => {
    for (let i = from; i <= to; i++)
      await put('DiagnosticReport', {
        id: `away${i}`,
        status: 'final',
        code: { text: 'x' },
        subject: { reference: 'Patient/ann' },
      });
    await vi.waitFor(async () => {
      const { json } = await hub.get(`/fhir/Subscription/${id}/$status`);
      expect(statusIn(json)['events-since-subscription-start']).toBe(String(to));
    }, soon);
  };
  const daysPass = async (days: number, upTo: number) => {
    await database.query(
      `UPDATE subscription_event SET at = at - $1 * interval '1 day' WHERE number <= $2 AND subscription =
         (SELECT rid FROM subscription WHERE id = $3)`,
      [days, upTo, id],
    );
    await removeOld(database, 30);
  };
  const numbersSince = async (from: number) => {
    const { json } = await hub.get(`/fhir/Subscription/${id}/$events?eventsSinceNumber=${from}`);
    const { events, error } = statusIn(json);
    // That the endpoint does not answer is said as well.
    const missed = error?.text.includes('kept no longer') ? error.text : undefined;
    return { numbers: events.map(({ number }: Json) => number), missed };
  };
  await reports(1, 4);
  await daysPass(8, 4);
  expect(await numbersSince(2)).toEqual({ numbers: [2, 3, 4], missed: undefined });
  endpoint.answer = 200;
  await vi.waitFor(() => expect(endpoint.numbers()).toEqual([1, 2, 3, 4]), soon);
  expect(endpoint.got.map(({ json }) => statusIn(json).error)).not.toContainEqual(expect.anything());
  endpoint.answer = 503;
  await reports(5, 9);
  await daysPass(23, 6);
  expect(await numbersSince(1)).toEqual({ numbers: [5, 6, 7, 8, 9], missed: 'The events 1 to 4 are kept no longer.' });
  await daysPass(8, 6);
  expect(await numbersSince(6)).toEqual({ numbers: [7, 8, 9], missed: 'The event 6 is kept no longer.' });
  expect(await numbersSince(7)).toEqual({ numbers: [7, 8, 9], missed: undefined });
  endpoint.answer = 200;
  await vi.waitFor(() => expect(endpoint.numbers()).toEqual([1, 2, 3, 4, 7, 8, 9]), soon);
  const told = endpoint.got.map(({ json }) => statusIn(json)).filter(({ error }) => error);
  expect(told.map(({ error }) => error.text)).toEqual(['The events 5 to 6 are kept no longer.']);
  expect(told[0].events[0].number).toBe(7);
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
});

it('what nobody may have is refused: unknown topics and parameters, other channels, private addresses are not asked', async () => {
  const wrong: [Json, Json][] = [
    [{ criteria: 'urn:nobody:knows' }, {}],
    [{ criteria: 'Observation?nonsense=1' }, {}],
    [{ criteria: 'Nothing?code=1' }, {}],
    [{}, { type: 'email', endpoint: 'mailto:a@example.org' }],
    [{}, { endpoint: undefined }],
    [{}, { payload: 'application/fhir+json; fhirVersion=5.0' }],
    [{}, { header: ['Content-Length: 5'] }],
  ];
  for (const [more, channel] of wrong) {
    const answer = await hub.send('POST', '/fhir/Subscription', subscription(more, channel));
    expect(answer.status, JSON.stringify([more, channel])).toBe(422);
    expect(answer.json.issue[0].diagnostics).toBeTruthy();
  }
  const id = await subscribe({}, { endpoint: 'https://127.0.0.1:1/hook' });
  await isActive(id);
  await put('Observation', observation('p1'));
  await vi.waitFor(async () => {
    const { json } = await hub.get(`/fhir/Subscription/${id}`);
    expect(json.error).toBe('The address is not one of the public internet.');
  }, soon);
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
});

it('is told only what whoever asked may see, and seen by nobody else', async () => {
  const id = await subscribe({}, {}, 'clinician');
  await isActive(id);
  const others = await hub.token('clinician', 'somebody-else');
  const headers = { authorization: `Bearer ${others}` };
  expect((await hub.get(`/fhir/Subscription/${id}`, { headers })).status).toBe(404);
  expect((await hub.get('/fhir/Subscription', { headers })).json.entry ?? []).toEqual([]);
  expect((await hub.get(`/fhir/Subscription/${id}/$status`, { headers })).status).toBe(404);
  expect((await hub.get(`/fhir/Subscription/${id}/$events`, { headers })).status).toBe(404);
  expect((await hub.get(`/fhir/Subscription/${id}/_history`, { headers })).status).toBe(404);
  // As if there were nothing to delete.
  await hub.send('DELETE', `/fhir/Subscription/${id}`, undefined, { headers });
  expect((await hub.get(`/fhir/Subscription/${id}`, { role: 'clinician' })).status).toBe(200);
  const secret = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSYTHPN' }] };
  await put('Observation', observation('h1', { meta: secret }));
  await put('Observation', observation('h2'));
  await vi.waitFor(() => expect(endpoint.got.length).toBe(1), soon);
  expect(endpoint.got[0]!.json.id).toBe('h2');
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
});

it('tells nothing by elements that the network hides from the subscriber, nor gives them out', async () => {
  const decide = async (redactions: object[]) => {
    const { version } = (await hub.get('/api/network-policy')).json;
    const policy = { model: 'opt-out', zone: 'UTC', rules: [], redactions };
    expect((await hub.send('PUT', '/api/network-policy', { version, reason: 'x', policy })).status).toBe(200);
  };
  await decide([{ elements: ['Patient.birthDate'], roles: ['clinician'] }]);
  const hook = (path: string) => ({ endpoint: `${endpoint.url}/${path}` });
  const ids = [
    await subscribe({ criteria: 'Patient?birthdate=1980-02-03' }, hook('hidden'), 'clinician'),
    await subscribe({ criteria: 'Patient?family=Born' }, hook('seen'), 'clinician'),
    await subscribe({ criteria: 'Patient?birthdate=1980-02-03' }, hook('all')),
  ];
  for (const id of ids) await isActive(id);
  await put('Patient', { id: 'born', name: [{ family: 'Born' }], birthDate: '1980-02-03' });
  await put('Patient', { id: 'born', name: [{ family: 'Born' }], birthDate: '1980-02-03', active: true });
  await vi.waitFor(() => expect(endpoint.got.length).toBe(4), soon);
  const got = endpoint.got.map(({ path, json }) => [path.split('/')[1], json.birthDate]).sort();
  expect(got).toEqual([
    ['all', '1980-02-03'],
    ['all', '1980-02-03'],
    ['seen', undefined],
    ['seen', undefined],
  ]);
  for (const id of ids) await hub.send('DELETE', `/fhir/Subscription/${id}`);
  await decide([]);
});

it('passes over nothing that it could not look at because the database did not answer', async () => {
  const id = await subscribe({}, {}, 'clinician');
  await isActive(id);
  const rename = (from: string, to: string) => hub.test.database.query(`ALTER TABLE ${from} RENAME TO ${to}`);
  await rename('consent_provision', 'away');
  try {
    await put('Observation', observation('t1'));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
  } finally {
    await rename('away', 'consent_provision');
  }
  await vi.waitFor(() => expect(endpoint.got.map(({ json }) => json.id)).toEqual(['t1']), soon);
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
});

it('over a WebSocket: bound by a token of the subscriber alone, then told', async () => {
  const [more, channel] = byTopic('result', 'full-resource');
  const id = await subscribe(more, { ...channel, type: 'websocket', endpoint: undefined });
  await isActive(id);
  const others = { headers: { authorization: `Bearer ${await hub.token('clinician', 'somebody-else')}` } };
  expect((await hub.get(`/fhir/Subscription/${id}/$get-ws-binding-token`, others)).status).toBe(404);
  const { json } = await hub.get(`/fhir/Subscription/${id}/$get-ws-binding-token`);
  const value = (name: string) => Object.values(json.parameter.find((one: Json) => one.name === name)).at(-1) as string;
  const told: Json[] = [];
  const connect = (first: string) => {
    const socket = new WebSocket(value('websocket-url'));
    socket.onmessage = ({ data }) => told.push(JSON.parse(data));
    socket.onopen = () => socket.send(first);
    return new Promise<CloseEvent>((resolve) => {
      socket.onclose = resolve;
    });
  };
  for (const first of ['bind-with-token nonsense', `bind ${id}`])
    expect((await leavingOneEvent(hub, first, () => connect(first))).code).toBe(1008);
  await leavingOneEvent(hub, 'a socket of no address', () => {
    const socket = new WebSocket(`${value('websocket-url')}-elsewhere`);
    return new Promise((resolve) => {
      socket.onerror = resolve;
    });
  });
  const ended = connect(`bind-with-token ${value('token')}`);
  await vi.waitFor(() => expect(told.length).toBe(1), soon);
  await put('DiagnosticReport', {
    id: 'w1',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/ann' },
  });
  await vi.waitFor(() => expect(told.length).toBe(2), soon);
  expect(told.map((bundle) => statusIn(bundle).type)).toEqual(['handshake', 'event-notification']);
  expect(told[1].entry[1].resource.id).toBe('w1');
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
  expect((await ended).code).toBe(1000);
  const api = await hub.get('/fhir/Patient', { headers: { authorization: `Bearer ${value('token')}` } });
  expect(api.status).toBe(401);
});

it('another hub goes on where the one before ended: nothing is passed over, and nothing numbered twice', async () => {
  const id = await subscribe(...byTopic('result', 'id-only'));
  await isActive(id);
  const quiet = { say: () => {}, count: () => {}, fail: () => {} };
  const next = await startHub(hub.config, quiet, async () => undefined);
  endpoint.answer = 503;
  const report = (i: number) => ({
    id: `k${i}`,
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/ann' },
  });
  for (let i = 0; i < 5; i++) await put('DiagnosticReport', report(i));
  const writing = Promise.all([5, 6, 7, 8, 9].map((i) => put('DiagnosticReport', report(i))));
  await writing;
  await hub.rest();
  endpoint.answer = 200;
  await vi.waitFor(() => expect(endpoint.numbers()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), soon);
  const { rows } = await hub.test.database.query('SELECT id FROM subscription_event ORDER BY number');
  expect(new Set(rows.map((row) => row.id)).size).toBe(10);
  await next.stop();
});
