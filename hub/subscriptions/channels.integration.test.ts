/** The channels by which subscribers are told by mail and by FHIR messages, over real sockets. */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type TestMailServer, testMailServer } from '../mail/testing.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { statusIn, type TestEndpoint, testEndpoint } from './testing.ts';

const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';
const soon = { timeout: 20_000, interval: 20 };
const pages = 'https://hub.example.org';

let hub: TestHub;
let endpoint: TestEndpoint;
let mails: TestMailServer;

beforeAll(async () => {
  [endpoint, mails] = await Promise.all([testEndpoint(), testMailServer()]);
  const smtp = { smtpHost: 'localhost', smtpPort: mails.port, smtpCa: mails.ca, mailFrom: 'hub@hub.example' };
  hub = await startTestHub({ notifyTo: [endpoint.url], publicUrl: pages, mailMinutes: 0, ...smtp });
  await put('Patient', { id: 'ann', name: [{ family: 'Dow' }] });
});
afterAll(async () => {
  await hub?.stop();
  await Promise.all([endpoint?.close(), mails?.close()]);
});
beforeEach(() => {
  endpoint.got.length = 0;
  endpoint.answer = 200;
  endpoint.answerBody = '';
  mails.got.length = 0;
});

async function put(type: string, resource: Json) {
  const answer = await hub.send('PUT', `/fhir/${type}/${resource.id}`, { resourceType: type, ...resource });
  expect(answer.status, answer.text).toBeLessThan(300);
}

const report = (id: string) =>
  put('DiagnosticReport', { id, status: 'final', code: { text: 'Potassium' }, subject: { reference: 'Patient/ann' } });

function ask(criteria: string, channel: Json) {
  return hub.send('POST', '/fhir/Subscription', {
    resourceType: 'Subscription',
    status: 'requested',
    reason: 'Results of Ann Dow',
    criteria,
    channel,
  });
}

async function subscribe(criteria: string, channel: Json): Promise<string> {
  const answer = await ask(criteria, channel);
  expect(answer.status, answer.text).toBe(201);
  return answer.json.id;
}

const results = 'urn:causeway:SubscriptionTopic:result';
const content = (code: string) => ({
  extension: [{ url: `${backport}/backport-payload-content`, valueCode: code }],
});

it('mail says that there is something, for which subscription and where, and nothing of whom or what', async () => {
  let release = () => {};
  mails.hold = new Promise((resolve) => {
    release = resolve;
  });
  const id = await subscribe(results, { type: 'email', endpoint: 'mailto:ann@example.org', payload: 'text/plain' });
  await vi.waitFor(() => expect(mails.got.length).toBe(1), soon);
  for (const one of ['m1', 'm2', 'm3']) await report(one);
  await vi.waitFor(async () => {
    const { rows } = await hub.test.database.query('SELECT events FROM subscription WHERE id = $1', [id]);
    expect(Number(rows[0]!.events)).toBe(3);
  }, soon);
  mails.hold = undefined;
  release();
  await vi.waitFor(() => expect(mails.got.length).toBe(2), soon);
  for (const mail of mails.got) {
    expect(mail).toMatchObject({ from: 'hub@hub.example', to: ['ann@example.org'], isEncrypted: true });
    expect(mail.text).toContain(`${pages}/subscriptions/${id}`);
    for (const word of ['Dow', 'Potassium', 'result', 'Patient']) expect(mail.raw).not.toContain(word);
  }
  expect(mails.got[1]!.text).toContain('3 events');
  await vi.waitFor(async () => expect((await hub.get(`/fhir/Subscription/${id}`)).json.status).toBe('active'), soon);
  const seen = await hub.get(`/fhir/Subscription/${id}/$events`);
  expect(statusIn(seen.json).events.map(({ number, focus }: Json) => [number, focus.split('/').at(-1)])).toEqual([
    [1, 'm1'],
    [2, 'm2'],
    [3, 'm3'],
  ]);
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
});

it('a mailbox that is refused is shown, and is tried again', async () => {
  mails.refuse = 550;
  const id = await subscribe('DiagnosticReport?status=final', { type: 'email', endpoint: 'mailto:bob@example.org' });
  await vi.waitFor(async () => {
    const { json } = await hub.get(`/fhir/Subscription/${id}`);
    expect(json).toMatchObject({ status: 'error', error: 'The mail server refused the address (550).' });
  }, soon);
  mails.refuse = undefined;
  await vi.waitFor(() => expect(mails.got.map(({ to }) => to)).toEqual([['bob@example.org']]), soon);
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
});

