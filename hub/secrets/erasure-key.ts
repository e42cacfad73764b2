/**
 * The key of the keyed hashes by which erased persons are known. It lies beside the master key too, since the register of
 * erasures must be readable beside a database from before.
 */
import { join } from 'node:path';
import { createKey, KeyError, readKey } from './key-file.ts';

/** The key in the folder, where there is one. */
export function existingErasureKey(dataDir: string): Buffer | undefined {
  return readKey(pathOf(dataDir));
}

/** Keeps the key in the folder. @throws KeyError where another one is there */
export function keepErasureKey(dataDir: string, key: Buffer): void {
  const there = readKey(pathOf(dataDir)) ?? createKey(pathOf(dataDir), key);
  if (there.equals(key)) return;
  throw new KeyError(
    `The key ${pathOf(dataDir)} is not that of this database: put the one in its place that belongs to it.`,
  );
}

function pathOf(dataDir: string): string {
  return join(dataDir, 'keys', 'erasure.key');
}
