/** A document that an organisation picks up: from the mail to the page, by its PIN, as long as it may be seen. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { accessesIn, testAudit } from '../audit/testing.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { type TestMailServer, testMailServer } from '../mail/testing.ts';
import { Pickup } from '../outbox/index.ts';
import { sites, type TestOutbox, testOutbox } from '../outbox/testing.ts';
import { newId } from '../record/index.ts';
import { AccessLog } from '../trust/index.ts';
import { pickupRoutes } from './pickup-routes.ts';

const folder = mkdtempSync(join(tmpdir(), 'causeway-pickup-'));
const pinFile = join(folder, 'pin');
const xml = `<?xml version="1.0"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Discharge of Ada</title><component><structuredBody><component><section>
<title>Course</title><text><paragraph onclick="alert(1)">Went <content styleCode="Bold">well</content>.</paragraph>
<linkHtml href="javascript:alert(1)">more</linkHtml></text></section></component></structuredBody></component></ClinicalDocument>`;
const app = Fastify();
let test: TestDatabase;
let outbox: TestOutbox;
let mails: TestMailServer;
let lab: string;

beforeAll(async () => {
  writeFileSync(pinFile, 'heron-4711\n');
  [test, mails] = await Promise.all([testDatabase(), testMailServer()]);
  const mail: { pickup?: Pickup } = {};
  outbox = await testOutbox(test.database, undefined, undefined, mail);
  const { record, participants, policy } = outbox;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const accessLog = new AccessLog(test.database, testAudit(test.database));
  mail.pickup = new Pickup({
    database: test.database,
    record,
    participants,
    policy,
    accessLog,
    mailer: mails.mailer(),
    tokenKey: Buffer.alloc(32, 7),
    pages: () => 'http://hub.test',
  });
  pickupRoutes(app, { pickup: mail.pickup, accessLog });
  const pickup = { address: 'desk@practice.example', pinFile };
  await outbox.routes(sites.practice, [{ name: 'page', to: { dialect: 'ccda', pickup } }]);
  await outbox.sender().start();
  ({ lab } = await outbox.register('Ada', 'practice', 'lab'));
});
afterAll(async () => {
  await outbox?.stop();
  await app.close();
  await Promise.all([test?.drop(), mails?.close()]);
  rmSync(folder, { recursive: true });
});

/** States a document, and gives the path of the page that the mail names. */
async function announced(more: object = {}): Promise<{ id: string; path: string }> {
  const id = newId();
  const before = mails.got.length;
  await state(id, more);
  await vi.waitFor(() => expect(mails.got.length).toBe(before + 1), { timeout: 20_000, interval: 20 });
  const mail = mails.got[before]!;
  expect(mail.to).toEqual(['desk@practice.example']);
  for (const word of ['Ada', 'Quillfeather', 'Discharge', 'heron'])
    expect(mail.raw.replace(/=\r\n/g, '').replace(/\/pickup\/\S+/, '')).not.toContain(word);
  return { id, path: /http:\/\/hub\.test(\/pickup\/\S+)/.exec(mail.text)![1]! };
}

function state(id: string, more: object = {}): Promise<void> {
  return outbox.say(sites.lab, {
    resourceType: 'DocumentReference',
    id,
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '18842-5' }] },
    subject: { reference: `Patient/${lab}` },
    content: [{ attachment: { contentType: 'text/xml', data: Buffer.from(xml).toString('base64') } }],
    ...more,
  } as never);
}

const post = (url: string, form: Record<string, string>) =>
  app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(form).toString(),
  });

async function recorded(): Promise<[string, number][]> {
  const pickups = (await accessesIn(test.database)).filter(({ action }) => action.startsWith('pick-up'));
  return pickups.map(({ action, status }) => [action, status]);
}

it('opens with the PIN, is shown without anything that could be a script, and each look is recorded', async () => {
  const { path } = await announced();
  const asked = await app.inject(path);
  expect([asked.statusCode, asked.headers['content-security-policy']]).toEqual([
    200,
    expect.stringContaining("default-src 'none'"),
  ]);
  expect(asked.body).not.toContain('Ada');
  const wrong = await post(path, { pin: 'guess-1234' });
  expect([wrong.statusCode, wrong.body.includes('Ada')]).toEqual([403, false]);
  const shown = await post(path, { pin: 'heron-4711' });
  expect(shown.statusCode).toBe(200);
  expect(shown.body).toContain('Discharge of Ada');
  expect(shown.body).toContain('Went <b>well</b>');
  expect(shown.body).not.toMatch(/alert|javascript|onclick/);
  await outbox.until('delivered', 1);
  const ticket = /name="ticket" value="([^"]+)"/.exec(shown.body)![1]!;
  const downloaded = await post(path, { ticket });
  expect([downloaded.statusCode, downloaded.body]).toEqual([200, xml]);
  expect((await post(path, { ticket: `9${ticket}` })).statusCode).toBe(403);
  expect(await recorded()).toEqual([
    ['pick-up', 403],
    ['pick-up', 200],
    ['pick-up-download', 200],
  ]);
});

it('after five wrong PINs the right one opens nothing; a link that the hub did not write, or is over, leads nowhere', async () => {
  const { path } = await announced();
  for (let i = 0; i < 5; i++) expect((await post(path, { pin: `guess-000${i}` })).statusCode).toBe(403);
  const late = await post(path, { pin: 'heron-4711' });
  expect([late.statusCode, late.body.includes('Ada')]).toEqual([429, false]);
  const [accepted, written] = [(await outbox.rows()).findLast(({ state }) => state === 'accepted')!, mails.got.length];
  expect(await outbox.deliveries.replay(accepted.id)).toBe(1);
  await vi.waitFor(() => expect(mails.got.length).toBe(written + 1), { timeout: 20_000, interval: 20 });
  expect((await post(path, { pin: 'heron-4711' })).statusCode).toBe(200);
  expect((await app.inject(`${path}x`)).statusCode).toBe(404);
  expect((await app.inject('/pickup/none')).statusCode).toBe(404);
  await test.database.query('UPDATE pickup SET expires = now(), failures = 0');
  expect((await app.inject(path)).statusCode).toBe(404);
  expect((await post(path, { pin: 'heron-4711' })).statusCode).toBe(404);
});

it('what may not be seen any more when it is looked at is not shown', async () => {
  const { path, id } = await announced();
  await state(id, {
    meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSYTHPN' }] },
  });
  const gone = await post(path, { pin: 'heron-4711' });
  expect([gone.statusCode, gone.body.includes('Ada')]).toEqual([410, false]);
});
