/**
 * The kill test of the audit log: readers ask a hub that is killed, as is its database, and whose disk is filled, at moments
 * drawn from a seed. In the end everything that was answered must have its event, the log must be whole, and every checkpoint that anybody saw must be
 * one of its beginnings.
 */
import { rmSync } from 'node:fs';
import { readCheckpoint, readNote } from '@causeway/tlog';
import {
  type AuditedEvent,
  AuditLog,
  CheckpointFile,
  journalFolders,
  settleJournals,
  verifyDatabase,
} from '../audit/index.ts';
import { openDatabase, runningDatabase } from '../database/index.ts';
import { masterKey, signToken, tokenKey } from '../secrets/index.ts';
import { hubConfig } from '../testing-calls.ts';
import { dataFolder, generator, HubProcess, sleep } from './hub-under-test.ts';
import { SmallDisk } from './small-disk.ts';

export interface AuditKillResult {
  kills: number;
  /** How often the disk was full, and how often the hub ended of it and was started again, as a service is; undefined: not run. */
  fills: number | undefined;
  restarts: number;
  answered: number;
  /** Requests that were refused while the disk was full. */
  refused: number;
  /** What was answered and has no event. */
  unrecorded: number;
  checkpoints: number;
  events: number;
  /** What is wrong with the log. */
  wrong: string[];
  seconds: number;
}

const readers = 4;
const settleMs = 20_000;
/** The database of a new hub takes some 150. */
const diskMib = 400;
const mostLeft = 32_000;
const recoveryMs = 120_000;

