/**
 * Signed notes (C2SP signed-note) with Ed25519: text, and below it who signed it. Signatures are the log's own or the
 * timestamped ones of witnesses (C2SP tlog-cosignature).
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import {
  checkedName,
  cosigned,
  hasControls,
  keyId,
  lineOf,
  type Note,
  NoteError,
  noteCheck,
  type SignatureKind,
  type TrustedKey,
  typeOf,
  type Verified,
  verifierCheck,
} from './note-text.ts';
import { answered } from './platform.ts';

/** A key that is trusted under a name. */
export type Verifier = TrustedKey<KeyObject>;

export interface Signer extends Verifier {
  secret: KeyObject;
}

/** @param key an Ed25519 private key @throws NoteError where the name cannot be that of a key */
export function signerOf(name: string, secret: KeyObject, kind: SignatureKind = 'signature'): Signer {
  const key = createPublicKey(secret);
  return { name: checkedName(name), kind, id: answered(keyId(name, kind, rawOf(key))), key, secret };
}

/** The text form of a trusted key: name, id and public key, divided by plus signs. */
export function verifierText({ name, kind, id, key }: Verifier): string {
  const material = Buffer.concat([Buffer.of(typeOf[kind]), rawOf(key)]);
  return `${name}+${id.toString(16).padStart(8, '0')}+${material.toString('base64')}`;
}

/** @throws NoteError where the text is not that of an Ed25519 key */
export function readVerifier(text: string): Verifier {
  const read = answered(verifierCheck(text));
  const x = Buffer.from(read.key).toString('base64url');
  return { ...read, key: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }) };
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
  return lineOf({ name: signer.name, id: signer.id, bytes: signed(text, signer, now) });
}

/**
 * The signatures of trusted keys, once each. Those of other keys are passed over.
 * @throws NoteError where one of a trusted key does not hold, or there is none
 */
export function verifyNote(note: Note, trusted: readonly Verifier[]): Verified[] {
  return answered(noteCheck(note, trusted));
}

function signed(text: string, { kind, secret }: Signer, now: number | undefined): Buffer {
  if (kind === 'signature') return sign(null, Buffer.from(text), secret);
  if (now === undefined || !Number.isSafeInteger(now) || now < 0) {
    throw new NoteError('A cosignature tells when it was given.');
  }
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(now));
  return Buffer.concat([time, sign(null, Buffer.from(cosigned(text, now)), secret)]);
}

function rawOf(key: KeyObject): Buffer {
  const { crv, x } = key.export({ format: 'jwk' });
  if (crv !== 'Ed25519') throw new NoteError('Notes are signed with keys of Ed25519.');
  return Buffer.from(x!, 'base64url');
}
