/**
 * The unprivileged account the database server runs as when the hub runs as root: PostgreSQL refuses to be root, and a
 * server that holds health data should own nothing but its files.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { DatabaseStartError } from './errors.ts';

export interface Account {
  name: string;
  uid: number;
  gid: number;
}

const ownAccount = 'causeway-db';
const existingAccounts = ['postgres', 'nobody'];

/**
 * The account to drop to, or undefined when the hub is not root and the server simply runs as the same user. Makes the
 * system account `causeway-db` when it is missing; where that is not possible, an existing unprivileged one is taken.
 */
export function databaseAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const present = lookUp(ownAccount);
  if (present) return present;
  makeAccount();
  for (const name of [ownAccount, ...existingAccounts]) {
    const account = lookUp(name);
    if (account) return account;
  }
  throw new DatabaseStartError(
    `PostgreSQL does not run as root and no account for it could be made: make one (useradd --system ${ownAccount}), run the hub as an ordinary user, or set DATABASE_URL.`,
  );
}

/** True when the account can enter the directory and everything above it. */
export function canReach(account: Account, directory: string): boolean {
  const probe = spawnSync('test', ['-x', directory], { uid: account.uid, gid: account.gid, cwd: '/', stdio: 'ignore' });
  return probe.status === 0;
}

function lookUp(name: string): Account | undefined {
  const fromDirectory = spawnSync('getent', ['passwd', name], { encoding: 'utf8' });
  const line = fromDirectory.status === 0 ? fromDirectory.stdout : passwdLine(name);
  const [found, , uid, gid] = line.trim().split(':');
  if (found !== name || !uid || !gid || Number(uid) === 0) return undefined;
  return { name, uid: Number(uid), gid: Number(gid) };
}

function passwdLine(name: string): string {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  return lines.find((line) => line.startsWith(`${name}:`)) ?? '';
}

function makeAccount(): void {
  const shell = '/usr/sbin/nologin';
  const made = spawnSync(
    'useradd',
    ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent', '--shell', shell, ownAccount],
    { stdio: 'ignore' },
  );
  if (made.status === 0) return;
  spawnSync('adduser', ['--system', '--group', '--no-create-home', '--shell', shell, ownAccount], { stdio: 'ignore' });
}
