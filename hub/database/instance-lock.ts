/**
 * One hub to one data directory. The lock file names the process that holds it and when that process began, so that a
 * hub killed without warning leaves nothing that has to be cleared by hand; what is left of its database server is
 * found through /proc and stopped before another starts.
 */

import { readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseStartError } from './errors.ts';

const lockName = 'hub.lock';

/** A process: its number, and when it began. */
export interface Holder {
  pid: number;
  began: string | undefined;
}

/** The process that asks. */
export function thisProcess(): Holder {
  return { pid: process.pid, began: beginningOf(process.pid) };
}

/** How long a hub that was killed may take to be gone. */
const patienceMs = 1_500;

/**
 * Takes the lock of a directory; returns the function that gives it back. Throws when a hub holds it that lives, and
 * goes on living for a moment.
 */
export async function takeInstanceLock(directory: string): Promise<() => void> {
  const path = join(directory, lockName);
  const mine = JSON.stringify(thisProcess());
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(path, mine, { flag: 'wx', mode: 0o600 });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readHolder(path);
    for (let waited = 0; holder && isAlive(holder) && waited < patienceMs; waited += 50) await delay(50);
    if (holder && isAlive(holder)) {
      throw new DatabaseStartError(
        `Another hub (process ${holder.pid}) is using this data directory: stop it, or give this one its own with --data-dir.`,
      );
    }
    rmSync(path, { force: true });
  }
  throw new DatabaseStartError(
    `Another hub is starting with this data directory: give this one its own with --data-dir.`,
  );
}

/**
 * Stops the server processes that a killed hub left on a PostgreSQL data directory, and clears the file in which they
 * were registered. Fast shutdown first, immediate after 3 s; gives up, with an error, after 20 s.
 */
export async function stopOrphans(pgdata: string): Promise<void> {
  const pidFile = join(pgdata, 'postmaster.pid');
  let waited = 0;
  for (; waited < 20_000; waited += 50) {
    const left = processesIn(pgdata);
    if (left.length === 0) break;
    const postmaster = Number(firstLine(pidFile));
    if (left.includes(postmaster)) {
      if (waited === 0) signal(postmaster, 'SIGINT');
      if (waited === 3000) signal(postmaster, 'SIGQUIT');
    }
    await delay(50);
  }
  if (waited >= 20_000) {
    throw new DatabaseStartError(
      `A database server that an earlier hub left behind (process ${processesIn(pgdata).join(', ')}) does not stop: end it and start again.`,
    );
  }
  if (process.platform === 'linux') rmSync(pidFile, { force: true });
}

/** Processes whose working directory is the data directory: the postmaster and its children stand there all their life. */
function processesIn(pgdata: string): number[] {
  let entries: string[];
  try {
    entries = readdirSync('/proc');
  } catch {
    return [];
  }
  return entries.filter((entry) => /^\d+$/.test(entry) && workingDirectory(entry) === pgdata).map(Number);
}

function workingDirectory(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function firstLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').split('\n')[0] ?? '';
  } catch {
    return '';
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended by itself.
  }
}

/** Whether a process lives and is not merely waiting for its parent to notice its end. */
export function isRunning(pid: number): boolean {
  return process.platform === 'linux' && beginningOf(pid) !== undefined;
}

function readHolder(path: string): Holder | undefined {
  try {
    const { pid, began } = JSON.parse(readFileSync(path, 'utf8')) as Holder;
    return Number.isInteger(pid) && pid > 0 ? { pid, began } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a process of this machine lives. */
export function isAlive(holder: Holder): boolean {
  if (holder.pid === process.pid) return holder.began === beginningOf(process.pid);
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return holder.began === beginningOf(holder.pid);
}

/**
 * When a process began, in clock ticks since boot (proc_pid_stat(5), field 22): tells it from a later one of the same
 * number. Undefined for one that is dead and only waits for its parent to notice (state Z).
 */
function beginningOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return /^[ZX]$/.test(fields[0]!) ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
