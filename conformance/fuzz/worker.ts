/**
 * The process that takes the inputs. It notes in a file which one it is at, so that whoever watches it knows that when it
 * hangs or ends, and writes what it found as lines of JSON.
 */
import { openSync, readFileSync, writeSync } from 'node:fs';
import { deserialize } from 'node:v8';
import { loadDefinitions } from '@causeway/fhir';
import { plan, targetOf } from './plan.ts';
import type { Seeds } from './seeds.ts';
import type { Target } from './targets.ts';

/** What a worker is told. */
export interface Task {
  seed: number;
  /** The first of the inputs, and the one after the last. */
  from: number;
  to: number;
  /** Only inputs of this target. */
  only: string | undefined;
  /** Files: where it notes the input it is at; the seeds; compiled definitions. */
  progress: string;
  seeds: string;
  definitions: string;
  /** URL of the module that has the targets. */
  targets: string;
  /** CPU time. */
  slowMs: number;
  mostMib: number;
}

/** How an input failed. */
export interface Failure {
  kind: 'threw' | 'slow' | 'hung' | 'memory' | 'ended';
  target: string;
  number: number;
  message: string;
}

export interface Tally {
  count: number;
  accepted: number;
  /** CPU time. */
  longestMs: number;
  longestNumber: number;
}

/** A line that a worker writes. */
export type Told = { failure: Failure } | { tallies: Record<string, Tally>; peakMib: number; next: number };

/** So often it tells what it has done, so that little is lost when it ends. */
const inputsPerReport = 1_000;

await work(JSON.parse(process.argv[2]!) as Task);

async function work(task: Task): Promise<void> {
  const { targets } = (await import(task.targets)) as { targets: readonly Target[] };
  loadDefinitions(JSON.parse(readFileSync(task.definitions, 'utf8')));
  const seeds = deserialize(readFileSync(task.seeds)) as Seeds;
  const progress = openSync(task.progress, 'r+');
  const at = Buffer.alloc(8);
  let tallies: Record<string, Tally> = {};
  const report = (next: number) => {
    tell({ tallies, peakMib: peakMib(), next });
    tallies = {};
  };
  for (let number = task.from; number < task.to; number++) {
    if (task.only !== undefined && targetOf(number, targets).name !== task.only) continue;
    at.writeDoubleLE(number);
    writeSync(progress, at, 0, 8, 0);
    takeOne(task, number, targets, seeds, tallies);
    if (peakMib() > task.mostMib) {
      const message = `The process had ${peakMib()} MiB.`;
      tell({ failure: { kind: 'memory', target: targetOf(number, targets).name, number, message } });
      report(number + 1);
      return;
    }
    if (number % inputsPerReport === inputsPerReport - 1) report(number + 1);
  }
  report(task.to);
}

function takeOne(
  { seed, slowMs }: Task,
  number: number,
  targets: readonly Target[],
  seeds: Seeds,
  tallies: Record<string, Tally>,
): void {
  const name = targetOf(number, targets).name;
  tallies[name] ??= { count: 0, accepted: 0, longestMs: 0, longestNumber: number };
  const tally = tallies[name];
  tally.count++;
  try {
    let ms = Number.POSITIVE_INFINITY;
    // What is slow is slow three times: the first may have waited for code to be compiled, or garbage to be collected.
    for (let attempt = 0; attempt < 3 && ms > slowMs; attempt++) {
      const { target, input, random } = plan(seed, number, targets, seeds);
      const before = process.threadCpuUsage();
      const isAccepted = target.run(input, random);
      const { user, system } = process.threadCpuUsage(before);
      ms = Math.min(ms, (user + system) / 1_000);
      if (attempt === 0 && isAccepted) tally.accepted++;
    }
    if (ms > slowMs)
      tell({ failure: { kind: 'slow', target: name, number, message: `It took ${Math.round(ms)} ms of CPU time.` } });
    if (ms > tally.longestMs) Object.assign(tally, { longestMs: ms, longestNumber: number });
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    tell({ failure: { kind: 'threw', target: name, number, message } });
  }
}

function peakMib(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

/** At once, since the process may not live to write it later. */
function tell(told: Told): void {
  writeSync(1, `${JSON.stringify(told)}\n`);
}
