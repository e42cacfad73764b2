/** New keys while the hub works: nothing is lost, nothing stops, and what was handed out is good until its end. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { startHub } from '../main.ts';
import { homeKeyColumn } from '../record/index.ts';
import { fixedMasterKey, KeyRotation, MasterFiles, masterKey, unwrapDataKey } from '../secrets/index.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { adt } from '../testing-messages.ts';

let hub: TestHub;
let other: { url: string; stop(): Promise<void> };
const silent = { say: () => {}, count: () => {}, fail: () => {} };
beforeAll(async () => {
  hub = await startTestHub();
  other = await startHub(hub.config, silent, async () => undefined);
});
afterAll(async () => {
  await other.stop();
  await hub.stop();
});

const put = (id: string) =>
  hub.send('PUT', `/fhir/Patient/${id}`, { resourceType: 'Patient', id, name: [{ family: `F${id}` }] });
const keys = () => join(hub.config.dataDir, 'keys');
const current = () => Buffer.from(readFileSync(join(keys(), 'master.key'), 'utf8').trim(), 'base64url');
const replaced = () => readdirSync(keys()).filter((name) => name.startsWith('master-until-'));
const done = () =>
  vi.waitFor(async () => expect((await hub.get('/api/keys')).json.master.state).toBe('none'), {
    timeout: 40_000,
    interval: 200,
  });

/** Whether all that is wrapped in the database opens with a key alone. */
async function opensAll(key: Buffer): Promise<number> {
  const { rows } = await hub.test.database.query(
    `SELECT 'home/' || home AS context, wrapped FROM home_key UNION ALL
     SELECT 'message/' || id, sealing_key FROM message UNION ALL
     SELECT 'oauth_key/' || kid, sealed FROM oauth_key`,
  );
  for (const { context, wrapped } of rows) unwrapDataKey(fixedMasterKey(key), wrapped, context);
  return rows.length;
}

it('all is wrapped under a new master key while two hubs read and write, and the one before is not needed any more', async () => {
  for (let i = 0; i < 30; i++) expect((await put(`p${i}`)).status).toBe(201);
  await hub.take(adt('A04', { id: '1', family: 'Rivers' }));
  const published = async () =>
    (await hub.get('/oauth/jwks', { role: null })).json.keys.map(({ kid }: Json) => kid) as string[];
  const before = await published();
  const old = current();
  let isOver = false;
  const statuses: number[] = [];
  const token = await hub.token('administrator');
  const work = async () => {
    for (let i = 0; !isOver; i++) {
      statuses.push((await put(`during${i}`)).status);
      const read = await fetch(`${other.url}/fhir/Patient/during${i}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      statuses.push(read.status);
      statuses.push((await hub.get(`/fhir/Patient/p${i % 30}`)).status);
    }
  };
  const working = work();
  const begun = await hub.send('POST', '/api/keys/rotation');
  expect(begun.status, begun.text).toBe(202);
  expect(JSON.stringify(begun.json)).not.toContain(old.toString('base64url'));
  await done();
  isOver = true;
  await working;
  expect(new Set(statuses)).toEqual(new Set([200, 201]));
  expect(current().equals(old)).toBe(false);
  expect(await opensAll(current())).toBeGreaterThan(statuses.length / 3);
  await expect(opensAll(old)).rejects.toThrow('does not open');
  // Both keys are published: what the one before signed can be checked until it ends.
  const listed = begun.json.signing.map(({ kid }: Json) => kid);
  expect(listed).toHaveLength(before.length * 2);
  expect(listed).toEqual(expect.arrayContaining(before));
  expect([listed[0], listed[2]].toSorted()).toEqual(before.toSorted());
  expect((await accessesOf(hub)).filter(({ action }) => action === 'rotate-keys')).toHaveLength(1);

  await other.stop();
  for (const name of replaced()) rmSync(join(keys(), name));
  other = await startHub(hub.config, silent, async () => undefined);
  const url = `${other.url}/fhir/Patient/p1`;
  expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  const [message] = (await hub.get('/api/messages')).json.messages;
  const opened = await fetch(`${other.url}/api/messages/${message.id}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await opened.text()).toContain('Rivers');
}, 120_000);

it('what was interrupted is gone on with at the next start', async () => {
  const old = current();
  const parts = { database: hub.test.database, dataDir: hub.config.dataDir, columns: [homeKeyColumn] };
  const rotation = new KeyRotation({ ...parts, master: masterKey(hub.config.dataDir, true) }, () => {});
  await rotation.begin();
  await rotation.close();
  expect(new MasterFiles(hub.config.dataDir).isRotating).toBe(true);
  expect((await put('between')).status).toBe(201);
  await other.stop();
  other = await startHub(hub.config, silent, async () => undefined);
  await vi.waitFor(() => expect(current().equals(old)).toBe(false), { timeout: 40_000, interval: 200 });
  await opensAll(current());
  expect((await hub.get('/fhir/Patient/between')).status).toBe(200);
}, 60_000);

it('a hub with a folder of its own takes part with the prepared key, and with no other', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'causeway-other-keys-'));
  cpSync(keys(), join(dataDir, 'keys'), { recursive: true });
  const prepared = new MasterFiles(hub.config.dataDir).prepare();
  const parts = { database: hub.test.database, columns: [homeKeyColumn] };
  const faults: unknown[] = [];
  const pauses = { roundMs: 300, failureMs: 300 };
  const [one, two] = [hub.config.dataDir, dataDir].map(
    (folder) =>
      new KeyRotation(
        { ...parts, master: masterKey(folder, true), dataDir: folder },
        (error) => faults.push(error),
        pauses,
      ),
  );
  await one!.begin();
  await expect(two!.begin()).rejects.toThrow('copy it from there');
  // Carried over late, it opens what the first wrapped.
  const late = masterKey(dataDir, true);
  cpSync(join(keys(), 'master-next.key'), join(dataDir, 'keys', 'master-prepared.key'));
  expect(prepared).toMatch(/master-prepared.key$/);
  const { rows } = await hub.test.database.query('SELECT home, wrapped FROM home_key ORDER BY home LIMIT 1');
  expect(unwrapDataKey(late, rows[0]!.wrapped, `home/${rows[0]!.home}`)).toHaveLength(32);
  await two!.begin();
  await vi.waitFor(() => expect([one!.state.state, two!.state.state]).toEqual(['none', 'none']), { timeout: 20_000 });
  expect(faults).toEqual([]);
  expect(readFileSync(join(dataDir, 'keys', 'master.key'))).toEqual(readFileSync(join(keys(), 'master.key')));
  await Promise.all([one!.close(), two!.close()]);
  rmSync(dataDir, { recursive: true });
}, 60_000);

it('is an administrator’s to ask for', async () => {
  for (const role of ['clinician', 'integration-engineer', 'privacy-officer', 'system']) {
    expect((await hub.send('POST', '/api/keys/rotation', undefined, { role })).status).toBe(403);
    expect((await hub.get('/api/keys', { role })).status).toBe(403);
  }
});
