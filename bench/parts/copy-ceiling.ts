/**
 * How close ingest is to the limit: the rate of transactions through a hub against the rate at which PostgreSQL's COPY
 * (binary) writes the very same rows, bodies and index rows, into the same tables of an empty database of the same
 * server. Both begin with empty tables and commit durably; one is measured right after the other.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { migrate, openDatabase } from '../../hub/database/index.ts';
import type { Client } from '../client/start.ts';
import { withUsage } from '../measure.ts';
import { type BenchHub, startHub } from '../server/hub.ts';
import { usageOf } from '../server/usage.ts';

export interface CopyCeiling {
  /** Rate of ingest, and of COPY in its fastest arrangement; resources per second. */
  ingest_per_s: number;
  copy_per_s: number;
  /** The first as a share of the second. */
  ratio: number;
  ingest_cpu_ms_per_op: number;
  ingest_postgres_cpu_ms_per_op: number;
  /** PostgreSQL's CPU a resource in the fastest arrangement. */
  copy_postgres_cpu_ms_per_op: number;
  /** Rates of COPY by number of connections. */
  copy_by_connections: Record<string, number>;
  resources: number;
  /** Rows of each table a resource. */
  rows_per_resource: Record<string, number>;
  bytes_per_resource: number;
}

const clients = 8;
/** How many at once: one for each core, and half and twice as many. */
const connections = [1, 2, 4];
/** How many resources one transaction of COPY writes, about. */
const perTransaction = 1_000;
const emptyDatabase = 'bench_copy';

/** Ingests some resources, then copies their rows. */
export async function copyCeiling(client: Client, effort: { copied: number }): Promise<CopyCeiling> {
  const hub = await startHub();
  try {
    const target = { base: hub.base, token: hub.token, run: 'copy' };
    const known = { patients: [], namesakes: [] };
    await client.call('prepareFhir', { name: 'ingest', target, clients, known, synthea: undefined }, 0);
    const ingest = await withUsage(hub, clients, () => client.call('runUnits', effort.copied));
    const rows = await readRows(hub);
    const resources = rows.find(({ table }) => table === 'resource')!.rows;
    const byConnections = new Map<number, { rate: number; cpuMs: number }>();
    for (const count of connections) byConnections.set(count, await copy(hub, rows, resources, count));
    const fastest = [...byConnections.values()].toSorted((a, b) => b.rate - a.rate)[0]!;
    return {
      ingest_per_s: ingest.rate_per_s!,
      copy_per_s: fastest.rate,
      ratio: ingest.rate_per_s! / fastest.rate,
      ingest_cpu_ms_per_op: ingest.cpu_ms_per_op!,
      ingest_postgres_cpu_ms_per_op: ingest.postgres_cpu_ms_per_op!,
      copy_postgres_cpu_ms_per_op: fastest.cpuMs,
      copy_by_connections: Object.fromEntries([...byConnections].map(([count, { rate }]) => [count, rate])),
      resources,
      rows_per_resource: Object.fromEntries(rows.map(({ table, rows }) => [table, rows / resources])),
      bytes_per_resource: rows.reduce((sum, { bytes }) => sum + bytes, 0) / resources,
    };
  } finally {
    await hub.stop();
  }
}

/** The rows of a table in COPY's binary form, in parts that follow the order in which they were written. */
interface TableRows {
  table: string;
  columns: string;
  rows: number;
  bytes: number;
  parts: Buffer[];
}

