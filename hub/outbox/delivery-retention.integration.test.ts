/** What is left of deliveries after their time, and that what follows them still does. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { recipientsOf } from '../care/index.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { newId } from '../record/index.ts';
import { accessOf } from '../trust/index.ts';
import { DeliveryRetention } from './index.ts';
import { mllpReceiver, sites, type TestOutbox, type TestReceiver, testOutbox } from './testing.ts';

const steward = accessOf({ username: 's', name: 'S', role: 'steward', organization: 'o' });

let test: TestDatabase;
let outbox: TestOutbox;
let retention: DeliveryRetention;
let receiver: TestReceiver;
beforeAll(async () => {
  test = await testDatabase();
  outbox = await testOutbox(test.database);
  retention = new DeliveryRetention(test.database, outbox.participants);
  receiver = await mllpReceiver((message) => (message.get('NTE-3') === 'Refused.' ? 'reject' : 'accept'));
  await outbox.routes(sites.hospital, [
    { name: 'short', to: receiver.endpoint, topics: ['result'] },
    { name: 'long', to: receiver.endpoint, topics: ['result'] },
  ]);
  await outbox.sender(1, { refusals: 1 }).start();
});
afterAll(async () => {
  await receiver.close();
  await outbox.stop();
  await test.drop();
});

const keep = (destination: string, route: string | undefined, keepDays: number | undefined) =>
  retention.set({ destination, route, keepDays }, 'admin', 'test', async () => {});
/** A pass so many days from now. */
const pass = (days: number) =>
  test.database.transaction((transaction) => retention.step(transaction, 0, new Date(Date.now() + days * 86_400_000)));
const left = async () => (await outbox.rows()).map(({ route, kind, state }) => `${route} ${kind} ${state}`).sort();

async function report(lab: string, id: string, conclusion: string, status = 'final') {
  const code = { coding: [{ system: 'http://loinc.org', code: '2823-3' }] };
  const subject = { reference: `Patient/${lab}` };
  await outbox.say(sites.lab, { resourceType: 'DiagnosticReport', id, status, code, subject, conclusion } as never);
}

it('arrived ones become receipts and cancelled ones go, each by its own policy; what was given up stays', async () => {
  const { lab } = await outbox.register('Ada', 'hospital', 'lab');
  const [told, dead] = [newId(), newId()];
  await report(lab, told, 'Told.');
  await outbox.until('delivered', 2);
  await report(lab, dead, 'Refused.');
  await outbox.until('dead', 2);
  await test.database.query(
    `UPDATE delivery SET state = 'cancelled', offered = false WHERE state = 'dead' AND route = 'long'`,
  );
  expect(await pass(1_000)).toEqual({ removed: 0, next: undefined });
  await keep('*', undefined, 300);
  await keep(sites.hospital, 'short', 10);
  expect((await pass(20)).removed).toBe(1);
  expect(await left()).toEqual(['long new cancelled', 'long new delivered', 'short new dead']);
  const { rows } = await test.database.query('SELECT * FROM receipt');
  expect(rows).toMatchObject([
    { destination: sites.hospital, route: 'short', focus_version: 1, kind: 'new', round: 1 },
  ]);
  expect((await pass(320)).removed).toBe(2);
  expect(await left()).toEqual(['short new dead']);

  // What somebody has is followed up as if the delivery were there: corrected, listed and taken back.
  await report(lab, told, 'Corrected.');
  await outbox.until('delivered', 2);
  expect(receiver.messages.slice(-2).map((message) => message.get('OBR-25'))).toEqual(['C', 'C']);
  await outbox.until('delivered', 2);
  const recall = async () =>
    (await test.database.query(`SELECT id FROM care_loop WHERE kind = 'recall' AND state <> 'closed'`)).rows[0]!.id;
  const focus = `DiagnosticReport/${told}`;
  const corrected = await recipientsOf(test.database, { id: await recall(), focus });
  expect(corrected.map(({ route, told: versions, recall: own }) => [route, versions[0]?.version, own?.kind])).toEqual([
    ['long', 1, 'correction'],
    ['short', 1, 'correction'],
  ]);
  // What an open recall is about stays.
  expect((await pass(400)).removed).toBe(0);
  await test.database.query(`UPDATE care_loop SET state = 'closed'`);
  expect((await pass(400)).removed).toBe(2);
  await report(lab, told, 'Wrong.', 'entered-in-error');
  await outbox.until('delivered', 2);
  expect((await outbox.rows()).filter(({ state }) => state === 'delivered').map(({ kind }) => kind)).toEqual([
    'retraction',
    'retraction',
  ]);
});

it('what was told is taken back when a link is undone, also where only a receipt is left', async () => {
  await outbox.routes(sites.hospital, [{ name: 'short', to: receiver.endpoint, topics: ['result'] }]);
  const { lab } = await outbox.register('Grace', 'hospital', 'lab');
  await report(lab, newId(), 'Of one person.');
  await outbox.until('delivered', 3);
  await pass(20);
  const rows = await outbox.rows();
  await outbox.persons.unlink(lab, lab, steward, 'another person');
  const written = (await outbox.rows()).slice(rows.length);
  expect(written.map(({ destination, route, kind }) => [destination, route, kind])).toEqual([
    [sites.hospital, 'short', 'retraction'],
  ]);
});

it('what followed something that was given up stays with it, so that sending it again leaves the newest as the last word', async () => {
  const { lab } = await outbox.register('Mary', 'hospital', 'lab');
  const id = newId();
  const own = async () => (await outbox.rows()).filter((row) => (row as { focus_rid?: string }).focus_rid === id);
  const settled = (states: string[]) =>
    vi.waitFor(async () => expect((await own()).map(({ state }) => state)).toEqual(states), 20_000);
  await report(lab, id, 'Refused.');
  await settled(['dead']);
  await report(lab, id, 'As it is.');
  await settled(['dead', 'delivered']);
  await test.database.query(`UPDATE care_loop SET state = 'closed'`);
  await keep('*', undefined, 10);
  await pass(400);
  await settled(['dead', 'delivered']);
  const since = receiver.messages.length;
  expect(await outbox.deliveries.replay((await own())[0]!.id)).toBe(2);
  await settled(['dead', 'delivered']);
  expect(receiver.messages.slice(since).map((message) => message.get('NTE-3'))).toEqual(['Refused.', 'As it is.']);
});
