/** Checkpoints (C2SP tlog-checkpoint): the head of a log's tree as a note, which log and witnesses sign. */
import { type Hash, hashBytes } from './merkle.ts';
import { base64, type Note, NoteError, readNote, type Verified, type Verifier, verifyNote } from './notes.ts';

/** How a log's tree stood. */
export interface Checkpoint {
  /** Which log it is. */
  origin: string;
  size: number;
  root: Hash;
}

/** The text of a checkpoint, to be signed. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/** The checkpoint that a note's text is; what is below its three lines is not looked at. @throws NoteError */
export function readCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n');
  const hash = base64(root);
  if (origin === '' || !/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw new NoteError('A checkpoint begins with the name of its log and the size of the tree.');
  }
  if (hash?.length !== hashBytes) throw new NoteError('The third line of a checkpoint is the base64 of 32 bytes.');
  if (rest.at(-1) !== '' || rest.slice(0, -1).includes('')) throw new NoteError('A checkpoint has no empty lines.');
  return { origin, size: Number(size), root: hash };
}

/** A checkpoint that its log signed, and who else did. */
export interface SignedCheckpoint extends Checkpoint {
  signatures: Verified[];
}

/**
 * Reads a checkpoint and what signs it.
 * @param log the keys of the log; their name need not be its origin
 * @param witnesses keys of those who cosign
 * @throws NoteError where the log did not sign it, or a signature of a key named here does not hold
 */
export function verifyCheckpoint(
  note: string,
  { origin, log, witnesses = [] }: { origin: string; log: readonly Verifier[]; witnesses?: readonly Verifier[] },
): SignedCheckpoint {
  const read: Note = readNote(note);
  const signatures = verifyNote(read, [...log, ...witnesses]);
  const isOfLog = signatures.some(({ name, kind }) => log.some((one) => one.name === name && one.kind === kind));
  if (!isOfLog) throw new NoteError('The log itself did not sign the checkpoint.');
  const checkpoint = readCheckpoint(read.text);
  if (checkpoint.origin !== origin)
    throw new NoteError(`The checkpoint is of the log ${checkpoint.origin}, not ${origin}.`);
  return { ...checkpoint, signatures };
}
