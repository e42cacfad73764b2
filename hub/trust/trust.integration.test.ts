import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessesIn, testAudit } from '../audit/testing.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import {
  AccessLog,
  Accounts,
  accessCondition,
  accessOf,
  keyOf,
  type Participant,
  Participants,
  scopeOf,
} from './index.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

const access = accessOf({ username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' });

it('records accesses that come together in few commits, in their order within each, before their answers may leave', async () => {
  const log = new AccessLog(test.database, testAudit(test.database));
  await Promise.all(
    Array.from({ length: 1_200 }, (_, i) =>
      log.record(access, { action: 'read', what: `/Patient/${i}`, status: 200, patients: [] }),
    ),
  );
  const { rows } = await test.database.query('SELECT count FROM access_log ORDER BY id');
  expect(rows.length).toBeLessThan(100);
  const entries = await accessesIn(test.database);
  expect(entries).toHaveLength(1_200);
  expect(new Set(entries.map((entry) => entry.what)).size).toBe(1_200);
  const number = (entry: { what: string }) => Number(entry.what.slice('/Patient/'.length));
  let done = 0;
  for (const { count } of rows) {
    const numbers = entries.slice(done, done + count).map(number);
    done += count;
    expect(numbers).toEqual([...numbers].sort((a: number, b: number) => a - b));
  }
  expect(entries.find((entry) => entry.what === '/Patient/0')).toEqual({
    at: expect.stringMatching(/^20.*Z$/),
    who: 'ann',
    role: 'clinician',
    organization: 'Clinic',
    purpose: 'TREAT',
    action: 'read',
    what: '/Patient/0',
    status: 200,
    outcome: 'success',
  });
});

it('records what PostgreSQL could not store as it is, and tells when nothing can be recorded', async () => {
  const log = new AccessLog(test.database, testAudit(test.database));
  await log.record(access, { action: 'search', what: '/Patient?name=\u0000\ud800"\\u0000\\', status: 400 });
  expect((await accessesIn(test.database)).at(-1)!.what).toBe('/Patient?name=\ufffd"\\u0000\\');
  const { database, drop } = await testDatabase(null);
  await expect(
    new AccessLog(database, testAudit(database)).record(access, { action: 'read', what: '/', status: 200 }),
  ).rejects.toThrow();
  await drop();
});

it('keeps no password and no session token', async () => {
  const accounts = new Accounts(test.database);
  await accounts.make(
    { username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' },
    'a-password-of-hers',
  );
  await accounts.make({ username: 'ann', name: 'Other', role: 'administrator', organization: 'Elsewhere' }, 'another');
  const signedIn = await accounts.signIn('ann', 'a-password-of-hers');
  if (!('token' in signedIn)) throw new Error('She was not signed in.');
  expect(signedIn.user.role).toBe('clinician');
  expect(await accounts.session(signedIn.token)).toEqual(signedIn.user);
  const { rows } = await test.database.query(
    `SELECT (SELECT password FROM account) AS password, (SELECT encode(id, 'escape') FROM session) AS session`,
  );
  expect(rows[0]!.password).toMatch(/^\$argon2id\$/);
  expect(rows[0]!.session).not.toContain(signedIn.token);
  await accounts.signOut(signedIn.token);
  expect(await accounts.session(signedIn.token)).toBeUndefined();
});

it('knows senders by what is registered of them, and others by their own name', async () => {
  const participants = new Participants(test.database);
  const lab: Participant = {
    key: 'lab',
    name: 'The Lab',
    kind: 'lab',
    sendingFacility: 'LABFAC',
    sendingApplication: 'LIS',
    identifierSystem: 'urn:lab',
    identifierAuthority: 'LABPID',
    settings: { oid: '2.999.1' },
    routes: [{ name: 'main', to: { dialect: 'hl7v2', host: '127.0.0.1', port: 1 } }],
  };
  await participants.put(lab);
  await participants.put({ ...lab, name: 'The Laboratory' });
  const again = new Participants(test.database);
  await again.load();
  for (const known of [participants, again]) {
    expect(known.byKey('lab')).toEqual({ ...lab, name: 'The Laboratory', transport: {}, queries: [], isPart2: false });
    expect(known.bySender('LABFAC', 'LIS')).toBe('lab');
    expect(known.bySender('LABFAC', 'OTHER')).toBe('labfac');
    expect(known.bySender('', 'OTHER')).toBe('other');
    expect(known.bySender('', '')).toBe('unknown');
    expect(known.byOid('2.999.1')).toBe('lab');
    expect(known.byOid(undefined)).toBeUndefined();
    expect(known.byKey('nobody').name).toBe('nobody');
  }
  expect(keyOf("Ärzte & Söhne'; DROP")).toBe('arzte-sohne-drop');
});

it('reads an access into the condition of a statement', () => {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const custodian = accessOf({ username: 'root', name: 'Root', role: 'administrator', organization: 'Hub' });
  expect(accessCondition(custodian, 'r', parameter)).toBe('true');
  expect(accessCondition({ ...custodian, homes: [] }, 'r', parameter)).toBe('false');
  expect(accessCondition({ ...custodian, homes: [4, 9] }, 'r', parameter)).toBe(
    '(r.home < 0 OR r.home = ANY($1::bigint[]))',
  );
  expect(values).toEqual([[4, 9]]);
  expect(accessCondition(access, 'r', parameter)).toContain('consent_provision');
  for (const role of ['patient', 'proxy', 'researcher', 'integration-engineer'] as const) {
    const without = accessOf({ username: 'x', name: 'X', role, organization: 'Clinic' });
    expect(accessCondition(without, 'r', parameter)).toBe('false');
    expect(scopeOf(without)).toMatch(/^\/-?\d+$/);
  }
});
