/** The server's files: where they lie, whether they can be used, and how they come to be. */

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Account, canReach } from './account.ts';
import { followingParent, identity, serverEnvironment } from './child.ts';
import { DatabaseStartError, sentenceFor } from './errors.ts';
import { postgresMajor } from './postgres-binaries.ts';

export const superuserRole = 'postgres';

/**
 * Makes the hub's data directory where it is missing (private, but for root, whose database runs as another account),
 * and throws DatabaseStartError where it cannot be made or written.
 */
export function makeDataDirectory(dataDir: string): void {
  try {
    if (!existsSync(dataDir)) mkdirSync(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o755 : 0o700 });
    if (!statSync(dataDir).isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw directoryError(error as NodeJS.ErrnoException, dataDir);
  }
}

/**
 * The folder for the server's files: `<dataDir>/postgres`. Where the server's account cannot enter the data directory
 * (a private home such as /root), the files lie under /var/lib/causeway and `postgres` is a link to them.
 */
export function databaseHome(dataDir: string, account: Account | undefined, notice: (text: string) => void): string {
  const home = join(dataDir, 'postgres');
  makeDataDirectory(dataDir);
  try {
    if (account && !existsSync(home) && !canReach(account, dataDir)) {
      const elsewhere = join('/var/lib/causeway', randomUUID());
      mkdirSync(elsewhere, { recursive: true, mode: 0o755 });
      symlinkSync(elsewhere, home);
      notice(`The account ${account.name} cannot enter ${dataDir}, so the database lies in ${elsewhere}.`);
    }
    mkdirSync(home, { recursive: true, mode: account ? 0o755 : 0o700 });
  } catch (error) {
    throw directoryError(error as NodeJS.ErrnoException, dataDir);
  }
  const real = realpathSync(home);
  const me = process.getuid?.() ?? 0;
  const owner = statSync(real).uid;
  if (owner !== me) {
    throw new DatabaseStartError(
      `The database directory ${real} belongs to another user (uid ${owner}, the hub runs as uid ${me}): start the hub as that user, or choose another directory with --data-dir.`,
    );
  }
  if (account && !canReach(account, real)) {
    throw new DatabaseStartError(
      `The account ${account.name}, which runs the database, cannot enter ${real}: allow it to pass (chmod o+x) on every directory above.`,
    );
  }
  return real;
}

function directoryError(error: NodeJS.ErrnoException, dataDir: string): Error {
  const reasons: Record<string, string> = {
    EACCES: 'the current user may not write there',
    EPERM: 'the current user may not write there',
    EROFS: 'the file system is read-only',
    ENOSPC: 'there is no space left on the disk',
    ENOTDIR: 'a part of the path is a file',
    EEXIST: 'a file of that name is in the way',
  };
  const reason = reasons[error.code ?? ''] ?? error.message;
  return new DatabaseStartError(
    `The data directory ${dataDir} cannot be used: ${reason}. Choose another with --data-dir.`,
  );
}

/** Throws DatabaseStartError unless the directory is a cluster of this major version that belongs to the server's account. */
export function checkCluster(pgdata: string, account: Account | undefined): void {
  const owner = statSync(pgdata).uid;
  const expected = account?.uid ?? process.getuid?.() ?? owner;
  if (owner !== expected) {
    throw new DatabaseStartError(
      `The database directory ${pgdata} belongs to uid ${owner}, and the server would run as uid ${expected}${account ? ` (${account.name})` : ''}: give it to that account (chown -R), or choose another with --data-dir.`,
    );
  }
  let major = '';
  try {
    major = readFileSync(join(pgdata, 'PG_VERSION'), 'utf8').trim();
  } catch {
    throw new DatabaseStartError(
      `The database directory ${pgdata} is damaged (its file PG_VERSION is missing): restore it from a back-up, or choose another with --data-dir.`,
    );
  }
  if (major !== String(postgresMajor)) {
    throw new DatabaseStartError(
      `The database directory ${pgdata} was made by PostgreSQL ${major}, and this hub brings PostgreSQL ${postgresMajor}: start it with the hub that made it, or choose another with --data-dir.`,
    );
  }
}

/** initdb into a folder of another name, renamed when complete, so that an interrupted first start leaves no half cluster. */
export async function makeCluster(
  programs: string,
  home: string,
  pgdata: string,
  account: Account | undefined,
  notice: (text: string) => void,
): Promise<void> {
  notice('Making the database (first start only).');
  const other = readdirSync(home).find((name) => /^\d+$/.test(name));
  if (other) {
    throw new DatabaseStartError(
      `The data directory holds a database of PostgreSQL ${other} (${join(home, other)}), and this hub brings PostgreSQL ${postgresMajor}: start it with the hub that made it, or choose another with --data-dir.`,
    );
  }
  const unfinished = `${pgdata}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  makePrivate(unfinished, account);
  const [command, ...words] = followingParent('TERM', [
    join(programs, 'bin', 'initdb'),
    '-D',
    unfinished,
    '-U',
    superuserRole,
    '--locale=C',
    '--encoding=UTF8',
    '--data-checksums',
    '--auth-local=peer',
    '--auth-host=reject',
    '--no-instructions',
  ]);
  const initdb = spawn(command!, words, {
    ...identity(account),
    cwd: unfinished,
    env: serverEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  initdb.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  initdb.stderr.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise<number | null>((done, failed) => initdb.on('error', failed).on('close', done));
  if (code !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new DatabaseStartError(sentenceFor(output, home));
  }
  renameSync(unfinished, pgdata);
}

/** A directory for the server's account alone. */
export function makePrivate(directory: string, account: Account | undefined): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  if (account) chownSync(directory, account.uid, account.gid);
}

/** A file system error as the sentence about the directory; any other error as it is. */
export function asStartError(error: unknown, home: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof DatabaseStartError) return error;
  if (code && /^E(ACCES|PERM|ROFS|NOSPC|DQUOT)$/.test(code))
    return directoryError(error as NodeJS.ErrnoException, home);
  return error;
}
