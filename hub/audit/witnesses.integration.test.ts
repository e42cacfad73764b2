/** The log has its checkpoints cosigned by witnesses, waits for none of them, and says which one fails or contradicts it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  leafHash,
  type Policy,
  readCheckpoint,
  readNote,
  readPolicy,
  readProof,
  readVerifier,
  type SignedCheckpoint,
  secretKey,
  signatureLine,
  signerOf,
  verifierText,
  verifyCheckpoint,
  verifyProof,
} from '@causeway/tlog';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { main } from '../cli.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey } from '../secrets/index.ts';
import { cosignedOf } from './cosigned.ts';
import { type AuditLog, CheckpointFile, Sequencer } from './index.ts';
import { testAudit } from './testing.ts';
import { treeState } from './tree.ts';
import { WatchedFile } from './watched-file.ts';
import { readWitnessedLogs, Witness, type WitnessedLogs } from './witness.ts';
import { Witnesses, type WitnessReply, type WitnessRequest } from './witnesses.ts';

const master = fixedMasterKey(Buffer.alloc(32, 7));
const [east, west] = [4, 5].map((seed) =>
  signerOf(`witness-${seed}.example`, secretKey(Buffer.alloc(32, seed)), 'cosignature'),
) as [ReturnType<typeof signerOf>, ReturnType<typeof signerOf>];

let test: TestDatabase;
let directory: string;
let audit: AuditLog;
let sequencer: Sequencer;
let policyFile: string;
const alarms: string[] = [];
const faults: unknown[] = [];
/** What answers below which address. */
let servers: { [host: string]: (url: string, asked: WitnessRequest) => Promise<WitnessReply> };

beforeEach(async () => {
  test = await testDatabase();
  directory = mkdtempSync(join(tmpdir(), 'causeway-witnesses-'));
  policyFile = join(directory, 'policy');
  audit = testAudit(test.database, master);
  alarms.length = 0;
  faults.length = 0;
  servers = {};
  const fault = (error: unknown) => faults.push(error);
  sequencer = new Sequencer({
    database: test.database,
    master,
    file: new CheckpointFile(directory),
    host: 'hub.test',
    fault,
  });
  await sequencer.start();
  await sequencer.stop();
});
afterEach(async () => {
  rmSync(directory, { recursive: true, force: true });
  await test.drop();
});

async function grow(count: number): Promise<string> {
  const entries = Array.from({ length: count }, (_, i) => ({
    at: new Date().toISOString(),
    who: 'ann',
    role: 'clinician',
    organization: 'Clinic',
    action: 'read',
    what: `/Observation/${i}`,
    status: 200,
    patients: ['ada'],
  }));
  await test.database.query(await audit.insertion(entries));
  await sequencer.sequence();
  return (await treeState(test.database))!.checkpoint!;
}

function witnessesBy(policy: string, paces = { everyMs: 0, alarmMs: 3_600_000 }): Witnesses {
  writeFileSync(policyFile, policy);
  return new Witnesses(
    {
      database: test.database,
      policy: new WatchedFile<Policy | undefined>(policyFile, readPolicy, undefined, (error) => faults.push(error)),
      ask: (url, asked) => servers[new URL(url).host]!(url, asked),
      alarm: (_, text) => alarms.push(text),
      fault: (error) => faults.push(error),
    },
    paces,
  );
}

const policyOf = (...keys: string[]) =>
  `${keys.map((verifier, i) => `witness w${i} ${verifier} http://w${i}.example/witness/\n`).join('')}quorum none\n`;

