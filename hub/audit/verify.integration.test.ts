import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkpointText,
  Edge,
  leafHash,
  readNote,
  readPolicy,
  readVerifier,
  secretKey,
  signatureLine,
  signerOf,
  signNote,
  tileWidth,
  verifierText,
} from '@causeway/tlog';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Queryable, Transaction } from '../database/index.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey } from '../secrets/index.ts';
import { keepCosignature } from './cosigned.ts';
import { CheckpointFile, exported, type Finding, Sequencer, verifyDatabase, verifyExport } from './index.ts';
import { signersOf } from './log-keys.ts';
import { SubjectKeys } from './subject-keys.ts';
import { testAudit } from './testing.ts';
import { makeTree, treeState } from './tree.ts';
import { verifyDeep } from './verify-deep.ts';

const master = fixedMasterKey(Buffer.alloc(32, 7));
const directory = mkdtempSync(join(tmpdir(), 'causeway-verify-'));
const perRow = 5;
const size = 700;
let test: TestDatabase;
let published: string;
let earlier: string;

beforeAll(async () => {
  test = await testDatabase();
  const audit = testAudit(test.database, master);
  await makeTree(test.database, 'hub.test/audit/1');
  const file = new CheckpointFile(directory);
  const sequencer = new Sequencer({ database: test.database, master, file, host: 'x', fault: () => {} });
  for (let row = 0; row < size / perRow; row++) {
    const entries = Array.from({ length: perRow }, (_, i) => ({
      at: new Date(1_700_000_000_000 + row).toISOString(),
      who: `user-${row}-${i}`,
      role: 'clinician',
      organization: 'Clinic',
      action: 'read',
      what: '/Patient/ada',
      status: 200,
      patients: ['ada', 'bob'].slice(0, 1 + (i % 2)),
    }));
    await test.database.query(await audit.insertion(entries));
    if (row === 50) {
      await sequencer.sequence();
      earlier = (await file.read())!;
    }
  }
  await sequencer.sequence();
  published = (await file.read())!;
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await test.drop();
});

/** What is found after somebody with all rights on the database did something, which is undone then. */
async function tampered(
  tamper: (transaction: Transaction) => Promise<unknown>,
  judge: (database: Queryable) => Promise<Finding | undefined> = async (database) =>
    (await verifyDatabase(database, { published: [published] })).finding,
): Promise<Finding | undefined> {
  let finding: Finding | undefined;
  const undone = new Error('undone');
  const done = test.database.transaction(
    async (transaction) => {
      for (const table of ['access_log', 'audit_about']) {
        await transaction.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
      }
      await tamper(transaction);
      finding = await judge(transaction);
      throw undone;
    },
    { scope: 'all' },
  );
  await expect(done).rejects.toBe(undone);
  return finding;
}

const row = (index: number) => `(SELECT log FROM audit_place WHERE first = ${index})`;
const lines = (text: string) => `array_to_string(${text}, E'\\n')`;
const all = `string_to_array(leaves, E'\\n')`;

it('finds nothing where nothing was done, from the beginning, from where it was verified, and in an export', async () => {
  const whole = await verifyDatabase(test.database, { published: [earlier, published] });
  expect(whole).toMatchObject({ from: 0, size, origin: 'hub.test/audit/1' });
  expect(whole.finding).toBeUndefined();
  const before = checkpointOf(earlier);
  const since = await verifyDatabase(test.database, { from: before });
  expect([since.from, since.finding]).toEqual([before.size, undefined]);
  const path = await written();
  expect(await verifyExport(path)).toEqual({ origin: 'hub.test/audit/1', size, root: whole.root, checkpoints: 0 });
  expect(await verifyDeep(test.database, new SubjectKeys(test.database, master))).toEqual({ opened: size, sealed: 0 });
});

