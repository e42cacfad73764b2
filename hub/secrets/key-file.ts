/** A 32-byte key in a file that its owner alone may read: made once, never overwritten. */

import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** A key file is missing, unreadable or not a key; the message is one sentence for the person at the terminal. */
export class KeyError extends Error {
  override name = 'KeyError';
}

const keyBytes = 32;

/** The key in the file, or undefined when there is no such file. Throws KeyError when it cannot be read or is no key. */
export function readKey(path: string): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new KeyError(`The key file ${path} cannot be read (${code}): run this as the user who runs the hub.`);
  }
  const key = Buffer.from(text.trim(), 'base64url');
  if (key.length !== keyBytes)
    throw new KeyError(`The key file ${path} holds no key of ${keyBytes} bytes: restore it from a back-up.`);
  return key;
}

/**
 * Makes the file of a key, a random one unless it is given; when another process was first, the key is that one's. On disk
 * when it returns.
 */
export function createKey(path: string, key: Buffer = randomBytes(keyBytes)): Buffer {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const unfinished = `${path}.${process.pid}`;
  const descriptor = openSync(unfinished, 'w', 0o600);
  try {
    writeSync(descriptor, `${key.toString('base64url')}\n`);
    fsyncSync(descriptor);
    linkSync(unfinished, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(descriptor);
    rmSync(unfinished, { force: true });
  }
  const folder = openSync(directory, 'r');
  fsyncSync(folder);
  closeSync(folder);
  return readKey(path)!;
}
