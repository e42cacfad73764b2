import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { fixedMasterKey, newDataKey } from '../secrets/index.ts';
import { custodian, type TestRecord, testRecord } from '../testing-record.ts';
import { Peers } from './peers.ts';
import { PrivateMatching } from './private-matching.ts';

let made: TestRecord;
let peers: Peers;
const hub = {
  participant: 'there',
  url: 'https://hub.example/',
  clientId: 'c',
  scope: 's',
  matching: 'private',
} as const;
const quinn = {
  resourceType: 'Patient',
  name: [{ family: 'Quiet', given: ['Quinn'] }],
  birthDate: '1969-08-09',
  gender: 'female',
  telecom: [{ system: 'phone', value: '5551230006' }],
} as const;

beforeAll(async () => {
  made = await testRecord();
  peers = new Peers(made.test.database, fixedMasterKey(newDataKey()));
});
afterAll(() => made.test.drop());
beforeEach(async () => {
  await made.test.database.query('TRUNCATE resource, link, blocking_key, peer_token, peer CASCADE');
  await peers.put(hub, newDataKey());
});

/** @param between what happens after somebody is read, and before what was hashed of them is kept; once */
function matching(between: () => Promise<unknown> = async () => {}): PrivateMatching {
  let isDone = false;
  const persons = {
    prepared: async (members: Parameters<typeof made.persons.prepared>[0]) => {
      const found = await made.persons.prepared(members);
      if (!isDone) await between();
      isDone = true;
      return found;
    },
  };
  return new PrivateMatching({ database: made.test.database, record: made.record, persons }, peers);
}

const tokens = () => matching().tokensOf('there', { ...quinn } as never);

it('finds somebody although another secret was agreed on while it was hashed under the one before', async () => {
  await made.put({ ...quinn, id: 'quinn' });
  await matching(() => peers.put(hub, newDataKey())).find(custodian, 'there', await tokens());
  expect(await matching().find(custodian, 'there', await tokens())).toBe('quinn');
});

it('keeps nothing of whom it forgot while it was hashed', async () => {
  await made.put({ ...quinn, id: 'quinn' });
  const forget = () => made.test.database.query('DELETE FROM link');
  expect(await matching(forget).find(custodian, 'there', await tokens())).toBeUndefined();
  expect((await made.test.database.query('SELECT FROM peer_token')).rowCount).toBe(0);
});

it('finds nobody where more have the tokens than are looked at', async () => {
  for (let i = 0; i < 22; i++) await made.put({ ...quinn, multipleBirthInteger: i + 1, id: `quinn-${i}` } as never);
  await made.test.database.query(`UPDATE link SET presented = NULL`);
  const { rows } = await made.test.database.query<{ home: number }>('SELECT home FROM link ORDER BY home');
  const asked = await tokens();
  await matching().find(custodian, 'there', asked);
  // Of all but one it is hidden why they have the tokens.
  await made.test.database.query(`UPDATE resource SET deleted = true WHERE home <> $1`, [rows[21]!.home]);
  expect(await matching().find(custodian, 'there', asked)).toBeUndefined();
});
