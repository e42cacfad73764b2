/** How the server's programs are started: as whom, with what environment, and tied to the hub's life. */

import { spawnSync } from 'node:child_process';
import type { Account } from './account.ts';

/** Spawn options that drop to the account; Node clears the supplementary groups as well. */
export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {};
}

/** Nothing of the hub's environment but the path: PG* variables would steer the server, and it needs no secrets. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * The command line that has the kernel send the signal when the hub dies, however it dies. Where there is no setpriv
 * the command is unchanged, and the next start finds and stops what was left.
 */
export function followingParent(signal: 'INT' | 'TERM', command: string[]): string[] {
  const available =
    process.platform === 'linux' && spawnSync('setpriv', ['--version'], { stdio: 'ignore' }).status === 0;
  return available ? ['setpriv', '--pdeathsig', signal, ...command] : command;
}
