/** Proofs that can be verified offline (C2SP tlog-proof): where an entry is in a log, and the checkpoint that says so. */
import type { SignedCheckpoint } from './checkpoints.ts';
import { type ProofLines, proofCheck, readProofLines } from './head-text.ts';
import type { Hash } from './merkle.ts';
import type { Verifier } from './notes.ts';
import { answered } from './platform.ts';

export interface Proof extends ProofLines {
  path: Hash[];
  extra?: Buffer;
}

/** @throws NoteError with what is wrong */
export function readProof(text: string): Proof {
  const { path, extra, ...rest } = readProofLines(text);
  return { ...rest, path: path.map((hash) => Buffer.from(hash)), ...(extra ? { extra: Buffer.from(extra) } : {}) };
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
  const { index, head } = answered(proofCheck(text, leaf, trusted, quorum));
  return { index, checkpoint: { ...head, root: Buffer.from(head.root) } };
}
