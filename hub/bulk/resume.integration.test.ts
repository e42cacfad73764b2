/** Hubs that are killed, stopped and restarted in the middle of jobs, and several hubs at once. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RunningHub } from '../lifecycle.ts';
import { startHub } from '../main.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { kickOffHeaders } from './testing.ts';

let hub: TestHub;
let bearer: string;
const others: (() => Promise<void>)[] = [];

beforeEach(async () => {
  hub = await startTestHub({ importBytes: 500 * 1024 * 1024 });
  bearer = `Bearer ${await hub.token('administrator')}`;
});
afterEach(async () => {
  for (const stop of others.splice(0)) await stop();
  await hub.stop();
});

/** A hub in a process of its own, over the same database. */
async function hubProcess(): Promise<{ url: string; pid: number; kill(): Promise<void> }> {
  const program = join(import.meta.dirname, '../soak/hub-process.ts');
  const child: ChildProcess = spawn(process.execPath, [program, JSON.stringify(hub.config)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  others.push(kill);
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout!.once('data', (data) => resolve(String(data)));
    void ended.then(() => reject(new Error('The hub ended before it was ready.')));
  });
  return { url: JSON.parse(line).url, pid: child.pid!, kill };
}

async function anotherHub(): Promise<RunningHub> {
  const other = await startHub(hub.config, { say: () => {}, count: () => {}, fail: () => {} }, async () => undefined);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= other.stop();
    return stopped;
  };
  others.push(stop);
  return { ...other, stop };
}

const get = (url: string) => fetch(url, { headers: { authorization: bearer, accept: '*/*' } });

async function begin(base: string, body: string | undefined, path = '/fhir/$import'): Promise<string> {
  const headers = { authorization: bearer, 'content-type': 'application/fhir+ndjson', ...kickOffHeaders };
  const answer = await fetch(base + path, { method: body ? 'POST' : 'GET', headers, ...(body ? { body } : {}) });
  if (answer.status !== 202) throw new Error(await answer.text());
  return new URL(answer.headers.get('content-location')!).pathname;
}

interface Manifest {
  output: [{ url: string; count: number }, ...unknown[]];
}

async function manifestOf(base: string, status: string): Promise<Manifest> {
  for (;;) {
    const answer = await get(base + status);
    if (answer.status === 200) return (await answer.json()) as Manifest;
    if (answer.status >= 400 && answer.status !== 429) throw new Error(await answer.text());
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const job = (status: string) => status.split('/').at(-1)!;
const rows = async (text: string, ...values: unknown[]) => (await hub.test.database.query(text, values)).rows;
const leaseEnds = (status: string) => rows('UPDATE bulk_job SET lease_until = now() WHERE id = $1', job(status));

function observations(count: number, note = 'x'): string {
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const subject = `{"reference":"Patient/p${i % 50}"}`;
    lines.push(
      `{"resourceType":"Observation","id":"o${i}","status":"final","code":{"text":"${note}"},"subject":${subject}}\n`,
    );
  }
  return lines.join('');
}

async function storedOnce(count: number): Promise<void> {
  const [found] = await rows('SELECT count(*) AS resources, max(version) AS version FROM resource');
  expect(found).toEqual({ resources: count, version: 1 });
  expect(await rows('SELECT 1 FROM resource_history LIMIT 1')).toEqual([]);
  expect(await rows('SELECT 1 FROM bulk_part LIMIT 1')).toEqual([]);
}

it('an import goes on where a killed hub left it; no line is lost or stored twice', async () => {
  await hub.rest();
  const count = 12_000;
  const first = await hubProcess();
  const status = await begin(first.url, observations(count));
  for (;;) {
    const [row] = await rows('SELECT done FROM bulk_job WHERE id = $1', job(status));
    if (row!.done > 1_000) break;
  }
  await first.kill();
  const [left] = await rows('SELECT state, done FROM bulk_job WHERE id = $1', job(status));
  expect(left).toEqual({ state: 'running', done: (await rows('SELECT count(*) AS n FROM resource'))[0]!.n });
  expect(left!.done).toBeLessThan(count);
  await leaseEnds(status);
  const second = await anotherHub();
  expect(await manifestOf(second.url, status)).toMatchObject({ output: [{ count }], error: [] });
  await storedOnce(count);
}, 120_000);

it('an import goes on after an orderly stop, at once', async () => {
  const count = 8_000;
  const status = await begin(hub.url, observations(count));
  for (;;) {
    const [row] = await rows('SELECT done FROM bulk_job WHERE id = $1', job(status));
    if (row!.done > 0) break;
  }
  await hub.rest();
  const [left] = await rows('SELECT state, attempts FROM bulk_job WHERE id = $1', job(status));
  expect(left).toMatchObject({ state: 'waiting', attempts: 0 });
  const second = await anotherHub();
  expect((await manifestOf(second.url, status)).output[0].count).toBe(count);
  await storedOnce(count);
}, 120_000);

it('of two hubs one works on a job; the other gives its status and files', async () => {
  const second = await anotherHub();
  const statuses = [];
  for (let i = 0; i < 4; i++) {
    statuses.push(await begin(i % 2 ? second.url : hub.url, observations(1_500).replaceAll('"o', `"o${i}-`)));
  }
  for (const [i, status] of statuses.entries()) {
    expect((await manifestOf(i % 2 ? hub.url : second.url, status)).output[0].count).toBe(1_500);
  }
  await storedOnce(6_000);
}, 60_000);

it('a job that was ended in the middle stores nothing more', async () => {
  const status = await begin(hub.url, observations(10_000));
  for (;;) {
    const [row] = await rows('SELECT done FROM bulk_job WHERE id = $1', job(status));
    if (row!.done > 0) break;
  }
  expect((await hub.send('DELETE', status)).status).toBe(202);
  const [{ n }] = (await rows('SELECT count(*) AS n FROM resource')) as [{ n: number }];
  expect(n).toBeLessThan(10_000);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await rows('SELECT count(*) AS n FROM resource'))[0]!.n).toBe(n);
  expect((await get(hub.url + status)).status).toBe(404);
}, 60_000);

