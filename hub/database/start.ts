/** The database as the hub wants it: embedded or one's own, reached, migrated and ready. */

import { startEmbeddedDatabase } from './embedded.ts';
import { migrate } from './migrate.ts';
import { type Database, openDatabase } from './pool.ts';

export interface DatabaseOptions {
  dataDir: string;
  /** A PostgreSQL of one's own; undefined: the embedded server. */
  databaseUrl?: string | undefined;
  databaseConnections?: number;
  statementTimeoutMs?: number;
  notice?: (text: string) => void;
  /** Called once when the embedded server ends without having been asked to. */
  died?: (reason: string) => void;
}

export interface RunningDatabase {
  database: Database;
  /** The process number of the embedded server. */
  serverPid: number | undefined;
  /** Closes the pool and, when it is embedded, stops the server. */
  stop(): Promise<void>;
}

/** Starts or reaches the database and brings its schema up to date. Throws DatabaseStartError; nothing is left running. */
export async function startDatabase(options: DatabaseOptions): Promise<RunningDatabase> {
  const embedded = options.databaseUrl ? undefined : await startEmbeddedDatabase(options);
  let database: Database | undefined;
  try {
    database = await openDatabase({
      connection: embedded?.connection ?? options.databaseUrl!,
      maxConnections: options.databaseConnections,
      statementTimeoutMs: options.statementTimeoutMs,
    });
    const applied = await migrate(database);
    if (applied.length > 0) options.notice?.(`Schema brought to ${applied.at(-1)}.`);
  } catch (error) {
    await database?.close();
    await embedded?.stop();
    throw error;
  }
  const opened = database;
  return {
    database,
    serverPid: embedded?.pid,
    stop: async () => {
      await Promise.race([opened.close(), new Promise((done) => setTimeout(done, 3000).unref())]);
      await embedded?.stop();
    },
  };
}
