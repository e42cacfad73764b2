/** Runs inputs in a worker process under a watchdog: one that hangs is ended, one that ended is begun again behind the input it was at. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { serialize } from 'node:v8';
import { compileDefinitions } from '@causeway/fhir';
import { targetOf } from './plan.ts';
import type { Seeds } from './seeds.ts';
import type { Target } from './targets.ts';
import type { Failure, Tally, Task, Told } from './worker.ts';

export interface Run {
  seed: number;
  /** The first of the inputs, and the one after the last. */
  from: number;
  to: number;
  /** Only inputs of this target. */
  only?: string;
  seeds: Seeds;
  /** Told of what was done so far. */
  onProgress?(done: number): void;
  limits?: Partial<Limits>;
  /** The module of the targets, where it is another. */
  targets?: string;
}

export interface Limits {
  /** No input may take more CPU time: others use the machine too. */
  slowMs: number;
  /** After so much of it, with no end of the input, the worker is ended. */
  hungMs: number;
  /** No process may have more resident memory at any time. */
  mostMib: number;
  /** After so many failures the rest is not run. */
  failures: number;
}

export interface RunResult {
  tallies: Record<string, Tally>;
  failures: Failure[];
  /** The most resident memory that a worker had. */
  peakMib: number;
  seconds: number;
}

const defaults: Limits = { slowMs: 1_000, hungMs: 8_000, mostMib: 300, failures: 200 };
const lookMs = 250;
/**
 * As the hub runs (see hub/bin/lean-memory.js), with a young generation that suits a process which does one thing at a time,
 * and without V8's middle compiler: what waits to be compiled by it in the background, on a busy machine some hundred
 * functions, holds memory that is not the input's.
 */
const settings = ['--max-semi-space-size=4', '--heap-growing-percent=50', '--no-memory-protection-keys', '--no-maglev'];

let definitions: string | undefined;

export async function fuzz(run: Run): Promise<RunResult> {
  const limits = { ...defaults, ...run.limits };
  const directory = mkdtempSync(join(tmpdir(), 'causeway-fuzz-'));
  const module = run.targets ?? pathToFileURL(join(import.meta.dirname, 'targets.ts')).href;
  const { targets } = (await import(module)) as { targets: readonly Target[] };
  const task: Task = {
    seed: run.seed,
    from: run.from,
    to: run.to,
    only: run.only,
    progress: join(directory, 'progress'),
    seeds: join(directory, 'seeds'),
    definitions: join(directory, 'definitions'),
    targets: module,
    slowMs: limits.slowMs,
    mostMib: limits.mostMib,
  };
  const result: RunResult = { tallies: {}, failures: [], peakMib: 0, seconds: 0 };
  const began = performance.now();
  try {
    writeFileSync(task.seeds, serialize(run.seeds));
    definitions ??= JSON.stringify(compileDefinitions());
    writeFileSync(task.definitions, definitions);
    while (task.from < task.to && result.failures.length < limits.failures) {
      task.from = await runWorker(task, targets, limits.hungMs, result, (next) => run.onProgress?.(next - run.from));
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  result.seconds = (performance.now() - began) / 1_000;
  return result;
}

/** Runs one worker to its end. @returns the input with which to go on */
async function runWorker(
  task: Task,
  targets: readonly Target[],
  hungMs: number,
  result: RunResult,
  onProgress: (next: number) => void,
): Promise<number> {
  writeNumber(task.progress, -1);
  const child = spawn(process.execPath, [...settings, join(import.meta.dirname, 'worker.ts'), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MALLOC_ARENA_MAX: '1' },
  });
  let next = task.from;
  let isHung = false;
  let said = '';
  child.stderr.on('data', (data) => {
    said = (said + data).slice(-2_000);
  });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const told = JSON.parse(line) as Told;
    if ('failure' in told) result.failures.push(told.failure);
    else {
      next = told.next;
      add(result, told);
      onProgress(next);
    }
  });
  let [at, since] = [-1, cpuMs(child.pid!)];
  const watch = setInterval(() => {
    const now = readNumber(task.progress);
    const cpu = cpuMs(child.pid!);
    if (now !== at) [at, since] = [now, cpu];
    else if (at >= 0 && cpu - since > hungMs) {
      isHung = true;
      child.kill('SIGKILL');
    }
  }, lookMs);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...ended) => resolve(ended));
  });
  clearInterval(watch);
  if (code === 0) return next;
  const number = readNumber(task.progress);
  if (number < 0) throw new Error(`The worker did not begin: ${said}`);
  const message = isHung
    ? `It did not end within ${hungMs} ms of CPU time.`
    : `The process ended (${signal ?? code}): ${said}`;
  const { name } = targetOf(number, targets);
  result.failures.push({ kind: isHung ? 'hung' : 'ended', target: name, number, message });
  countUntold(result, task, targets, next, number);
  return number + 1;
}

/** Counts the inputs that a worker took since it told last; more is not known of them. */
function countUntold(
  { tallies }: RunResult,
  { only }: Task,
  targets: readonly Target[],
  from: number,
  last: number,
): void {
  for (let number = from; number <= last; number++) {
    const { name } = targetOf(number, targets);
    if (only !== undefined && name !== only) continue;
    tallies[name] ??= { count: 0, accepted: 0, longestMs: 0, longestNumber: number };
    tallies[name].count++;
  }
}

function add(result: RunResult, { tallies, peakMib }: Extract<Told, { next: number }>): void {
  result.peakMib = Math.max(result.peakMib, peakMib);
  for (const [name, { count, accepted, longestMs, longestNumber }] of Object.entries(tallies)) {
    result.tallies[name] ??= { count: 0, accepted: 0, longestMs: 0, longestNumber };
    const tally = result.tallies[name];
    tally.count += count;
    tally.accepted += accepted;
    if (longestMs > tally.longestMs) Object.assign(tally, { longestMs, longestNumber });
  }
}

/** The CPU time that a process has used, by what Linux tells in hundredths of a second; elsewhere time as it passes. */
function cpuMs(pid: number): number {
  if (process.platform !== 'linux') return performance.now();
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}

function writeNumber(path: string, number: number): void {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(number);
  writeFileSync(path, bytes);
}

function readNumber(path: string): number {
  return readFileSync(path).readDoubleLE();
}
