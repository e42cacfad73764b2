/** Checkpoints (C2SP tlog-checkpoint): the head of a log's tree as a note, which log and witnesses sign. */
import { checkpointCheck, type Head, readHead } from './head-text.ts';
import type { Hash } from './merkle.ts';
import type { Verified } from './note-text.ts';
import type { Verifier } from './notes.ts';
import { answered } from './platform.ts';

/** How a log's tree stood. */
export interface Checkpoint extends Head {
  root: Hash;
}

/** A checkpoint that its log signed, and who else did. */
export interface SignedCheckpoint extends Checkpoint {
  signatures: Verified[];
}

/** The checkpoint that a note's text is; what is below its three lines is not looked at. @throws NoteError */
export function readCheckpoint(text: string): Checkpoint {
  const head = readHead(text);
  return { ...head, root: Buffer.from(head.root) };
}

/**
 * Reads a checkpoint and what signs it.
 * @param log the keys of the log; their name need not be its origin
 * @param witnesses keys of those who cosign
 * @throws NoteError where the log did not sign it, or a signature of a key named here does not hold
 */
export function verifyCheckpoint(
  note: string,
  trusted: { origin: string; log: readonly Verifier[]; witnesses?: readonly Verifier[] },
): SignedCheckpoint {
  const head = answered(checkpointCheck(note, trusted));
  return { ...head, root: Buffer.from(head.root) };
}
