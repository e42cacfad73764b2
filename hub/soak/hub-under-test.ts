/** A hub in a process of its own that is killed, as is its database, and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config.ts';

const startMs = 180_000;

/** A folder for a hub's data, with the definitions that earlier tests compiled. @param prepare does so with the empty folder */
export function dataFolder(prepare: (folder: string) => void = () => {}): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'causeway-kill-'));
  // The database's own account has to get through, or its files lie elsewhere and stay when the directory goes.
  chmodSync(dataDir, 0o711);
  prepare(dataDir);
  const definitions = join(tmpdir(), `causeway-test-definitions-${process.getuid?.() ?? 0}`);
  mkdirSync(definitions, { recursive: true });
  symlinkSync(definitions, join(dataDir, 'cache'));
  return dataDir;
}

/** The hub's process and its ports. */
export class HubProcess {
  readonly #config: Config;
  #child: ChildProcess | undefined;
  url = '';
  mllpPort = 0;

  constructor(config: Config) {
    this.#config = config;
  }

  async start(): Promise<void> {
    const child = this.#spawn();
    const timer = setTimeout(() => child.kill('SIGKILL'), startMs);
    let told = '';
    for await (const chunk of child.stdout!) {
      told += chunk;
      if (told.includes('\n')) break;
    }
    clearTimeout(timer);
    if (!told.includes('\n')) throw new Error(`The hub did not start again: ${told || 'see its error output above'}`);
    Object.assign(this, JSON.parse(told));
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  async kill(): Promise<void> {
    const child = this.#child!;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Kills its database; the hub ends when it notices. */
  async killDatabase(): Promise<void> {
    const child = this.#child!;
    const exited = once(child, 'exit');
    const [pidFile] = globSync(join(this.#config.dataDir, 'postgres/*/postmaster.pid'));
    process.kill(Number(readFileSync(pidFile!, 'utf8').split('\n')[0]), 'SIGKILL');
    await exited;
  }

  async killWhileStarting(afterMs: number): Promise<void> {
    const child = this.#spawn();
    child.stdout!.resume();
    await sleep(afterMs);
    if (child.exitCode === null) await this.kill();
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }

  #spawn(): ChildProcess {
    const script = join(import.meta.dirname, 'hub-process.ts');
    this.#child = spawn(process.execPath, [script, JSON.stringify(this.#config)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return this.#child;
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Numbers from 0 to 1 drawn from a seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
