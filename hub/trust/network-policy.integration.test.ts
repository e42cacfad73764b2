import { label } from '@causeway/access';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { NetworkPolicy, PolicyUnreadable } from './index.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());

const clinician = { username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' } as const;
const root = { username: 'root', name: 'Root', role: 'administrator', organization: 'Hub' } as const;

it('is known to other hubs, keeps its history, and closes ordinary reads while it cannot be read', async () => {
  const [one, other] = [new NetworkPolicy(test.database), new NetworkPolicy(test.database)];
  expect(other.current.model).toBe('opt-out');
  expect(await one.put({ model: 'opt-in', zone: 'UTC', rules: [] }, 'pia', 'The state asks for it.')).toEqual({
    version: 1,
  });
  expect(one.accessOf(clinician).limits.isPermissionNeeded).toBe(true);
  await other.load();
  expect(other.accessOf(clinician).limits.isPermissionNeeded).toBe(true);
  expect(other.accessOf(clinician).decidedBy?.policy).toBe(1);
  expect(await one.put({ model: 'no' }, 'pia', 'x')).toHaveProperty('wrong');
  expect((await one.history()).map(({ version, by, reason }) => [version, by, reason])).toEqual([
    [1, 'pia', 'The state asks for it.'],
    [0, undefined, undefined],
  ]);
  await test.database.query(
    `INSERT INTO network_policy (by_whom, reason, policy) VALUES ('newer', 'x', '{"model": "opt-in", "zone": "UTC", "rules": [], "newer": 1}')`,
  );
  await other.load();
  expect(other.isReadable).toBe(false);
  expect(() => other.accessOf(clinician)).toThrow(PolicyUnreadable);
  expect(() => other.current).toThrow(PolicyUnreadable);
  expect(other.accessOf(root).limits.isCustodian).toBe(true);
  const emergency = { ...clinician, participant: 'clinic', purpose: 'ETREAT', isEmergency: true, homes: [1] };
  expect(other.accessOf(emergency).limits.types).toBe('all');
  // It goes by the last that could be read.
  expect(other.accessOf(emergency).decidedBy?.policy).toBe(1);
  await other.put({ model: 'opt-out', zone: 'UTC', rules: [] }, 'pia', 'Mended.');
  expect(other.accessOf(clinician).limits.isPermissionNeeded).toBe(false);
});

it('counts as not to be read while the database does not tell', async () => {
  const policy = new NetworkPolicy(test.database);
  await policy.load();
  expect(policy.isReadable).toBe(true);
  await test.database.transaction(async (transaction) => {
    await transaction.query('LOCK TABLE network_policy IN ACCESS EXCLUSIVE MODE');
    await expect(policy.load()).rejects.toThrow('in time');
    expect(() => policy.accessOf(clinician)).toThrow(PolicyUnreadable);
  });
  await policy.load();
  expect(policy.isReadable).toBe(true);
});

it('that is started over one it does not understand goes on in emergencies by the latest that it does', async () => {
  const { database, drop } = await testDatabase();
  const rules = [{ label: 'hiv', purposes: ['ETREAT'], mode: 'withheld' }];
  await new NetworkPolicy(database).put({ model: 'opt-out', zone: 'UTC', rules }, 'pia', 'x');
  await database.query(`INSERT INTO network_policy (by_whom, reason, policy) VALUES ('x', 'x', '{"model": "newer"}')`);
  const policy = new NetworkPolicy(database);
  await policy.load();
  const emergency = { ...clinician, participant: 'clinic', purpose: 'ETREAT', isEmergency: true, homes: [1] };
  expect(policy.accessOf(emergency).limits.withheld & label.hiv).not.toBe(0);
  expect(() => policy.accessOf(clinician)).toThrow(PolicyUnreadable);
  await drop();
});

it('knows in which state an organisation is, and whose clinicians are its own', async () => {
  const all = () => [
    { key: 'north', name: 'North Hospital', state: 'TX' },
    { key: 'south', name: 'South Hospital', state: 'CA' },
  ];
  const policy = new NetworkPolicy(test.database, { all } as never);
  const rules = [{ label: 'reproduction', states: ['TX'], mode: 'withheld' }];
  await policy.load();
  await policy.put({ model: 'opt-out', zone: 'UTC', rules }, 'pia', 'The law of Texas.');
  const of = (organization: string) => policy.accessOf({ ...clinician, organization }).limits;
  expect([of('North Hospital').own, of('south').own, of('Elsewhere').own]).toEqual(['north', 'south', undefined]);
  const withheld = (organization: string) => (of(organization).withheld & label.reproduction) > 0;
  expect([withheld('north'), withheld('south'), withheld('Elsewhere')]).toEqual([true, false, true]);
});