/** A hub as the witness at w0, which trusts the keys of this log. */
async function realWitness(): Promise<Witness> {
  const logsFile = join(directory, 'logs');
  writeFileSync(logsFile, (await audit.verifiers()).map(({ verifier }) => `${verifier}\n`).join(''));
  const witness = new Witness({
    database: test.database,
    master,
    dataDir: join(directory, 'witness'),
    host: 'witness.test',
    logs: new WatchedFile<WitnessedLogs>(logsFile, readWitnessedLogs, new Map(), (error) => faults.push(error)),
    alarm: (_, text) => alarms.push(text),
  });
  servers['w0.example'] = async (url, { method, body }) => {
    if (method === 'POST' && url === 'http://w0.example/witness/add-checkpoint') return witness.add(body!);
    const checkpoint = await witness.checkpoint(/^http:\/\/w0\.example\/witness\/(.+)\/checkpoint$/.exec(url)![1]!);
    return { status: checkpoint ? 200 : 404, type: 'text/plain', body: checkpoint ?? '' };
  };
  return witness;
}

/** A witness that cosigns whatever it is given. */
const cosigning =
  (signer: typeof east, change = (line: string) => line) =>
  async (_url: string, { body }: WitnessRequest) => {
    const text = String(body);
    const note = readNote(text.slice(text.indexOf('\n\n') + 2));
    return { status: 200, type: 'text/plain', body: change(signatureLine(note.text, signer, 1_764_000_000)) };
  };
const answering =
  (status: number, body = '') =>
  async () => ({ status, type: 'text/plain', body });

async function verified(note: string, ...witnesses: string[]): Promise<SignedCheckpoint> {
  const log = (await audit.verifiers()).map(({ verifier }) => readVerifier(verifier));
  const { origin } = (await treeState(test.database))!;
  return verifyCheckpoint(note, { origin, log, witnesses: witnesses.map(readVerifier) });
}
const states = async () => (await audit.status()).witnesses;

it('keeps the cosignature of each checkpoint it is given, and proves by what was cosigned', async () => {
  const first = await grow(3);
  const witness = await realWitness();
  const { verifier } = (await witness.status())!;
  const witnesses = witnessesBy(policyOf(verifier));
  expect(await audit.cosignedCheckpoint()).toBeUndefined();
  await witnesses.round();
  expect(await states()).toEqual([{ name: 'w0', verifier, size: 3, cosigned: expect.any(Date) }]);
  const cosigned = (await audit.checkpoint())!;
  expect(cosigned.startsWith(first)).toBe(true);
  expect((await verified(cosigned, verifier)).signatures.map(({ kind }) => kind)).toEqual(['signature', 'cosignature']);
  await grow(300);
  // The newest one is not cosigned yet: what is in the one before is proved by that.
  expect((await verified((await audit.checkpoint())!, verifier)).signatures).toHaveLength(1);
  expect(await audit.cosignedCheckpoint()).toBe(cosigned);
  expect(readProof((await audit.proof(2))!).checkpoint).toBe(cosigned);
  expect(readCheckpoint(readNote(readProof((await audit.proof(3))!).checkpoint).text).size).toBe(303);
  await witnesses.round();
  const log = (await audit.verifiers()).map((one) => readVerifier(one.verifier));
  const trusted = { origin: (await treeState(test.database))!.origin, log, witnesses: [readVerifier(verifier)] };
  for (const index of [0, 2, 255, 302]) {
    const leaf = leafHash(Buffer.from((await audit.eventAt(index))!.leaf));
    const proof = (await audit.proof(index))!;
    expect(proof.length).toBeLessThan(2_048);
    expect(verifyProof(proof, leaf, trusted, 1).checkpoint.size).toBe(303);
  }
  await witnesses.round();
  expect([alarms, faults]).toEqual([[], []]);
});

