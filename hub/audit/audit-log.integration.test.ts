import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { type AuditLog, type Entry, KeyRetention, takeOver } from './index.ts';
import { accessesIn, testAudit } from './testing.ts';

let test: TestDatabase;
let audit: AuditLog;
beforeEach(async () => {
  test = await testDatabase();
  audit = testAudit(test.database);
});
afterEach(() => test.drop());

const entry = (what: string, more: Partial<Entry> = {}): Entry => ({
  at: new Date().toISOString(),
  who: 'ann',
  role: 'clinician',
  organization: 'Clinic',
  action: 'read',
  what,
  status: 200,
  patients: ['ada'],
  ...more,
});
const write = async (...entries: Entry[]) => test.database.query(await audit.insertion(entries));
const whats = async (query: Parameters<AuditLog['eventsOf']>[0]) =>
  (await audit.eventsOf(query)).events.map(({ entry: { what } }) => what);

it('finds the events about persons, the latest first, page by page, each once', async () => {
  await write(entry('1'), entry('2', { patients: ['bob'] }), entry('3', { patients: ['bob', 'ada'] }));
  await write(entry('4', { patients: [] }), entry('5', { who: 'bert' }));
  expect(await whats({ patients: ['ada'] })).toEqual(['5', '3', '1']);
  expect(await whats({ patients: ['ada', 'bob'] })).toEqual(['5', '3', '2', '1']);
  expect(await whats({ patients: ['nobody'] })).toEqual([]);
  expect(await whats({})).toEqual(['5', '4', '3', '2', '1']);
  expect(await whats({ who: 'bert' })).toEqual(['5']);
  const paged: (string | undefined)[] = [];
  for (let after: string | undefined; ; ) {
    const page = await audit.eventsOf({ patients: ['ada', 'bob'], limit: 1, ...(after ? { after } : {}) });
    paged.push(...page.events.map(({ entry: { what } }) => what));
    after = page.next;
    if (!after) break;
  }
  expect(paged).toEqual(['5', '3', '2', '1']);
});

it('goes on over many rows, and finds what a patient did by the account', async () => {
  for (let i = 0; i < 450; i++) await write(entry(`${i}`));
  await write(entry('own', { who: 'pat', role: 'patient' }), entry('other', { who: 'pam', role: 'patient' }));
  const all = await audit.eventsOf({ patients: ['ada'], limit: 1_000 });
  expect(all.events.map(({ entry: { what } }) => what)).toEqual([
    'other',
    'own',
    ...Array.from({ length: 450 }, (_, i) => `${449 - i}`),
  ]);
  expect(await whats({ accounts: ['pat'] })).toEqual(['own']);
  expect(all.events[1]).toMatchObject({ entry: { who: 'pat' } });
  expect(all.events[1]!.event.who).toBeUndefined();
});

it('opens nothing private about somebody whose key was destroyed, by any hub, and keeps its leaves', async () => {
  await write(entry('of ada'), entry('of both', { patients: ['ada', 'bob'] }), entry('of bob', { patients: ['bob'] }));
  const before = (await audit.eventsOf({})).events.map(({ leaf }) => leaf);
  await test.database.transaction(async (transaction) => {
    await audit.destroyAuditKeys(transaction, ['ada', 'never seen']);
    transaction.send(await audit.insertion([entry('erased')]));
  });
  audit.forgetKeys(['ada', 'never seen']);
  for (const one of [audit, testAudit(test.database)]) {
    const { events } = await one.eventsOf({});
    expect(events.slice(1).map(({ leaf }) => leaf)).toEqual(before);
    expect(events.map(({ entry: { what } }) => what)).toEqual([undefined, 'of bob', undefined, undefined]);
    expect(events.map(({ opened }) => opened.patients.map(({ id }) => id))).toEqual([[], ['bob'], ['bob'], []]);
    expect((await one.eventsOf({ patients: ['ada'] })).events).toEqual([]);
  }
  const { rows } = await test.database.query(`SELECT name FROM audit_subject WHERE name NOT LIKE 'month:%'`);
  expect(rows.map(({ name }) => name)).toEqual(['bob']);
  await write(entry('of another ada'));
  expect(await whats({ patients: ['ada'] })).toEqual(['of another ada']);
});

