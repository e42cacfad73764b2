/** What changes between the moment at which a delivery is taken up and the one at which it is sent, or its outcome written down. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Consents } from '../consent/index.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { newId } from '../record/index.ts';
import { accessOf } from '../trust/index.ts';
import { settle } from './queue.ts';
import { claim, mllpReceiver, sites, type TestOutbox, type TestReceiver, testOutbox } from './testing.ts';

let test: TestDatabase;
let outbox: TestOutbox;
let hospital: TestReceiver;
/** Whether the hospital answers what it is sent. */
let answers: boolean;
const steward = accessOf({ username: 's', name: 'S', role: 'steward', organization: 'o' });

beforeEach(async () => {
  test = await testDatabase();
  outbox = await testOutbox(test.database);
  answers = true;
  hospital = await mllpReceiver(() => (answers ? 'accept' : 'silence'));
  await outbox.endpoint(sites.hospital, hospital.endpoint);
});
afterEach(async () => {
  await outbox.stop();
  await hospital.close();
  await test.drop();
});

const report = (patient: string, id = newId(), more: object = {}) =>
  outbox.say(sites.lab, {
    resourceType: 'DiagnosticReport',
    id,
    status: 'final',
    code: { text: 'Potassium' },
    subject: { reference: `Patient/${patient}` },
    ...more,
  } as never);

const consent = (lab: string, status: string) => ({
  resourceType: 'Consent',
  id: 'refusal',
  status,
  scope: { coding: [{ code: 'patient-privacy' }] },
  category: [{ text: 'x' }],
  policyRule: { coding: [{ code: 'OPTOUT' }] },
  patient: { reference: `Patient/${lab}` },
  provision: { type: 'deny' },
});

it('that a delivery is of another person is noticed however long what goes before it takes', async () => {
  const ada = await outbox.register('Ada', 'hospital', 'lab');
  const beatrice = await outbox.register('Beatrice', 'hospital', 'lab');
  await report(ada.lab);
  await report(beatrice.lab);
  answers = false;
  await outbox.sender(50, { answerMs: 60_000 }).start();
  while (hospital.messages.length === 0) await delay(10);
  await outbox.persons.unlink(beatrice.hospital, beatrice.hospital, steward, 'another person');
  // Longer than what was made ahead is held for good.
  await delay(1_100);
  answers = true;
  const { controlId } = hospital.messages[0]!;
  hospital.say(`MSH|^~\\&|R|R|H|H|20260101000000||ACK|A1|P|2.5.1\rMSA|AA|${controlId}\r`);
  await outbox.until('cancelled', 1);
  const told = hospital.messages.map((one) => one.get('PID-3.1'));
  expect(told.filter((number) => number === 'hospital-Beatrice').length).toBeLessThanOrEqual(1);
  expect(hospital.messages.filter((one) => one.get('OBR-25') === 'F').map((one) => one.get('PID-3.1'))).toEqual([
    'hospital-Ada',
  ]);
});

it('what is decided on while a refusal is being revoked is not kept back for ever', async () => {
  new Consents(outbox.record, outbox.persons, () => 'UTC');
  const { lab } = await outbox.register('Ada', 'hospital', 'lab');
  await outbox.say(sites.lab, consent(lab, 'active'));
  await report(lab);
  const lane = { destination: sites.hospital, route: 'main' };
  // After what is derived of the revocation, and before its commit.
  outbox.record.writer.beforeCommit(async () => {
    const { claimed } = await claim(test.database, lane, 10);
    const kept = claimed.map(({ seq }) => ({ seq, state: 'cancelled' as const, error: 'kept', retryMs: 0 }));
    await settle(
      test.database,
      kept.map((one) => ({ ...one, isWithheld: true })),
    );
  });
  await outbox.say(sites.lab, consent(lab, 'inactive'));
  await outbox.sender().start();
  await outbox.until('delivered', 1);
  expect(hospital.messages).toHaveLength(1);
});

it('what may have arrived is taken back, though a refusal kept it from being sent again', async () => {
  new Consents(outbox.record, outbox.persons, () => 'UTC');
  const { lab } = await outbox.register('Ada', 'hospital', 'lab');
  const id = newId();
  answers = false;
  await outbox.sender().start();
  await report(lab, id);
  while (hospital.messages.length === 0) await delay(10);
  await outbox.say(sites.lab, consent(lab, 'active'));
  await outbox.until('cancelled', 1);
  answers = true;
  await report(lab, id, { status: 'entered-in-error' });
  await outbox.until('delivered', 1);
  expect((await outbox.rows()).map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    'new cancelled',
    'retraction delivered',
  ]);
});
