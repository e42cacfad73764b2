/**
 * Suite `tlog`: a log of ours, whole and tampered with, before two judges: our own verification and Go's
 * `golang.org/x/mod/sumdb` (`verify.go`). Both have to say the same, and what is tampered with has to be rejected.
 */
import { join } from 'node:path';
import {
  checkpointText,
  consistencyFolds,
  Edge,
  type Hash,
  inclusionFolds,
  isConsistent,
  isIncluded,
  leafHash,
  proofFrom,
  readNote,
  readVerifier,
  type Signer,
  secretKey,
  signerOf,
  signNote,
  type Tile,
  verifierText,
  verifyNote,
} from '@causeway/tlog';
import { runGo } from '../go.ts';
import { type SuiteResult, Verdicts } from '../result.ts';
import { hubQuestions } from './hub-log.ts';

/** Where Debian keeps Go's modules (golang-golang-x-mod-dev). */
const debianModules = '/usr/share/gocode';

export interface Question {
  id: string;
  /** As `verify.go` reads it. */
  asked: object;
  /** What our own verification says. */
  ours: boolean;
  /** What is true. */
  isTrue: boolean;
}

/** Sizes around those at which subtrees and tiles become full. */
const sizes = [1, 2, 3, 7, 8, 255, 256, 257, 511, 513, 1_000, 65_535, 65_536, 65_537, 70_000];

export async function runTlog(): Promise<SuiteResult> {
  const questions = [...(await treeQuestions()), ...noteQuestions(), ...(await hubQuestions())];
  const verdicts = new Verdicts();
  const judged = await askGo(questions.map(({ asked }) => asked));
  for (const [i, { id, ours, isTrue }] of questions.entries()) {
    verdicts.check(id, () => {
      const go = judged[i] === '';
      if (go === isTrue && ours === isTrue) return { reasons: [] };
      return { reasons: [`true: ${isTrue}, ours: ${ours}, Go: ${judged[i] || 'accepted'}`] };
    });
  }
  const rejected = questions.filter(({ isTrue }) => !isTrue).length;
  return { ...verdicts.result, tampered: rejected };
}

async function treeQuestions(): Promise<Question[]> {
  const questions: Question[] = [];
  const log = new Grown(sizes.at(-1)!);
  for (const size of sizes) {
    const root = log.rootOf(size);
    const read = (place: { level: number; index: number }) => log.read(place);
    const tiles = log.tilesOf(size);
    for (const index of new Set([0, Math.floor(size / 3), Math.floor(size / 2), size - 1])) {
      const leaf = log.leaves[index]!;
      const proof = await proofFrom(inclusionFolds(index, size), read);
      const inclusion = (
        id: string,
        isTrue: boolean,
        over: { leaf?: Hash; root?: Hash; index?: number; proof?: Hash[] },
      ) => {
        const one = { leaf, root, index, proof, ...over };
        const asked = { kind: 'inclusion', size, index: one.index, ...written(one) };
        const ours = isIncluded(one.leaf, one.index, { size, root: one.root }, one.proof);
        questions.push({ id: `leaf ${index} of ${size}: ${id}`, asked, ours, isTrue });
      };
      inclusion('as it is', true, {});
      inclusion('another leaf', false, { leaf: flipped(leaf) });
      inclusion('another root', false, { root: flipped(root) });
      if (size > 1) inclusion('another place', false, { index: (index + 1) % size });
      for (const i of proof.keys()) inclusion(`step ${i} changed`, false, { proof: proof.with(i, flipped(proof[i]!)) });
      if (proof.length > 0) inclusion('a step left out', false, { proof: proof.slice(1) });
      inclusion('a step more', false, { proof: [...proof, root] });
      const asked = { kind: 'tiles', size, index, tiles, ...written({ root, proof }) };
      questions.push({ id: `leaf ${index} of ${size}: proved by Go from our tiles`, asked, ours: true, isTrue: true });
      const from = index + 1;
      const begun = log.rootOf(from);
      const growth = await proofFrom(consistencyFolds(from, size), read);
      const consistency = (id: string, isTrue: boolean, over: { begun?: Hash; root?: Hash; proof?: Hash[] }) => {
        const one = { begun, root, proof: growth, ...over };
        const ours = isConsistent({ size: from, root: one.begun }, { size, root: one.root }, one.proof);
        const asked = { kind: 'consistency', size, from, begun: base64(one.begun), ...written(one) };
        questions.push({ id: `${from} grown to ${size}: ${id}`, asked, ours, isTrue });
      };
      consistency('as it is', true, {});
      consistency('another beginning', false, { begun: flipped(begun) });
      consistency('a fork', false, { root: flipped(root) });
      for (const i of growth.keys())
        consistency(`step ${i} changed`, false, { proof: growth.with(i, flipped(growth[i]!)) });
    }
    if (size > 1) {
      const spoilt = tiles.map((tile, i) =>
        i === 0 ? { ...tile, hashes: base64(flipped(Buffer.from(tile.hashes, 'base64'))) } : tile,
      );
      const proof = await proofFrom(inclusionFolds(1, size), read);
      const asked = { kind: 'tiles', size, index: 1, tiles: spoilt, ...written({ root, proof }) };
      questions.push({ id: `${size}: a tile changed`, asked, ours: false, isTrue: false });
    }
  }
  for (const data of ['', 'a', 'b'.repeat(70_000)]) {
    const asked = { kind: 'leaf', root: base64(Buffer.from(data)), leaf: base64(leafHash(Buffer.from(data))) };
    questions.push({ id: `the leaf of ${data.length} bytes`, asked, ours: true, isTrue: true });
  }
  return questions;
}

