/** A log as the hub keeps it in PostgreSQL, served as it serves it, for the second implementation to judge. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  consistencyFolds,
  type Hash,
  isConsistent,
  isIncluded,
  leafHash,
  proofFrom,
  readCheckpoint,
  readNote,
  readProof,
  secretKey,
  signerOf,
  submissionText,
  type TilePlace,
  tileWidth,
  verifierText,
  widthOf,
} from '@causeway/tlog';
import { AuditLog, CheckpointFile, Sequencer, witnessing } from '../../hub/audit/index.ts';
import { type Database, migrate, openDatabase, startEmbeddedDatabase } from '../../hub/database/index.ts';
import { fixedMasterKey, type MasterKey, newDataKey } from '../../hub/secrets/index.ts';
import { hubConfig } from '../../hub/testing-calls.ts';
import { noteQuestion, type Question, redated } from './suite.ts';

/** Events in the log at each checkpoint. */
const sizes = [1, 3, 256, 300, 1_100];
const perRow = 50;

/** Questions about a log that the hub wrote. */
export async function hubQuestions(): Promise<Question[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'causeway-tlog-'));
  // The database's own account has to get through, or its files lie elsewhere and stay when the directory goes.
  chmodSync(dataDir, 0o711);
  const server = await startEmbeddedDatabase({ dataDir, durable: false });
  const database = await openDatabase({ connection: server.connection, maxConnections: 4 });
  try {
    await migrate(database);
    return await questionsOf(database.as('all'), dataDir);
  } finally {
    await database.close();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function questionsOf(database: Database, dataDir: string): Promise<Question[]> {
  const master = fixedMasterKey(newDataKey());
  const audit = new AuditLog(database, master);
  const fault = (error: unknown) => {
    throw error;
  };
  const sequencer = new Sequencer({ database, master, file: new CheckpointFile(dataDir), host: 'hub.example', fault });
  await sequencer.start();
  await sequencer.stop();
  const notes: string[] = [];
  for (const [i, size] of sizes.entries()) {
    for (let from = sizes[i - 1] ?? 0; from < size; from += perRow) {
      const entries = Array.from({ length: Math.min(perRow, size - from) }, (_, k) => entryOf(from + k));
      await database.query(await audit.insertion(entries));
    }
    while ((await audit.status()).waiting > 0) await sequencer.sequence();
    notes.push((await audit.checkpoint())!);
  }
  return [
    ...(await treeQuestions(audit, notes)),
    ...(await noteQuestions(audit, notes)),
    ...(await witnessQuestions({ database, master, dataDir, audit }, notes)),
  ];
}

async function treeQuestions(audit: AuditLog, notes: readonly string[]): Promise<Question[]> {
  const questions: Question[] = [];
  const last = treeOf(notes.at(-1)!);
  const read = async (place: TilePlace) => (await audit.tile({ ...place, width: widthOf(place, last.size) }))!;
  const tiles = await Promise.all(
    placesOf(last.size).map(async (place) => ({ ...place, hashes: base64(await read(place)) })),
  );
  for (const index of [0, 2, 255, 256, 299, 700, last.size - 1]) {
    const event = (await audit.eventAt(index))!;
    const { path } = readProof((await audit.proof(index))!);
    const ask = (id: string, leaf: Hash, isTrue: boolean) => {
      const asked = { kind: 'inclusion', size: last.size, index, ...written(leaf, last.root, path) };
      const ours = isIncluded(leaf, index, last, path);
      questions.push({ id: `the hub’s event ${index}: ${id}`, asked, ours, isTrue });
    };
    ask('as it is', leafHash(Buffer.from(event.leaf)), true);
    ask('with another status', leafHash(Buffer.from(event.leaf.replace('"status":200', '"status":403'))), false);
    const asked = { kind: 'tiles', size: last.size, index, tiles, ...written(undefined, last.root, path) };
    questions.push({ id: `the hub’s event ${index}: proved by Go from its tiles`, asked, ours: true, isTrue: true });
  }
  for (const note of notes) {
    const begun = treeOf(note);
    const growth = await proofFrom(consistencyFolds(begun.size, last.size), read);
    for (const [id, root, isTrue] of [
      ['as it is', begun.root, true],
      ['of a fork', leafHash(begun.root), false],
    ] as const) {
      const ours = isConsistent({ ...begun, root }, last, growth);
      const asked = {
        kind: 'consistency',
        size: last.size,
        from: begun.size,
        begun: base64(root),
        ...written(undefined, last.root, growth),
      };
      questions.push({ id: `the hub’s checkpoint of ${begun.size}: ${id}`, asked, ours, isTrue });
    }
  }
  return questions;
}

/** The checkpoints as a hub cosigns them that is their witness, one after the other. */
async function witnessQuestions(
  parts: { database: Database; master: MasterKey; dataDir: string; audit: AuditLog },
  notes: readonly string[],
): Promise<Question[]> {
  const { audit, dataDir } = parts;
  const witnessFor = join(dataDir, 'witness-for');
  writeFileSync(witnessFor, (await audit.verifiers()).map(({ verifier }) => `${verifier}\n`).join(''));
  const fail = (problem: unknown) => {
    throw problem;
  };
  const config = hubConfig(dataDir, 'embedded', { witnessFor });
  const hub = {
    ...parts,
    config,
    host: 'witness.example',
    alarm: (_: unknown, text: string) => fail(text),
    fault: fail,
  };
  const { witness } = await witnessing(hub);
  const { verifier } = (await witness.status())!;
  const name = verifier.slice(0, verifier.indexOf('+'));
  const other = verifierText(signerOf(name, secretKey(Buffer.alloc(32, 9)), 'cosignature'));
  const questions: Question[] = [];
  let before = 0;
  let lastLine = '';
  for (const checkpoint of notes) {
    const { size, root } = treeOf(checkpoint);
    const read = async (place: TilePlace) => (await audit.tile({ ...place, width: widthOf(place, size) }))!;
    const path = await proofFrom(consistencyFolds(before, size), read);
    const answer = await witness.add(Buffer.from(submissionText({ from: before, path, checkpoint })));
    const cosigned = `${checkpoint}${answer.body}`;
    const ask = (id: string, note: string, keys: string[], isTrue: boolean) =>
      questions.push(noteQuestion(`the witness’s cosignature of ${size}: ${id}`, note, keys, isTrue));
    const log = (await audit.verifiers()).map((one) => one.verifier);
    ask('as it is', cosigned, [...log, verifier], true);
    ask('stripped', checkpoint, [...log, verifier], false);
    ask('of another time', redated(cosigned), [verifier], false);
    ask('of another root', cosigned.replace(base64(root), base64(leafHash(root))), [verifier], false);
    ask('of another size', cosigned.replace(`\n${size}\n`, `\n${size + 1}\n`), [verifier], false);
    ask('of another log', cosigned.replace('hub.example', 'hub.other'), [verifier], false);
    ask('by another witness of its name', cosigned, [...log, other], false);
    ask(
      'by a key whose id is another',
      cosigned,
      [verifier.replace(/\+(.)/, (_, c) => `+${c === '0' ? '1' : '0'}`)],
      false,
    );
    if (lastLine !== '') ask('put under it from the checkpoint before', `${checkpoint}${lastLine}`, [verifier], false);
    before = size;
    lastLine = answer.body;
  }
  return questions;
}

async function noteQuestions(audit: AuditLog, notes: readonly string[]): Promise<Question[]> {
  const keys = (await audit.verifiers()).map(({ verifier }) => verifier);
  const question = (id: string, note: string, isTrue: boolean) =>
    noteQuestion(`the hub’s checkpoint ${id}`, note, keys, isTrue);
  return notes.flatMap((note) => {
    const { size } = treeOf(note);
    return [
      question(`of ${size}`, note, true),
      question(`of ${size}, said to be larger`, note.replace(`\n${size}\n`, `\n${size + 1}\n`), false),
      question(`of ${size}, its signature stripped`, note.replace(/\n\n.*$/s, '\n\n'), false),
    ];
  });
}

function entryOf(i: number) {
  return {
    at: new Date(1_760_000_000_000 + i).toISOString(),
    who: `user-${i % 7}`,
    role: 'clinician',
    organization: 'clinic',
    purpose: 'TREAT',
    action: 'read',
    what: `/Observation/${i}`,
    status: 200,
    patients: [`person-${i % 11}`],
  };
}

/** All tiles of a tree. */
function placesOf(size: number): TilePlace[] {
  const places: TilePlace[] = [];
  for (let level = 0, width = tileWidth; level === 0 || size >= width / tileWidth; level++, width *= tileWidth) {
    for (let index = 0; widthOf({ level, index }, size) > 0; index++) places.push({ level, index });
  }
  return places;
}

function treeOf(note: string): { size: number; root: Hash } {
  return readCheckpoint(readNote(note).text);
}

function written(leaf: Hash | undefined, root: Hash, proof: readonly Hash[]): object {
  return { ...(leaf ? { leaf: base64(leaf) } : {}), root: base64(root), proof: proof.map(base64) };
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}
