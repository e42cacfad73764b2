/**
 * The kill test: a hub is fed over MLLP and killed with SIGKILL at moments drawn from a seed, also while it starts. In
 * the end every acknowledged message must be there exactly once and processed, and the record must say what the last
 * message about each patient said.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { signToken, tokenKey } from '../secrets/index.ts';
import { hubConfig } from '../testing-calls.ts';
import { adt, oru } from '../testing-messages.ts';
import { type MllpClient, openMllp } from '../testing-mllp.ts';

export interface KillOptions {
  messages: number;
  kills: number;
  seed: number;
  say?: (text: string) => void;
}

export interface KillResult {
  messages: number;
  kills: number;
  acknowledged: number;
  /** Acknowledged messages that are not there. */
  missing: string[];
  /** Control ids that are there more than once. */
  doubled: string[];
  /** Messages that are not processed. */
  unprocessed: string[];
  /** Facts that differ from what was sent last; empty when the record is right. */
  wrongFacts: string[];
  seconds: number;
}

const connections = 4;
const patients = 20;
const windowPerConnection = 16;
const startMs = 60_000;
const processedMs = 120_000;

/** Runs the test in a folder of its own, which is deleted. Takes some two seconds a kill. */
export async function runKillTest({ messages, kills, seed, say = () => {} }: KillOptions): Promise<KillResult> {
  const begun = performance.now();
  const random = generator(seed);
  const dataDir = mkdtempSync(join(tmpdir(), 'causeway-kill-'));
  const definitions = join(tmpdir(), `causeway-test-definitions-${process.getuid?.() ?? 0}`);
  mkdirSync(definitions, { recursive: true });
  symlinkSync(definitions, join(dataDir, 'cache'));
  const feed = new Feed(messages);
  const hub = new HubProcess(hubConfig(dataDir, 'embedded', { logLevel: 'error' }));
  try {
    const moments = Array.from({ length: kills }, () => Math.floor(random() * messages)).sort((a, b) => a - b);
    await hub.start();
    for (const [i, moment] of moments.entries()) {
      feed.send(hub.mllpPort);
      await feed.acknowledged(moment);
      await sleep(random() * 60);
      await hub.kill();
      await feed.stopped();
      say(`kill ${i + 1} of ${kills} after ${feed.count} acknowledged messages`);
      if (random() < 0.25) await hub.killWhileStarting(random() * 1_500);
      await hub.start();
    }
    feed.send(hub.mllpPort);
    await feed.acknowledged(messages);
    await feed.stopped();
    const result = await inspect(hub.url, dataDir, feed);
    return { messages, kills, acknowledged: feed.count, ...result, seconds: (performance.now() - begun) / 1000 };
  } finally {
    await hub.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** The messages and their senders: each connection keeps a window of unanswered ones, and sends them again after a kill. */
class Feed {
  readonly texts: { controlId: string; text: string }[] = [];
  readonly #answered = new Set<string>();
  #senders: Promise<void>[] = [];
  #waiting: { count: number; done: () => void }[] = [];

  constructor(messages: number) {
    for (let i = 0; i < messages; i++) {
      const patient = Math.floor(i / 2) % patients;
      const person = {
        id: `K${patient}`,
        family: `Killed${letters(patient)}`,
        given: 'Kim',
        birth: `19${30 + patient}0101`,
        sex: 'F',
      };
      const time = new Date(Date.UTC(2024, 0, 1) + i * 1_000).toISOString().replace(/\D/g, '').slice(0, 14);
      const stamp = { controlId: `KILL${i}`, time, facility: 'FEED' };
      const text =
        i % 2 === 0
          ? adt('A08', { ...person, street: `${i} Street` }, stamp)
          : oru({ id: person.id }, { order: `ORDER${i}`, code: '718-7', value: String(i) }, stamp);
      this.texts.push({ controlId: stamp.controlId, text });
    }
  }

  get count(): number {
    return this.#answered.size;
  }

  /** Sends what is not acknowledged. */
  send(port: number): void {
    const left = this.texts.filter(({ controlId }) => !this.#answered.has(controlId));
    this.#senders = Array.from({ length: connections }, (_, n) =>
      this.#sendOver(
        port,
        left.filter((_one, i) => i % connections === n),
      ),
    );
  }

  /** Resolves when so many messages are acknowledged. */
  acknowledged(count: number): Promise<void> {
    if (this.count >= count) return Promise.resolve();
    return new Promise((done) => this.#waiting.push({ count, done }));
  }

  /** Resolves when no connection sends any longer. */
  async stopped(): Promise<void> {
    await Promise.all(this.#senders);
  }

  async #sendOver(port: number, messages: { controlId: string; text: string }[]): Promise<void> {
    let client: MllpClient;
    try {
      client = await openMllp(port);
    } catch {
      return;
    }
    const open: Promise<void>[] = [];
    for (const { controlId, text } of messages) {
      client.send(text);
      open.push(client.answer().then((answer) => this.#take(controlId, answer)));
      if (open.length < windowPerConnection) continue;
      if (!(await settles(open.shift()!))) break;
    }
    await Promise.all(open.map(settles));
    client.end();
  }

  #take(controlId: string, answer: string): void {
    if (!answer.includes(`\rMSA|AA|${controlId}\r`))
      throw new Error('The answer is not the acknowledgement of the message.');
    this.#answered.add(controlId);
    for (const one of this.#waiting) if (this.count >= one.count) one.done();
    this.#waiting = this.#waiting.filter(({ count }) => this.count < count);
  }
}

/** The hub's process and its ports. */
class HubProcess {
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

  async kill(): Promise<void> {
    const child = this.#child!;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
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

async function inspect(
  url: string,
  dataDir: string,
  feed: Feed,
): Promise<Pick<KillResult, 'missing' | 'doubled' | 'unprocessed' | 'wrongFacts'>> {
  const token = await signToken(tokenKey(dataDir), { subject: 'soak', role: 'administrator', expiresInSeconds: 3_600 });
  const get = async (path: string) => {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    // biome-ignore lint/suspicious/noExplicitAny: answers of several shapes.
    return (await response.json()) as any;
  };
  const deadline = Date.now() + processedMs;
  while (Date.now() < deadline) {
    const { waiting, failed } = await get('/api/status');
    if (waiting + failed === 0) break;
    await sleep(100);
  }
  const states = new Map<string, string[]>();
  for (let before: string | null = ''; before !== null; ) {
    const page: { messages: { controlId: string; state: string }[]; next: string | null } = await get(
      `/api/messages?limit=200${before && `&before=${before}`}`,
    );
    for (const { controlId, state } of page.messages) states.set(controlId, [...(states.get(controlId) ?? []), state]);
    before = page.next;
  }
  const ids = feed.texts.map(({ controlId }) => controlId);
  const wrongFacts: string[] = [];
  const results = feed.texts.filter((_, i) => i % 2 === 1).length;
  const { total } = await get('/fhir/Observation?_summary=count');
  if (total !== results) wrongFacts.push(`${total} Observations of ${results} results`);
  for (let patient = 0; patient < Math.min(patients, Math.ceil(feed.texts.length / 2)); patient++) {
    const found = await get(`/fhir/Patient?family:exact=Killed${letters(patient)}`);
    const last = ids.findLastIndex((_, i) => i % 2 === 0 && Math.floor(i / 2) % patients === patient);
    const line = found.entry?.[0]?.resource.address?.[0]?.line?.[0];
    if (found.entry?.length !== 1 || line !== `${last} Street`)
      wrongFacts.push(`patient ${patient}: ${found.entry?.length} found, ${line}, and not ${last} Street`);
  }
  return {
    missing: ids.filter((id) => !states.has(id)),
    doubled: ids.filter((id) => (states.get(id)?.length ?? 0) > 1),
    unprocessed: ids.filter((id) => states.get(id)?.some((state) => state !== 'processed')),
    wrongFacts,
  };
}

function letters(n: number): string {
  return String.fromCharCode(97 + (n % 26), 97 + ((n * 7) % 26), 97 + ((n * 11) % 26));
}

async function settles(promise: Promise<void>): Promise<boolean> {
  try {
    await promise;
    return true;
  } catch (error) {
    if (!(error as Error).message.includes('closed')) throw error;
    return false;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Numbers from 0 to 1 drawn from a seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
