/**
 * What very many waiting deliveries cost a hub: one site takes nothing, and what waits for it is real deliveries, multiplied in
 * the table. Told are the hub's memory, what it takes to start with them, and what each costs once the site takes them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Database, openDatabase, runningDatabase } from '../../hub/database/index.ts';
import { claim, nextDue } from '../../hub/outbox/testing.ts';
import { adt, oru } from '../../hub/testing-messages.ts';
import { percentiles } from '../client/load.ts';
import { type BenchHub, startHub } from '../server/hub.ts';
import { memoryOf, untilQuiet, usageOf } from '../server/usage.ts';
import { asKnown } from './invented-people.ts';
import { Lab } from './lab.ts';
import { call } from './region.ts';
import { SiteSystem } from './site-system.ts';

const people = 200;
const reportsOfEach = 5;
const written = people * reportsOfEach;
const drainSeconds = 20;
const claims = 20;
const patienceMs = 240_000;
/** Of all that the record wrote, multiplied by one statement. */
const roundsAtOnce = 50;

export interface WaitingResult {
  [waiting: string]: {
    hub_mib: number;
    postgres_mib: number;
    memory: 'pss' | 'rss';
    /** Of the deliveries with their indexes. */
    table_mib: number;
    claim_p50_ms: number;
    next_due_p50_ms: number;
    restart_ms: number;
    /** From the start of the hub's process until the site had the first of what waited. */
    first_delivery_ms: number;
    drained_per_s: number;
    drain_cpu_ms: number;
    /** Its most while it drained. */
    draining_hub_mib: number;
    faults: number;
  };
}

export async function waiting(sizes: readonly number[]): Promise<WaitingResult> {
  const site = await SiteSystem.open('mllp');
  let hub = await startHub();
  const dataDir = hub.dataDir;
  const result: WaitingResult = {};
  try {
    await site.become('refuses connections');
    await prepare(hub, site);
    for (const size of sizes) {
      const [table_mib, costs] = await withRunning(dataDir, async (database) => {
        await untilWritten(database);
        await fill(database, size);
        return [await tableMib(database), await costsOf(database)] as const;
      });
      await untilQuiet(hub.pid, hub.postmaster);
      await hub.stop('kept');
      const begun = performance.now();
      hub = await startHub({ dataDir });
      await untilQuiet(hub.pid, hub.postmaster);
      const { hubMib, postgresMib, kind } = memoryOf(hub.pid, hub.postmaster);
      await hub.stop('kept');
      site.lines.length = 0;
      await site.become('answers');
      const startedAt = performance.now();
      hub = await startHub({ dataDir });
      while (site.lines.length === 0) {
        if (performance.now() - startedAt > patienceMs) throw new Error('Nothing of what waited came.');
        await delay(5);
      }
      const first_delivery_ms = site.lines[0]!.at - startedAt;
      await untilDraining(site);
      const [before, had] = [usageOf(hub.pid, hub.postmaster), site.lines.length];
      let most = 0;
      const from = performance.now();
      while (performance.now() - from < drainSeconds * 1_000 && site.lines.length < size) {
        await delay(500);
        most = Math.max(most, memoryOf(hub.pid, hub.postmaster).hubMib);
      }
      const after = usageOf(hub.pid, hub.postmaster);
      const drained = site.lines.length - had;
      const cpu = after.hubCpuMs - before.hubCpuMs + after.postgresCpuMs - before.postgresCpuMs;
      result[size] = {
        hub_mib: hubMib,
        postgres_mib: postgresMib,
        memory: kind,
        table_mib,
        ...costs,
        restart_ms: hub.firstAnswerMs,
        first_delivery_ms,
        drained_per_s: drained / ((performance.now() - from) / 1_000),
        drain_cpu_ms: cpu / drained,
        draining_hub_mib: most,
        faults: disordered(site),
      };
      console.error(JSON.stringify({ [size]: result[size], seconds: (performance.now() - begun) / 1_000 }));
      await site.become('refuses connections');
    }
    return result;
  } finally {
    await hub.stop();
    await site.close();
  }
}