describe('names the first entry that is wrong in the database', () => {
  it.each<[string, string, Finding['kind'], number | undefined]>([
    [
      'changed',
      `UPDATE access_log SET leaves = replace(leaves, 'user-60-3', 'nobody') WHERE id = ${row(300)}`,
      'changed',
      303,
    ],
    ['changed last', `UPDATE access_log SET leaves = leaves || ' ' WHERE id = ${row(695)}`, 'changed', 699],
    ['removed with its row', `DELETE FROM access_log WHERE id = ${row(300)}`, 'removed', 300],
    [
      'removed with its row and numbers',
      `WITH gone AS (DELETE FROM audit_place WHERE first = 300 RETURNING log) DELETE FROM access_log USING gone WHERE id = log`,
      'removed',
      300,
    ],
    [
      'removed from its row',
      `UPDATE access_log SET leaves = ${lines(`array_remove(${all}, (${all})[3])`)} WHERE id = ${row(300)}`,
      'removed',
      302,
    ],
    ['removed the first', `DELETE FROM access_log WHERE id = ${row(0)}`, 'removed', 0],
    [
      'in another order in its row',
      `UPDATE access_log SET leaves = ${lines(`(${all})[1:1] || (${all})[3:3] || (${all})[2:2] || (${all})[4:5]`)} WHERE id = ${row(300)}`,
      'reordered',
      301,
    ],
    [
      'in another order of rows',
      `UPDATE audit_place SET log = CASE first WHEN 300 THEN ${row(310)} ELSE ${row(300)} END + 1000000 WHERE first IN (300, 310);
       UPDATE audit_place SET log = log - 1000000 WHERE log > 1000000`,
      'reordered',
      300,
    ],
    [
      'put in',
      `UPDATE access_log SET leaves = ${lines(`(${all})[1:2] || '{"v":1}'::text || (${all})[3:5]`)} WHERE id = ${row(300)}`,
      'inserted',
      302,
    ],
    [
      'put in twice',
      `UPDATE access_log SET leaves = ${lines(`(${all})[1:2] || (${all})[2:5]`)} WHERE id = ${row(300)}`,
      'inserted',
      302,
    ],
    [
      'put in at the end',
      `INSERT INTO access_log (id, count, leaves, sealed) VALUES (900000, 1, '{"v":1}', '');
       INSERT INTO audit_place VALUES (${size}, 900000, 1)`,
      'inserted',
      size,
    ],
    [
      'put in without a number',
      `INSERT INTO access_log (id, at, count, leaves, sealed) VALUES (900000, now() - interval '1 hour', 1, '{"v":1}', '')`,
      'unnumbered',
      undefined,
    ],
    [
      'cut off at the end',
      `DELETE FROM access_log WHERE id IN (SELECT log FROM audit_place WHERE first >= 600); DELETE FROM audit_place WHERE first >= 600`,
      'cut',
      600,
    ],
    [
      'changed with its hash',
      `UPDATE access_log SET leaves = replace(leaves, 'user-0-3', 'nobody') WHERE id = ${row(0)};
       UPDATE audit_tile SET hashes = overlay(hashes placing sha256('\\x00'::bytea || convert_to(
         (SELECT split_part(leaves, E'\\n', 4) FROM access_log WHERE id = ${row(0)}), 'UTF8')) from 97 for 32)
       WHERE level = 0 AND index = 0`,
      'hashes',
      undefined,
    ],
    ['whose hashes are gone', 'DELETE FROM audit_tile WHERE level = 0 AND index = 1', 'hashes', undefined],
  ])('%s', async (_, statements, kind, index) => {
    const finding = await tampered((transaction) => transaction.client.query(statements));
    expect(finding).toMatchObject({ kind, ...(index === undefined ? {} : { index }) });
    if (index === undefined) expect(finding!.index).toBeUndefined();
  });
});