function noteQuestions(): Question[] {
  const log = signerOf('hub.example/audit', secretKey(Buffer.alloc(32, 1)));
  const witness = signerOf('witness.example', secretKey(Buffer.alloc(32, 2)), 'cosignature');
  const stranger = signerOf('hub.example/audit', secretKey(Buffer.alloc(32, 3)));
  const text = checkpointText({ origin: 'hub.example/audit', size: 5, root: leafHash(Buffer.from('x')) });
  const signed = signNote(text, [log, witness], 1_764_000_000);
  const question = (id: string, note: string, keys: Signer[], isTrue: boolean) =>
    noteQuestion(`a note: ${id}`, note, keys.map(verifierText), isTrue);
  return [
    question('signed by log and witness', signed, [log, witness], true),
    question('of the log, other signatures passed over', signed, [log], true),
    question('by a key of the same name', signed, [stranger], false),
    question('of another size', signed.replace('\n5\n', '\n6\n'), [log], false),
    question('with its signatures stripped', `${text}\n`, [log], false),
    question('whose cosignature is of another time', redated(signed), [witness], false),
    question('with a text before it', `\n${signed}`, [log], false),
  ];
}

/** Whether all of the keys signed a note. */
export function noteQuestion(id: string, note: string, keys: string[], isTrue: boolean): Question {
  let ours = false;
  try {
    ours = verifyNote(readNote(note), keys.map(readVerifier)).length === keys.length;
  } catch {
    // Refused.
  }
  return { id, asked: { kind: 'note', note, keys }, ours, isTrue };
}

/** A note whose last signature says another time: the second four bytes after the key's four. */
export function redated(note: string): string {
  return note.replace(/(\S+)\n$/u, (_, signature: string) => {
    const bytes = Buffer.from(signature, 'base64');
    bytes[11]! ^= 1;
    return `${base64(bytes)}\n`;
  });
}

/** A log of leaves that says what they are, with all its tiles. */
class Grown {
  readonly leaves: Hash[];
  readonly #tiles = new Map<string, Tile>();
  readonly #roots = new Map<number, Hash>();

  constructor(size: number) {
    this.leaves = Array.from({ length: size }, (_, i) => leafHash(Buffer.from(`event ${i}`)));
    const edge = new Edge();
    for (const tile of edge.append(Buffer.concat(this.leaves))) this.#tiles.set(`${tile.level}/${tile.index}`, tile);
  }

  read({ level, index }: { level: number; index: number }): Buffer {
    return this.#tiles.get(`${level}/${index}`)!.hashes;
  }

  rootOf(size: number): Hash {
    let root = this.#roots.get(size);
    if (!root) {
      const edge = new Edge();
      edge.append(Buffer.concat(this.leaves.slice(0, size)));
      root = edge.root();
      this.#roots.set(size, root);
    }
    return root;
  }

  /** The tiles of the tree when it had this size. */
  tilesOf(size: number): { level: number; index: number; hashes: string }[] {
    const edge = new Edge();
    return edge
      .append(Buffer.concat(this.leaves.slice(0, size)))
      .filter(
        ({ level, index }) =>
          level > 0 ||
          index < 4 ||
          index > Math.floor(size / 256) - 3 ||
          Math.abs(index - size / 512) < 3 ||
          Math.abs(index - size / 768) < 3,
      )
      .map(({ level, index, hashes }) => ({ level, index, hashes: base64(hashes) }));
  }
}

function written({ leaf, root, proof }: { leaf?: Hash; root: Hash; proof: Hash[] }): object {
  return { ...(leaf ? { leaf: base64(leaf) } : {}), root: base64(root), proof: proof.map(base64) };
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}

function flipped(bytes: Buffer): Buffer {
  const other = Buffer.from(bytes);
  other[other.length - 1]! ^= 1;
  return other;
}

/** The reason why Go rejects each case; empty where it accepts it. */
async function askGo(questions: object[]): Promise<string[]> {
  return (await runGo(join(import.meta.dirname, 'verify.go'), questions, { GOPATH: debianModules })) as string[];
}