/** Makes a site known with its people, and reports of each that the site cannot be told of. */
async function prepare(hub: BenchHub, site: SiteSystem): Promise<void> {
  const authority = (key: string) => ({
    name: key,
    sendingFacility: key.toUpperCase(),
    identifierSystem: `urn:bench:${key}`,
    identifierAuthority: key.toUpperCase(),
  });
  const endpoint = { dialect: 'hl7v2', host: '127.0.0.1', port: site.port };
  await call(hub, 'PUT', '/api/participants/site', { ...authority('site'), kind: 'hospital', endpoint });
  await call(hub, 'PUT', '/api/participants/lab', { ...authority('lab'), kind: 'lab' });
  for (const key of ['site', 'lab'])
    await call(hub, 'PUT', `/api/participants/${key}/settings`, {
      identifierSystems: { [key.toUpperCase()]: `urn:bench:${key}` },
    });
  const lab = await Lab.open(hub.mllp);
  const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  for (let person = 0; person < people; person++) {
    const stamp = { controlId: `A${person}`, facility: 'SITE', time };
    lab.send(-1, person, adt('A04', asKnown(person, 'SITE'), stamp));
    for (let i = 0; i < reportsOfEach; i++) {
      const order = `BX-${String(person * reportsOfEach + i).padStart(9, '0')}`;
      const stated = { order, code: '718-7', value: String(i) };
      lab.send(-1, person, oru(asKnown(person, 'LAB'), stated, { controlId: order, facility: 'LAB' }));
    }
  }
  await lab.answered();
  lab.close();
}

async function withRunning<T>(dataDir: string, run: (database: Database) => Promise<T>): Promise<T> {
  const running = await runningDatabase(dataDir);
  if (!running) throw new Error('The database of the hub does not run.');
  const database = await openDatabase({ connection: running.connection, statementTimeoutMs: 0 });
  try {
    return await run(database.as('all'));
  } finally {
    await database.close();
  }
}

async function untilWritten(database: Database): Promise<void> {
  for (const until = performance.now() + patienceMs; ; await delay(250)) {
    const { rows } = await database.query('SELECT count(*) AS n FROM delivery');
    if (Number(rows[0]!.n) >= written) return;
    if (performance.now() > until) throw new Error(`Only ${rows[0]!.n} deliveries were written.`);
  }
}

/** So many wait: each of those that the record wrote again and again, about the same and to the same, told anew each time. */
async function fill(database: Database, size: number): Promise<void> {
  await database.query('DELETE FROM delivery WHERE round > 1');
  await database.query(
    `UPDATE delivery SET state = 'waiting', attempts = 0, leased = false, next_attempt = now(), last_error = NULL`,
  );
  const text = `INSERT INTO delivery (id, created, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
       focus_version, message, recipient, recipient_home, round, priority, state, next_attempt)
     SELECT uuidv7(), created, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
       focus_version, message, recipient, recipient_home, round + i, priority, 'waiting', now()
     FROM generate_series($1::integer, $2::integer) AS i, (SELECT * FROM delivery WHERE round = 1) AS d ORDER BY i, d.seq`;
  const rounds = Math.round(size / written) - 1;
  for (let from = 1; from <= rounds; from += roundsAtOnce)
    await database.query(text, [from, Math.min(from + roundsAtOnce - 1, rounds)]);
  await database.query('VACUUM ANALYZE delivery');
}

async function tableMib(database: Database): Promise<number> {
  const { rows } = await database.query(`SELECT pg_total_relation_size('delivery') AS bytes`);
  return Number(rows[0]!.bytes) / 1024 ** 2;
}

/** What the hub's questions cost; nothing of what is claimed here stays claimed. */
async function costsOf(database: Database): Promise<{ claim_p50_ms: number; next_due_p50_ms: number }> {
  const lane = { destination: 'site', route: 'main' };
  const [claimed, asked]: number[][] = [[], []];
  for (let i = 0; i < claims; i++) {
    const begun = performance.now();
    await claim(database, lane, 32);
    claimed!.push(performance.now() - begun);
    const next = performance.now();
    await nextDue(database, lane, new Date());
    asked!.push(performance.now() - next);
    await database.query(`UPDATE delivery SET leased = false, attempts = 0, next_attempt = now() WHERE leased`);
  }
  return { claim_p50_ms: percentiles(claimed!).p50_ms, next_due_p50_ms: percentiles(asked!).p50_ms };
}

/** The first are slower: what composes messages is loaded. */
async function untilDraining({ lines }: SiteSystem): Promise<void> {
  const until = performance.now() + patienceMs;
  while (lines.length < 100 && performance.now() < until) await delay(20);
}

/** Of each person each report comes before the next one, and then all of them again. */
function disordered({ lines }: SiteSystem): number {
  const count = new Map<number, number>();
  let wrong = 0;
  for (const { result } of lines) {
    const person = Math.floor(result / reportsOfEach);
    const nth = count.get(person) ?? 0;
    if (result % reportsOfEach !== nth % reportsOfEach) wrong++;
    count.set(person, nth + 1);
  }
  return wrong;
}
