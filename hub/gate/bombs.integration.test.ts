/** While somebody sends what is made to keep the hub busy (docs/attacks.md, A24), it is refused soon, and others are answered as before. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { callsOf, type HubCalls, hubConfig } from '../testing-calls.ts';
import { bombs, type Thrown } from './testing-bombs.ts';

/** `npm run bombs` asks for so many rounds, and holds the 99th percentile to twice what it is without bombs. */
const asked = Number(process.env.BOMBS ?? 0);
const rounds = asked || 3;
const quietMs = asked > 0 ? 2_000 : 400;
const pauseMs = 10;
/** What a wait may be in a short run on a machine that has much else to do. Unread bombs kept others waiting for seconds. */
const crowdedMs = 500;
const longestMs = asked > 0 ? 2_000 : 30_000;
/** By how much the hub may grow. */
const mostMib = 100;
/** As the hub runs; see hub/bin/lean-memory.js. */
const lean = {
  execArgv: ['--no-memory-protection-keys', '--max-semi-space-size=16', '--heap-growing-percent=50'],
  env: { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '1048576', MALLOC_MMAP_THRESHOLD_: '131072' },
};

let test: TestDatabase;
let hub: ChildProcess;
let bomber: Worker;
let calls: HubCalls;
let dataDir: string;
beforeAll(async () => {
  test = await testDatabase();
  dataDir = mkdtempSync(join(tmpdir(), 'causeway-bombs-'));
  const definitions = join(tmpdir(), `causeway-test-definitions-${process.getuid?.() ?? 0}`);
  mkdirSync(definitions, { recursive: true });
  symlinkSync(definitions, join(dataDir, 'cache'));
  const limits = { messageBytes: 64 * 1024 * 1024, bundleBytes: 64 * 1024 * 1024 };
  const script = join(import.meta.dirname, '../soak/hub-process.ts');
  const config = JSON.stringify(hubConfig(dataDir, test.connection, limits));
  // In processes and threads of their own, so that neither bombs nor hub keep those waiting who measure.
  hub = spawn(process.execPath, [...lean.execArgv, script, config], {
    env: { ...process.env, ...lean.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { url } = JSON.parse(String((await once(hub.stdout!, 'data'))[0]));
  calls = callsOf(url, dataDir);
  const asFhir = { headers: { 'content-type': 'application/fhir+json' } };
  const kept = '{"resourceType":"Patient","id":"kept","name":[{"family":"Kept"}]}';
  await calls.send('PUT', '/fhir/Patient/kept', kept, asFhir);
  // The engine of FHIRPath is loaded once.
  const path = [
    { name: 'type', valueCode: 'delete' },
    { name: 'path', valueString: 'Patient.photo' },
  ];
  const patch = { resourceType: 'Parameters', parameter: [{ name: 'operation', part: path }] };
  expect((await calls.send('PATCH', '/fhir/Patient/kept', JSON.stringify(patch), asFhir)).status).toBe(200);
  const workerData = { url, token: await calls.token('administrator') };
  bomber = new Worker(new URL('./testing-bombs.ts', import.meta.url), { workerData });
  await once(bomber, 'message');
});
afterAll(async () => {
  await bomber.terminate();
  hub.kill('SIGTERM');
  await once(hub, 'exit');
  await test.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

it('are refused, each in its time, and others wait no longer than before', async () => {
  const thrown: Thrown[] = [];
  bomber.on('message', (told) => told !== 'paused' && thrown.push(told));
  const quiet: number[] = [];
  const besieged: number[] = [];
  const before = residentMib();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, residentMib());
  }, 20);
  for (let round = 1; round <= rounds; round++) {
    const end = performance.now() + quietMs;
    quiet.push(...(await waits(() => performance.now() > end)));
    bomber.postMessage('on');
    const enough = asked > 0 ? bombs.length * round : Math.ceil((bombs.length * round) / rounds);
    besieged.push(...(await waits(() => thrown.length >= enough)));
    const isPaused = new Promise((resolve) => bomber.on('message', (told) => told === 'paused' && resolve(told)));
    bomber.postMessage('off');
    await isPaused;
  }
  clearInterval(watch);
  expect(new Set(thrown.map(({ name }) => name)).size).toBe(bombs.length);
  const isRefused = ({ status }: Thrown) => status >= 400 && status < 500;
  expect(thrown.filter((one) => !isRefused(one))).toEqual([]);
  const [calm, meanwhile] = [quiet, besieged].map((all) => all.toSorted((a, b) => a - b)) as [number[], number[]];
  const at = (sorted: number[], share: number) => sorted[Math.floor(sorted.length * share)]!;
  const told = [0.5, 0.9, 0.99].map((share) => `p${share * 100}: ${at(calm, share)} ms, ${at(meanwhile, share)} ms`);
  if (asked > 0) {
    const slowest = thrown.reduce((slow, one) => (one.ms > slow.ms ? one : slow));
    console.log(`${told.join('\n')}\nmemory: ${before} MiB, ${most} MiB\nslowest: ${slowest.name}, ${slowest.ms} ms`);
    // Each is told, whatever becomes of the others.
    expect.soft(most - before, 'MiB that the hub grew').toBeLessThan(mostMib);
    expect.soft(at(meanwhile, 0.99), 'p99 of others').toBeLessThan(2 * at(calm, 0.99));
    expect.soft(thrown.filter(({ ms }) => ms > longestMs)).toEqual([]);
  } else {
    expect(thrown.filter(({ ms }) => ms > longestMs)).toEqual([]);
    expect(at(meanwhile, 0.9), told.join()).toBeLessThan(Math.max(2 * at(calm, 0.9), crowdedMs));
  }
}, 300_000);

/** What the hub has of memory; where the system does not tell, nothing. */
function residentMib(): number {
  const told = process.platform === 'linux' ? readFileSync(`/proc/${hub.pid}/status`, 'utf8') : '';
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(told)?.[1] ?? 0) / 1024);
}

/** How long those wait who ask for something usual every few milliseconds, answered or not, until it is over. */
async function waits(isOver: () => boolean): Promise<number[]> {
  const asked: Promise<number>[] = [];
  while (!isOver()) {
    const begun = performance.now();
    asked.push(
      calls.get('/fhir/Patient/kept').then(({ status }) => {
        expect(status).toBe(200);
        return performance.now() - begun;
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return Promise.all(asked);
}
