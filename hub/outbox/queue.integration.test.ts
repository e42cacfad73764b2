import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { newId } from '../record/index.ts';
import { claim, nextDue, settle } from './queue.ts';
import { replaySome } from './replay.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

it('lets a destination with nothing to send rest', async () => {
  const lane = { destination: 'nobody', route: 'main' };
  const { claimed, at } = await claim(test.database, lane, 10);
  expect(claimed).toEqual([]);
  expect(await nextDue(test.database, lane, at)).toBeUndefined();
});

it('takes of each recipient the first that is not settled, and the next in the very transaction that settles it', async () => {
  const { database } = test;
  const [ada, beatrice] = [newId(), newId()];
  for (const recipient of [ada, ada, ada, beatrice, beatrice])
    await database.query(
      `INSERT INTO delivery (id, created, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
         focus_version, recipient, recipient_home, round, state, next_attempt)
       VALUES ($1, now(), 'clinic', 'main', 'fhir', 'new', 'result', 1, 'lab', $1, 1, $1, 1, $2, 2, 1, 'waiting', now())`,
      [newId(), recipient],
    );
  const lane = { destination: 'clinic', route: 'main' };
  const taken = async (from: Parameters<typeof claim>[0]) =>
    (await claim(from, lane, 10)).claimed.map(({ seq, recipient }) => ({ seq, recipient }));
  const first = await taken(database);
  expect(first.map(({ recipient }) => recipient)).toEqual([ada, beatrice]);
  expect(await taken(database)).toEqual([]);
  const [ofAda, ofBeatrice] = first.map(({ seq }) => seq);
  const end = { error: undefined, retryMs: 60_000 };
  const second = await database.transaction(async (transaction) => {
    await settle(transaction, [
      { seq: ofAda!, state: 'delivered', ...end },
      { seq: ofBeatrice!, state: 'failed', ...end },
    ]);
    return taken(transaction);
  });
  expect(second).toEqual([{ seq: ofAda! + 1, recipient: ada }]);
});

it('what is sent again before something urgent for the same recipient is as urgent: it would hold that up', async () => {
  const { database } = test;
  const recipient = newId();
  for (const [state, priority] of [
    ['delivered', 0],
    ['waiting', 1],
  ])
    await database.query(
      `INSERT INTO delivery (id, created, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
         focus_version, recipient, recipient_home, round, state, priority, next_attempt)
       VALUES ($1, now(), 'ward', 'main', 'fhir', 'new', 'result', 1, 'lab', $1, 1, $1, 1, $2, 2, 1, $3, $4, now())`,
      [newId(), recipient, state, priority],
    );
  expect(await replaySome(database, { destination: 'ward', delivered: true })).toBe(1);
  const { claimed } = await claim(database, { destination: 'ward', route: 'main' }, 10, true);
  expect(claimed).toHaveLength(1);
});
