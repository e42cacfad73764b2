/**
 * The keys that wrap the data keys under which stored health data is sealed (AES-256-GCM, NIST SP 800-38D). They lie in
 * `<dataDir>/keys`, beside the database and not in it: who has one of the two can read nothing. One of them wraps; what
 * earlier ones wrapped they still open (see `rotation.ts`).
 */

import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { KeyError } from './key-file.ts';
import { drawBytes } from './random-bytes.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const lookMs = 2_000;

/** The master keys; those of files follow the files. */
export class MasterKey {
  readonly #read: () => readonly Buffer[];
  #keys: readonly Buffer[];
  #looked = Date.now();

  /** @param read the keys, the one that wraps first; asked again now and then, and gives the same list where nothing changed */
  constructor(read: () => readonly Buffer[]) {
    this.#read = read;
    this.#keys = read();
  }

  /** The one that wraps first. */
  get keys(): readonly Buffer[] {
    if (Date.now() - this.#looked > lookMs) this.look();
    return this.#keys;
  }

  get wrapping(): Buffer {
    return this.keys[0]!;
  }

  /** Takes up keys that have changed; returns whether they have. */
  look(): boolean {
    this.#looked = Date.now();
    const before = this.#keys;
    this.#keys = this.#read();
    return before !== this.#keys;
  }

  /** Keys for something else, one of each master key, the current one first. @param use what they are for */
  derived(use: string): Buffer[] {
    return this.keys.map((key) => Buffer.from(hkdfSync('sha256', key, '', use, 32)));
  }
}

/** A master key that is no file's, for tests and tools. */
export function fixedMasterKey(key: Buffer): MasterKey {
  const keys = [key];
  return new MasterKey(() => keys);
}

/**
 * A random key for one patient's (or one message's) data. It has memory of its own: keys are kept, and as part of a block
 * that Node shares out they would keep all of it.
 */
export function newDataKey(): Buffer {
  const key = Buffer.allocUnsafeSlow(32);
  drawBytes(32).copy(key);
  return key;
}

/**
 * Wraps a data key: nonce (12 bytes), ciphertext (32), tag (16). The context (whose key it is) is authenticated with
 * it, so that a wrapped key moved to another row does not open.
 */
export function wrapDataKey(master: MasterKey, dataKey: Buffer, context: string): Buffer {
  const nonce = drawBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, keyObject(master.wrapping), nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
}

/** The data key, in memory of its own; throws KeyError when the master keys or the context are others than at wrapping, or a bit was changed. */
export function unwrapDataKey(master: MasterKey, wrapped: Buffer, context: string): Buffer {
  const open = () => {
    for (const key of master.keys) {
      const opened = opens(key, wrapped, context);
      if (opened) return opened;
    }
    return undefined;
  };
  // Another hub may have begun to wrap under a key that came since.
  const opened = open() ?? (master.look() ? open() : undefined);
  if (opened) return opened;
  throw new KeyError(
    'A data key does not open with this master key: master.key is not the one this database was written with.',
  );
}

/** The data key, where this very key wrapped it. */
export function opens(key: Buffer, wrapped: Buffer, context: string): Buffer | undefined {
  const nonce = wrapped.subarray(0, nonceBytes);
  const sealed = wrapped.subarray(nonceBytes, -tagBytes);
  try {
    const decipher = createDecipheriv(algorithm, keyObject(key), nonce, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(context)).setAuthTag(wrapped.subarray(-tagBytes));
    const opened = decipher.update(sealed);
    decipher.final();
    return opened;
  } catch {
    return undefined;
  }
}

/** Node prepares a key given as bytes anew at each call, which costs more than the wrapping. */
const prepared = new WeakMap<Buffer, KeyObject>();
function keyObject(bytes: Buffer): KeyObject {
  let key = prepared.get(bytes);
  if (!key) {
    key = createSecretKey(bytes);
    prepared.set(bytes, key);
  }
  return key;
}
