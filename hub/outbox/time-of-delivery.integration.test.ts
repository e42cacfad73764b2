/** Deliveries that are written while others write: their versions get their times last. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { newId } from '../record/index.ts';
import { mllpReceiver, sites, type TestOutbox, type TestReceiver, testOutbox } from './testing.ts';

let test: TestDatabase;
let outbox: TestOutbox;
let hospital: TestReceiver;

beforeEach(async () => {
  test = await testDatabase();
  outbox = await testOutbox(test.database);
  hospital = await mllpReceiver();
  await outbox.endpoint(sites.hospital, hospital.endpoint);
});
afterEach(async () => {
  await outbox.stop();
  await hospital.close();
  await test.drop();
});

it('tells of a version that got a later time, since others were stored before it', async () => {
  const { lab } = await outbox.register('Ada', 'hospital', 'lab');
  const id = newId();
  const other = () => {
    const made = newId();
    return outbox.record.writer.write({
      keys: [{ type: 'Basic', id: made }],
      patients: [],
      alone: true,
      apply: (set) =>
        void set.put(outbox.record.scan('{"resourceType":"Basic","code":{"text":"x"}}', 'Basic'), 'Basic', made),
    });
  };
  const report = outbox.record.scan(
    JSON.stringify({
      resourceType: 'DiagnosticReport',
      id,
      status: 'final',
      code: { text: 'Potassium' },
      subject: { reference: `Patient/${lab}` },
      meta: { tag: [{ system: 'urn:causeway:source', code: sites.lab }] },
    }),
    'DiagnosticReport',
  );
  await outbox.record.writer.write({
    keys: [{ type: 'DiagnosticReport', id }],
    patients: [lab],
    alone: true,
    apply: async (set) => {
      await delay(5);
      await other();
      set.put(report, 'DiagnosticReport', id);
    },
  });
  await outbox.sender().start();
  await outbox.until('delivered', 1);
  expect(hospital.messages).toHaveLength(1);
});
