/**
 * Stored texts: deflated, then sealed with AES-256-GCM under the data key of the home they belong to. A home's key lies
 * wrapped in the database; losing it (a lawful erasure) makes every text of that home unreadable.
 *
 * Layout of a sealed text: 1 byte format (1), 12 bytes nonce, cipher text, 16 bytes tag. The text's own identity
 * (type, id, version) is authenticated with it, so that a text cannot be moved to another row unnoticed.
 */
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { drawBytes } from '../secrets/index.ts';

const format = 1;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * zlib's working memory counts towards what makes V8 collect garbage, so short texts are given as little of it as
 * compresses them as well. Longer ones profit from the whole window.
 */
const shortText = 16_384;
const shortDeflate = { level: 1, windowBits: 13, memLevel: 6, chunkSize: 2_048 };
const longDeflate = { level: 1 };
const shortInflate = { chunkSize: 4_000 };
const longInflate = { chunkSize: 65_536 };

// Keys are handed to the ciphers as KeyObjects: given a Buffer, Node first tries it as one, which costs three times the
// encryption of a text.

/** Seals a text. `identity` must be given again, equal, to open it. `key`: 32 bytes. */
export function seal(text: string | Buffer, key: Buffer, identity: string): Buffer {
  const nonce = drawBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce);
  cipher.setAAD(Buffer.from(identity));
  const body = cipher.update(deflateRawSync(text, text.length <= shortText ? shortDeflate : longDeflate));
  cipher.final();
  return Buffer.concat([formatByte, nonce, body, cipher.getAuthTag()]);
}

/** Opens what `seal` made. Throws when key or identity differ or the bytes were altered. */
export function open(sealed: Buffer, key: Buffer, identity: string): Buffer {
  if (sealed[0] !== format) throw new Error(`A stored text has the unknown format ${sealed[0]}.`);
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), sealed.subarray(1, 1 + nonceBytes));
  decipher.setAAD(Buffer.from(identity));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const body = decipher.update(sealed.subarray(1 + nonceBytes, sealed.length - tagBytes));
  decipher.final();
  return inflateRawSync(body, body.length <= shortText / 8 ? shortInflate : longInflate);
}

const formatByte = Buffer.from([format]);
