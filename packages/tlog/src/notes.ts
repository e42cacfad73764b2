/**
 * Signed notes (C2SP signed-note) with Ed25519: text, and below it who signed it. Signatures are the log's own or the
 * timestamped ones of witnesses (C2SP tlog-cosignature).
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

const ed25519 = 1;
const cosignature = 4;

/** What a signature says: that the key made the text, or that a witness saw the tree grow as it should. */
export type SignatureKind = 'signature' | 'cosignature';
const typeOf: Readonly<Record<SignatureKind, number>> = { signature: ed25519, cosignature };

/** A key that is trusted under a name. */
export interface Verifier {
  name: string;
  kind: SignatureKind;
  /** Four bytes that tell this key from others of the name. */
  id: number;
  key: KeyObject;
}

export interface Signer extends Verifier {
  secret: KeyObject;
}

export interface SignatureLine {
  name: string;
  id: number;
  bytes: Buffer;
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

/** @param key an Ed25519 private key @throws NoteError where the name cannot be that of a key */
export function signerOf(name: string, secret: KeyObject, kind: SignatureKind = 'signature'): Signer {
  const key = createPublicKey(secret);
  return { name: checkedName(name), kind, id: idOf(name, kind, rawOf(key)), key, secret };
}

/** The text form of a trusted key: name, id and public key, divided by plus signs. */
export function verifierText({ name, kind, id, key }: Verifier): string {
  const material = Buffer.concat([Buffer.of(typeOf[kind]), rawOf(key)]);
  return `${name}+${id.toString(16).padStart(8, '0')}+${material.toString('base64')}`;
}

/** @throws NoteError where the text is not that of an Ed25519 key */
export function readVerifier(text: string): Verifier {
  const [, name = '', id = '', material = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+(.+)$/u.exec(text) ?? [];
  const bytes = base64(material);
  const kind = bytes?.[0] === ed25519 ? 'signature' : bytes?.[0] === cosignature ? 'cosignature' : undefined;
  if (!kind || bytes?.length !== 33) {
    throw new NoteError(
      'A verifier key is <name>+<eight hexadecimal digits>+<base64 of an Ed25519 key with its type>.',
    );
  }
  const raw = bytes.subarray(1);
  if (idOf(checkedName(name), kind, raw) !== Number.parseInt(id, 16)) {
    throw new NoteError(`The id of the verifier key ${name} is not the one of its name and key.`);
  }
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
  return { name, kind, id: Number.parseInt(id, 16), key };
}

/** A private key of 32 bytes (RFC 8032), as it is kept. */
export function secretKey(seed: Uint8Array): KeyObject {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

/**
 * A text with signatures. @param text ends in a newline
 * @param now seconds since 1970, for cosignatures
 * @throws NoteError where the text cannot be signed
 */
export function signNote(text: string, signers: readonly Signer[], now?: number): string {
  if (!text.endsWith('\n') || hasControls(text)) {
    throw new NoteError('The text of a note ends in a newline, and holds no other control characters.');
  }
  return `${text}\n${signers.map((signer) => signatureLine(text, signer, now)).join('')}`;
}

/** One line of signature for a text. */
export function signatureLine(text: string, signer: Signer, now?: number): string {
  return lineOf({ name: signer.name, id: signer.id, bytes: bytesOf(text, signer, now) });
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
export function verifyNote({ text, signatures }: Note, trusted: readonly Verifier[]): Verified[] {
  const found = new Map<Verifier, Verified>();
  for (const { name, id, bytes } of signatures) {
    const verifier = trusted.find((one) => one.name === name && one.id === id);
    if (!verifier || found.has(verifier)) continue;
    const time = holds(text, verifier, bytes);
    if (time === undefined) throw new NoteError(`The signature of ${name} is not one of this text.`);
    found.set(verifier, { name, kind: verifier.kind, ...(verifier.kind === 'cosignature' ? { time } : {}) });
  }
  if (found.size === 0) throw new NoteError('The note is signed by no key that is trusted.');
  return [...found.values()];
}

function bytesOf(text: string, { kind, secret }: Signer, now: number | undefined): Buffer {
  if (kind === 'signature') return sign(null, Buffer.from(text), secret);
  if (now === undefined || !Number.isSafeInteger(now) || now < 0) {
    throw new NoteError('A cosignature tells when it was given.');
  }
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(now));
  return Buffer.concat([time, sign(null, Buffer.from(cosigned(text, now)), secret)]);
}

/** The time of a signature that holds, 0 where it has none; undefined where it does not hold. */
function holds(text: string, { kind, key }: Verifier, bytes: Buffer): number | undefined {
  if (kind === 'signature') return bytes.length === 64 && verify(null, Buffer.from(text), key, bytes) ? 0 : undefined;
  if (bytes.length !== 72) return undefined;
  const time = Number(bytes.readBigUInt64BE());
  const isGood = Number.isSafeInteger(time) && verify(null, Buffer.from(cosigned(text, time)), key, bytes.subarray(8));
  return isGood ? time : undefined;
}

function cosigned(text: string, time: number): string {
  return `cosignature/v1\ntime ${time}\n${text}`;
}

function lineOf({ name, id, bytes }: SignatureLine): string {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(id);
  return `— ${name} ${Buffer.concat([head, bytes]).toString('base64')}\n`;
}

function readLine(line: string): SignatureLine {
  const parts = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line);
  const bytes = parts && base64(parts[2]!);
  if (!bytes || bytes.length < 5)
    throw new NoteError('A line of signature is — <name> <base64 of key id and signature>.');
  return { name: parts[1]!, id: bytes.readUInt32BE(), bytes: bytes.subarray(4) };
}

/** The bytes of base64 in its one right form. */
export function base64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

function idOf(name: string, kind: SignatureKind, raw: Uint8Array): number {
  return createHash('sha256')
    .update(name)
    .update('\n')
    .update(Buffer.of(typeOf[kind]))
    .update(raw)
    .digest()
    .readUInt32BE();
}

function rawOf(key: KeyObject): Buffer {
  const { crv, x } = key.export({ format: 'jwk' });
  if (crv !== 'Ed25519') throw new NoteError('Notes are signed with keys of Ed25519.');
  return Buffer.from(x!, 'base64url');
}

function checkedName(name: string): string {
  if (name === '' || /[\s+]/u.test(name) || hasControls(name)) {
    throw new NoteError('The name of a key has no spaces and no plus sign, and is not empty.');
  }
  return name;
}

function hasControls(text: string): boolean {
  return /[\x00-\x09\x0b-\x1f]/.test(text) || !text.isWellFormed();
}
