/** A large Bundle for whose parts the disk has no room: 507, and nothing half done. On a small file system of its own. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

const mega = 1024 * 1024;
const headers = { 'content-type': 'application/fhir+json' };

function mount(directory: string): boolean {
  const options = ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', directory];
  return process.platform === 'linux' && spawnSync('mount', options).status === 0;
}

/** Whether whoever runs the tests may mount: root outside most containers. */
function mayMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'causeway-mount-'));
  const isMounted = mount(directory);
  if (isMounted) spawnSync('umount', [directory]);
  rmdirSync(directory);
  return isMounted;
}

describe.skipIf(!mayMount())('a full disk under the large bundles', () => {
  let hub: TestHub;
  let spool: string;
  beforeAll(async () => {
    hub = await startTestHub({ bundleBytes: 16 * mega });
    spool = join(hub.config.dataDir, 'spool');
    mkdirSync(spool, { recursive: true });
    expect(mount(spool)).toBe(true);
  });
  afterAll(async () => {
    spawnSync('umount', [spool]);
    await hub.stop();
  });

  /** A Bundle of so many bytes, three quarters of which are left when it is compressed. */
  const large = (type: string, code: string, bytes: number) => {
    const entry = [];
    for (let length = 0; length < bytes; length += 100_000) {
      const extension = [{ url: 'urn:full', valueString: randomBytes(75_000).toString('base64') }];
      const resource = { resourceType: 'Basic', extension, code: { coding: [{ system: 'urn:full', code }] } };
      entry.push({ resource, request: { method: 'POST', url: 'Basic' } });
    }
    return { resourceType: 'Bundle', type, entry };
  };
  const post = (bundle: object, more: object = {}) =>
    hub.send('POST', '/fhir', JSON.stringify(bundle), { headers: { ...headers, ...more } });
  const count = async (code: string) => (await hub.get(`/fhir/Basic?code=${code}&_summary=count`)).json.total;

  const isRefused = ({ status, headers: told, json }: Awaited<ReturnType<typeof post>>) => {
    expect([status, json.resourceType, json.issue[0].code]).toEqual([507, 'OperationOutcome', 'no-store']);
    expect(json.issue[0].diagnostics).toMatch(/folder spool.*is full/);
    expect(told.get('retry-after')).toBe('300');
  };

  it('while it arrives', async () => {
    isRefused(await post(large('transaction', 'arrives', 12 * mega)));
    isRefused(await post(large('batch', 'arrives', 12 * mega)));
    expect(await count('arrives')).toBe(0);
  });

  it('while a transaction is prepared', async () => {
    isRefused(await post(large('transaction', 'prepared', 7 * mega)));
    expect(await count('prepared')).toBe(0);
  });

  it('for the answer to a batch: its entries are carried out, and told without what they stored', async () => {
    const bundle = large('batch', 'answer', 7 * mega);
    const { status, json } = await post(bundle, { prefer: 'return=representation' });
    expect(status).toBe(200);
    expect(new Set(json.entry.map((entry: Json) => entry.response.status))).toEqual(new Set(['201']));
    const told = json.entry.filter((entry: Json) => entry.resource).length;
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThan(bundle.entry.length);
    expect(await count('answer')).toBe(bundle.entry.length);
    const reads = large('batch', 'reads', 5 * mega);
    const gets = json.entry.map((entry: Json) => ({ request: { method: 'GET', url: entry.response.location } }));
    const read = await post({ ...reads, entry: [...reads.entry, ...gets] });
    const statuses = read.json.entry.map((entry: Json) => entry.response.status);
    expect(new Set(statuses.slice(0, reads.entry.length))).toEqual(new Set(['201']));
    expect(new Set(statuses.slice(reads.entry.length))).toEqual(new Set(['200', '507']));
  });

  it('gone: what was kept of those that were refused is given back, and what fits is carried out', async () => {
    const bundle = large('transaction', 'fits', 4.5 * mega);
    expect((await post(bundle)).status).toBe(200);
    expect(await count('fits')).toBe(bundle.entry.length);
  });
});
