/** A durable embedded database of the hub's schema, for parts that are measured without a hub around them. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, migrate, openDatabase, startEmbeddedDatabase } from '../../hub/database/index.ts';
import { useDefinitions } from '../../hub/record/index.ts';

/** Runs something on a fresh database, which is gone afterwards; the definitions are loaded. */
export async function withDatabase<T>(run: (database: Database, postmaster: number) => Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'causeway-bench-'));
  // The database's own account has to get through, or its files lie elsewhere and stay when the directory goes.
  chmodSync(dataDir, 0o711);
  const server = await startEmbeddedDatabase({ dataDir });
  let database: Database | undefined;
  try {
    database = await openDatabase({ connection: server.connection });
    await migrate(database);
    await useDefinitions(join(tmpdir(), 'causeway-bench'));
    return await run(database.as('all'), server.pid);
  } finally {
    await database?.close();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
