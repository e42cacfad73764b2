/**
 * What stands in a leaf for what must not: hashes with salts, of which each can be opened alone, and keys for what is
 * sealed. All of them come from the keys of an event's subjects and the event's nonce, so that without the keys nothing
 * can be opened, guessed or told apart.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hash, type KeyObject } from 'node:crypto';

export const nonceBytes = 16;
const tagBytes = 16;
const blockBytes = 128;
const halfBytes = 32;

/** Bytes as a text, a character each (latin1): Node's hashes give and take them so in a third of the time. */
export type ByteText = string;

/** What the key of a subject gives for one event. */
export interface Share {
  /** Salts what the leaf says of the subject; shown to whoever may see that. */
  salt: ByteText;
  /** Goes into the key of what is private; never shown. */
  secret: ByteText;
}

/** A subject's key, prepared for HMAC (RFC 2104) with SHA-512. */
export interface SubjectKey {
  inner: Buffer;
  outer: Buffer;
}

export function subjectKey(key: Uint8Array): SubjectKey {
  const padded = (pad: number, more: number) => {
    const block = Buffer.alloc(blockBytes + more, pad);
    for (const [i, byte] of key.entries()) block[i] = byte ^ pad;
    return block;
  };
  return { inner: padded(0x36, nonceBytes), outer: padded(0x5c, 2 * halfBytes) };
}

/** HMAC-SHA-512 of an event's nonce: the first half is the salt, the second the secret. */
export function shareOf({ inner, outer }: SubjectKey, nonce: Buffer): Share {
  nonce.copy(inner, blockBytes);
  outer.write(hash('sha512', inner, 'binary'), blockBytes, 'latin1');
  const both = hash('sha512', outer, 'binary');
  return { salt: both.slice(0, halfBytes), secret: both.slice(halfBytes) };
}

/** SHA-256 of salt and text, in base64url. */
export function commitment(salt: ByteText, text: string): string {
  return hash('sha256', joined(salt, text), 'base64url');
}

/** The key that seals what is private, and the salt of its commitment: all subjects' keys are needed for them. */
export interface PrivateKeys {
  key: ByteText;
  salt: ByteText;
  /** Salts what the private text says of the origin; never shown. */
  originSalt: ByteText;
}

/** By the one-step key derivation of NIST SP 800-56C, with SHA-256. */
export function privateKeys(secrets: readonly ByteText[]): PrivateKeys {
  const shared = `\0\0\0\x01${secrets.join('')}`;
  const derived = (use: string) => hash('sha256', joined(shared, use), 'binary');
  return {
    key: derived('causeway audit: sealed'),
    salt: derived('causeway audit: salt'),
    originSalt: derived('causeway audit: origin'),
  };
}

/** A key seals one text only, so that its nonce (AES-256-GCM) may always be the same. */
const zeros = Buffer.alloc(12);

export function sealed(key: ByteText, text: string): Buffer {
  const cipher = createCipheriv('aes-256-gcm', keyObject(key), zeros);
  const bytes = cipher.update(text, 'utf8');
  cipher.final();
  return Buffer.concat([bytes, cipher.getAuthTag()]);
}

/** @throws Error where the key is another one or a bit was changed */
export function unsealed(key: ByteText, bytes: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', keyObject(key), zeros, { authTagLength: tagBytes });
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  return decipher.update(bytes.subarray(0, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
}

/** Given as bytes it would be prepared at more than twice the price. */
function keyObject(key: ByteText): KeyObject {
  return createSecretKey(key, 'latin1');
}

let scratch = Buffer.alloc(4_096);

/** Bytes, and a text after them; good until the next call. */
function joined(bytes: ByteText, text: string): Buffer {
  const most = bytes.length + 3 * text.length;
  if (most > scratch.length) scratch = Buffer.alloc(2 * most);
  const length = scratch.write(bytes, 'latin1');
  return scratch.subarray(0, length + scratch.write(text, length));
}
