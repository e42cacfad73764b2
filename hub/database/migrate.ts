/**
 * Migrations: numbered SQL files, forward only, each in a transaction of its own together with the row that records it,
 * so that an interrupted run goes on where it stopped. One hub at a time migrates (advisory lock).
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { DatabaseStartError } from './errors.ts';
import type { Database } from './pool.ts';

/** The hub's own migrations: `hub/database/migrations/NNNN-name.sql`. */
export const migrationsDirectory = join(import.meta.dirname, 'migrations');

export interface Migration {
  number: number;
  /** `NNNN-name`. */
  name: string;
  sql: string;
  /** SHA-256 of the text, in hexadecimal. */
  checksum: string;
}

/** Any constant does, as long as every hub uses the same one: "causeway" read as a 64-bit number, kept below 2^63. */
const lockKey = '7161126432826646905';

/**
 * Brings the schema up to date and returns the names of the migrations that were applied. Throws DatabaseStartError
 * when a file is misnamed or missing, when an applied one was changed since, or when its SQL fails (the failed one is
 * rolled back, those before it stay).
 * @param isWanted which of them, where not all
 */
export async function migrate(
  database: Database,
  directory: string = migrationsDirectory,
  isWanted: (migration: Migration) => boolean = () => true,
): Promise<string[]> {
  const migrations = readMigrations(directory);
  const client = await database.pool.connect();
  try {
    // A crash may lose the last of them, which are then applied again: only the last one waits for the disk, for all.
    await client.query("set statement_timeout = 0; set lock_timeout = '60s'; set synchronous_commit = off");
    await client.query(`select pg_advisory_lock(${lockKey})`);
    await checkMayCreate(client);
    const applied = await appliedMigrations(client);
    checkHistory(migrations, applied);
    const pending = migrations.filter((one) => !applied.has(one.number) && isWanted(one));
    for (const migration of pending) {
      if (migration === pending.at(-1)) await client.query('reset synchronous_commit');
      await apply(client, migration);
    }
    return pending.map(({ name }) => name);
  } finally {
    // Closing the connection gives the lock back and forgets its settings.
    client.release(true);
  }
}

/** The migrations of a directory in their order; throws DatabaseStartError on a wrong name or a doubled number. */
export function readMigrations(directory: string): Migration[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.sql'));
  const migrations = names.sort().map((file) => {
    const match = /^(\d{4})-[a-z0-9-]+\.sql$/.exec(file);
    if (!match) throw new DatabaseStartError(`The migration ${file} is misnamed: NNNN-some-name.sql is expected.`);
    const sql = readFileSync(join(directory, file), 'utf8');
    const checksum = createHash('sha256').update(sql).digest('hex');
    return { number: Number(match[1]), name: file.slice(0, -4), sql, checksum };
  });
  for (const [index, { number, name }] of migrations.entries()) {
    if (number === migrations[index - 1]?.number) {
      throw new DatabaseStartError(`Two migrations have the number of ${name}: give one of them the next free number.`);
    }
  }
  return migrations;
}

async function checkMayCreate(client: pg.PoolClient): Promise<void> {
  const { rows } = await client.query<{ role: string; base: string; schema: string | null; may: boolean | null }>(
    `select current_user as role, current_database() as base, current_schema() as schema,
            has_schema_privilege(current_schema(), 'create') as may`,
  );
  const { role, base, schema, may } = rows[0]!;
  if (may) return;
  throw new DatabaseStartError(
    `The role ${role} may not make tables in the database ${base}: make it the owner (ALTER DATABASE ${base} OWNER TO ${role};) or allow it (GRANT CREATE, USAGE ON SCHEMA ${schema ?? 'public'} TO ${role};).`,
  );
}

async function appliedMigrations(client: pg.PoolClient): Promise<Map<number, { name: string; checksum: string }>> {
  await client.query(
    `create table if not exists schema_migration (
       number integer primary key,
       name text not null,
       checksum text not null,
       applied_at timestamptz not null default now()
     )`,
  );
  const { rows } = await client.query('select number, name, checksum from schema_migration');
  return new Map(rows.map((row) => [row.number, row]));
}

function checkHistory(migrations: Migration[], applied: Map<number, { name: string; checksum: string }>): void {
  const newest = migrations.at(-1)?.number ?? 0;
  for (const [number, { name, checksum }] of applied) {
    const file = migrations.find((migration) => migration.number === number);
    if (!file && number > newest) {
      throw new DatabaseStartError(
        `The database was brought to migration ${name} by a newer hub, and this one knows migrations up to ${newest}: start the newer hub.`,
      );
    }
    if (!file) throw new DatabaseStartError(`The database has the migration ${name}, and its file is missing.`);
    if (file.checksum !== checksum) {
      throw new DatabaseStartError(
        `The migration ${file.name} was changed after it had been applied: restore its file, and put the change in a migration of its own.`,
      );
    }
  }
}

async function apply(client: pg.PoolClient, { number, name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query('begin');
    await client.query(sql);
    await client.query('insert into schema_migration (number, name, checksum) values ($1, $2, $3)', [
      number,
      name,
      checksum,
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    const { message, position } = error as { message: string; position?: string };
    const line = position ? ` (line ${sql.slice(0, Number(position)).split('\n').length})` : '';
    throw new DatabaseStartError(`The migration ${name} failed${line} and was rolled back: ${message}.`);
  }
}