it('keeps with those who cosigned together the newest that all did, and a newer one of fewer', async () => {
  servers = { 'w0.example': cosigning(east), 'w1.example': cosigning(west) };
  const witnesses = witnessesBy(policyOf(verifierText(east), verifierText(west)));
  await grow(3);
  await witnesses.round();
  servers['w1.example'] = answering(503);
  await grow(3);
  await witnesses.round();
  await grow(3);
  await witnesses.round();
  const kept = await cosignedOf(test.database, (await treeState(test.database))!.origin);
  expect(kept.map((note) => readCheckpoint(readNote(note).text).size)).toEqual([9, 3]);
  const [newer, both] = await Promise.all(kept.map((note) => verified(note, verifierText(east), verifierText(west))));
  expect([newer!.signatures.length, both!.signatures.length]).toEqual([2, 3]);
  expect(readProof((await audit.proof(1))!).checkpoint).toBe(kept[1]);
  expect(readProof((await audit.proof(4))!).checkpoint).toBe(kept[0]);
  servers['w1.example'] = cosigning(west);
  await witnesses.round();
  expect(await cosignedOf(test.database, (await treeState(test.database))!.origin)).toHaveLength(1);
  expect(await states()).toMatchObject([{ size: 9 }, { size: 9 }]);
});

it('asks from the size that a witness says it has, and gives up where that changes each time', async () => {
  await grow(5);
  const witness = await realWitness();
  const policy = policyOf((await witness.status())!.verifier);
  await witnessesBy(policy).round();
  await test.database.query('DELETE FROM audit_witness');
  await grow(5);
  await witnessesBy(policy).round();
  expect(await states()).toMatchObject([{ size: 10 }]);
  let size = 0;
  servers['w0.example'] = async () => ({ status: 409, type: 'text/x.tlog.size', body: `${++size}\n` });
  await grow(1);
  await witnessesBy(policy).round();
  expect(await states()).toMatchObject([{ size: 10, problem: expect.stringContaining('another size') }]);
});

it('says what a witness answers that does not cosign, keeps nothing of it, and goes on', async () => {
  const another = 'What it answers is no cosignature by its key.';
  const witnesses = witnessesBy(policyOf(verifierText(east)));
  for (const [answer, problem] of [
    [answering(404), 'It does not know the log hub.test/audit/'],
    [answering(403), 'It does not trust the key of this log.'],
    [answering(400), 'It answered 400.'],
    [answering(409, 'no size'), 'It answered 409.'],
    [answering(500), 'It answered 500.'],
    [answering(200), another],
    [answering(200, 'yes\n'), another],
    [cosigning(west), another],
    [cosigning(east, redated), another],
  ] as const) {
    servers['w0.example'] = answer;
    await grow(1);
    await witnesses.round();
    expect(await states()).toMatchObject([
      { size: 0, failing: expect.any(Date), problem: expect.stringContaining(problem) },
    ]);
  }
  expect(await audit.status()).toMatchObject({ state: 'good', size: 9, waiting: 0 });
  expect(await audit.cosignedCheckpoint()).toBeUndefined();
  expect(alarms).toEqual([]);
});

it('tells once that a witness has cosigned nothing for long, and asks it less and less often', async () => {
  let asked = 0;
  servers['w0.example'] = async () => {
    asked++;
    throw new Error('no answer');
  };
  await grow(1);
  const policy = policyOf(verifierText(east));
  const patient = witnessesBy(policy);
  await patient.round();
  expect(alarms).toEqual([]);
  const impatient = witnessesBy(policy, { everyMs: 0, alarmMs: 0 });
  for (let i = 0; i < 3; i++) await impatient.round();
  expect(alarms).toEqual([
    expect.stringMatching(/^The witness w0 has cosigned nothing since .* UTC. It does not answer.$/),
  ]);
  const slow = witnessesBy(policy, { everyMs: 60_000, alarmMs: 0 });
  asked = 0;
  for (let i = 0; i < 3; i++) await slow.round();
  expect(asked).toBe(1);
  servers['w0.example'] = cosigning(east);
  await witnessesBy(policy).round();
  expect((await states())[0]).not.toHaveProperty('problem');
});

