/**
 * Stored texts: compressed, then sealed with AES-256-GCM under the data key of the home they belong to. A home's key lies
 * wrapped in the database; losing it (a lawful erasure) makes every text of that home unreadable.
 *
 * Layout of a sealed text: 1 byte format, 12 bytes nonce, cipher text, 16 bytes tag. The text's own identity
 * (type, id, version) is authenticated with it, so that a text cannot be moved to another row unnoticed.
 *
 * Format 2, for short texts: LZ4 (a block after its length) with the dictionary of the type that the identity begins
 * with. Format 1: deflate, which makes long texts smaller; short ones too before there was format 2.
 */
import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type DecipherGCM,
  type KeyObject,
} from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib';
import { compressSync } from 'lz4-napi';
import { drawBytes } from '../secrets/index.ts';
import { dictionaryOf } from './dictionaries.ts';
import { unpackBytes, unpackText } from './unpack.ts';

const deflated = Buffer.from([1]);
const withDictionary = Buffer.from([2]);
const nonceBytes = 12;
const tagBytes = 16;

const shortText = 16_384;
const deflate = { level: 1 };
const inflate = { chunkSize: 65_536 };

/** Seals a text. `identity` must be given again, equal, to open it. `key`: 32 bytes. */
export function seal(text: string | Buffer, key: Buffer, identity: string): Buffer {
  const isShort = text.length <= shortText;
  const packed = isShort ? compressSync(text, dictionaryOf(typeOf(identity))) : deflateRawSync(text, deflate);
  const { cipher, nonce } = cipherOf(key, identity);
  const body = cipher.update(packed);
  cipher.final();
  return Buffer.concat([isShort ? withDictionary : deflated, nonce, body, cipher.getAuthTag()]);
}

/** As `seal`, of bytes that may be many: compressed by another thread, and sealed piece by piece. */
export async function sealLarge(bytes: Uint8Array, key: Buffer, identity: string): Promise<Buffer> {
  if (bytes.length <= shortText) return seal(Buffer.from(bytes), key, identity);
  const packed = await deflateAside(bytes, deflate);
  const { cipher, nonce } = cipherOf(key, identity);
  const pieces = await piecewise(packed, (piece) => cipher.update(piece));
  cipher.final();
  return Buffer.concat([deflated, nonce, ...pieces, cipher.getAuthTag()]);
}

/** Opens what `seal` made. Throws when key or identity differ or the bytes were altered. */
export function open(sealed: Buffer, key: Buffer, identity: string): Buffer {
  const { packed, isShort } = decipher(sealed, key, identity);
  return isShort ? unpackBytes(packed, dictionaryOf(typeOf(identity))) : inflateRawSync(packed, inflate);
}

/** As `open`, of what may be large: see `sealLarge`. */
export async function openLarge(sealed: Buffer, key: Buffer, identity: string): Promise<Buffer> {
  if (sealed.length <= shortText) return open(sealed, key, identity);
  const cipher = decipherOf(sealed, key, identity);
  const pieces = await piecewise(sealed.subarray(1 + nonceBytes, sealed.length - tagBytes), (piece) =>
    cipher.update(piece),
  );
  cipher.final();
  return inflateAside(Buffer.concat(pieces), inflate);
}

/** The SHA-256 of bytes that may be many. */
export async function digestLarge(bytes: Uint8Array): Promise<Buffer> {
  const hash = createHash('sha256');
  await piecewise(bytes, (piece) => hash.update(piece));
  return hash.digest();
}

/** As `open`, of what was a text. */
export function openText(sealed: Buffer, key: Buffer, identity: string): string {
  const { packed, isShort } = decipher(sealed, key, identity);
  return isShort ? unpackText(packed, dictionaryOf(typeOf(identity))) : inflateRawSync(packed, inflate).toString();
}

/** What a version's stored text is sealed together with. */
export function sealIdentity(version: { type: string; rid: string; version: number }): string {
  return `${version.type}/${version.rid}/${version.version}`;
}

function decipher(sealed: Buffer, key: Buffer, identity: string): { packed: Buffer; isShort: boolean } {
  const cipher = decipherOf(sealed, key, identity);
  const packed = cipher.update(sealed.subarray(1 + nonceBytes, sealed.length - tagBytes));
  cipher.final();
  return { packed, isShort: sealed[0] === withDictionary[0] };
}

function cipherOf(key: Buffer, identity: string): { cipher: CipherGCM; nonce: Buffer } {
  const nonce = drawBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', prepared(key), nonce);
  cipher.setAAD(Buffer.from(identity));
  return { cipher, nonce };
}

function decipherOf(sealed: Buffer, key: Buffer, identity: string): DecipherGCM {
  const format = sealed[0];
  if (format !== deflated[0] && format !== withDictionary[0]) {
    throw new Error(`A stored text has the unknown format ${format}.`);
  }
  const cipher = createDecipheriv('aes-256-gcm', prepared(key), sealed.subarray(1, 1 + nonceBytes));
  cipher.setAAD(Buffer.from(identity));
  cipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  return cipher;
}

const deflateAside = promisify(deflateRaw) as (bytes: Uint8Array, options: object) => Promise<Buffer>;
const inflateAside = promisify(inflateRaw) as (bytes: Uint8Array, options: object) => Promise<Buffer>;
const pieceBytes = 1024 * 1024;

/** Does what takes some milliseconds a piece with many bytes, and lets others have their turn in between. */
async function piecewise<T>(bytes: Uint8Array, work: (piece: Uint8Array) => T): Promise<T[]> {
  const done: T[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (at > 0) await setImmediate();
    done.push(work(bytes.subarray(at, at + pieceBytes)));
  }
  return done;
}

function typeOf(identity: string): string {
  return identity.slice(0, identity.indexOf('/'));
}

/**
 * Keys as KeyObjects, for as long as their bytes are kept: given bytes, Node first tries them as a KeyObject, which costs
 * three times the encryption of a text.
 */
const keyObjects = new WeakMap<Buffer, KeyObject>();
function prepared(key: Buffer): KeyObject {
  let object = keyObjects.get(key);
  if (!object) {
    object = createSecretKey(key);
    keyObjects.set(key, object);
  }
  return object;
}
