/**
 * `npm run bench:memory`: how much memory a hub takes for inputs and outputs that are much larger than it: a transaction
 * and a batch of 100 MB, an import and an export of many lines. README.md says what its figures mean.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { exported } from './client/export.ts';
import { largeBundle, manyLines } from './data/large.ts';
import { type BenchHub, startHub } from './server/hub.ts';
import { machine, versions } from './server/machine.ts';
import { memoryOf, usageOf } from './server/usage.ts';

const parts = ['transaction', 'batch', 'attachments', 'representation', 'import', 'export'] as const;
type Part = (typeof parts)[number];

const mib = 1024 * 1024;
const samplingMs = 200;
/** What the issue allows: MiB that a large body or file may add. */
const most = 100;

interface Measured {
  /** MiB of the hub before, at most while it ran, and by how much that is more. */
  before_mib: number;
  peak_mib: number;
  raised_mib: number;
  postgres_peak_mib: number;
  seconds: number;
  hub_cpu_s: number;
  postgres_cpu_s: number;
  /** MiB of the hub at each tenth of the time. */
  over_time_mib: number[];
  [what: string]: unknown;
}

let hub: BenchHub | undefined;
process.exitCode = await run().finally(() => hub?.stop());

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: parts.join(',') },
      mib: { type: 'string', default: '95' },
      lines: { type: 'string', default: '1000000' },
      json: { type: 'string' },
    },
  });
  const only = values.only.split(',') as Part[];
  const results: { [part: string]: Measured } = {};
  for (const part of only) {
    // An export is of what was imported; everything else has a hub of its own, so that none profits from the one before.
    if (part !== 'export' || !hub) hub = await restarted(hub);
    await delay(2_000);
    const running = hub;
    results[part] = await measured(running, () =>
      carryOut(running, part, Number(values.mib) * mib, Number(values.lines)),
    );
    console.log(`${part}: ${JSON.stringify(results[part])}`);
    console.log(
      `${results[part].raised_mib <= most ? 'held  ' : 'MISSED'} ${part} raises the hub by at most ${most} MiB`,
    );
  }
  await hub?.stop();
  const written = { machine: machine(), versions: versions(undefined), date: new Date().toISOString(), results };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(written, null, 2)}\n`);
  return Object.values(results).some(({ raised_mib }) => raised_mib > most) ? 1 : 0;
}

async function restarted(before: BenchHub | undefined): Promise<BenchHub> {
  await before?.stop();
  const started = await startHub();
  await warm(started);
  return started;
}

/** Small bundles first: what a hub loads and compiles at its first requests is no matter of their size. */
async function warm(hub: BenchHub): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await post(hub, largeBundle('transaction', 3 * mib, 'narratives', `warm${i}`));
    await post(hub, largeBundle('batch', 3 * mib, 'narratives', `warmed${i}`));
  }
}

async function carryOut(hub: BenchHub, part: Part, bytes: number, lines: number): Promise<object> {
  const run = `${part}${Date.now().toString(36)}`;
  switch (part) {
    case 'transaction':
    case 'batch':
      return post(hub, largeBundle(part, bytes, 'narratives', run));
    case 'attachments':
      return post(hub, largeBundle('transaction', bytes, part, run));
    case 'representation':
      return post(hub, largeBundle('transaction', bytes, 'narratives', run), 'return=representation');
    case 'import':
      return imported(hub, manyLines(lines, run));
    case 'export':
      return exported({ base: hub.base, token: hub.token } as Parameters<typeof exported>[0]);
    default:
      throw new Error(`There is no part ${part}: ${parts.join(', ')}.`);
  }
}

async function measured(hub: BenchHub, work: () => Promise<object>): Promise<Measured> {
  const before = memoryOf(hub.pid, hub.postmaster);
  const used = usageOf(hub.pid, hub.postmaster);
  const seen: number[] = [];
  let postgres = 0;
  const timer = setInterval(() => {
    const now = memoryOf(hub.pid, hub.postmaster);
    seen.push(now.hubMib);
    postgres = Math.max(postgres, now.postgresMib);
  }, samplingMs);
  const begun = performance.now();
  try {
    const done = await work();
    const seconds = (performance.now() - begun) / 1000;
    const after = usageOf(hub.pid, hub.postmaster);
    const peak = Math.max(before.hubMib, ...seen);
    const tenths = Array.from({ length: 10 }, (_, i) => seen[Math.floor((i * seen.length) / 10)] ?? before.hubMib);
    return {
      before_mib: Math.round(before.hubMib),
      peak_mib: Math.round(peak),
      raised_mib: Math.round(peak - before.hubMib),
      postgres_peak_mib: Math.round(postgres),
      seconds: Math.round(seconds * 10) / 10,
      hub_cpu_s: (after.hubCpuMs - used.hubCpuMs) / 1000,
      postgres_cpu_s: (after.postgresCpuMs - used.postgresCpuMs) / 1000,
      over_time_mib: tenths.map(Math.round),
      ...done,
    };
  } finally {
    clearInterval(timer);
  }
}

/** Posts a Bundle; tells how its entries were answered. */
async function post(hub: BenchHub, pieces: Iterable<string>, prefer?: string): Promise<object> {
  const { status, text, sent, received } = await send(hub, hub.base, pieces, {
    'content-type': 'application/fhir+json',
    ...(prefer ? { prefer } : {}),
  });
  if (status !== 200) throw new Error(`The Bundle was answered with ${status}: ${text.slice(0, 500)}`);
  const statuses: { [status: string]: number } = {};
  for (const [, one] of text.matchAll(/"response":\{"status":"(\d+)"/g)) statuses[one!] = (statuses[one!] ?? 0) + 1;
  return { sent_mib: Math.round(sent / mib), answered_mib: Math.round(received / mib), statuses };
}

/** Uploads a file of lines, and waits until all are stored. */
async function imported(hub: BenchHub, lines: Iterable<string>): Promise<object> {
  const { status, text, location, sent } = await send(hub, `${hub.base}/$import`, lines, {
    'content-type': 'application/fhir+ndjson',
    accept: 'application/fhir+json',
    prefer: 'respond-async',
  });
  if (status !== 202 || !location) throw new Error(`The import was answered with ${status}: ${text.slice(0, 500)}`);
  const headers = { authorization: `Bearer ${hub.token}` };
  for (;;) {
    const answer = await fetch(location, { headers });
    const said = await answer.text();
    if (answer.status === 200) return { sent_mib: Math.round(sent / mib), manifest: JSON.parse(said) };
    if (answer.status !== 202 && answer.status !== 429) throw new Error(`The import has failed: ${said.slice(0, 500)}`);
    await delay(Number(answer.headers.get('retry-after') ?? 1) * 1000);
  }
}

async function send(hub: BenchHub, url: string, pieces: Iterable<string>, headers: Record<string, string>) {
  const sending = request(url, { method: 'POST', headers: { ...headers, authorization: `Bearer ${hub.token}` } });
  const response = once(sending, 'response');
  let sent = 0;
  const counted = function* () {
    let held = '';
    for (const piece of pieces) {
      sent += piece.length;
      held += piece;
      if (held.length < 64 * 1024) continue;
      yield held;
      held = '';
    }
    yield held;
  };
  await Promise.all([response, pipeline(Readable.from(counted(), { objectMode: false }), sending).catch(() => {})]);
  const [answer] = await response;
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  return {
    status: answer.statusCode as number,
    text: body.toString(),
    location: answer.headers['content-location'] as string | undefined,
    sent,
    received: body.length,
  };
}
