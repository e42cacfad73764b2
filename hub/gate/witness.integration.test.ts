/** A hub and its witness over HTTP; here the same hub is both. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCheckpoint, readNote, readProof, readVerifier, verifyCheckpoint } from '@causeway/tlog';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { eventCountOf } from '../audit/testing.ts';
import { startTestHub, type TestHub } from '../testing.ts';

const directory = mkdtempSync(join(tmpdir(), 'causeway-witness-'));
const [auditWitnesses, witnessFor] = [join(directory, 'policy'), join(directory, 'logs')];
let hub: TestHub;
let verifier: string;
let log: string;
beforeAll(async () => {
  writeFileSync(auditWitnesses, 'quorum none\n');
  writeFileSync(witnessFor, '# Nobody yet.\n');
  hub = await startTestHub({ auditWitnesses, witnessFor });
  const status = await hub.get('/api/audit/witness');
  expect(status.json).toEqual({ verifier: expect.stringContaining('causeway/witness/'), logs: [] });
  verifier = status.json.verifier;
  await hub.get('/fhir/Patient');
  log = await vi.waitUntil(async () => (await hub.get('/audit/keys')).text.trim(), { timeout: 30_000 });
  writeFileSync(witnessFor, `${log}\n`);
  writeFileSync(auditWitnesses, `log ${log}\nwitness north ${verifier} ${hub.url}/witness\nquorum north\n`);
  const [north] = await vi.waitUntil(
    async () => {
      const { witnesses } = (await hub.get('/api/audit/status')).json;
      return witnesses[0]?.cosigned && witnesses;
    },
    { timeout: 30_000 },
  );
  expect(north).toMatchObject({ name: 'north', verifier });
});
afterAll(async () => {
  await hub.stop();
  rmSync(directory, { recursive: true, force: true });
});

const trusted = () => {
  const key = readVerifier(log);
  return { origin: key.name, log: [key], witnesses: [readVerifier(verifier)] };
};

it('publishes the checkpoint that its witness cosigned, and proves by it', async () => {
  const { text } = await hub.get('/audit/checkpoint/cosigned', { role: 'privacy-officer' });
  const { size, signatures } = verifyCheckpoint(text, trusted());
  expect(signatures).toHaveLength(2);
  const proof = readProof((await hub.get('/api/audit/proof?event=0')).text);
  expect(verifyCheckpoint(proof.checkpoint, trusted()).signatures).toHaveLength(2);
  expect(readCheckpoint(readNote(proof.checkpoint).text).size).toBeGreaterThanOrEqual(size);
  expect((await hub.get('/audit/checkpoint/cosigned', { role: 'clinician' })).status).toBe(403);
});

it('shows anybody what it cosigned, and says what it does not cosign', async () => {
  const anybody = { role: null, headers: { 'content-type': 'text/plain' } };
  const hash = createHash('sha256').update(trusted().origin).digest('hex');
  const shown = await hub.get(`/witness/${hash}/checkpoint`, anybody);
  expect(verifyCheckpoint(shown.text, trusted()).signatures).toHaveLength(2);
  expect((await hub.get(`/witness/${hash.slice(1)}0/checkpoint`, anybody)).status).toBe(404);
  const submission = `old 0\n\n${shown.text}`;
  const before = await eventCountOf(hub);
  const again = await hub.send('POST', '/witness/add-checkpoint', submission, anybody);
  expect([again.status, again.headers.get('content-type')]).toEqual([409, 'text/x.tlog.size']);
  expect(again.text).toMatch(/^\d+\n$/);
  // No event comes of that: two hubs that witness each other come to rest.
  expect(await eventCountOf(hub)).toBe(before);
  for (const [body, status] of [
    ['', 400],
    [submission.replace(/\n(\d+)\n([A-Za-z0-9+/]{43}=)\n/, '\n1$1\n$2\n'), 403],
    ['x'.repeat(100_000), 413],
  ] as const) {
    expect((await hub.send('POST', '/witness/add-checkpoint', body, anybody)).status).toBe(status);
  }
  expect(await eventCountOf(hub)).toBe(before + 3);
});
