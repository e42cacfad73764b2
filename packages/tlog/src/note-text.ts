/** Signed notes (C2SP signed-note, tlog-cosignature) as they are written, and what has to hold of their signatures. */
import { base64, bytesOf, type Check, inBase64, joined, sha256 } from './checks.ts';

/** What a signature says: that the key made the text, or that a witness saw the tree grow as it should. */
export type SignatureKind = 'signature' | 'cosignature';

/** The number of each kind with Ed25519. */
export const typeOf: Readonly<Record<SignatureKind, number>> = { signature: 1, cosignature: 4 };

/** A key that is trusted under a name. */
export interface TrustedKey<Key> {
  name: string;
  kind: SignatureKind;
  /** Four bytes that tell this key from others of the name. */
  id: number;
  key: Key;
}

export interface SignatureLine {
  name: string;
  id: number;
  bytes: Uint8Array;
}

/** A note as it is written; nothing of it is known to be true. */
export interface Note {
  /** With the newline at its end. */
  text: string;
  signatures: SignatureLine[];
}

/** A signature of a trusted key that holds. */
export interface Verified {
  name: string;
  /** That of the key. */
  id: number;
  kind: SignatureKind;
  /** When a witness gave it, in seconds since 1970. */
  time?: number;
}

/** Notes longer than this, or with more signatures, are not read. */
const longestNote = 64 * 1024;
const mostSignatures = 64;

export class NoteError extends Error {
  override name = 'NoteError';
}

/**
 * The key that a text of the form of verifier keys names, its 32 bytes as they are.
 * @throws NoteError where the text is not that of an Ed25519 key
 */
export function* verifierCheck(text: string): Check<TrustedKey<Uint8Array>> {
  const [, name = '', id = '', material = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+(.+)$/u.exec(text) ?? [];
  const bytes = base64(material);
  const kinds = Object.keys(typeOf) as SignatureKind[];
  const kind = kinds.find((one) => typeOf[one] === bytes?.[0]);
  if (!kind || bytes?.length !== 33) {
    throw new NoteError(
      'A verifier key is <name>+<eight hexadecimal digits>+<base64 of an Ed25519 key with its type>.',
    );
  }
  const key = bytes.subarray(1);
  const right = yield* keyId(checkedName(name), kind, key);
  if (right !== Number.parseInt(id, 16)) {
    throw new NoteError(`The id of the verifier key ${name} is not the one of its name and key.`);
  }
  return { name, kind, id: right, key };
}

/** The id of a key: the beginning of the hash of its name, its kind and its 32 bytes. */
export function* keyId(name: string, kind: SignatureKind, key: Uint8Array): Check<number> {
  return wordOf(yield* sha256(bytesOf(`${name}\n`), Uint8Array.of(typeOf[kind]), key));
}

/** @throws NoteError with what is wrong */
export function readNote(note: string): Note {
  if (note.length > longestNote) throw new NoteError(`A note of more than ${longestNote} characters is not read.`);
  if (hasControls(note)) throw new NoteError('A note holds no control characters but newlines.');
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n'))
    throw new NoteError('A note is its text, an empty line and lines of signatures.');
  const signatures = note
    .slice(end + 2, -1)
    .split('\n')
    .map(readLine);
  if (signatures.length > mostSignatures)
    throw new NoteError(`Of a note at most ${mostSignatures} signatures are read.`);
  return { text: note.slice(0, end + 1), signatures };
}

/**
 * The signatures of trusted keys, once each. Those of other keys are passed over.
 * @throws NoteError where one of a trusted key does not hold, or there is none
 */
export function* noteCheck<Key>(
  { text, signatures }: Note,
  trusted: readonly TrustedKey<Key>[],
): Check<Verified[], Key> {
  const found = new Map<TrustedKey<Key>, Verified>();
  for (const { name, id, bytes } of signatures) {
    const verifier = trusted.find((one) => one.name === name && one.id === id);
    if (!verifier || found.has(verifier)) continue;
    const time = yield* timeOf(text, verifier, bytes);
    if (time === undefined) throw new NoteError(`The signature of ${name} is not one of this text.`);
    found.set(verifier, { name, id, kind: verifier.kind, ...(verifier.kind === 'cosignature' ? { time } : {}) });
  }
  if (found.size === 0) throw new NoteError('The note is signed by no key that is trusted.');
  return [...found.values()];
}

/** The time of a signature that holds, 0 where it has none; undefined where it does not hold. */
function* timeOf<Key>(text: string, { kind, key }: TrustedKey<Key>, bytes: Uint8Array): Check<number | undefined, Key> {
  const timeBytes = kind === 'signature' ? 0 : 8;
  if (bytes.length !== 64 + timeBytes) return undefined;
  const time =
    timeBytes === 0 ? 0 : Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0));
  const message = bytesOf(timeBytes === 0 ? text : cosigned(text, time));
  const isGood = Number.isSafeInteger(time) && (yield { key, message, signature: bytes.subarray(timeBytes) });
  return isGood ? time : undefined;
}

/** What a witness signs. @param time seconds since 1970 */
export function cosigned(text: string, time: number): string {
  return `cosignature/v1\ntime ${time}\n${text}`;
}

/** A line of signature. */
export function lineOf({ name, id, bytes }: SignatureLine): string {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, id);
  return `— ${name} ${inBase64(joined(head, bytes))}\n`;
}

function readLine(line: string): SignatureLine {
  const parts = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line);
  const bytes = parts && base64(parts[2]!);
  if (!bytes || bytes.length < 5)
    throw new NoteError('A line of signature is — <name> <base64 of key id and signature>.');
  return { name: parts[1]!, id: wordOf(bytes), bytes: bytes.subarray(4) };
}

/** The first four bytes as a number. */
function wordOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
}

/** @throws NoteError where a name cannot be that of a key */
export function checkedName(name: string): string {
  if (name === '' || /[\s+]/u.test(name) || hasControls(name)) {
    throw new NoteError('The name of a key has no spaces and no plus sign, and is not empty.');
  }
  return name;
}

export function hasControls(text: string): boolean {
  return /[\x00-\x09\x0b-\x1f]/.test(text) || !text.isWellFormed();
}
