import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkpointText,
  isConsistent,
  leafHash,
  readVerifier,
  secretKey,
  signerOf,
  signNote,
  verifyCheckpoint,
  verifyProof,
} from '@causeway/tlog';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey } from '../secrets/index.ts';
import { type AuditLog, acceptRestore, CheckpointFile, type Entry, Sequencer } from './index.ts';
import { testAudit } from './testing.ts';
import { consistencyPath, makeTree, treeState } from './tree.ts';

let test: TestDatabase;
let audit: AuditLog;
let directory: string;
const master = fixedMasterKey(Buffer.alloc(32, 7));
const faults: unknown[] = [];
beforeEach(async () => {
  test = await testDatabase();
  audit = testAudit(test.database, master);
  directory = mkdtempSync(join(tmpdir(), 'causeway-audit-'));
  faults.length = 0;
  await makeTree(test.database, 'hub.test/audit/1');
});
afterEach(async () => {
  rmSync(directory, { recursive: true, force: true });
  await test.drop();
});

const sequencer = (dataDir = directory) =>
  new Sequencer({
    database: test.database,
    master,
    file: new CheckpointFile(dataDir),
    host: 'hub.test',
    fault: (error) => faults.push(error),
  });
const file = () => join(directory, 'audit', 'checkpoint');
const entry = (what: string, patients = ['ada']): Entry => ({
  at: new Date().toISOString(),
  who: 'ann',
  role: 'clinician',
  organization: 'Clinic',
  action: 'read',
  what,
  status: 200,
  patients,
});
async function write(count: number, rows = 1): Promise<void> {
  for (let i = 0; i < rows; i++) {
    const entries = Array.from({ length: count }, (_, n) => entry(`${i}/${n}`));
    await test.database.query(await audit.insertion(entries));
  }
}
async function trusted() {
  const log = (await audit.verifiers()).map(({ verifier }) => readVerifier(verifier));
  return { origin: (await treeState(test.database))!.origin, log };
}

it('numbers events in the order of their rows, signs what the tree has become, and proves each', async () => {
  const one = sequencer();
  expect(await one.sequence()).toBe(0);
  expect(await audit.checkpoint()).toBeUndefined();
  await write(300, 2);
  await write(1, 5);
  expect(await one.sequence()).toBe(605);
  const checkpoint = verifyCheckpoint((await audit.checkpoint())!, await trusted());
  expect(checkpoint.size).toBe(605);
  expect(readFileSync(file(), 'utf8')).toBe(await audit.checkpoint());
  for (const index of [0, 255, 256, 299, 300, 604]) {
    const event = (await audit.eventAt(index))!;
    expect(event.index).toBe(index);
    const proof = (await audit.proof(index))!;
    expect(proof.length).toBeLessThan(2_048);
    expect(verifyProof(proof, leafHash(Buffer.from(event.leaf)), await trusted()).index).toBe(index);
  }
  expect(await audit.proof(605)).toBeUndefined();
  expect(await audit.eventAt(605)).toBeUndefined();
  expect((await audit.eventAt(301))!.entry.what).toBe('1/1');
  expect(await audit.status()).toMatchObject({ state: 'good', size: 605, waiting: 0 });
});

it('gives a patient a receipt of their own, in which nobody else is named', async () => {
  await test.database.query(await audit.insertion([entry('both', ['ada', 'bob']), entry('one')]));
  await sequencer().sequence();
  const both = (await audit.receipt(0, 'bob'))!;
  expect(both.opened).toEqual({ patient: { index: 1, id: 'bob', salt: expect.any(String) } });
  expect(JSON.stringify(both)).not.toContain('ada');
  expect((await audit.receipt(1, 'ada'))!.opened.private!.text).toBe('{"what":"one"}');
  expect((await audit.receipt(1, 'bob'))!.opened).toEqual({});
  expect((await audit.receipt(0))!.opened.private!.text).toBe('{"what":"both"}');
});

it('grows by one tree where two sequence at once', async () => {
  const hubs = [sequencer(), sequencer(join(directory, 'other'))];
  const seen: string[] = [];
  let sizes = 0;
  for (let round = 0; round < 12; round++) {
    const writing = write(20, 2);
    sizes += (await Promise.all(hubs.map((hub) => hub.sequence()))).reduce((a, b) => a + b);
    await writing;
    const checkpoint = await audit.checkpoint();
    if (checkpoint) seen.push(checkpoint);
  }
  sizes += await hubs[0]!.sequence();
  seen.push((await audit.checkpoint())!);
  expect(sizes).toBe(12 * 40);
  expect(faults).toEqual([]);
  const known = await trusted();
  const trees = seen.map((note) => verifyCheckpoint(note, known));
  for (const [i, tree] of trees.entries()) {
    const before = trees[Math.max(0, i - 1)]!;
    expect(tree.size).toBeGreaterThanOrEqual(before.size);
    const path = await consistencyPath(test.database, before.size, tree.size);
    expect(isConsistent(before, tree, path)).toBe(true);
  }
  const { rows } = await test.database.query('SELECT first, count FROM audit_place ORDER BY first');
  let next = 0;
  for (const { first, count } of rows) {
    expect(first).toBe(next);
    next += count;
  }
});

