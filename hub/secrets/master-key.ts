/**
 * The key that wraps the data keys under which stored health data is sealed (AES-256-GCM, NIST SP 800-38D). It lies in
 * `<dataDir>/keys/master.key`, beside the database and not in it: who has one of the two can read nothing.
 */

import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { createKey, KeyError, readKey } from './key-file.ts';
import { drawBytes } from './random-bytes.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * The master key of a data directory; made on the first start. Throws KeyError when it is missing although the
 * database already holds data (what is sealed could never be read again), or cannot be read.
 */
export function masterKey(dataDir: string, databaseHasData: boolean): Buffer {
  const path = join(dataDir, 'keys', 'master.key');
  const key = readKey(path);
  if (key) return key;
  if (databaseHasData) {
    throw new KeyError(
      `The database holds data and the key that opens it is missing: restore ${path} from a back-up, or start with an empty database.`,
    );
  }
  return createKey(path);
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
export function wrapDataKey(master: Buffer, dataKey: Buffer, context: string): Buffer {
  const nonce = drawBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, keyObject(master), nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
}

/** The data key, in memory of its own; throws KeyError when the master key or the context is another than at wrapping, or a bit was changed. */
export function unwrapDataKey(master: Buffer, wrapped: Buffer, context: string): Buffer {
  const nonce = wrapped.subarray(0, nonceBytes);
  const sealed = wrapped.subarray(nonceBytes, -tagBytes);
  try {
    const decipher = createDecipheriv(algorithm, keyObject(master), nonce, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(context)).setAuthTag(wrapped.subarray(-tagBytes));
    const key = decipher.update(sealed);
    decipher.final();
    return key;
  } catch {
    throw new KeyError(
      'A data key does not open with this master key: master.key is not the one this database was written with.',
    );
  }
}

/** Node prepares a key given as bytes anew at each call, which costs more than the wrapping. */
let prepared: { bytes: Buffer; key: KeyObject } | undefined;
function keyObject(bytes: Buffer): KeyObject {
  if (prepared?.bytes !== bytes) prepared = { bytes, key: createSecretKey(bytes) };
  return prepared.key;
}
