/** Hubs that write accesses into journals of their own: whoever looks sees them, through any of the hubs. */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { startHub } from '../main.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { callsOf, type HubCalls } from '../testing-calls.ts';

let hub: TestHub;
let second: HubCalls;
let stopSecond: () => Promise<void>;
const dataDir = mkdtempSync(join(tmpdir(), 'causeway-second-'));

beforeAll(async () => {
  hub = await startTestHub();
  cpSync(join(hub.config.dataDir, 'keys'), join(dataDir, 'keys'), { recursive: true });
  const silent = { say: () => {}, count: () => {}, fail: () => {} };
  const running = await startHub({ ...hub.config, dataDir }, silent, async () => undefined);
  second = callsOf(running.url, dataDir);
  stopSecond = running.stop;
  await hub.send('PUT', '/fhir/Patient/one', { resourceType: 'Patient', id: 'one', name: [{ family: 'Rivers' }] });
});
afterAll(async () => {
  await stopSecond();
  await hub.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const events = async (from: HubCalls) => {
  const { json } = await from.get('/fhir/AuditEvent?patient=Patient/one&_count=200');
  return json.entry.length as number;
};
const recorded = async () => (await accessesOf(hub)).map(({ what }) => decodeURIComponent(what));

it('one’s own reads are seen at once', async () => {
  for (let i = 0; i < 5; i++) {
    const before = await events(hub);
    expect((await hub.get('/fhir/Patient/one')).status).toBe(200);
    // The search before, and the read.
    expect(await events(hub)).toBe(before + 2);
  }
});

it('those through another hub are seen moments later, by nothing but time', async () => {
  const path = '/Patient?identifier=urn:moments|1';
  expect((await second.get(`/fhir${path}`)).status).toBe(200);
  await vi.waitFor(async () => expect(await recorded()).toContain(path), { timeout: 10_000, interval: 50 });
});

it('all that was read is in the log when the hubs have ended, and their journals are gone', async () => {
  const asked = Array.from({ length: 60 }, (_, i) => `/Patient?identifier=urn:x|${i}`);
  const answers = await Promise.all(asked.map((path, i) => (i % 2 ? hub : second).get(`/fhir${path}`)));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  await stopSecond();
  await hub.rest();
  const all = await recorded();
  for (const path of asked) expect(all.filter((what) => what === path)).toHaveLength(1);
  for (const dir of [dataDir, hub.config.dataDir]) expect(readdirSync(join(dir, 'access-journal'))).toEqual(['folder']);
});

it('a hub whose database lies elsewhere records reads there, unless the journal is asked for', async () => {
  const plain = await startTestHub({ accessJournal: undefined });
  try {
    expect((await plain.get('/fhir/Patient?identifier=urn:elsewhere|1')).status).toBe(200);
    const { rows } = await plain.test.database.query('SELECT FROM access_log');
    expect(rows).toHaveLength(1);
    expect(existsSync(join(plain.config.dataDir, 'access-journal'))).toBe(false);
  } finally {
    await plain.stop();
  }
});
