/**
 * A back-up: all tables as they stood at one moment, while the hub goes on working. Rows go from PostgreSQL into the sealed
 * file as they come.
 */
import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { MasterKey } from '../secrets/index.ts';
import { type Frame, type FrameKind, type TableEnd, writeBackup } from './file.ts';
import { migrationTable, quoted, sequencesOf, tablesOf } from './tables.ts';

/** How a database is reached; an address, or the driver's terms. */
export type Reached = string | { host: string; port: number; user: string; database: string };

export interface BackupReport {
  created: string;
  keyKeptAt: string;
  tables: number;
  rows: number;
  /** Of the file. */
  bytes: number;
}

/** Writes a back-up of a database, and notes in it that there is one. @param keyKeptAt where the master key is kept */
export async function backUp(
  database: Reached,
  master: MasterKey,
  keyKeptAt: string,
  to: Writable,
  told: (end: TableEnd) => void = () => {},
): Promise<BackupReport> {
  const client = await patientClient(database);
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query(
      `SELECT now() AS now, current_setting('server_version') AS postgres,
              (SELECT json_agg(m ORDER BY m.number) FROM (SELECT number, name, checksum FROM ${migrationTable}) m) AS schema`,
    );
    const { now, postgres, schema } = rows[0];
    const head = { created: now.toISOString(), keyKeptAt, schema, postgres };
    const report = { created: head.created, keyKeptAt, tables: 0, rows: 0, bytes: 0 };
    const counted = (end: TableEnd) => {
      report.tables++;
      report.rows += end.rows;
      told(end);
    };
    report.bytes = await writeBackup(head, framesOf(client, counted), master, to);
    await client.query('COMMIT');
    await client.query(
      `INSERT INTO hub_state (key, value) VALUES ('backup', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      [JSON.stringify(report)],
    );
    return report;
  } finally {
    await client.end();
  }
}

/** By which connections of back-ups are known to the database. */
export const backupName = 'causeway back-up';

/** A connection that sees all rows and may take its time. */
export async function patientClient(database: Reached): Promise<pg.Client> {
  const client = new pg.Client({
    ...(typeof database === 'string' ? { connectionString: database } : database),
    application_name: backupName,
    options: '-c causeway.homes=all -c statement_timeout=0 -c lock_timeout=0 -c synchronize_seqscans=off',
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** The rows of a table, as COPY gives them. */
export function rowsOf(
  client: pg.Client,
  { name, columns }: { name: string; columns: string[] },
): AsyncIterable<Buffer> {
  const list = columns.map(quoted).join(', ');
  return client.query(copyTo(`COPY (SELECT ${list} FROM ${quoted(name)}) TO STDOUT (FORMAT binary)`));
}

async function* framesOf(client: pg.Client, ended: (end: TableEnd) => void): AsyncGenerator<Frame> {
  for (const table of await tablesOf(client)) {
    yield json('T', table);
    const digest = createHash('sha256');
    for await (const bytes of rowsOf(client, table)) {
      digest.update(bytes);
      yield { kind: 'D', bytes };
    }
    const count = await client.query(`SELECT count(*) AS rows FROM ${quoted(table.name)}`);
    const end: TableEnd = { name: table.name, rows: Number(count.rows[0].rows), digest: digest.digest('hex') };
    ended(end);
    yield json('E', end);
  }
  yield json('S', await sequencesOf(client));
  yield json('Z', {});
}

function json(kind: FrameKind, value: unknown): Frame {
  return { kind, bytes: Buffer.from(JSON.stringify(value)) };
}
