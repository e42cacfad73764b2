/** A hub as a witness (C2SP tlog-witness): what it cosigns, what it refuses, and what it remembers. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkpointText,
  consistencyFolds,
  Edge,
  emptyRoot,
  leafHash,
  proofFrom,
  readNote,
  readVerifier,
  secretKey,
  signerOf,
  signNote,
  submissionText,
  type Tile,
  verifierText,
  verifyNote,
} from '@causeway/tlog';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey } from '../secrets/index.ts';
import { WatchedFile } from './watched-file.ts';
import { readWitnessedLogs, Witness, type WitnessedLogs } from './witness.ts';

const origin = 'hub.example/audit/1';
const key = signerOf(origin, secretKey(Buffer.alloc(32, 1)));
const nextKey = signerOf(origin, secretKey(Buffer.alloc(32, 2)));
const stranger = signerOf('witness.other', secretKey(Buffer.alloc(32, 3)), 'cosignature');

let test: TestDatabase;
let directory: string;
let logsFile: string;
const alarms: string[] = [];
const faults: unknown[] = [];
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.drop());
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'causeway-witness-'));
  logsFile = join(directory, 'logs');
  writeFileSync(logsFile, `# Who is cosigned.\n${verifierText(key)}\n`);
  alarms.length = 0;
  faults.length = 0;
  await test.database.query('TRUNCATE audit_witnessed, audit_conflict, audit_witness_key');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const logsOf = (path: string | undefined) =>
  new WatchedFile<WitnessedLogs>(path, readWitnessedLogs, new Map(), (error) => faults.push(error));
/** @param path of the logs that it knows; `none` where it is no witness */
const witnessOf = (path = logsFile, dataDir = directory) =>
  new Witness({
    database: test.database,
    master: fixedMasterKey(Buffer.alloc(32, 7)),
    dataDir,
    host: 'witness.test',
    logs: logsOf(path === 'none' ? undefined : path),
    alarm: (_, text) => alarms.push(text),
  });

/** A log whose entries are these; two that begin alike fork where they differ. */
class Log {
  readonly #entries: string[];
  constructor(entries: string[]) {
    this.#entries = entries;
  }

