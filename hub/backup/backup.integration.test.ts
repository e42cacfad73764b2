/** A back-up of a hub that works, restored: the same rows, the same answers. */
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lastRowOf } from '../audit/testing.ts';
import type { ConnectionSettings } from '../database/index.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { startHub } from '../main.ts';
import { fixedMasterKey, masterKey, newDataKey } from '../secrets/index.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { callsOf, hubConfig } from '../testing-calls.ts';
import { adt, oru } from '../testing-messages.ts';
import { patientClient, rowsOf } from './backup.ts';
import { noteDrill } from './commands.ts';
import { backUp, restore } from './index.ts';
import { backupState } from './state.ts';
import { tablesOf } from './tables.ts';

const silent = { say: () => {}, count: () => {}, fail: () => {} };
const keyKeptAt = 'the safe of the pharmacy';
let hub: TestHub;
let folder: string;
let file: string;
const made: TestDatabase[] = [];

beforeAll(async () => {
  hub = await startTestHub();
  folder = mkdtempSync(join(tmpdir(), 'causeway-backup-'));
  file = join(folder, 'hub.backup');
  await hub.send('PUT', '/fhir/Patient/anna', {
    resourceType: 'Patient',
    id: 'anna',
    name: [{ family: 'Quillfeather' }],
  });
  await hub.send('PUT', '/fhir/Patient/anna', {
    resourceType: 'Patient',
    id: 'anna',
    name: [{ family: 'Quillfeather-Ash' }],
  });
  await hub.send('PUT', '/fhir/Binary/scan', Buffer.alloc(700_000, 'scan'), {
    headers: { 'content-type': 'image/png' },
  });
  const person = { id: '4711', family: 'Brambleward', given: 'Ida', birth: '19700101', sex: 'F' };
  await hub.take(adt('A04', person), oru(person, { order: 'o1', code: '718-7', value: '13.5', unit: 'g/dL' }));
  await hub.get('/fhir/Patient?family=Brambleward');
  // What is in the journal yet would come into the table between the back-up and what it is compared with.
  await lastRowOf(hub);
});
afterAll(async () => {
  await hub.stop();
  for (const test of made) await test.drop();
  rmSync(folder, { recursive: true, force: true });
});

const master = () => masterKey(hub.config.dataDir, true);
async function empty(): Promise<TestDatabase> {
  const test = await testDatabase(null);
  made.push(test);
  return test;
}
const read = () => createReadStream(file);

/** The number of rows and the bytes of all tables. */
async function allOf(connection: ConnectionSettings): Promise<Map<string, string>> {
  const client = await patientClient(connection);
  const found = new Map<string, string>();
  for (const table of await tablesOf(client)) {
    const pieces: Buffer[] = [];
    for await (const piece of rowsOf(client, table)) pieces.push(piece);
    found.set(table.name, Buffer.concat(pieces).toString('base64'));
  }
  await client.end();
  return found;
}

it('a back-up is sealed, and restores to the same rows and a hub of the same answers', async () => {
  const report = await backUp(hub.test.connection, master(), keyKeptAt, createWriteStream(file));
  expect(report).toMatchObject({ keyKeptAt, bytes: statSync(file).size });
  const bytes = readFileSync(file);
  for (const text of ['Quillfeather', 'quillfeather', 'Brambleward', '4711', 'master.key']) {
    expect(bytes.includes(text)).toBe(false);
  }
  const { dataDir } = hub.config;
  expect(bytes.includes(readFileSync(join(dataDir, 'keys', 'master.key'), 'utf8').trim())).toBe(false);
  const noted = await backupState(hub.test.database);
  expect(noted.last).toEqual(report);

  const target = await empty();
  const before = await allOf(hub.test.connection);
  const restored = await restore(target.connection, master(), read());
  expect(restored).toMatchObject({ tables: report.tables, rows: report.rows, head: { keyKeptAt } });
  const after = await allOf(target.connection);
  expect([...after.keys()]).toEqual([...before.keys()]);
  const changed = [...before].filter(([name, rows]) => after.get(name) !== rows).map(([name]) => name);
  // That a back-up was made is not in the back-up; the hub goes on with its own work meanwhile.
  expect(changed.filter((name) => !/^(hub_state|audit_.*|access_journal|subscription_feed)$/.test(name))).toEqual([]);

  const again = await startHub(hubConfig(dataDir, target.connection), silent, async () => undefined);
  try {
    const calls = callsOf(again.url, dataDir);
    for (const path of [
      '/fhir/Patient/anna',
      '/fhir/Patient/anna/_history/1',
      '/fhir/Binary/scan',
      '/fhir/Observation?code=718-7',
      '/fhir/Patient?family=Brambleward',
    ]) {
      const [one, other] = [await hub.get(path), await calls.get(path)];
      expect(other.status).toBe(200);
      expect(other.text.replaceAll(again.url, '').replace(/"id":"[^"]+"/, '')).toBe(
        one.text.replaceAll(hub.url, '').replace(/"id":"[^"]+"/, ''),
      );
    }
    const created = await calls.send('PUT', '/fhir/Patient/bea', { resourceType: 'Patient', id: 'bea' });
    expect(created.status).toBe(201);
    // What row security and triggers hold is held again.
    const { rows } = await target.unscoped.query('SELECT count(*) AS count FROM resource');
    expect(Number(rows[0]!.count)).toBe(0);
    await expect(target.database.query('DELETE FROM access_log')).rejects.toThrow(/append-only/);
  } finally {
    await again.stop();
  }
});

it('a database that is not empty is not restored into; one whose restore was interrupted is, and no hub starts on it', async () => {
  await expect(restore(hub.test.connection, master(), read())).rejects.toThrow(/into an empty database only/);
  const target = await empty();
  const cut = readFileSync(file).subarray(0, -1000);
  await expect(restore(target.connection, master(), Readable.from([cut]))).rejects.toThrow(/cut short/);
  const config = hubConfig(hub.config.dataDir, target.connection);
  await expect(startHub(config, silent, async () => undefined)).rejects.toThrow(/run causeway restore once more/);
  await restore(target.connection, master(), read());
});

it('a file that was changed, added to, or is of another key says so', async () => {
  const bytes = readFileSync(file);
  const changed = Buffer.from(bytes);
  changed[bytes.length - 50]! ^= 1;
  // A restore that was broken off is begun again on the same database.
  const target = (await empty()).connection;
  const refused = (from: AsyncIterable<Buffer>, why: RegExp, key = master()) =>
    expect(restore(target, key, from)).rejects.toThrow(why);
  await refused(Readable.from([changed]), /is damaged/);
  const head = Buffer.from(bytes);
  head.write('9', head.indexOf('"created":"') + 11);
  await refused(Readable.from([head]), /is damaged/);
  const added = Readable.from([Buffer.concat([bytes, Buffer.alloc(40)])]);
  await refused(added, /damaged|added/);
  const other = fixedMasterKey(newDataKey());
  await refused(read(), /kept at: the safe of the pharmacy/, other);
  const text = join(folder, 'text');
  writeFileSync(text, 'no back-up\n\n');
  await refused(createReadStream(text), /is no back-up/);
});

it('that a back-up was tried is known', async () => {
  const drill = { at: new Date().toISOString(), of: '2026-01-01T00:00:00Z', tables: 3, rows: 4, seconds: 1 };
  await noteDrill(hub.test.connection, drill);
  expect((await backupState(hub.test.database)).drill).toEqual(drill);
});