export async function runAuditKillTest(options: {
  kills: number;
  /** How often the disk is filled; of 0 the hub's data lie on no disk of their own. */
  fills: number;
  seed: number;
  say?: (text: string) => void;
}): Promise<AuditKillResult> {
  const begun = performance.now();
  const random = generator(options.seed);
  let disk: SmallDisk | undefined;
  const dataDir = dataFolder((folder) => {
    if (options.fills > 0) disk = SmallDisk.mounted(folder, diskMib);
  });
  const hub = new HubProcess(hubConfig(dataDir, 'embedded', { logLevel: 'fatal' }));
  const seen = new Seen();
  try {
    await hub.start();
    const claims = { subject: 'soak', role: 'administrator', expiresInSeconds: 86_400 };
    const authorization = `Bearer ${await signToken(tokenKey(dataDir), claims)}`;
    await untilAnswered(hub.url, authorization);
    let [kills, fills, restarts, refused] = [options.kills, disk ? options.fills : 0, 0, 0];
    while (kills + fills > 0) {
      const stop = new AbortController();
      const reading = Array.from({ length: readers }, () => seen.read(hub.url, authorization, stop.signal));
      const looking = seen.look(hub.url, authorization, stop.signal);
      await sleep(300 + random() * 2_500);
      if (disk && random() * (kills + fills) < fills) {
        fills--;
        const before = seen.refused;
        disk.fill(Math.floor(random() * mostLeft));
        await sleep(1_000 + random() * 4_000);
        disk.free();
        const isBack = await within(recoveryMs, () => untilAnswered(hub.url, authorization, () => hub.isRunning));
        stop.abort();
        await Promise.all([...reading, looking]);
        refused += seen.refused - before;
        options.say?.(`filled the disk: ${seen.refused - before} refused, the hub ${isBack ? 'goes on' : 'ended'}`);
        if (isBack) continue;
        if (hub.isRunning) throw new Error('The hub gives nothing out after its disk is free again.');
        restarts++;
        await hub.start();
        continue;
      }
      kills--;
      const isDatabase = random() < 0.4;
      await (isDatabase ? hub.killDatabase() : hub.kill());
      stop.abort();
      await Promise.all([...reading, looking]);
      options.say?.(
        `killed the ${isDatabase ? 'database' : 'hub'}: ${seen.answered.size} answered, ${seen.checkpoints.size} checkpoints`,
      );
      if (random() < 0.25) await hub.killWhileStarting(random() * 1_500);
      await hub.start();
    }
    const done = { kills: options.kills, fills: disk ? options.fills : undefined, restarts, refused };
    if (disk && refused === 0) seen.wrong.push('The disk was filled, and nothing was refused.');
    return { ...done, ...(await judged(dataDir, seen)), seconds: (performance.now() - begun) / 1_000 };
  } finally {
    await hub.stop();
    disk?.unmount();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** What was answered, and the checkpoints that were served. */
class Seen {
  readonly answered = new Set<string>();
  readonly checkpoints = new Set<string>();
  refused = 0;
  #next = 0;
  readonly wrong: string[] = [];

  async read(url: string, authorization: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const path = `/Patient?identifier=urn:soak%7C${this.#next++}`;
      const status = await statusOf(`${url}/fhir${path}`, authorization);
      if (status === 200) this.answered.add(path);
      if (status !== undefined && status >= 500) this.refused++;
      if (status === undefined) await sleep(20);
    }
  }

  async look(url: string, authorization: string, signal: AbortSignal): Promise<void> {
    let before = 0;
    while (!signal.aborted) {
      const answer = await fetch(`${url}/audit/checkpoint`, { headers: { authorization } }).catch(() => undefined);
      const note = answer?.status === 200 ? await answer.text().catch(() => undefined) : undefined;
      if (note !== undefined) {
        const { size } = readCheckpoint(readNote(note).text);
        if (size < before) this.wrong.push(`A checkpoint of ${size} came after one of ${before}.`);
        before = size;
        this.checkpoints.add(note);
      }
      await sleep(100);
    }
  }
}

async function judged(dataDir: string, seen: Seen) {
  const running = (await runningDatabase(dataDir))!;
  const database = await openDatabase({ connection: running.connection, maxConnections: 4 });
  try {
    const master = masterKey(dataDir, true);
    const audit = new AuditLog(database, master);
    const journals = { database, audit, master, ...journalFolders(dataDir), isAlone: false };
    const frames = await settleJournals(journals, settleMs);
    const until = performance.now() + settleMs;
    while ((await audit.status()).waiting > 0 && performance.now() < until) await sleep(200);
    const own = await new CheckpointFile(dataDir).read();
    const { finding, size } = await verifyDatabase(database.as('all'), {
      published: [...seen.checkpoints, ...(own === undefined ? [] : [own])],
    });
    const recorded = new Set<string | undefined>();
    let doubled = 0;
    for (let after: string | undefined; ; ) {
      const page: { events: AuditedEvent[]; next?: string } = await audit.eventsOf({
        limit: 5_000,
        ...(after ? { after } : {}),
      });
      for (const { entry } of page.events) {
        const what = entry.what && decodeURIComponent(entry.what);
        // Each address was asked for once.
        if (what?.includes('urn:soak') && recorded.has(what)) doubled++;
        recorded.add(what);
      }
      after = page.next;
      if (!after) break;
    }
    const { waiting } = await audit.status();
    return {
      answered: seen.answered.size,
      unrecorded: [...seen.answered].filter((path) => !recorded.has(decodeURIComponent(path))).length,
      checkpoints: seen.checkpoints.size,
      events: size,
      wrong: [
        ...seen.wrong,
        ...(finding ? [finding.text] : []),
        ...(frames > 0 ? [`${frames} frames of the journal are not in the log.`] : []),
        ...(doubled > 0 ? [`${doubled} accesses are twice in the log.`] : []),
        ...(waiting > 0 ? [`${waiting} events got no number.`] : []),
      ],
    };
  } finally {
    await database.close();
  }
}

/** Returns whether it was answered before what is asked ended. */
async function untilAnswered(url: string, authorization: string, isRunning = () => true): Promise<boolean> {
  while ((await statusOf(`${url}/fhir/Patient?_count=1`, authorization)) !== 200) {
    if (!isRunning()) return false;
    await sleep(100);
  }
  return true;
}

/** False where it takes longer. */
async function within(ms: number, done: () => Promise<boolean>): Promise<boolean> {
  const late = new AbortController();
  const timer = new Promise<false>((resolve) => {
    const timeout = setTimeout(() => resolve(false), ms);
    late.signal.addEventListener('abort', () => clearTimeout(timeout));
  });
  return Promise.race([done(), timer]).finally(() => late.abort());
}

/** The status of a whole answer; undefined where there was none. */
async function statusOf(url: string, authorization: string): Promise<number | undefined> {
  try {
    const answer = await fetch(url, { headers: { authorization } });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return undefined;
  }
}