it('tells, with both sizes, of a witness that cosigned more than the log has, and of one that cosigned another', async () => {
  const witness = await realWitness();
  await grow(3);
  await realWitness();
  const policy = policyOf((await witness.status())!.verifier);
  const early = await treeState(test.database);
  await grow(4);
  await witnessesBy(policy).round();
  expect(alarms).toEqual([]);
  // As a restore leaves it where the file beside the data is lost too: nothing on this machine remembers.
  const restore = () =>
    test.database.query('UPDATE audit_tree SET size = $1, root = $2, checkpoint = $3', [
      3,
      early!.root,
      early!.checkpoint,
    ]);
  await restore();
  await test.database.query('DELETE FROM audit_witness; DELETE FROM audit_cosigned');
  const restored = witnessesBy(policy);
  await restored.round();
  await restored.round();
  const { origin } = early!;
  expect(alarms).toEqual([
    expect.stringMatching(
      new RegExp(
        `^The witness w0 says that it cosigned 7 events of ${origin}, which has 3: .* It shows a checkpoint of 7 events, root .*, that this log signed.$`,
      ),
    ),
  ]);
  expect(await states()).toMatchObject([{ contradiction: alarms[0] }]);
  // The log goes on from there, past what the witness has.
  const rows = await test.database.query('DELETE FROM audit_place WHERE first >= 3 RETURNING log');
  expect(rows.rowCount).toBe(1);
  await test.database.query('UPDATE audit_tile SET hashes = substr(hashes, 1, 96)');
  const forked = new Sequencer({
    database: test.database,
    master,
    file: new CheckpointFile(join(directory, 'lost')),
    host: 'hub.test',
    fault: (error) => faults.push(error),
  });
  sequencer = forked;
  await grow(9);
  await test.database.query('DELETE FROM audit_witness');
  await witnessesBy(policy).round();
  expect(alarms.slice(1)).toEqual([
    expect.stringMatching(
      /^The witness w0 says that the 12 events of .* do not continue the 7 that it cosigned: .* signed\.$/,
    ),
  ]);
  expect(faults).toEqual([]);
});

it('forgets a witness that stands in the policy no more, and asks nobody while the log is refused', async () => {
  servers = { 'w0.example': cosigning(east), 'w1.example': cosigning(west) };
  await grow(1);
  await witnessesBy(policyOf(verifierText(east), verifierText(west))).round();
  expect(await states()).toHaveLength(2);
  await witnessesBy(policyOf(verifierText(east))).round();
  expect(await states()).toMatchObject([{ name: 'w0' }]);
  await grow(1);
  await test.database.query(`UPDATE audit_tree SET refused = 'restored'`);
  await witnessesBy(policyOf(verifierText(east))).round();
  expect(await states()).toMatchObject([{ size: 1 }]);
});

/** The line with a bit of its time changed. */
function redated(line: string): string {
  const [dash, name, signature] = line.trim().split(' ');
  const bytes = Buffer.from(signature!, 'base64');
  bytes[11]! ^= 1;
  return `${dash} ${name} ${bytes.toString('base64')}\n`;
}

it('an operator verifies by the policy on the command line, and hears which witnesses have cosigned', async () => {
  await grow(3);
  const witness = await realWitness();
  const { verifier } = (await witness.status())!;
  const policy = policyOf(verifier, verifierText(west)).replace('quorum none', 'group all all w0 w1\nquorum w0');
  await witnessesBy(policy).round();
  const { host, port, user, database } = test.connection;
  const url = `postgresql://${user}@localhost/${database}?host=${encodeURIComponent(host)}&port=${port}`;
  const run = async () => {
    const said = vi.spyOn(console, 'log').mockImplementation(() => {});
    const words = ['audit', 'verify', '--policy', policyFile, '--data-dir', directory, '--database-url', url];
    const code = await main(words);
    const lines = said.mock.calls.flat().join('\n');
    said.mockRestore();
    return { code, lines };
  };
  expect(await run()).toMatchObject({
    code: 0,
    lines: expect.stringMatching(/entries 0 to 3 .*\n.*\n.*first 3 entries are cosigned by w0/),
  });
  // Whom the policy asks for besides has cosigned nothing.
  writeFileSync(policyFile, policy.replace('quorum w0', 'quorum all'));
  expect(await run()).toMatchObject({ code: 1, lines: expect.stringContaining('WRONG (witness)') });
});
