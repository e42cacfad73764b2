import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { DeliveryRetention } from '../outbox/index.ts';
import { Participants } from '../trust/index.ts';
import { Refusals } from './index.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

const refused = { kind: 'role', organization: 'clinic', requester: 'ann', action: 'read' } as const;
const day = new Date().toISOString().slice(0, 10);

it('what the database did not take is stored once it does, though nothing more is refused', async () => {
  const failing = Promise.withResolvers<unknown>();
  const refusals = new Refusals(test.database, failing.resolve);
  await test.database.query('ALTER TABLE refusal RENAME TO away');
  refusals.observe(refused);
  refusals.observe(refused);
  expect(String(await failing.promise)).toContain('refusal');
  await test.database.query('ALTER TABLE away RENAME TO refusal');
  const counted = async () =>
    (await test.database.query<{ times: number }>('SELECT times FROM refusal')).rows.map(({ times }) => times);
  await expect.poll(counted, { timeout: 30_000 }).toEqual([2]);
  await refusals.close();
  expect(await refusals.list({ from: day, to: day, limit: 10 })).toMatchObject([{ ...refused, times: 2 }]);
});

it('what was withheld is counted also when the delivery is kept no longer, and can still be decided on', async () => {
  const { database } = test;
  const insert = (withheld: boolean) =>
    database.query(
      `INSERT INTO delivery (id, created, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
         focus_version, recipient, recipient_home, round, state, withheld, next_attempt)
       VALUES ($1, now() - interval '1 ms', 'ward', 'main', 'fhir', 'new', 'result', 1, 'lab', $1, 1, $1, 1, $1, 2, 1, 'cancelled', $2, now())`,
      [randomUUID(), withheld],
    );
  for (const withheld of [true, true, true, false]) await insert(withheld);
  const participants = new Participants(database);
  const retention = new DeliveryRetention(database, participants);
  const refusals = new Refusals(database, () => {});
  const listed = async () =>
    (await refusals.list({ from: day, to: day, limit: 10 })).filter(({ kind }) => kind === 'withheld');
  const before = await listed();
  expect(before).toMatchObject([{ organization: 'ward', action: 'result', times: 3 }]);
  const key = {
    day: before[0]!.day,
    kind: 'withheld',
    organization: 'ward',
    requester: 'ward',
    action: 'result',
  } as const;
  expect(await refusals.decide(key, { exception: 'none', by: 'pia', note: 'first' }, () => {})).toBe(true);
  await retention.set({ destination: '*', route: undefined, keepDays: 0 }, 'a', 'x', async () => {});
  await database.transaction((transaction) => retention.step(transaction, 0, new Date(Date.now() + 60_000)));
  expect((await database.query('SELECT FROM delivery')).rowCount).toBe(0);
  const decided = { by: 'pia', note: 'first' };
  expect(await listed()).toMatchObject([{ times: 3, firstAt: before[0]!.firstAt, lastAt: before[0]!.lastAt, decided }]);
  await insert(true);
  expect(await listed()).toMatchObject([{ times: 4, decided }]);
  await database.query('DELETE FROM delivery');
  expect(await refusals.decide(key, { exception: 'none', by: 'pia', note: 'second' }, () => {})).toBe(true);
  expect(await listed()).toMatchObject([{ times: 4, decided: { note: 'second' } }]);
});

it('what only waits until somebody confirms a link is no refusal, also when the delivery is kept no longer', async () => {
  const { database } = test;
  await database.query('DELETE FROM refusal');
  await database.query(
    `INSERT INTO delivery (id, created, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
       focus_version, recipient, recipient_home, round, state, withheld, unconfirmed, next_attempt)
     VALUES ($1, now(), 'ward', 'main', 'fhir', 'new', 'result', 1, 'lab', $1, 1, $1, 1, $1, 2, 1, 'cancelled', true, true, now())`,
    [randomUUID()],
  );
  const refusals = new Refusals(database, () => {});
  const listed = () => refusals.list({ from: day, to: day, limit: 10 });
  expect(await listed()).toEqual([]);
  const key = { day, kind: 'withheld', organization: 'ward', requester: 'ward', action: 'result' } as const;
  expect(await refusals.decide(key, { exception: 'none', by: 'pia', note: 'x' }, () => {})).toBe(false);
  await database.query('DELETE FROM delivery');
  expect(await listed()).toEqual([]);
});
