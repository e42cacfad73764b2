/**
 * What stands in a leaf for what must not: hashes with salts, of which each can be opened alone, and keys for what is
 * sealed. All of them come from the keys of an event's subjects and the event's nonce, so that without the keys nothing
 * can be opened, guessed or told apart.
 */
import { createCipheriv, createDecipheriv, hash } from 'node:crypto';

export const nonceBytes = 16;
const tagBytes = 16;
const blockBytes = 128;
const halfBytes = 32;

/** What the key of a subject gives for one event. */
export interface Share {
  /** Salts what the leaf says of the subject; shown to whoever may see that. */
  salt: Buffer;
  /** Goes into the key of what is private; never shown. */
  secret: Buffer;
}

/** A subject's key, prepared for HMAC (RFC 2104) with SHA-512. */
export interface SubjectKey {
  inner: Buffer;
  outer: Buffer;
}

export function subjectKey(key: Uint8Array): SubjectKey {
  const padded = (pad: number) => {
    const block = Buffer.alloc(blockBytes + 64, pad);
    for (const [i, byte] of key.entries()) block[i] = byte ^ pad;
    return block;
  };
  return { inner: padded(0x36).subarray(0, blockBytes + nonceBytes), outer: padded(0x5c) };
}

/** HMAC-SHA-512 of an event's nonce: the first half is the salt, the second the secret. */
export function shareOf({ inner, outer }: SubjectKey, nonce: Buffer): Share {
  nonce.copy(inner, blockBytes);
  hash('sha512', inner, 'buffer').copy(outer, blockBytes);
  const both = hash('sha512', outer, 'buffer');
  return { salt: both.subarray(0, halfBytes), secret: both.subarray(halfBytes) };
}

/** SHA-256 of salt and text, in base64url. */
export function commitment(salt: Uint8Array, text: string): string {
  return hash('sha256', Buffer.concat([salt, Buffer.from(text)]), 'base64url');
}

/** The key that seals what is private, and the salt of its commitment: all subjects' keys are needed for them. */
export interface PrivateKeys {
  key: Buffer;
  salt: Buffer;
}

/** By the one-step key derivation of NIST SP 800-56C, with SHA-256. */
export function privateKeys(secrets: readonly Uint8Array[]): PrivateKeys {
  const counter = Buffer.from([0, 0, 0, 1]);
  const derived = (use: string) => hash('sha256', Buffer.concat([counter, ...secrets, Buffer.from(use)]), 'buffer');
  return { key: derived('causeway audit: sealed'), salt: derived('causeway audit: salt') };
}

/** A key seals one text only, so that its nonce (AES-256-GCM) may always be the same. */
const zeros = Buffer.alloc(12);

export function sealed(key: Buffer, text: string): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, zeros);
  return Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error where the key is another one or a bit was changed */
export function unsealed(key: Buffer, bytes: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', key, zeros, { authTagLength: tagBytes });
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  return decipher.update(bytes.subarray(0, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
}