it('holds cosignatures to what a policy asks for, in the database and in an export', async () => {
  const [north, south] = [1, 2].map((seed) => {
    const signer = signerOf(`witness-${seed}.test`, secretKey(Buffer.alloc(32, seed)), 'cosignature');
    return { signer, verifier: verifierText(signer) };
  }) as [
    { signer: ReturnType<typeof signerOf>; verifier: string },
    { signer: ReturnType<typeof signerOf>; verifier: string },
  ];
  const { signer, verifier } = north;
  const policy = readPolicy(
    `witness north ${verifier}\nwitness south ${south.verifier}\ngroup one any north south\nquorum one\n`,
  );
  const judged = async (asked: typeof policy | undefined) => {
    const options = { published: [published], ...(asked ? { policy: asked } : {}) };
    const { finding, checkpoints, cosigned } = await verifyDatabase(test.database, options);
    const file = await verifyExport(await written(), undefined, asked);
    expect([file.finding, file.checkpoints, file.cosigned]).toEqual([finding, checkpoints, cosigned]);
    return finding ?? cosigned ?? checkpoints;
  };
  expect(await judged(undefined)).toBe(0);
  expect(await judged(policy)).toMatchObject({ kind: 'witness', text: expect.stringContaining('No witness') });
  const line = signatureLine(readNote(earlier).text, signer, 1_764_000_000);
  await test.database.transaction((transaction) => keepCosignature(transaction, earlier, { verifier, line }));
  const by = [{ name: 'north', at: new Date(1_764_000_000_000) }];
  expect(await judged(policy)).toEqual({ size: checkpointOf(earlier).size, by });
  expect(await judged(undefined)).toBe(1);
  expect(await judged(readPolicy('quorum none'))).toBe(1);
  const both = readPolicy(
    `witness north ${verifier}\nwitness south ${south.verifier}\ngroup both all north south\nquorum both\n`,
  );
  expect(await judged(both)).toMatchObject({ kind: 'witness', text: expect.stringContaining('None of the 1') });
  for (const change of [
    // Stripped, as of another witness, and of another tree.
    `replace(checkpoint, '${line}', '')`,
    `replace(checkpoint, '${line}', '${signatureLine(readNote(published).text, signer, 1_764_000_000)}')`,
    `replace(checkpoint, '${readNote(earlier).text}', '${readNote(published).text}')`,
  ]) {
    const finding = await tampered(
      (transaction) => transaction.query(`UPDATE audit_cosigned SET checkpoint = ${change}`),
      async (database) => (await verifyDatabase(database, { published: [published], policy })).finding,
    );
    expect(finding?.kind).toMatch(/^(witness|signature)$/);
  }
  await test.database.query('DELETE FROM audit_cosigned');
});

describe('finds what was done to the tree and its signatures', () => {
  it('an older state', async () => {
    const { size: oldSize, root } = checkpointOf(earlier);
    const restored = (transaction: Transaction) =>
      transaction.client.query(`
        DELETE FROM access_log WHERE id IN (SELECT log FROM audit_place WHERE first >= ${oldSize});
        DELETE FROM audit_place WHERE first >= ${oldSize};
        DELETE FROM audit_tile WHERE level = 0 AND index > 0;
        UPDATE audit_tile SET hashes = substr(hashes, 1, ${oldSize % tileWidth || tileWidth} * 32) WHERE level = 0;
        DELETE FROM audit_tile WHERE level > 0;
        UPDATE audit_tree SET size = ${oldSize}, root = '\\x${root.toString('hex')}', checkpoint = '${earlier}'`);
    expect(oldSize).toBeLessThan(tileWidth);
    expect(await tampered(restored)).toMatchObject({ kind: 'older', index: oldSize });
    // By itself it is whole: only what was published shows it.
    const alone = async (database: Queryable) => (await verifyDatabase(database)).finding;
    expect(await tampered(restored, alone)).toBeUndefined();
  });

  it('a log that was written anew and signed with its own key', async () => {
    const anew = async (transaction: Transaction) => {
      await transaction.query(`UPDATE access_log SET leaves = replace(leaves, 'user-60-3', 'nobody')`);
      const { rows } = await transaction.query(
        'SELECT leaves FROM access_log l JOIN audit_place p ON p.log = l.id ORDER BY first',
      );
      const edge = new Edge();
      const hashes = rows.flatMap(({ leaves }) =>
        leaves.split('\n').map((leaf: string) => leafHash(Buffer.from(leaf))),
      );
      for (const { level, index, hashes: tile } of edge.append(Buffer.concat(hashes))) {
        await transaction.query('UPDATE audit_tile SET hashes = $3 WHERE level = $1 AND index = $2', [
          level,
          index,
          tile,
        ]);
      }
      const { name, origin } = (await treeState(transaction))!;
      const text = checkpointText({ origin, size, root: edge.root() });
      const note = signNote(text, await signersOf(transaction, master, name));
      await transaction.query('UPDATE audit_tree SET root = $1, checkpoint = $2', [edge.root(), note]);
    };
    expect(await tampered(anew)).toMatchObject({ kind: 'fork' });
    const { size: oldSize } = checkpointOf(earlier);
    const byEarlier = async (database: Queryable) =>
      (await verifyDatabase(database, { published: [earlier, published] })).finding;
    // What was signed before it is right still.
    expect((await tampered(anew, byEarlier))!.text).toContain(`first ${size} entries`);
    expect(oldSize).toBeLessThan(300);
    expect(await tampered(anew, async (database) => (await verifyDatabase(database)).finding)).toBeUndefined();
    const incremental = async (database: Queryable) =>
      (await verifyDatabase(database, { from: checkpointOf(published) })).finding;
    expect(await tampered(anew, incremental)).toMatchObject({ kind: 'fork' });
  });

  it.each([
    ['stripped', `regexp_replace(checkpoint, E'\\n\\n.*', E'\\n\\n')`],
    ['of another size', `replace(checkpoint, E'\\n${size}\\n', E'\\n${size - 1}\\n')`],
    ['gone', 'NULL'],
  ])('a signature %s', async (_, expression) => {
    const finding = await tampered((transaction) =>
      transaction.query(`UPDATE audit_tree SET checkpoint = ${expression}`),
    );
    expect(finding).toMatchObject({ kind: 'signature' });
  });

  it('a key that is not trusted', async () => {
    const keys = (await testAudit(test.database, master).verifiers()).map(({ verifier }) => readVerifier(verifier));
    expect((await verifyDatabase(test.database, { keys })).finding).toBeUndefined();
    const strange = [{ ...keys[0]!, name: 'other' }];
    expect((await verifyDatabase(test.database, { keys: strange })).finding).toMatchObject({ kind: 'signature' });
  });

  it('an event that is kept from whom it is about, and another sealed text', async () => {
    const deep = async (database: Queryable) =>
      (await verifyDeep(database, new SubjectKeys(test.database, master))).finding;
    const hidden = `DELETE FROM audit_about WHERE log = ${row(300)} AND place = 2`;
    expect(await tampered((transaction) => transaction.query(hidden))).toBeUndefined();
    expect(await tampered((transaction) => transaction.query(hidden), deep)).toMatchObject({
      kind: 'about',
      index: 302,
    });
    const moved = `UPDATE access_log SET sealed = (SELECT sealed FROM access_log WHERE id = ${row(305)}) WHERE id = ${row(300)}`;
    expect(await tampered((transaction) => transaction.query(moved), deep)).toMatchObject({
      kind: 'sealed',
      index: 300,
    });
  });
});