/** Reads what ingest wrote of resources: the table of resources and the tables by which they are found. */
async function readRows(hub: BenchHub): Promise<TableRows[]> {
  return connected(hub, 'causeway', async (database) => {
    const { rows } = await database.query<{ name: string; columns: string }>(`
      SELECT c.relname AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND (c.relname = 'resource' OR c.relname LIKE 'index\\_%')
        AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      GROUP BY c.relname ORDER BY c.relname = 'resource' DESC, c.relname`);
    const tables: TableRows[] = [];
    const resources = await count(database, 'resource');
    const parts = Math.max(1, Math.round(resources / perTransaction));
    for (const { name, columns } of rows) {
      const found = await count(database, name);
      if (found === 0) continue;
      const table: TableRows = { table: name, columns, rows: found, bytes: 0, parts: [] };
      for (let part = 0; part < parts; part++) {
        const bytes = await readPart(database, name, columns, part, parts);
        table.bytes += bytes.length;
        table.parts.push(bytes);
      }
      tables.push(table);
    }
    return tables;
  });
}

async function count(database: pg.Client, table: string): Promise<number> {
  const { rows } = await database.query<{ count: string }>(`SELECT count(*) AS count FROM ${table}`);
  return Number(rows[0]!.count);
}

/** The pages of one part of a table. */
async function readPart(database: pg.Client, table: string, columns: string, part: number, parts: number) {
  const { rows } = await database.query<{ pages: string }>(`SELECT pg_relation_size($1) / 8192 AS pages`, [table]);
  const page = (at: number) => `'(${Math.floor((Number(rows[0]!.pages) * at) / parts)},0)'::tid`;
  const statement = `SELECT ${columns} FROM ${table} WHERE ctid >= ${page(part)} AND ctid < ${page(part + 1)}`;
  const chunks: Buffer[] = [];
  for await (const chunk of database.query(copyTo(`COPY (${statement}) TO STDOUT (FORMAT binary)`))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Writes all rows into an empty database, some connections at once; each transaction a part of every table. */
async function copy(
  hub: BenchHub,
  tables: TableRows[],
  resources: number,
  connections: number,
): Promise<{ rate: number; cpuMs: number }> {
  await connected(hub, 'postgres', async (server) => {
    await server.query(`DROP DATABASE IF EXISTS ${emptyDatabase}`);
    await server.query(`CREATE DATABASE ${emptyDatabase} OWNER causeway`);
    await server.query('CHECKPOINT');
  });
  const database = await openDatabase({
    connection: { ...addressOf(hub), user: 'causeway', database: emptyDatabase },
  });
  await migrate(database);
  await database.close();
  const before = usageOf(process.pid, hub.postmaster).postgresCpuMs;
  const begun = performance.now();
  let next = 0;
  const parts = tables[0]!.parts.length;
  await Promise.all(
    Array.from({ length: connections }, () =>
      connected(hub, emptyDatabase, async (writer) => {
        for (let part = next++; part < parts; part = next++) await copyPart(writer, tables, part);
      }),
    ),
  );
  const seconds = (performance.now() - begun) / 1000;
  const cpuMs = (usageOf(process.pid, hub.postmaster).postgresCpuMs - before) / resources;
  return { rate: resources / seconds, cpuMs };
}

async function copyPart(writer: pg.Client, tables: TableRows[], part: number): Promise<void> {
  await writer.query('BEGIN');
  for (const { table, columns, parts } of tables) {
    const stream = writer.query(copyFrom(`COPY ${table} (${columns}) FROM STDIN (FORMAT binary)`));
    await pipeline([parts[part]!], stream);
  }
  await writer.query('COMMIT');
}

/** Runs something on a connection of the server's superuser, whom row security does not concern. */
async function connected<T>(hub: BenchHub, database: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...addressOf(hub), user: superuser, database });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

const superuser = 'postgres';

/** Where the hub's server listens, from its own note of it (postmaster.pid: port in line 4, socket directory in 5). */
function addressOf({ postmaster }: BenchHub): { host: string; port: number } {
  if (postmaster === undefined) throw new Error('The hub has no PostgreSQL of its own.');
  const words = readFileSync(`/proc/${postmaster}/cmdline`, 'utf8').split('\0');
  const directory = words[words.indexOf('-D') + 1]!;
  const lines = readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n');
  return { host: lines[4]!, port: Number(lines[3]) };
}