it('signs nothing over a database from before what was published, nor over a fork, until that is accepted', async () => {
  const before = sequencer();
  await write(10);
  await before.sequence();
  const old = readFileSync(file(), 'utf8');
  await write(10);
  await before.sequence();
  const published = readFileSync(file(), 'utf8');
  // As a restore leaves it: everything of the later state is gone.
  await test.database.transaction(async (transaction) => {
    await transaction.query('ALTER TABLE access_log DISABLE TRIGGER USER');
    await transaction.query('DELETE FROM access_log WHERE id > (SELECT min(log) FROM audit_place)');
    await transaction.query('ALTER TABLE access_log ENABLE TRIGGER USER');
    await transaction.query('DELETE FROM audit_place WHERE first >= 10');
    await transaction.query('UPDATE audit_tile SET hashes = substr(hashes, 1, 320)');
    await transaction.query('UPDATE audit_tree SET size = 10, checkpoint = $1, root = decode($2, $3)', [
      old,
      old.split('\n')[2],
      'base64',
    ]);
  });
  await expect(
    before
      .sequence()
      .then(() => write(1))
      .then(() => before.sequence()),
  ).rejects.toThrow('20 events, and has 10 now');
  const restored = sequencer();
  expect(await restored.sequence()).toBe(0);
  expect(faults.map(String)).toEqual([expect.stringContaining('restored from an older state')]);
  expect(await audit.status()).toMatchObject({ state: 'refused', size: 10, problem: expect.stringContaining('20') });
  expect(readFileSync(file(), 'utf8')).toBe(published);
  const other = join(directory, 'without');
  await sequencer(other).sequence();
  await write(12);
  await sequencer(other).sequence();
  expect(await sequencer().sequence()).toBe(0);
  expect(faults.map(String).at(-1)).toContain('forked');
  await test.database.transaction((transaction) => acceptRestore(transaction, published, 'root'));
  await write(1);
  const next = sequencer();
  expect(await next.sequence()).toBe(1);
  const { origin } = await trusted();
  expect(origin).toMatch(/^hub\.test\/audit\/1\/restored-1-of-20-[0-9a-f]{16}$/);
  expect(verifyCheckpoint((await audit.checkpoint())!, await trusted()).size).toBe(24);
  await sequencer().sequence();
  expect(await audit.status()).toMatchObject({ state: 'good' });
});

it('signs nothing where the file holds what is not of this log', async () => {
  await write(1);
  await sequencer().sequence();
  writeFileSync(file(), readFileSync(file(), 'utf8').replace('\n1\n', '\n9\n'));
  await write(1);
  expect(await sequencer().sequence()).toBe(0);
  expect(String(faults[0])).toContain('not signed by this log');
});

it('goes on, once that is accepted, where the database is from before the key that signed what was published', async () => {
  await write(1);
  await sequencer().sequence();
  const key = signerOf('hub.test/audit/1', secretKey(Buffer.alloc(32, 1)));
  const text = checkpointText({ origin: 'hub.test/audit/1', size: 20, root: Buffer.alloc(32, 2) });
  const published = signNote(text, [key]);
  writeFileSync(file(), published);
  await write(1);
  expect(await sequencer().sequence()).toBe(0);
  expect(await audit.status()).toMatchObject({ state: 'refused' });
  await test.database.transaction((transaction) => acceptRestore(transaction, published, 'root'));
  expect(await sequencer().sequence()).toBe(1);
  expect(await audit.status()).toMatchObject({ state: 'good', size: 2, waiting: 0 });
  expect(readFileSync(file(), 'utf8')).toBe(await audit.checkpoint());
});

it('signs with a new key and the one before, so that either is enough', async () => {
  await write(1);
  await sequencer().sequence();
  const [old] = await audit.verifiers();
  const verifier = await test.database.transaction((transaction) => audit.rotateKey(transaction));
  await write(1);
  await sequencer().sequence();
  const note = (await audit.checkpoint())!;
  const origin = 'hub.test/audit/1';
  for (const key of [old!.verifier, verifier]) {
    expect(verifyCheckpoint(note, { origin, log: [readVerifier(key)] }).size).toBe(2);
  }
  await test.database.query(`UPDATE audit_key SET ends = now() - interval '1 day' WHERE verifier = $1`, [
    old!.verifier,
  ]);
  await write(1);
  await sequencer().sequence();
  const later = (await audit.checkpoint())!;
  expect(() => verifyCheckpoint(later, { origin, log: [readVerifier(old!.verifier)] })).toThrow();
  expect(verifyCheckpoint(later, { origin, log: [readVerifier(verifier)] }).size).toBe(3);
});

it('goes on where the disk did not take the checkpoint, once it does', async () => {
  writeFileSync(join(directory, 'audit'), 'in the way of the folder');
  await write(3);
  const one = sequencer();
  await expect(one.sequence()).rejects.toThrow();
  rmSync(join(directory, 'audit'));
  expect(await one.sequence()).toBe(3);
  expect(readFileSync(file(), 'utf8')).toBe(await audit.checkpoint());
  // As where the disk fills up between two checkpoints: what was committed stays, and the file is of before.
  rmSync(join(directory, 'audit'), { recursive: true });
  writeFileSync(join(directory, 'audit'), 'in the way again');
  await write(2);
  await expect(one.sequence()).rejects.toThrow();
  rmSync(join(directory, 'audit'));
  await write(2);
  await one.sequence();
  expect(verifyCheckpoint(readFileSync(file(), 'utf8'), await trusted()).size).toBe(7);
  expect(await audit.status()).toMatchObject({ state: 'good', size: 7, waiting: 0 });
});