describe('names the first entry that is wrong in an export', () => {
  it.each<[string, (lines: string[]) => string[], Finding['kind'], number | undefined]>([
    ['changed', (all) => all.with(placeOf(303), all[placeOf(303)]!.replace('read', 'rede')), 'changed', 303],
    ['removed', (all) => all.toSpliced(placeOf(303), 1), 'removed', 303],
    ['removed the last of a block', (all) => all.toSpliced(placeOf(255), 1), 'removed', 255],
    ['put in', (all) => all.toSpliced(placeOf(303), 0, '{"v":1}'), 'inserted', 303],
    [
      'in another order',
      (all) => all.with(placeOf(303), all[placeOf(304)]!).with(placeOf(304), all[placeOf(303)]!),
      'reordered',
      303,
    ],
    ['cut off', (all) => [...all.slice(0, placeOf(512)), ''], 'cut', 512],
    ['cut off in a block', (all) => all.slice(0, placeOf(520)), 'cut', 512],
    [
      'with a stripped signature',
      (all) => all.with(0, all[0]!.replace(/\\n— .*?\\n"/, '\\n"')),
      'signature',
      undefined,
    ],
  ])('%s', async (_, change, kind, index) => {
    const path = await written(change);
    const { finding } = await verifyExport(path);
    expect(finding).toMatchObject({ kind, ...(index === undefined ? {} : { index }) });
  });
});

/** The line of an entry in an export: after the first, and after the hashes of each block before it. */
function placeOf(index: number): number {
  return 1 + index + Math.floor(index / tileWidth);
}

async function written(change: (lines: string[]) => string[] = (all) => all): Promise<string> {
  let text = '';
  for await (const piece of exported(test.database)) text += piece;
  const path = join(directory, 'export');
  writeFileSync(path, change(text.split('\n')).join('\n'));
  expect(readFileSync(path).length).toBeGreaterThan(1_000);
  return path;
}

function checkpointOf(note: string): { size: number; root: Buffer } {
  const [, count, root] = note.split('\n') as [string, string, string];
  return { size: Number(count), root: Buffer.from(root, 'base64') };
}
