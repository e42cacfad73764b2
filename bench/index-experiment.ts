/**
 * How should what resources are found by be indexed? Two designs over the same rows in the same embedded PostgreSQL:
 * narrow rows in a b-tree, and an array in a GIN index; and what texts cost compressed or not. Run:
 * `npx causeway-node bench/index-experiment.ts [--people N]`; writes `results/index-experiment.json`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase, startEmbeddedDatabase } from '../hub/database/index.ts';
import { percentiles } from './client/load.ts';
import { type Design, designs, makeTables, secureRows, sizes, tablesOf, writeBatch } from './experiment/designs.ts';
import { shapes } from './experiment/shapes.ts';
import { type Known, type SourceRow, sourceRows } from './experiment/source.ts';
import { storageExperiment } from './experiment/storage.ts';
import { rounded } from './report.ts';
import { load, machine, versions } from './server/machine.ts';
import { usageOf } from './server/usage.ts';

const option = process.argv.indexOf('--people');
const people = option > 0 ? Number(process.argv[option + 1]) : 100;
const perTransaction = 160;
const searches = 60;
const readers = ['no row security', 'row security, all homes', 'row security, 50 homes'] as const;
type Reader = (typeof readers)[number];

const dataDir = mkdtempSync(join(tmpdir(), 'causeway-index-'));
const server = await startEmbeddedDatabase({ dataDir });
const database = await openDatabase({ connection: server.connection, maxConnections: 1 });
try {
  const begun = { machine: machine(), versions: versions(server.pid), date: new Date().toISOString() };
  console.log(`${begun.machine.cores} × ${begun.machine.cpu}, load ${begun.machine.load_1min}`);
  const { rows, known } = await sourceRows(database, people);
  console.log(`${rows.length} resources of ${people} people`);
  const results: Record<string, object> = {};
  for (const design of designs) {
    const made = designs.find(({ schema }) => schema === design.schema)!;
    const write = made === design ? await measureWrites(database, design, rows) : { as: made.name };
    console.log(design.name, write);
    results[design.name] = { says: design.says, write, search: {} };
  }
  for (const reader of readers) await measureSearches(reader, known, results as never);
  const storage = rounded(await storageExperiment(database, server.pid, people));
  console.table(storage);
  const written = { ...begun, load_at_end: load(), people, resources: rows.length, designs: results, storage };
  writeFileSync(join(import.meta.dirname, 'results/index-experiment.json'), `${JSON.stringify(written, null, 2)}\n`);
} finally {
  await database.close();
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

async function measureWrites(to: Database, design: Design, rows: SourceRow[]): Promise<Record<string, unknown>> {
  await makeTables(to, design);
  const wal = await walPosition(to);
  const before = usageOf(process.pid, server.pid);
  const begun = performance.now();
  for (let from = 0; from < rows.length; from += perTransaction) {
    await to.transaction((transaction) => writeBatch(transaction, design, rows.slice(from, from + perTransaction)));
  }
  const seconds = (performance.now() - begun) / 1000;
  const walAfter = await walPosition(to);
  for (const table of tablesOf(design)) await to.query(`VACUUM ANALYZE ${design.schema}.${table}`);
  const after = usageOf(process.pid, server.pid);
  const bytes = await sizes(to, design);
  const found = Object.entries(bytes).filter(([name]) => /^(index_token|resource_tokens)/.test(name));
  return rounded({
    resources_per_s: rows.length / seconds,
    node_cpu_ms: (after.hubCpuMs - before.hubCpuMs) / rows.length,
    postgres_cpu_ms: (after.postgresCpuMs - before.postgresCpuMs) / rows.length,
    wal_bytes: (walAfter - wal) / rows.length,
    token_index_bytes: found.reduce((sum, [, size]) => sum + size, 0) / rows.length,
    total_bytes: Object.values(bytes).reduce((sum, size) => sum + size, 0) / rows.length,
    load_1min: load(),
  });
}

async function walPosition(from: Database): Promise<number> {
  const { rows } = await from.query(`SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS at`);
  return rows[0]!.at;
}

type Results = Record<string, { search: Record<string, Record<string, object>> }>;

async function measureSearches(reader: Reader, known: Known, results: Results): Promise<void> {
  const some = known.patients.slice(0, 50).map(({ home }) => home);
  await database.query(`SET causeway.homes = '${reader === 'row security, 50 homes' ? some.join(',') : 'all'}'`);
  if (reader === 'row security, all homes') {
    const schemas = new Map(designs.map((design) => [design.schema, design]));
    for (const design of schemas.values()) await secureRows(database, design);
  }
  for (const design of designs) {
    for (const shape of shapes) {
      const figures = await measureShape((turn) => shape.statement(design, known, turn));
      const { search } = results[design.name]!;
      search[shape.name] = { ...search[shape.name], [reader]: figures };
      console.log(`${reader} | ${design.name} | ${shape.name} | ${JSON.stringify(figures)}`);
    }
  }
}

async function measureShape(statement: (turn: number) => { text: string; values: unknown[] }): Promise<object> {
  let found = 0;
  const latencies: number[] = [];
  for (let turn = 0; turn < 5; turn++) await database.query(statement(turn));
  const before = usageOf(process.pid, server.pid);
  for (let turn = 0; turn < searches; turn++) {
    const asked = statement(turn);
    const begun = performance.now();
    const { rows } = await database.query(asked);
    latencies.push(performance.now() - begun);
    found += 'count' in (rows[0] ?? {}) ? Number(rows[0]!.count) : rows.length;
  }
  const after = usageOf(process.pid, server.pid);
  return rounded({
    p50_ms: percentiles(latencies).p50_ms,
    postgres_cpu_ms: (after.postgresCpuMs - before.postgresCpuMs) / searches,
    rows: found / searches,
  });
}
