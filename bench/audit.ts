/**
 * `npm run bench:audit`: what the audit log costs. What recording adds to a read, and what it is of a create; how quickly
 * a log of many events is sequenced, verified, exported and proved. README.md says what is compared.
 */
import { createWriteStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import {
  AuditLog,
  CheckpointFile,
  type Entry,
  exported,
  Journal,
  journalFolders,
  Sequencer,
  verifyDatabase,
  verifyExport,
} from '../hub/audit/index.ts';
import type { Database } from '../hub/database/index.ts';
import { fixedMasterKey, newDataKey } from '../hub/secrets/index.ts';
import { AccessLog, accessOf } from '../hub/trust/index.ts';
import { type Client, startClient } from './client/start.ts';
import { type Figures, fhirTarget, measureFhir, type Subject } from './measure.ts';
import { withDatabase } from './parts/database.ts';
import { isFailure, rounded } from './report.ts';
import { startHub } from './server/hub.ts';
import { machine, versions } from './server/machine.ts';
import { untilQuiet, usageOf } from './server/usage.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '6' },
    journal: { type: 'string', default: 'disk' },
    json: { type: 'string' },
  },
});
const clients = 8;
const perRow = 50;
const persons = 2_000;
const proofs = 300;
const rounds = 6;

const master = fixedMasterKey(newDataKey());
const results: Record<string, number> = {};
await withDatabase(async (database, postmaster) => {
  await recording(database, postmaster);
  if (values.events !== '0') await log(database, Number(values.events));
});
await whole();
for (const [name, value] of Object.entries(results)) console.log(`${name.padEnd(34)} ${rounded(value)}`);
if (values.json) {
  const file = {
    machine: machine(),
    versions: versions(undefined),
    date: new Date().toISOString(),
    options: { ...values, json: undefined },
    results,
  };
  writeFileSync(values.json, `${JSON.stringify(file, undefined, 2)}\n`);
}

