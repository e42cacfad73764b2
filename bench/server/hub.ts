/** A hub of the bench's own, as `npm start` starts it, on free ports and a data directory of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { MllpTarget } from '../client/mllp-work.ts';
import { postmasterOf } from './usage.ts';

const readyMs = 60_000;
const answerPollMs = 20;

export interface BenchHub {
  pid: number;
  postmaster: number | undefined;
  /** The address of its FHIR API. */
  base: string;
  url: string;
  mllp: MllpTarget;
  token: string;
  /** Counts by stage, as `/api/status` tells them. */
  status(): Promise<{ waiting: number; processed: number; failed: number; dead: number; refused: number }>;
  dataDir: string;
  /** Milliseconds from starting the process until FHIR was answered for the first time. */
  firstAnswerMs: number;
  /** Stops it and removes its data, unless they are to be kept. */
  stop(kept?: 'kept'): Promise<void>;
}

export interface HubOptions {
  /** Node writes a CPU profile there when the hub stops. */
  profileDir?: string | undefined;
  /** The data of a hub that was stopped before; a new directory where it is undefined. */
  dataDir?: string;
  /** Further words of its command line. */
  words?: readonly string[];
  /** What reads wait for instead of being recorded, so that what recording costs can be told: nothing, or a flush of the disk. */
  insteadOfRecording?: 'nothing' | 'flush';
  /** The checkout whose code it runs; this one where it is undefined. */
  root?: string;
}

/** Starts it, ready to answer; on other ports where somebody else was quicker to take one. */
export async function startHub(options: HubOptions = {}): Promise<BenchHub> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      if (attempt === attempts || !/The port .* is taken/.test(String(error))) throw error;
    }
  }
}

const attempts = 3;
const thisRoot = join(import.meta.dirname, '../..');
const loaded = { nothing: 'unaudited.ts', flush: 'flushed.ts' };

async function startOnce(options: HubOptions): Promise<BenchHub> {
  const { profileDir, dataDir: known, words = [], insteadOfRecording, root = thisRoot } = options;
  const launcher = join(root, 'hub/bin/causeway.js');
  const dataDir = known ?? mkdtempSync(join(tmpdir(), 'causeway-bench-'));
  // The database's own account has to get through, or its files lie elsewhere and stay when the directory goes.
  chmodSync(dataDir, 0o711);
  const [port, mllpPort] = [await freePort(), await freePort()];
  const where = ['--data-dir', dataDir, '--port', String(port)];
  const profile = profileDir ? ['--cpu-prof', `--cpu-prof-dir=${profileDir}`] : [];
  const url = `http://127.0.0.1:${port}`;
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    [...profile, launcher, 'start', '--no-demo', ...where, '--mllp-port', String(mllpPort), ...words],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: insteadOfRecording ? { ...process.env, ...withLoaded(root, insteadOfRecording) } : process.env,
    },
  );
  child.stderr!.pipe(process.stderr);
  const remove = () => rmSync(dataDir, { recursive: true, force: true });
  let firstAnswerMs: number;
  try {
    const [answered] = await Promise.all([firstAnswer(`${url}/fhir/metadata`, child), ready(child)]);
    firstAnswerMs = answered - begun;
  } catch (error) {
    child.kill('SIGKILL');
    if (known === undefined) remove();
    throw error;
  }
  const token = execFileSync(process.execPath, [launcher, 'token', ...where], { encoding: 'utf8' }).trim();
  return {
    pid: child.pid!,
    postmaster: postmasterOf(child.pid!),
    base: `${url}/fhir`,
    url,
    mllp: { host: '127.0.0.1', port: mllpPort },
    token,
    status: async () => {
      const answer = await fetch(`${url}/api/status`, { headers: { authorization: `Bearer ${token}` } });
      if (!answer.ok) throw new Error(`The status has the status code ${answer.status}.`);
      return (await answer.json()) as Awaited<ReturnType<BenchHub['status']>>;
    },
    dataDir,
    firstAnswerMs,
    stop: async (kept) => {
      const ended = new Promise((done) => child.once('exit', done));
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await ended;
      }
      if (kept === undefined) remove();
    },
  };
}

function withLoaded(root: string, what: keyof typeof loaded): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--import ${pathToFileURL(join(root, 'bench/server', loaded[what]))}` };
}

/** When the address was answered for the first time, on the clock of `performance.now()`. */
async function firstAnswer(url: string, child: ChildProcess): Promise<number> {
  while (child.exitCode === null && child.signalCode === null) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return performance.now();
    await delay(answerPollMs);
  }
  throw new Error('The hub ended before it answered.');
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const late = setTimeout(() => reject(new Error(`The hub is not ready after 60 s. It said:\n${said}`)), readyMs);
    child.stderr!.on('data', (chunk: Buffer) => {
      if (said.length < 10_000) said += chunk;
    });
    child.stdout!.on('data', (chunk: Buffer) => {
      if (said.length < 10_000) said += chunk;
      if (!/^Ready after/m.test(said)) return;
      clearTimeout(late);
      resolve();
    });
    child.once('exit', (code) => {
      clearTimeout(late);
      reject(new Error(`The hub ended with code ${code}. It said:\n${said}`));
    });
  });
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