it.each([
  [{ endpoint: 'https://example.org' }, 'channel.endpoint'],
  [{ endpoint: 'mailto:ann@example.org?bcc=eve@example.org' }, 'channel.endpoint'],
  [{ payload: 'application/fhir+json' }, 'channel.payload'],
  [{ payload: 'text/plain', _payload: content('id-only') }, 'channel.payload'],
  [{ header: ['Bcc: eve@example.org'] }, 'channel.header'],
])('mail with %j is refused', async (more, element) => {
  const answer = await ask(results, { type: 'email', endpoint: 'mailto:ann@example.org', ...more });
  expect(answer.status).toBe(422);
  expect(answer.json.issue[0].expression).toEqual([`Subscription.${element}`]);
});

it('a message is a Bundle whose header leads to the notification; sent again, it is the same message', async () => {
  endpoint.answerBody = JSON.stringify(answerOf('transient-error'));
  const id = await subscribe(results, {
    type: 'message',
    endpoint: `${endpoint.url}/fhir`,
    payload: 'application/fhir+json',
    _payload: content('full-resource'),
  });
  await vi.waitFor(async () => {
    const { json } = await hub.get(`/fhir/Subscription/${id}`);
    expect(json).toMatchObject({ status: 'error', error: 'The endpoint answered transient-error.' });
  }, soon);
  endpoint.answerBody = JSON.stringify(answerOf('ok'));
  await vi.waitFor(async () => expect((await hub.get(`/fhir/Subscription/${id}`)).json.status).toBe('active'), soon);
  endpoint.got.length = 0;
  endpoint.answerBody = JSON.stringify(answerOf('transient-error'));
  await report('x1');
  await vi.waitFor(() => expect(endpoint.got.length).toBe(1), soon);
  endpoint.answerBody = '';
  await vi.waitFor(() => expect(endpoint.got.length).toBe(2), soon);
  const [{ path, json: first }, { json: again }] = endpoint.got as [Json, Json];
  expect(path).toBe('/fhir/$process-message');
  const [header, notification] = first.entry;
  expect(first).toMatchObject({ resourceType: 'Bundle', type: 'message' });
  expect(header.resource).toMatchObject({
    resourceType: 'MessageHeader',
    destination: [{ endpoint: `${endpoint.url}/fhir` }],
    source: { endpoint: `${pages}/fhir` },
    focus: [{ reference: notification.fullUrl }],
  });
  expect(statusIn(notification.resource)).toMatchObject({ type: 'event-notification', events: [{ number: 1 }] });
  expect(notification.resource.entry[1].resource).toMatchObject({ resourceType: 'DiagnosticReport', id: 'x1' });
  expect(again.entry[0].resource.id).toBe(header.resource.id);
  expect(again.id).not.toBe(first.id);
  const valid = await hub.send('POST', '/fhir/Bundle/$validate', first);
  expect(valid.json.issue.filter(({ severity }: Json) => severity === 'error')).toEqual([]);
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
});

function answerOf(code: string): Json {
  const response = { identifier: 'x', code };
  return {
    resourceType: 'Bundle',
    type: 'message',
    entry: [{ resource: { resourceType: 'MessageHeader', response } }],
  };
}

it('by criteria a message is about the resource', async () => {
  const id = await subscribe('DiagnosticReport?code:text=Potassium', {
    type: 'message',
    endpoint: `${endpoint.url}/fhir/$process-message`,
    payload: 'application/fhir+json',
  });
  await vi.waitFor(async () => expect((await hub.get(`/fhir/Subscription/${id}`)).json.status).toBe('active'), soon);
  await report('c1');
  await vi.waitFor(() => expect(endpoint.got.length).toBe(1), soon);
  const [{ path, json }] = endpoint.got as [Json];
  expect(path).toBe('/fhir/$process-message');
  expect(json.entry[0].resource.focus).toEqual([{ reference: `${pages}/fhir/DiagnosticReport/c1` }]);
  expect(json.entry[1].resource).toMatchObject({ resourceType: 'DiagnosticReport', id: 'c1' });
  await hub.send('DELETE', `/fhir/Subscription/${id}`);
});
