/** What the figures were measured on. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';

export interface Machine {
  cpu: string;
  cores: number;
  memory_gib: number;
  kernel: string;
  /** Load average of the last minute when the bench began: what else was going on. */
  load_1min: number;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    load_1min: load(),
  };
}

/** The load average of the last minute. */
export function load(): number {
  return Math.round(loadavg()[0]! * 100) / 100;
}

/** Versions of what was measured; of the database where its postmaster is known. */
export function versions(postmaster: number | undefined): Record<string, string> {
  const root = join(import.meta.dirname, '../..');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const commit = output('git', ['-C', root, 'rev-parse', '--short', 'HEAD']);
  const postgres = postmaster && output(readlinkSync(`/proc/${postmaster}/exe`), ['--version']);
  return {
    causeway: version,
    ...(commit ? { commit } : {}),
    node: process.versions.node,
    ...(postgres ? { postgres: postgres.replace(/^postgres \(PostgreSQL\) /, '') } : {}),
  };
}

function output(program: string, args: string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