/** What recording takes, beside a bare commit of one row and the form of the record before: in turns, twice each. */
async function recording(database: Database, postmaster: number): Promise<void> {
  const audit = new AuditLog(database, master);
  const place = mkdtempSync(join(tmpdir(), 'causeway-bench-journal-'));
  const journal = new Journal({
    ...{ database, audit, master, ...journalFolders(place), isAlone: true, isFirst: values.journal === 'disk' },
    ...{ told: console.error, fault: console.error },
  });
  await journal.open();
  const accessLog = new AccessLog(database, audit, journal);
  const access = accessOf({ username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' });
  await database.query(
    'CREATE TABLE bench_before (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT now(), entries jsonb)',
  );
  const entry = (i: number) => ({
    action: 'read',
    what: `/Observation/${'0'.repeat(8)}-0000-7000-8000-${String(i).padStart(12, '0')}`,
    status: 200,
    patients: [`person-${i % persons}`],
  });
  const forms: [name: string, record: (i: number) => Promise<unknown>][] = [
    ['audit', (i) => accessLog.record(access, entry(i))],
    [
      'bare',
      () => database.query({ name: 'bare', text: 'INSERT INTO bench_before (entries) VALUES ($1)', values: ['[]'] }),
    ],
  ];
  for (let i = 0; i < persons; i += 100)
    await Promise.all(Array.from({ length: 100 }, (_, k) => accessLog.record(access, entry(i + k))));
  const took: Record<string, { cpu: number[]; p50: number[] }> = {};
  for (let round = 0; round < 2; round++) {
    for (const [name, record] of forms) {
      const times: number[] = [];
      const before = usageOf(process.pid, postmaster);
      const until = performance.now() + (Number(values.seconds) * 1_000) / 2;
      let next = 0;
      await Promise.all(
        Array.from({ length: clients }, async () => {
          while (performance.now() < until) {
            const begun = performance.now();
            await record(next++);
            times.push(performance.now() - begun);
          }
        }),
      );
      await journal.settle();
      const after = usageOf(process.pid, postmaster);
      const cpu = after.hubCpuMs - before.hubCpuMs + after.postgresCpuMs - before.postgresCpuMs;
      took[name] ??= { cpu: [], p50: [] };
      const noted = took[name];
      noted.cpu.push(cpu / times.length);
      noted.p50.push(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!);
    }
  }
  await accessLog.close();
  rmSync(place, { recursive: true, force: true });
  results.record_cpu_ms = mean(took.audit!.cpu);
  results.record_p50_ms = mean(took.audit!.p50);
  results.bare_commit_p50_ms = mean(took.bare!.p50);
}

/** A log of many events. */
async function log(database: Database, events: number): Promise<void> {
  const audit = new AuditLog(database, master);
  const directory = mkdtempSync(join(tmpdir(), 'causeway-bench-audit-'));
  const file = new CheckpointFile(directory);
  const sequencer = () => new Sequencer({ database, master, file, host: 'bench', fault: console.error });
  try {
    const begun = sequencer();
    await begun.start();
    await begun.stop();
    let made = 0;
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (; made < events; ) {
          const from = made;
          made += perRow;
          const entries = Array.from({ length: perRow }, (_, i) => entryOf(from + i));
          await database.query(await audit.insertion(entries));
        }
      }),
    );
    const first = sequencer();
    const sequenced = await timed(() => first.sequence());
    results.sequenced_per_s = sequenced.result / sequenced.seconds;
    const whole = await timed(() => verifyDatabase(database));
    if (whole.result.finding) throw new Error(whole.result.finding.text);
    results.events = whole.result.size;
    results.verified_database_per_s = whole.result.size / whole.seconds;
    results.verified_database_per_hub_cpu_s = whole.result.size / whole.cpuSeconds;
    const path = join(directory, 'export');
    const wrote = await timed(() => pipeline(Readable.from(exported(database)), createWriteStream(path)));
    results.exported_per_s = whole.result.size / wrote.seconds;
    results.export_bytes_per_event = statSync(path).size / whole.result.size;
    const again = await timed(() => verifyExport(path));
    if (again.result.finding) throw new Error(again.result.finding.text);
    results.verified_export_per_s = again.result.size / again.seconds;
    results.verified_export_per_cpu_s = again.result.size / again.cpuSeconds;
    const times: number[] = [];
    let longest = 0;
    for (let i = 0; i < proofs; i++) {
      const proof = await timed(() => audit.proof(Math.floor((whole.result.size * (i + 0.5)) / proofs)));
      times.push(proof.seconds * 1_000);
      longest = Math.max(longest, proof.result!.length);
    }
    results.proof_p50_ms = times.toSorted((a, b) => a - b)[Math.floor(proofs / 2)]!;
    results.proof_p95_ms = times.toSorted((a, b) => a - b)[Math.floor(proofs * 0.95)]!;
    results.proof_bytes = longest;
    await database.query(await audit.insertion(Array.from({ length: 1_000 }, (_, i) => entryOf(i))));
    const next = sequencer();
    results.start_and_sequence_s = (await timed(() => next.sequence())).seconds;
    const from = { size: whole.result.size, root: whole.result.root };
    const since = await timed(() => verifyDatabase(database, { from }));
    if (since.result.finding) throw new Error(since.result.finding.text);
    results.verified_incrementally_s = since.seconds;
    const { rows } = await database.query(
      `SELECT pg_total_relation_size('access_log') + pg_total_relation_size('audit_about')
            + pg_total_relation_size('audit_place') + pg_total_relation_size('audit_tile') AS bytes`,
    );
    results.stored_bytes_per_event = rows[0]!.bytes / (whole.result.size + 1_000);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * What recording adds to a whole read, beside a hub that records none, and one that waits for the disk as long, in turns; and what
 * it is of a whole create.
 */
async function whole(): Promise<void> {
  const client = startClient();
  const audited = await filledHub(client);
  const flushed = await filledHub(client, 'flush');
  const unaudited = await filledHub(client, 'nothing');
  try {
    const figures: Record<string, Figures[]> = {
      read: [],
      flushed: [],
      unaudited: [],
      read_alone: [],
      flushed_alone: [],
      unaudited_alone: [],
      create: [],
    };
    for (let round = 0; round < rounds; round++) {
      figures.read!.push(await measured('read', client, audited));
      figures.flushed!.push(await measured('read', client, flushed));
      figures.unaudited!.push(await measured('read', client, unaudited));
      figures.read_alone!.push(await measured('read', client, audited, 1));
      figures.flushed_alone!.push(await measured('read', client, flushed, 1));
      figures.unaudited_alone!.push(await measured('read', client, unaudited, 1));
    }
    figures.create!.push(await measured('create', client, audited));
    for (const [name, all] of Object.entries(figures)) {
      results[`${name}_cpu_ms`] = median(all.map((one) => one.cpu_ms_per_op!));
      results[`${name}_p50_ms`] = median(all.map((one) => one.p50_ms!));
    }
    const { read_cpu_ms: read, unaudited_cpu_ms: without, create_cpu_ms: create, record_cpu_ms: record } = results;
    results.read_audit_adds_percent = 100 * (read! / without! - 1);
    results.read_beyond_flush_adds_percent = (100 * (read! - results.flushed_cpu_ms!)) / without!;
    results.read_waits_group_commits = (results.read_p50_ms! - results.unaudited_p50_ms!) / results.bare_commit_p50_ms!;
    results.read_alone_waits_ms = results.read_alone_p50_ms! - results.unaudited_alone_p50_ms!;
    results.create_audit_adds_percent = (100 * record!) / (create! - record!);
  } finally {
    client.stop();
    await Promise.all([audited, flushed, unaudited].map(({ hub }) => hub.stop()));
  }
}

async function filledHub(client: Client, insteadOfRecording?: 'nothing' | 'flush') {
  const words = ['--access-journal', values.journal];
  const hub = await startHub({ words, ...(insteadOfRecording ? { insteadOfRecording } : {}) });
  const subject: Subject = { base: hub.base, token: hub.token, run: `a${Date.now().toString(36)}`, hub };
  const stories = { kind: 'stories', people: 20, from: 0, visits: [8, 14], namesakes: 0 } as const;
  const { patients } = await client.call('fill', fhirTarget(subject), stories);
  await untilQuiet(hub.pid, hub.postmaster);
  return { hub, subject, known: await client.call('sample', fhirTarget(subject), patients, 100, []) };
}

async function measured(
  name: 'read' | 'create',
  client: Client,
  { subject, known }: Awaited<ReturnType<typeof filledHub>>,
  by = clients,
): Promise<Figures> {
  const work = { name, clients: [by], known, synthea: undefined };
  const effort = { seconds: Number(values.seconds) / rounds, warmSeconds: 0.5 };
  const figures = await measureFhir(work, client, subject, effort);
  if (isFailure(figures as never)) throw new Error(JSON.stringify(figures));
  return figures;
}

function entryOf(i: number): Entry {
  return {
    at: new Date(1_760_000_000_000 + i).toISOString(),
    who: `user-${i % 200}`,
    role: 'clinician',
    organization: 'clinic',
    purpose: 'TREAT',
    action: 'read',
    what: `/Observation/00000000-0000-7000-8000-${String(i).padStart(12, '0')}`,
    status: 200,
    patients: [`person-${i % persons}`],
  };
}

async function timed<T>(run: () => Promise<T>): Promise<{ result: T; seconds: number; cpuSeconds: number }> {
  const begun = performance.now();
  const before = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: (performance.now() - begun) / 1_000, cpuSeconds: (user + system) / 1e6 };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b) / numbers.length;
}
