/**
 * Fresh databases for integration tests: `await testDatabase()` in a test or a `beforeAll`. The migrations run once per
 * test run, into a template; each call clones it (some 50 ms).
 */

import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import type { ConnectionSettings } from './embedded.ts';
import { migrate, migrationsDirectory, readMigrations } from './migrate.ts';
import { type Database, openDatabase } from './pool.ts';

export interface TestDatabase {
  /** Sees all rows, whatever row security says. */
  database: Database;
  /** The same without a scope: the record's tables are empty. */
  unscoped: Database;
  /** For a second pool, or a hub in another process. */
  connection: ConnectionSettings;
  /** The same database as superuser, for what the hub's role may not do. */
  superuser: ConnectionSettings;
  /** Closes the pool and deletes the database. */
  drop(): Promise<void>;
}

/**
 * A database of its own with the migrations of a directory applied (the hub's, unless told otherwise; `null` for an
 * empty one), owned by the hub's ordinary role.
 */
export async function testDatabase(migrations: string | null = migrationsDirectory): Promise<TestDatabase> {
  const server = inject('databaseServer');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const template = migrations === null ? 'template0' : await migratedTemplate(server, migrations);
  await asSuperuser(server.superuser, (client) =>
    client.query(`create database ${name} owner ${server.connection.user} template ${template} strategy file_copy`),
  );
  const connection = { ...server.connection, database: name };
  const unscoped = await openDatabase({ connection, maxConnections: 8 });
  const database = unscoped.as('all');
  return {
    database,
    unscoped,
    connection,
    superuser: { ...server.superuser, database: name },
    drop: async () => {
      await database.close();
      await asSuperuser(server.superuser, (client) => client.query(`drop database ${name} with (force)`));
    },
  };
}

interface TestServer {
  connection: ConnectionSettings;
  superuser: ConnectionSettings;
}

async function migratedTemplate(server: TestServer, directory: string): Promise<string> {
  const checksums = readMigrations(directory).map(({ checksum }) => checksum);
  const name = `template_${createHash('sha256').update(checksums.join()).digest('hex').slice(0, 32)}`;
  await asSuperuser(server.superuser, async (client) => {
    await client.query('select pg_advisory_lock(1)');
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount) return;
    const unfinished = `${name}_unfinished`;
    await client.query(`drop database if exists ${unfinished} with (force)`);
    await client.query(`create database ${unfinished} owner ${server.connection.user} template template0`);
    const database = await openDatabase({ connection: { ...server.connection, database: unfinished } });
    try {
      await migrate(database, directory);
    } finally {
      await database.close();
    }
    await untilUnused(client, unfinished);
    await client.query(`alter database ${unfinished} rename to ${name}`);
  });
  return name;
}

/** A pool's connections end a moment after `close`; a database in use can be neither renamed nor cloned. */
async function untilUnused(client: pg.Client, name: string): Promise<void> {
  for (;;) {
    const { rowCount } = await client.query('select from pg_stat_activity where datname = $1', [name]);
    if (!rowCount) return;
  }
}

async function asSuperuser(
  connection: ConnectionSettings,
  run: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    await run(client);
  } finally {
    await client.end();
  }
}
