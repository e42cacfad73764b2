/** The hub's own discharge summary, and the source's that comes after it: in each dialect, to those who were told of the hub's. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { mllpReceiver, type TestReceiver } from './testing.ts';

let hub: TestHub;
let receiver: TestReceiver;
let server: Server;
const bundles: Json[] = [];
const folder = mkdtempSync(join(tmpdir(), 'causeway-summaries-'));
const soon = { timeout: 30_000, interval: 30 };

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      bundles.push(JSON.parse(text));
      const entry = JSON.parse(text).entry.map(() => ({ response: { status: '200' } }));
      response.setHeader('content-type', 'application/fhir+json');
      response.end(JSON.stringify({ resourceType: 'Bundle', type: 'transaction-response', entry }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  hub = await startTestHub({ sendTo: [url] });
  receiver = await mllpReceiver();
  await put('clinic', { name: 'The clinic', kind: 'hospital', sendingFacility: 'CLINIC' });
  const routes = [
    { name: 'v2', to: { ...receiver.endpoint, messages: ['MDM'] } },
    { name: 'fhir', to: { dialect: 'fhir', url: `${url}fhir` }, topics: ['discharge-summary'] },
    { name: 'files', to: { dialect: 'ccda', folder }, topics: ['discharge-summary'] },
  ];
  const identifierSystem = 'urn:causeway:authority:ward:WARDMRN';
  await put('ward', { name: 'The ward', kind: 'practice', sendingFacility: 'WARD', identifierSystem, routes });
});
afterAll(async () => {
  await receiver.close();
  server.close();
  await hub.stop();
  rmSync(folder, { recursive: true });
});

async function put(key: string, body: object): Promise<void> {
  const { status, text } = await hub.send('PUT', `/api/participants/${key}`, body);
  if (status !== 200) throw new Error(text);
}

let clock = 0;
const message = (facility: string, type: string, given: string, ...segments: string[]) => {
  clock += 1;
  const time = `20261101${String(clock).padStart(6, '0')}`;
  return [
    `MSH|^~\\&|APP|${facility}|HUB|X|${time}||${type}|M${clock}|P|2.5.1`,
    `EVN||${time}`,
    `PID|1||${facility}-${given}^^^${facility}MRN^MR||Quillfeather^${given}||19570314|F|||9 Heron Lane^^Sedgewick^^04999||555-0199`,
    ...segments,
  ].join('\r');
};
const files = () =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.xml'))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'));
const hours = (ago: number) =>
  new Date(Date.now() - ago * 3_600_000).toISOString().replace(/\..*/, '').replaceAll(/[-T:]/g, '');
const stay = (number: string, from: number, to?: number) =>
  `PV1|1|I|||||||||||||||||${number}${'|'.repeat(25)}${hours(from)}${to === undefined ? '' : `|${hours(to)}`}`;
const summary = (given: string, visit: string, number: string) =>
  message(
    'CLINIC',
    'MDM^T02^MDM_T02',
    given,
    visit,
    `TXA|1|18842-5^Discharge summary^LN|TX|${hours(0)}||||||||${number}^CLINICDOC|||||AU||AV`,
    'OBX|1|TX|18842-5^Discharge summary^LN||Went home well.||||||F',
  );

/** Somebody who was in the clinic, and of whom the ward has the hub's summary. */
async function summedUp(given: string): Promise<{ visit: string; loop: () => Promise<Json> }> {
  const visit = stay(`V-${given}`, 50, 1);
  await hub.take(
    message('WARD', 'ADT^A04', given, 'PV1|1|O'),
    message('CLINIC', 'ADT^A01', given, stay(`V-${given}`, 50)),
    message('CLINIC', 'ADT^A03', given, visit),
  );
  const { rows } = await hub.test.database.query(
    `UPDATE care_loop SET opened = opened - interval '25 hours' WHERE kind = 'transition' AND state = 'open' RETURNING id`,
  );
  const [{ id }] = rows as [{ id: string }];
  const loop = async () => (await hub.get(`/api/loops/${id}`, { role: 'steward' })).json;
  await vi.waitFor(async () => expect((await loop()).state).toBe('closed'), soon);
  return { visit, loop };
}
const documents = (status?: string) =>
  bundles
    .flatMap(({ entry }) => entry.map(({ resource }: Json) => resource))
    .filter((one: Json) => one.resourceType === 'DocumentReference' && (status === undefined || one.status === status));