it('requests that are answered later are carried out once, though hubs stop and start', async () => {
  const headers = { ...kickOffHeaders, 'content-type': 'application/fhir+json' };
  const statuses: string[] = [];
  for (let i = 0; i < 5; i++) {
    const entry = Array.from({ length: 300 }, (_, k) => ({
      resource: { resourceType: 'Basic', code: { text: `${i}-${k}` } },
      request: { method: 'POST', url: 'Basic' },
    }));
    const body = { resourceType: 'Bundle', type: 'transaction', entry };
    const answer = await hub.send('POST', '/fhir', body, { headers });
    expect(answer.status).toBe(202);
    statuses.push(new URL(answer.headers.get('content-location')!).pathname);
  }
  await hub.rest();
  const second = await anotherHub();
  for (const status of statuses) expect((await manifestOf(second.url, status)).output).toHaveLength(1);
  expect((await rows('SELECT count(*) AS n FROM resource'))[0]!.n).toBe(1_500);
}, 60_000);

it('an export that a hub left is made by the next, and a download that broke off can be made again', async () => {
  await manifestOf(hub.url, await begin(hub.url, observations(20_000, 'y'.repeat(500))));
  const status = await begin(hub.url, undefined, '/fhir/$export');
  const { output } = await manifestOf(hub.url, status);
  const path = new URL(output[0].url).pathname;
  const download = await get(hub.url + path);
  const reader = download.body!.getReader();
  await reader.read();
  await hub.rest();
  const rest = async () => {
    for (;;) if ((await reader.read()).done) return 'whole';
  };
  await expect(rest()).rejects.toThrow();
  await rows(
    `UPDATE bulk_job SET state = 'running', finished = NULL, lease_holder = id, lease_until = now() WHERE id = $1`,
    job(status),
  );
  const second = await anotherHub();
  const again = await manifestOf(second.url, status);
  expect(again.output).toHaveLength(output.length);
  const text = await (await get(second.url + new URL(again.output[0].url).pathname)).text();
  expect(text.trimEnd().split('\n')).toHaveLength(again.output[0].count);
  expect(again.output[0].count).toBe(20_000);
}, 120_000);

it('a download does not raise the memory of the hub, however slowly it is taken', async () => {
  await hub.rest();
  const { url, pid } = await hubProcess();
  const count = 15_000;
  const note = Array.from({ length: 400 }, (_, i) => `word${i}`).join(' ');
  await manifestOf(url, await begin(url, observations(count, note)));
  const { output } = await manifestOf(url, await begin(url, undefined, '/fhir/$export'));
  const rss = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
  const before = rss();
  let most = before;
  let bytes = 0;
  let lines = 0;
  const answer = await fetch(output[0].url, { headers: { authorization: bearer, 'accept-encoding': 'identity' } });
  const pauses = [0, 0, 0, 0, 0, 0, 0, 20];
  let chunks = 0;
  for await (const chunk of answer.body!) {
    bytes += chunk.length;
    for (const byte of chunk) if (byte === 10) lines++;
    most = Math.max(most, rss());
    const pause = pauses[chunks++ % pauses.length]!;
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  expect(lines).toBe(count);
  expect(bytes).toBeGreaterThan(45_000_000);
  expect(most - before).toBeLessThan(100);
}, 180_000);