it('closes what is private of months whose time is over, says so in an event, and keeps leaves and whom they are about', async () => {
  const now = new Date();
  const month = (years: number, months: number) =>
    new Date(Date.UTC(now.getUTCFullYear() - years, now.getUTCMonth() + months, 1)).toISOString();
  const at = (when: string) => entry(`at ${when.slice(0, 7)}`, { at: when });
  const times = [month(7, 0), month(6, -1), month(6, 0)];
  for (const when of times) await write(at(when));
  await write(entry('nobody', { at: month(6, -1), patients: [] }));
  const before = (await audit.eventsOf({})).events.map(({ leaf }) => leaf);
  const retention = new KeyRetention(test.database, audit, 6, () => {});
  const due = times.slice(0, 2).map((when) => `month:${when.slice(0, 7)}`);
  expect(await retention.destroyDue(now)).toEqual(due);
  expect(await retention.destroyDue(now)).toEqual([]);
  for (const one of [audit, testAudit(test.database)]) {
    const { events } = await one.eventsOf({});
    expect(events.slice(2).map(({ leaf }) => leaf)).toEqual(before);
    expect(events.map(({ entry: { what } }) => what)).toEqual([
      ...due.toReversed(),
      undefined,
      `at ${times[2]!.slice(0, 7)}`,
      undefined,
      undefined,
    ]);
    expect((await one.eventsOf({ patients: ['ada'] })).events.map(({ entry: { patients } }) => patients)).toEqual(
      Array(3).fill(['ada']),
    );
    expect(await one.verifyDeep()).toEqual({ opened: 3, sealed: 3 });
  }
  expect(() => new KeyRetention(test.database, audit, 5, () => {})).toThrow('6 years');
});

it('tells where the key of a month is gone before its time', async () => {
  await write(entry('first'), entry('second'));
  expect(await audit.verifyDeep()).toEqual({ opened: 2, sealed: 0 });
  await test.database.query(`DELETE FROM audit_subject WHERE name LIKE 'month:%'`);
  expect(await audit.verifyDeep()).toMatchObject({
    finding: { kind: 'sealed', text: expect.stringContaining('month') },
  });
});

it('makes one key a subject, however many hubs ask at once', async () => {
  const hubs = Array.from({ length: 5 }, () => testAudit(test.database));
  await Promise.all(
    hubs.map(async (hub, i) =>
      test.database.query(await hub.insertion([entry(`${i}`, { patients: ['x', 'y', 'z'] })])),
    ),
  );
  expect((await whats({ patients: ['y'] })).toSorted()).toEqual(['0', '1', '2', '3', '4']);
});

it('takes over what was recorded before, in its order and before what came since, whatever stops it', async () => {
  const old = Array.from({ length: 230 }, (_, i) => [entry(`old ${i}`), entry(`old ${i} too`, { patients: [] })]);
  await test.database.query(`CREATE TABLE access_log_before (id bigint, at timestamptz, entries jsonb)`);
  await test.database.query(
    `INSERT INTO access_log_before SELECT id, '2026-01-02T03:04:05Z', entries
     FROM unnest($1::jsonb[]) WITH ORDINALITY AS v (entries, id)`,
    [old.map((entries) => JSON.stringify(entries))],
  );
  await test.database.query(`SELECT setval('access_log_id_seq', 1000)`);
  await write(entry('new'));
  const stopping = new Error('stopped');
  await expect(
    takeOver(test.database, audit, () => {
      throw stopping;
    }),
  ).rejects.toBe(stopping);
  expect((await accessesIn(test.database)).length).toBe(201);
  await takeOver(test.database, testAudit(test.database));
  await takeOver(test.database, audit);
  const expected = old.flatMap((entries) => entries.map(({ what }) => what));
  expect((await accessesIn(test.database)).map(({ what }) => what)).toEqual([...expected, 'new']);
  const { rows } = await test.database.query(
    `SELECT to_regclass('access_log_before') AS before, (SELECT count(*) FROM audit_pending) AS pending`,
  );
  expect(rows).toEqual([{ before: null, pending: 231 }]);
});

it('records a change with keys for the Patients that it makes, which are there when, and only when, it is committed', async () => {
  await write(entry('before', { patients: ['bob'] }));
  const made = (what: string, patients: string[]) =>
    test.database.transaction(async (transaction) => {
      const done = audit.recordChange(transaction, [entry(what, { action: 'create', patients })], patients.slice(0, 2));
      if (what === 'not made') throw new Error('of its own');
      return done;
    });
  await expect(made('not made', ['eve', 'dan'])).rejects.toThrow('of its own');
  const done = await made('made', ['ada', 'cyd', 'bob']);
  // Known by its key before it is kept, and by another hub.
  for (const one of [audit, testAudit(test.database)]) {
    expect((await one.eventsOf({ patients: ['cyd'] })).events.map(({ entry: { what } }) => what)).toEqual(['made']);
  }
  done();
  await write(entry('after', { patients: ['cyd', 'eve'] }));
  expect(await whats({ patients: ['ada', 'bob', 'cyd', 'dan', 'eve'] })).toEqual(['after', 'made', 'before']);
  expect(await whats({ patients: ['bob'] })).toEqual(['made', 'before']);
  const { rows } = await test.database.query('select name from audit_subject where name not like $1 order by name', [
    'month:%',
  ]);
  expect(rows.map(({ name }) => name)).toEqual(['ada', 'bob', 'cyd', 'eve']);
  // Two of one id would be two keys: the second change fails.
  await expect(made('again', ['ada'])).rejects.toMatchObject({ code: '23505' });
});
