/** What happens to an erasure when others write meanwhile, when the hub dies between two steps, and after a restore. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testAudit } from '../audit/testing.ts';
import { newDataKey } from '../secrets/index.ts';
import { custodian, type TestRecord, testRecord } from '../testing-record.ts';
import { AccessLog, accessOf } from '../trust/index.ts';
import { type Erasure, Erasures } from './erasures.ts';
import { Stops } from './stops.ts';
import { Tokens } from './tokens.ts';

const officer = (username: string) =>
  accessOf({ username, name: username, role: 'privacy-officer', organization: 'local' });
const [olga, pavel] = [officer('olga'), officer('pavel')];
const asked = { extent: 'person', legalBasis: 'GDPR art. 17', reason: 'Asked for in writing; case 17.' } as const;
const faults: unknown[] = [];

let made: TestRecord;
let dataDir: string;
let tokens: Tokens;
let erasures: Erasures;

beforeEach(async () => {
  made = await testRecord();
  dataDir = mkdtempSync(join(tmpdir(), 'causeway-erasure-'));
  tokens = new Tokens(newDataKey());
  erasures = newHub();
  await made.put({ resourceType: 'Patient', id: 'ida', name: [{ family: 'Brambleward' }] } as never);
});
afterEach(async () => {
  await erasures.stop();
  await made.test.drop();
  rmSync(dataDir, { recursive: true, force: true });
  expect(faults.splice(0)).toEqual([]);
});

function newHub(): Erasures {
  const { test, record } = made;
  const audit = testAudit(test.database);
  const fault = (error: unknown) => void faults.push(error);
  const stops = new Stops(test.database, tokens, fault);
  stops.onErased = (homes) => record.keys.forget(homes);
  record.keys.isErased = (rid) => stops.isErased(rid);
  const accessLog = new AccessLog(test.database, audit);
  return new Erasures({ database: test.database, record, accessLog, audit, tokens, stops, dataDir, fault });
}

async function confirmed(patient: string, extent: 'person' | 'source' = 'person'): Promise<string> {
  const { id } = await erasures.request({ ...asked, patient, extent }, olga);
  await erasures.confirm(id, pavel);
  return id;
}

async function found(id: string): Promise<Erasure> {
  return (await erasures.list()).find((one) => one.id === id)!;
}

async function until(id: string, state: Erasure['state']): Promise<Erasure> {
  await vi.waitFor(async () => expect((await found(id)).state).toBe(state), { timeout: 20_000, interval: 20 });
  return found(id);
}

async function count(table: string, where = 'true'): Promise<number> {
  const { rows } = await made.test.database.query(`SELECT count(*) AS count FROM ${table} WHERE ${where}`);
  return Number(rows[0]!.count);
}

it('what another hub began to write before is waited for, also where it only read until then', async () => {
  const other = made.another();
  // It has the key in memory, and knows by which parameters is searched.
  const note = { resourceType: 'Observation', id: 'note', status: 'final', code: { text: 'x' } };
  const before = JSON.stringify({ ...note, subject: { reference: 'Patient/ida' } });
  await other.update(custodian, other.scan(before, 'Observation'), 'note');
  const ids = Array.from({ length: 70 }, (_, i) => `late-${i}`);
  const text = JSON.stringify({
    ...{ resourceType: 'Observation', id: 'late', status: 'final', code: { text: 'late' } },
    ...{ valueString: 'Brambleward said so', subject: { reference: 'Patient/ida' } },
  });
  const [reading, pause] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const writing = other.writer.write({
    keys: ids.map((id) => ({ type: 'Observation', id })),
    patients: ['ida'],
    alone: true,
    apply: async (set) => {
      reading.resolve();
      await pause.promise;
      for (const id of ids) set.put(other.scan(text, 'Observation'), 'Observation', id);
    },
  });
  await reading.promise;
  const id = await confirmed('ida');
  erasures.start();
  await vi.waitFor(async () => expect(await count('patient_home', 'erased')).toBe(1), { timeout: 20_000 });
  // Were the other one not waited for, all would be done by then.
  await new Promise((resolve) => setTimeout(resolve, 500));
  pause.resolve();
  await writing;
  await until(id, 'erased');
  expect(await count('resource', 'body IS NOT NULL')).toBe(0);
  expect(await count('index_token')).toBe(0);
});

it('is not carried out where the person has other records than when it was confirmed', async () => {
  await made.put({ resourceType: 'Patient', id: 'ilse', name: [{ family: 'Quillfeather' }] } as never);
  await linked('ida', 'ilse');
  const id = await confirmed('ida');
  const [first] = (await made.record.homesOf(['ida'])).get('ida')!;
  const { rows } = await made.test.database.query('SELECT presented FROM link WHERE home = $1', [first]);
  await made.persons.unlink(rows[0]!.presented, 'ilse', custodian, 'another person');
  erasures.start();
  const back = await until(id, 'requested');
  expect(back).toMatchObject({ confirmedBy: undefined, heldBy: expect.stringMatching(/other records/) });
  expect(await count('resource', 'body IS NULL')).toBe(0);
  await expect(erasures.confirm(id, pavel)).rejects.toThrow(/ask anew/);
  await erasures.withdraw(id, olga, 'To be asked for anew.');
  await until(await confirmed('ida'), 'erased');
  expect((await made.record.read(custodian, 'Patient', 'ilse')).text).toContain('Quillfeather');
});

/** A steward says that two Patients are one person. */
async function linked(a: string, b: string): Promise<void> {
  const identity = { kind: 'link', a, b, at: new Date().toISOString(), source: 'x' } as const;
  await made.record.writer.write({
    keys: [],
    patients: [a, b],
    alone: true,
    apply: (set) => {
      made.persons.state(set, identity);
      set.touch();
    },
  });
}