it('is replaced for each who has it by the source’s, under both numbers; no recall, and the discharge is closed once', async () => {
  const { visit, loop } = await summedUp('Ada');
  await vi.waitFor(() => {
    expect([receiver.messages.length, documents().length]).toEqual([1, 1]);
    expect(files()).toHaveLength(1);
  }, soon);
  const [own] = receiver.messages;
  const number = own!.get('TXA-12.3');
  expect([own!.get('MSH-9.2'), number]).toEqual(['T02', expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  await hub.take(summary('Ada', visit, 'S-1'));
  await vi.waitFor(() => expect([receiver.messages.length, documents().length]).toEqual([3, 3]), soon);
  const [, replacement, obsolete] = receiver.messages;
  const told = (one = own!) =>
    ['MSH-9.2', 'TXA-12.1', 'TXA-12.3', 'TXA-13.3', 'TXA-19'].map((path) => one.get(path as 'TXA-1'));
  expect(told(replacement)).toEqual(['T10', 'S-1', undefined, number, 'AV']);
  expect(replacement!.get('OBX-5')).toBe('Went home well.');
  expect([...told(obsolete), obsolete!.all('OBX').length]).toEqual(['T03', undefined, number, undefined, 'OB', 0]);
  const [before, source, after] = documents();
  expect(source).toMatchObject({
    status: 'current',
    relatesTo: [{ code: 'replaces', target: { identifier: { value: `urn:uuid:${number}` } } }],
  });
  expect(after).toMatchObject({
    id: before.id,
    status: 'superseded',
    content: [{ attachment: { title: 'Replaced' } }],
  });
  // The text of the source is no C-CDA; that the hub's no longer holds is told all the same.
  await vi.waitFor(() => expect(files()).toHaveLength(2), soon);
  const [written, withdrawal] = files();
  expect(withdrawal).toContain('has taken the place of this one');
  const id = /<id root="([^"]*)"\/><code code="18842-5"/.exec(written!)?.[1];
  expect(withdrawal).toContain(`<relatedDocument typeCode="RPLC"><parentDocument><id root="${id}"/>`);
  const stored = await hub.resources(`DocumentReference?type=18842-5&status=superseded`);
  expect(stored).toMatchObject([
    { id: before.id, context: { related: [{ reference: expect.stringContaining('DocumentReference/') }] } },
  ]);
  const { state, outcome, events } = await loop();
  expect([state, outcome]).toEqual(['closed', 'summary-accepted']);
  expect(events.map(({ event }: Json) => event)).toEqual(['summary-made', 'closed', 'summary-replaced']);
  expect((await hub.test.database.query(`SELECT FROM care_loop WHERE kind = 'recall'`)).rowCount).toBe(0);
  // Once it is replaced a second one is news of its own.
  await hub.take(summary('Ada', visit, 'S-2'));
  await vi.waitFor(() => expect(receiver.messages.length).toBe(4), soon);
  expect(told(receiver.messages[3])).toEqual(['T02', 'S-2', undefined, undefined, 'AV']);
});

it('holds again, and is told again, where the source takes its own back', async () => {
  const { visit, loop } = await summedUp('Cleo');
  const since = receiver.messages.length;
  await hub.take(summary('Cleo', visit, 'S-9'));
  await vi.waitFor(() => expect(receiver.messages.length).toBe(since + 2), soon);
  const cancelled = summary('Cleo', visit, 'S-9')
    .replace('MDM^T02^MDM_T02', 'MDM^T11^MDM_T01')
    .replace('|AV\r', '|CA\r');
  await hub.take(cancelled.slice(0, cancelled.indexOf('\rOBX')));
  await vi.waitFor(() => expect(receiver.messages.length).toBe(since + 4), soon);
  const told = receiver.messages.slice(since).map((one) => [one.get('MSH-9.2'), one.get('TXA-19')]);
  expect(told).toEqual([
    ['T10', 'AV'],
    ['T03', 'OB'],
    ['T11', 'CA'],
    ['T02', 'AV'],
  ]);
  const [patient] = await hub.resources('Patient?identifier=CLINIC-Cleo');
  const current = await hub.resources(`DocumentReference?type=18842-5&patient=${patient.id}&status=current`);
  expect(current.map(({ id }: Json) => id)).toEqual([expect.stringMatching(/^summary\./)]);
  expect(current[0].context.related).toBeUndefined();
  const events = (await loop()).events.map(({ event }: Json) => event);
  expect(events).toEqual(['summary-made', 'closed', 'summary-replaced', 'summary-restored']);
  // The next one of the source takes its place as the first did.
  await hub.take(summary('Cleo', visit, 'S-10'));
  await vi.waitFor(
    () => expect(receiver.messages.slice(since + 4).map((one) => one.get('MSH-9.2'))).toEqual(['T10', 'T03']),
    soon,
  );
});

it('stands where the summary of an earlier stay comes late', async () => {
  await summedUp('Beatrix');
  const since = receiver.messages.length;
  const earlier = stay('V-EARLIER', 900, 800);
  await hub.take(message('CLINIC', 'ADT^A03', 'Beatrix', earlier), summary('Beatrix', earlier, 'S-3'));
  await vi.waitFor(
    () => expect(receiver.messages.slice(since).map((one) => one.get('TXA-12.1'))).toContain('S-3'),
    soon,
  );
  const last = receiver.messages.at(-1)!;
  expect([last.get('MSH-9.2'), last.get('TXA-13.3')]).toEqual(['T02', undefined]);
  const [patient] = await hub.resources('Patient?identifier=CLINIC-Beatrix');
  const own = await hub.resources(`DocumentReference?type=18842-5&patient=${patient.id}&status=superseded`);
  expect(own).toEqual([]);
});
