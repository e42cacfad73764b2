/**
 * Restores a back-up into an empty database: brings it to the schema of the back-up and puts all rows in by one
 * transaction, so that a restore that was interrupted leaves nothing that looks like a hub. Each table is held against
 * the number of its rows and its digest.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { DatabaseStartError, migrate, migrationsDirectory, openDatabase, readMigrations } from '../database/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import { patientClient, type Reached, rowsOf } from './backup.ts';
import { type BackupHead, type Frame, readBackup, type TableBegin, type TableEnd } from './file.ts';
import { SealedStreamError } from './sealed-stream.ts';
import { quoted, type SequencePlace, type Table, tablesOf, unfinishedTable } from './tables.ts';

export interface RestoreReport {
  head: BackupHead;
  tables: number;
  rows: number;
}

/**
 * Restores. @throws DatabaseStartError where the database is not empty or the hub does not know the back-up's schema;
 * KeyError, SealedStreamError where the file does not open; what is wrong with a row as PostgreSQL says it
 */
export async function restore(
  database: Reached,
  master: MasterKey,
  file: AsyncIterable<Buffer>,
  told: (end: TableEnd) => void = () => {},
): Promise<RestoreReport> {
  const { head, frames } = await readBackup(file, master);
  const client = await patientClient(database);
  try {
    await begin(client);
    await bringTo(database, head);
    await client.query('BEGIN');
    const tables = await tablesOf(client);
    await readied(client, tables, true);
    await client.query(`TRUNCATE ${tables.map(({ name }) => quoted(name)).join(', ')}`);
    const report = { head, tables: 0, rows: 0 };
    for await (const end of takenIn(client, tables, frames)) {
      report.tables++;
      report.rows += end.rows;
      told(end);
    }
    await readied(client, tables, false);
    await client.query(`DROP TABLE ${unfinishedTable}`);
    await client.query('COMMIT');
    await client.query('ANALYZE');
    return report;
  } finally {
    await client.end();
  }
}

/** Refuses a database that holds anything but an interrupted restore. */
async function begin(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'S', 'v', 'm', 'f')`,
  );
  const isBegun = rows.some(({ name }) => name === unfinishedTable);
  if (rows.length > 0 && !isBegun) {
    throw new DatabaseStartError(
      'A back-up is restored into an empty database only, and this one has tables: make a new one, or choose another --data-dir.',
    );
  }
  if (!isBegun) await client.query(`CREATE TABLE ${unfinishedTable} ()`);
}

async function bringTo(database: Reached, head: BackupHead): Promise<void> {
  const known = new Map(readMigrations(migrationsDirectory).map((one) => [one.number, one]));
  const unknown = head.schema.find(({ number, checksum }) => known.get(number)?.checksum !== checksum);
  if (unknown) {
    throw new DatabaseStartError(
      `The back-up has the migration ${unknown.name}, which this hub does not know: restore it with the hub that made it, or a newer one.`,
    );
  }
  const numbers = new Set(head.schema.map(({ number }) => number));
  const store = await openDatabase({ connection: database, maxConnections: 2 });
  try {
    await migrate(store, migrationsDirectory, ({ number }) => numbers.has(number));
  } finally {
    await store.close();
  }
}

/** Sets aside for a while what COPY does not do (row security) and what is about changes (triggers), or puts it back. */
async function readied(client: pg.Client, tables: readonly Table[], isAside: boolean): Promise<void> {
  const { rows } = await client.query<{ name: string; secured: boolean; triggers: boolean }>(
    `SELECT relname AS name, relrowsecurity AS secured,
            EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) AS triggers
     FROM pg_class c WHERE relnamespace = current_schema()::regnamespace AND relname = ANY ($1)`,
    [tables.map(({ name }) => name)],
  );
  for (const { name, secured, triggers } of rows) {
    if (secured) await client.query(`ALTER TABLE ${quoted(name)} ${isAside ? 'NO FORCE' : 'FORCE'} ROW LEVEL SECURITY`);
    if (triggers) await client.query(`ALTER TABLE ${quoted(name)} ${isAside ? 'DISABLE' : 'ENABLE'} TRIGGER USER`);
  }
}

async function* takenIn(
  client: pg.Client,
  tables: readonly Table[],
  frames: AsyncIterable<Frame>,
): AsyncGenerator<TableEnd> {
  const missing = new Set(tables.map(({ name }) => name));
  let open: Opened | undefined;
  for await (const { kind, bytes } of frames) {
    if (kind === 'D') await open!.take(bytes);
    else if (kind === 'T') open = new Opened(client, JSON.parse(bytes.toString()));
    else if (kind === 'E') {
      const end = JSON.parse(bytes.toString()) as TableEnd;
      await open!.end(end);
      missing.delete(end.name);
      yield end;
    } else if (kind === 'S') await setSequences(client, JSON.parse(bytes.toString()));
  }
  if (missing.size > 0) throw new SealedStreamError(`The back-up lacks the tables ${[...missing].join(', ')}.`);
}

/** A table that is being filled. */
class Opened {
  readonly #client: pg.Client;
  readonly #table: TableBegin;
  readonly #into: ReturnType<typeof copyFrom>;
  readonly #filled: Promise<void>;
  readonly #digest = createHash('sha256');

  constructor(client: pg.Client, table: TableBegin) {
    const columns = table.columns.map(quoted).join(', ');
    this.#client = client;
    this.#table = table;
    this.#into = client.query(copyFrom(`COPY ${quoted(table.name)} (${columns}) FROM STDIN (FORMAT binary)`));
    this.#filled = finished(this.#into);
    this.#filled.catch(() => {});
  }

  async take(bytes: Buffer): Promise<void> {
    this.#digest.update(bytes);
    if (!this.#into.write(bytes)) await Promise.race([once(this.#into, 'drain'), this.#filled]);
  }

  /** Ends the table, and holds what is in it against what was said of it. */
  async end({ name, rows, digest }: TableEnd): Promise<void> {
    this.#into.end();
    await this.#filled;
    if (this.#digest.digest('hex') !== digest) throw new SealedStreamError(`The rows of ${name} are not those it had.`);
    const found = createHash('sha256');
    for await (const bytes of rowsOf(this.#client, this.#table)) found.update(bytes);
    if (this.#into.rowCount !== rows || found.digest('hex') !== digest) {
      throw new SealedStreamError(`The rows of ${name} were restored as others than they were.`);
    }
  }
}

async function setSequences(client: pg.Client, places: readonly SequencePlace[]): Promise<void> {
  for (const { name, last, isCalled } of places) {
    await client.query('SELECT setval($1::regclass, $2::bigint, $3)', [quoted(name), last, isCalled]);
  }
}
