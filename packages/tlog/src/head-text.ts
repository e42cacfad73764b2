/** Checkpoints (C2SP tlog-checkpoint) and proofs (C2SP tlog-proof) as they are written, and what has to hold of them. */
import { base64, type Check, inBase64 } from './checks.ts';
import { NoteError, noteCheck, readNote, type TrustedKey, type Verified } from './note-text.ts';
import { hashBytes, inclusionCheck } from './paths.ts';

/** How a log's tree stood. */
export interface Head {
  /** Which log it is. */
  origin: string;
  size: number;
  root: Uint8Array;
}

/** How it stood, and who signed that. */
export interface SignedHead extends Head {
  signatures: Verified[];
}

/** Which log something has to be of, by which keys, and whose cosignatures are looked at. */
export interface Trusted<Key> {
  origin: string;
  /** The keys of the log; their name need not be its origin. */
  log: readonly TrustedKey<Key>[];
  witnesses?: readonly TrustedKey<Key>[];
}

export interface ProofLines {
  index: number;
  /** From the leaf's sibling up. */
  path: Uint8Array[];
  /** The checkpoint, a note with its signatures. */
  checkpoint: string;
  /** What the application adds; nothing vouches for it. */
  extra?: Uint8Array;
}

const firstLine = 'c2sp.org/tlog-proof@v1';
/** A tree of 2 ** 53 leaves has no longer path. */
const longestPath = 63;

/** The text of a checkpoint, to be signed. */
export function checkpointText({ origin, size, root }: Head): string {
  return `${origin}\n${size}\n${inBase64(root)}\n`;
}

/** The head that the text of a checkpoint tells; what is below its three lines is not looked at. @throws NoteError */
export function readHead(text: string): Head {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n');
  const hash = base64(root);
  if (origin === '' || !/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw new NoteError('A checkpoint begins with the name of its log and the size of the tree.');
  }
  if (hash?.length !== hashBytes) throw new NoteError('The third line of a checkpoint is the base64 of 32 bytes.');
  if (rest.at(-1) !== '' || rest.slice(0, -1).includes('')) throw new NoteError('A checkpoint has no empty lines.');
  return { origin, size: Number(size), root: hash };
}

/** @throws NoteError where the log did not sign a checkpoint, or a signature of a trusted key does not hold */
export function* checkpointCheck<Key>(
  note: string,
  { origin, log, witnesses = [] }: Trusted<Key>,
): Check<SignedHead, Key> {
  const read = readNote(note);
  const signatures = yield* noteCheck(read, [...log, ...witnesses]);
  const isOfLog = signatures.some(({ name, kind }) => log.some((one) => one.name === name && one.kind === kind));
  if (!isOfLog) throw new NoteError('The log itself did not sign the checkpoint.');
  const head = readHead(read.text);
  if (head.origin !== origin) throw new NoteError(`The checkpoint is of the log ${head.origin}, not ${origin}.`);
  return { ...head, signatures };
}

/** A proof as text. */
export function proofText({ index, path, checkpoint, extra }: ProofLines): string {
  const lines = [firstLine, ...(extra ? [`extra ${inBase64(extra)}`] : []), `index ${index}`, ...path.map(inBase64)];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** @throws NoteError with what is wrong */
export function readProofLines(text: string): ProofLines {
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
    path: path as Uint8Array[],
    checkpoint: text.slice(end + 2),
    ...(extra ? { extra } : {}),
  };
}

/** That an entry is in a log, as `verifyProof` has it. */
export function* proofCheck<Key>(
  text: string,
  leaf: Uint8Array,
  trusted: Trusted<Key>,
  quorum = 0,
): Check<{ index: number; head: SignedHead }, Key> {
  const { index, path, checkpoint } = readProofLines(text);
  const head = yield* checkpointCheck(checkpoint, trusted);
  const witnessed = new Set(head.signatures.filter(({ kind }) => kind === 'cosignature').map(({ name }) => name));
  if (witnessed.size < quorum)
    throw new NoteError(`${witnessed.size} witnesses cosigned the checkpoint, not ${quorum}.`);
  if (!(yield* inclusionCheck(leaf, index, head, path)))
    throw new NoteError('The entry is not in the tree of the checkpoint.');
  return { index, head };
}
