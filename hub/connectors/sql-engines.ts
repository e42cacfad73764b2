/**
 * Connections to legacy databases, each by its own client, which is loaded with the first run that needs it. Whatever the
 * engine: no statement writes, each has its time, and values come as text with all their digits.
 */
import { readFile } from 'node:fs/promises';
import { SourceFault } from './run.ts';
import type { ConnectorSecrets, SqlSettings } from './settings.ts';

export type SqlRow = { [column: string]: string | null };

export interface SqlConnection {
  rows(text: string, values: readonly string[]): Promise<SqlRow[]>;
  close(): Promise<void>;
}

const connectMs = 15_000;

/** @throws SourceFault where the database is not reached, or does not let the hub in */
export async function openSql(settings: SqlSettings, secrets: ConnectorSecrets): Promise<SqlConnection> {
  const { passwordFile, ca } = settings;
  const password = passwordFile === undefined ? (secrets.password ?? '') : (await fileText(passwordFile)).trimEnd();
  const authority = ca === undefined ? undefined : await fileText(ca);
  try {
    return await engines[settings.engine](settings, password, authority);
  } catch (error) {
    throw new SourceFault(`The database was not reached: ${codeOf(error)}.`);
  }
}

/** SQL Server's numbers for names and syntax; its client has one code for all errors, and others repeat values of rows. */
const namesOfSqlserver = [102, 105, 156, 195, 207, 208, 209, 229, 319, 1033, 4104, 8155, 8156];

/** What is wrong with a statement, without values: of names and syntax the database's own words help. */
export function statementFault(error: unknown): SourceFault {
  const code = codeOf(error);
  const isOfNames =
    /^(42|ER_(PARSE|BAD_FIELD|NO_SUCH|DUP_FIELD))/.test(code) ||
    (code === 'EREQUEST' && namesOfSqlserver.includes((error as { number?: number }).number ?? 0));
  const words = isOfNames && error instanceof Error ? `: ${error.message.slice(0, 300)}` : '';
  return new SourceFault(`The database did not answer the query (${code})${words}.`);
}

type Open = (settings: SqlSettings, password: string, ca: string | undefined) => Promise<SqlConnection>;

const engines: { [engine in SqlSettings['engine']]: Open } = {
  postgresql: openPostgresql,
  mysql: openMysql,
  sqlserver: openSqlserver,
};

async function openPostgresql(settings: SqlSettings, password: string, ca: string | undefined): Promise<SqlConnection> {
  const { default: pg } = await import('pg');
  const { host, port, database, username: user, tls, timeoutSeconds } = settings;
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password,
    ssl: tls ? { rejectUnauthorized: true, ...(ca && { ca }) } : false,
    connectionTimeoutMillis: connectMs,
    statement_timeout: timeoutSeconds * 1_000,
    query_timeout: timeoutSeconds * 1_000 + 5_000,
    options: '-c default_transaction_read_only=on -c datestyle=ISO,YMD',
    application_name: 'causeway connector',
    types: { getTypeParser: () => (text: string) => text } as never,
  });
  client.on('error', () => {});
  await client.connect();
  return {
    async rows(text, values) {
      await client.query('BEGIN READ ONLY');
      const { rows } = await client.query(text, [...values]);
      await client.query('COMMIT');
      return rows;
    },
    close: () => client.end().catch(() => {}),
  };
}

async function openMysql(settings: SqlSettings, password: string, ca: string | undefined): Promise<SqlConnection> {
  const { createConnection } = await import('mysql2/promise');
  const { host, port, database, username: user, tls, timeoutSeconds } = settings;
  const connection = await createConnection({
    host,
    port,
    database,
    user,
    password,
    ...(tls && { ssl: { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(ca && { ca }) } }),
    connectTimeout: connectMs,
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    multipleStatements: false,
  });
  connection.on('error', () => {});
  // MySQL counts in milliseconds, MariaDB in seconds; each knows its own variable only.
  await connection.query(`SET SESSION max_execution_time = ${timeoutSeconds * 1_000}`).catch(() => {});
  await connection.query(`SET SESSION max_statement_time = ${timeoutSeconds}`).catch(() => {});
  return {
    async rows(text, values) {
      await connection.query('START TRANSACTION READ ONLY');
      const [rows] = await connection.execute({ sql: text, timeout: timeoutSeconds * 1_000 + 5_000 }, [...values]);
      await connection.query('COMMIT');
      return (rows as { [column: string]: unknown }[]).map(asText);
    },
    close: () => connection.end().catch(() => {}),
  };
}

async function openSqlserver(settings: SqlSettings, password: string, ca: string | undefined): Promise<SqlConnection> {
  const { Connection, Request, TYPES } = await import('tedious');
  const { host, port, database, username: userName, tls, timeoutSeconds } = settings;
  const connection = new Connection({
    server: host,
    authentication: { type: 'default', options: { userName, password } },
    options: {
      port,
      database,
      encrypt: tls,
      trustServerCertificate: !tls,
      ...(ca && { cryptoCredentialsDetails: { ca } }),
      connectTimeout: connectMs,
      requestTimeout: timeoutSeconds * 1_000,
      readOnlyIntent: true,
      rowCollectionOnRequestCompletion: true,
      useColumnNames: false,
    },
  });
  connection.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
  return {
    rows: (text, values) =>
      new Promise((resolve, reject) => {
        const request = new Request(text, (error, _count, rows) => {
          if (error) reject(error);
          else resolve((rows as TediousColumn[][]).map(rowOfColumns));
        });
        for (const [i, value] of values.entries()) request.addParameter(`p${i + 1}`, TYPES.NVarChar, value);
        connection.execSql(request);
      }),
    close: async () => connection.close(),
  };
}

interface TediousColumn {
  metadata: { colName: string };
  value: unknown;
}

function rowOfColumns(columns: TediousColumn[]): SqlRow {
  return asText(Object.fromEntries(columns.map(({ metadata, value }) => [metadata.colName, value])));
}

function asText(row: { [column: string]: unknown }): SqlRow {
  const text = (value: unknown) => {
    if (value === null || value === undefined) return null;
    if (value instanceof Date) return value.toISOString();
    if (Buffer.isBuffer(value)) return `0x${value.toString('hex')}`;
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, text(value)]));
}

function codeOf(error: unknown): string {
  const { code, errno, name } = error as { code?: string; errno?: number; name?: string };
  return code ?? (errno === undefined ? (name ?? 'unknown') : String(errno));
}

async function fileText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => {
    throw new SourceFault('The file of the password or the authority cannot be read.');
  });
}
