/** Proofs that can be verified offline (C2SP tlog-proof): where an entry is in a log, and the checkpoint that says so. */
import { type SignedCheckpoint, verifyCheckpoint } from './checkpoints.ts';
import { type Hash, hashBytes, isIncluded } from './merkle.ts';
import { base64, NoteError, type Verifier } from './notes.ts';

const firstLine = 'c2sp.org/tlog-proof@v1';
/** A tree of 2 ** 53 leaves has no longer path. */
const longestPath = 63;

export interface Proof {
  index: number;
  /** From the leaf's sibling up. */
  path: Hash[];
  /** The checkpoint, a note with its signatures. */
  checkpoint: string;
  /** What the application adds; nothing vouches for it. */
  extra?: Buffer;
}

/** A proof as text. */
export function proofText({ index, path, checkpoint, extra }: Proof): string {
  const lines = [
    firstLine,
    ...(extra ? [`extra ${extra.toString('base64')}`] : []),
    `index ${index}`,
    ...path.map((hash) => hash.toString('base64')),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** @throws NoteError with what is wrong */
export function readProof(text: string): Proof {
  const end = text.indexOf('\n\n');
  if (end < 0 || !text.startsWith(`${firstLine}\n`)) throw new NoteError(`A proof begins with the line ${firstLine}.`);
  const lines = text.slice(firstLine.length + 1, end).split('\n');
  const extra = lines[0]?.startsWith('extra ') ? base64(lines.shift()!.slice(6)) : null;
  if (extra === undefined) throw new NoteError('The extra data of a proof is base64.');
  const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '')?.[1];
  if (index === undefined || !Number.isSafeInteger(Number(index))) {
    throw new NoteError('A proof names the index of its entry.');
  }
  const path = lines.map((line) => base64(line));
  if (path.length > longestPath || !path.every((hash) => hash?.length === hashBytes)) {
    throw new NoteError(`The path of a proof is at most ${longestPath} lines, each the base64 of 32 bytes.`);
  }
  return {
    index: Number(index),
    path: path as Hash[],
    checkpoint: text.slice(end + 2),
    ...(extra ? { extra } : {}),
  };
}

/**
 * Verifies that an entry is in a log; returns where, and the checkpoint.
 * @param leaf the hash of the entry's leaf
 * @param trusted which log it has to be, by which keys, and whose cosignatures are looked at
 * @param quorum how many witnesses have to have cosigned
 * @throws NoteError with what does not hold
 */
export function verifyProof(
  text: string,
  leaf: Uint8Array,
  trusted: { origin: string; log: readonly Verifier[]; witnesses?: readonly Verifier[] },
  quorum = 0,
): { index: number; checkpoint: SignedCheckpoint } {
  const { index, path, checkpoint: note } = readProof(text);
  const checkpoint = verifyCheckpoint(note, trusted);
  const witnessed = new Set(checkpoint.signatures.filter(({ kind }) => kind === 'cosignature').map(({ name }) => name));
  if (witnessed.size < quorum)
    throw new NoteError(`${witnessed.size} witnesses cosigned the checkpoint, not ${quorum}.`);
  if (!isIncluded(leaf, index, checkpoint, path))
    throw new NoteError('The entry is not in the tree of the checkpoint.');
  return { index, checkpoint };
}
