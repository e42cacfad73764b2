/**
 * The files of the master keys: `master.key`; `master-next.key` while what is stored is being wrapped anew under it;
 * `master-prepared.key`, which opens and does not wrap yet; and `master-until-….key`, those that were replaced, which
 * whoever restores an old back-up needs.
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createKey, KeyError, readKey } from './key-file.ts';
import { MasterKey } from './master-key.ts';

const current = 'master.key';
const next = 'master-next.key';
const prepared = 'master-prepared.key';
const replaced = /^master-until-.*\.key$/;

/**
 * The master keys of a data directory; made on the first start. Throws KeyError when they are missing although the
 * database already holds data (what is sealed could never be read again), or cannot be read.
 */
export function masterKey(dataDir: string, databaseHasData: boolean): MasterKey {
  const path = join(dataDir, 'keys', current);
  if (!readKey(path) && !readKey(join(dataDir, 'keys', next))) {
    if (databaseHasData) {
      throw new KeyError(
        `The database holds data and the key that opens it is missing: restore ${path} from a back-up, or start with an empty database.`,
      );
    }
    createKey(path);
  }
  return new MasterKey(reader(join(dataDir, 'keys')));
}

/** The key files of a data directory, as a rotation moves them. */
export class MasterFiles {
  readonly #directory: string;

  constructor(dataDir: string) {
    this.#directory = join(dataDir, 'keys');
  }

  /** Whether what is stored is being wrapped under a new key. */
  get isRotating(): boolean {
    return existsSync(this.#path(next));
  }

  /** Makes a key that opens and does not wrap yet, to be carried to other hubs first. Returns its path. */
  prepare(): string {
    if (!existsSync(this.#path(prepared))) createKey(this.#path(prepared));
    return this.#path(prepared);
  }

  /** From now on the new key wraps: the one that was prepared, or one that is made. Returns its fingerprint. */
  begin(): string {
    if (!this.isRotating) {
      if (existsSync(this.#path(prepared))) this.#rename(prepared, next);
      else createKey(this.#path(next));
    }
    return fingerprint(readKey(this.#path(next))!);
  }

  /** The fingerprint of the key that `begin` would take; undefined where it would make one. */
  get offered(): string | undefined {
    const key = readKey(this.#path(next)) ?? readKey(this.#path(prepared));
    return key && fingerprint(key);
  }

  /** Nothing is wrapped under the key before any more. Goes on where it was interrupted. */
  finish(now = new Date()): void {
    if (!this.isRotating) return;
    const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
    if (existsSync(this.#path(current))) this.#rename(current, `master-until-${time}.key`);
    this.#rename(next, current);
  }

  #rename(from: string, to: string): void {
    renameSync(this.#path(from), this.#path(to));
    const folder = openSync(this.#directory, 'r');
    fsyncSync(folder);
    closeSync(folder);
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

/** By which a key is known without being told. */
function fingerprint(key: Buffer): string {
  return createHash('sha256').update('causeway master key').update(key).digest('base64url');
}

/** Reads the keys of a folder, the one that wraps first; the same list as long as the folder is unchanged. */
function reader(directory: string): () => readonly Buffer[] {
  let keys: readonly Buffer[] = [];
  let seen: string | undefined;
  return () => {
    const { mtimeMs, ctimeMs } = statSync(directory);
    const state = `${mtimeMs} ${ctimeMs}`;
    if (state === seen) return keys;
    const old = readdirSync(directory).filter((name) => replaced.test(name));
    const read = [next, current, prepared, ...old.sort().reverse()].flatMap(
      (name) => readKey(join(directory, name)) ?? [],
    );
    if (read.length === 0)
      throw new KeyError(`The folder ${directory} holds no master key any more: restore it from a back-up.`);
    [keys, seen] = [read, state];
    return keys;
  };
}