  head(size: number, name = origin) {
    return checkpointText({ origin: name, size, root: this.#grown(size).edge.root() });
  }

  async submission(from: number, size: number, note = signNote(this.head(size), [key])): Promise<Buffer> {
    const { tiles } = this.#grown(size);
    const read = ({ level, index }: { level: number; index: number }) =>
      tiles.find((tile) => tile.level === level && tile.index === index)!.hashes;
    const path = from > size ? [] : await proofFrom(consistencyFolds(from, size), read);
    return Buffer.from(submissionText({ from, path, checkpoint: note }));
  }

  #grown(size: number): { edge: Edge; tiles: Tile[] } {
    const edge = new Edge();
    const leaves = this.#entries.slice(0, size).map((entry) => leafHash(Buffer.from(entry)));
    return { edge, tiles: edge.append(Buffer.concat(leaves)) };
  }
}

const entries = Array.from({ length: 300 }, (_, i) => `entry ${i}`);
const log = new Log(entries);
const fork = new Log(entries.with(5, 'another'));
const size409 = (size: number) => ({ status: 409, type: 'text/x.tlog.size', body: `${size}\n` });

describe('what is shown to continue what was cosigned', () => {
  it('is cosigned with the time, by a key of its own, and stands at the address of the log', async () => {
    const witness = witnessOf();
    for (const [from, size] of [
      [0, 3],
      [3, 300],
      [300, 300],
    ] as const) {
      const asked = await log.submission(from, size, signNote(log.head(size), [stranger, key], 7));
      const answer = await witness.add(asked);
      expect(answer).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8' });
      const { verifier } = (await witness.status())!;
      expect(verifier).toMatch(/^witness\.test\/witness\/[0-9a-f]{8}\+/);
      const [{ time } = {}] = verifyNote(readNote(`${log.head(size)}\n${answer.body}`), [readVerifier(verifier)]);
      expect(Math.abs(time! - Date.now() / 1_000)).toBeLessThan(60);
      const shown = (await witness.checkpoint(createHash('sha256').update(origin).digest('hex')))!;
      // Those that it verified, and its own.
      expect(readNote(shown).signatures.map(({ name }) => name)).toEqual([origin, verifier.split('+')[0]]);
      expect(verifyNote(readNote(shown), [key, readVerifier(verifier)])).toHaveLength(2);
    }
    expect((await witness.status())!.logs).toEqual([{ origin, size: 300, at: expect.any(Date), conflicts: 0 }]);
    expect((await witnessOf().status())!.verifier).toBe((await witness.status())!.verifier);
  });

  it('is the tree without entries too, at first', async () => {
    const empty = signNote(log.head(0), [key]);
    expect(await witnessOf().add(await log.submission(0, 0, empty))).toMatchObject({ status: 200 });
    const wrong = signNote(checkpointText({ origin, size: 0, root: leafHash(emptyRoot) }), [key]);
    expect(await witnessOf().add(await log.submission(0, 0, wrong))).toMatchObject({ status: 422 });
  });

  it('is signed by any of the keys of the log, of which a new one is taken up when the file changes', async () => {
    const witness = witnessOf();
    const byNext = await log.submission(0, 3, signNote(log.head(3), [nextKey]));
    expect(await witness.add(byNext)).toMatchObject({ status: 403 });
    writeFileSync(logsFile, `${verifierText(key)}\n${verifierText(nextKey)}\n`);
    expect(await witness.add(byNext)).toMatchObject({ status: 200 });
    writeFileSync(logsFile, 'no key');
    expect(await witness.add(await log.submission(3, 4))).toMatchObject({ status: 200 });
    expect(String(faults)).toContain('verifier key');
  });

  it('is of another origin where the operator says so', async () => {
    const restored = `${origin}/restored-1`;
    const asked = await log.submission(0, 3, signNote(log.head(3, restored), [key]));
    expect(await witnessOf().add(asked)).toMatchObject({ status: 404 });
    writeFileSync(logsFile, `${verifierText(key)}\n${verifierText(key)} ${restored}\n`);
    expect(await witnessOf().add(asked)).toMatchObject({ status: 200 });
  });
});

describe('nothing is cosigned', () => {
  it.each([
    ['what is no submission', 400, async () => Buffer.from('{}')],
    ['what is no text', 400, async () => Buffer.from([0x6f, 0x6c, 0x64, 0xff])],
    ['a checkpoint that is none', 400, async () => Buffer.from('old 0\n\nhub.example/audit/1\nx\n\n')],
    [
      'hashes that are none',
      400,
      async () => Buffer.from(String(await log.submission(3, 300)).replace(/\n.{44}\n/, '\nAA==\n')),
    ],
    ['an old size above the new one', 400, () => log.submission(9, 5)],
    ['another log', 404, () => log.submission(0, 5, signNote(log.head(5, 'hub.other/audit'), [key]))],
    ['what another key signed', 403, () => log.submission(0, 5, signNote(log.head(5), [nextKey, stranger], 7))],
    [
      'what its key did not sign',
      403,
      async () => Buffer.from(String(await log.submission(0, 5)).replace('\n5\n', '\n6\n')),
    ],
    ['a size that was not cosigned', 409, () => log.submission(3, 5)],
    [
      'a proof from nothing',
      422,
      async () =>
        Buffer.from(String(await log.submission(0, 5)).replace('old 0\n', `old 0\n${emptyRoot.toString('base64')}\n`)),
    ],
  ] as const)('of %s (%i)', async (_, status, asked) => {
    const witness = witnessOf();
    expect(await witness.add(await asked())).toMatchObject({ status });
    expect((await witness.status())!.logs).toEqual([{ origin, size: 0, conflicts: 0 }]);
    expect(await witness.checkpoint(createHash('sha256').update(origin).digest('hex'))).toBeUndefined();
  });

  it('of what does not continue it, and of the one that forked the proof is kept and told', async () => {
    const witness = witnessOf();
    await witness.add(await log.submission(0, 100));
    expect(await witness.add(await log.submission(0, 200))).toEqual(size409(100));
    expect(await witness.add(await log.submission(50, 60))).toEqual(size409(100));
    expect(await witness.add(await fork.submission(100, 200))).toMatchObject({ status: 422 });
    expect(alarms).toEqual([]);
    for (let time = 0; time < 2; time++) {
      expect(await witness.add(await fork.submission(100, 100))).toMatchObject({ status: 422 });
    }
    expect(alarms).toEqual([
      expect.stringContaining(`${origin}, which this hub is a witness for, signed two different trees of 100`),
    ]);
    const { rows } = await test.database.query('SELECT cosigned, other FROM audit_conflict');
    for (const note of [rows[0]!.cosigned, rows[0]!.other]) expect(verifyNote(readNote(note), [key])).toHaveLength(1);
    expect((await witness.status())!.logs).toMatchObject([{ size: 100, conflicts: 1 }]);
    expect(await witness.add(await log.submission(100, 200))).toMatchObject({ status: 200 });
  });

  it('where this hub is no witness', async () => {
    const none = witnessOf('none');
    expect(await none.status()).toBeUndefined();
    expect(await none.add(await log.submission(0, 3))).toMatchObject({ status: 404 });
  });
});

it('signs one tree where two are brought at once', async () => {
  // Each has a folder of its own: what both share is the database.
  const folders = ['one', 'other'].map((name) => join(directory, name));
  const hubs = folders.map((folder) => witnessOf(logsFile, folder));
  const [ours, forked] = await Promise.all([log.submission(3, 40), fork.submission(3, 40)]);
  for (let round = 0; round < 6; round++) {
    await test.database.query('DELETE FROM audit_witnessed');
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    // Up to there both are one.
    await hubs[0]!.add(await log.submission(0, 3));
    const answers = await Promise.all([hubs[0]!.add(ours), hubs[1]!.add(forked)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  }
});

it('remembers beside the data what a restored database has forgotten', async () => {
  await witnessOf().add(await log.submission(0, 100));
  await test.database.query('DELETE FROM audit_witnessed');
  const restored = witnessOf();
  expect(await restored.add(await fork.submission(0, 120))).toEqual(size409(100));
  expect(await restored.add(await fork.submission(100, 120))).toMatchObject({ status: 422 });
  expect(await restored.add(await log.submission(100, 120))).toMatchObject({ status: 200 });
});

it('cosigns nothing where that cannot be kept', async () => {
  writeFileSync(join(directory, 'audit'), 'in the way of the folder');
  await expect(witnessOf().add(await log.submission(0, 3))).rejects.toThrow();
  rmSync(join(directory, 'audit'));
  expect(await witnessOf().add(await log.submission(0, 3))).toMatchObject({ status: 200 });
});
