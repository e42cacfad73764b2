/** The database, reached or started and brought up to date, and the keys of what is sealed in it and of what the hub signs for itself. */

import { refuseUnfinished } from '../backup/index.ts';
import { type Database, DatabaseStartError, type EmbeddedDatabase, migrate, openDatabase } from '../database/index.ts';
import { masterKey, tokenKey } from '../secrets/index.ts';
import type { Wiring } from './wiring.ts';

export type Store = Awaited<ReturnType<typeof openStore>>;

/** @param own the embedded database, which is begun, where the operator names no other */
export async function openStore({ config, onStop }: Wiring, own: Promise<EmbeddedDatabase> | undefined) {
  const embedded = await own;
  if (embedded) onStop(() => embedded.stop());
  const reached = embedded?.connection ?? config.databaseUrl!;
  const database = await openDatabase({
    connection: reached,
    maxConnections: config.databaseConnections,
    statementTimeoutMs: config.statementTimeoutMs,
  });
  onStop(() => database.close());
  await refuseUnfinished(database);
  await migrate(database);
  const superuser = embedded && { ...embedded.superuser, database: embedded.connection.database };
  const master = masterKey(config.dataDir, await hasData(database));
  return { database, system: database.as('all'), reached, superuser, master, tokenKey: tokenKey(config.dataDir) };
}

/** Whether the database holds anything that was sealed, so that a lost key is noticed. */
async function hasData(database: Database): Promise<boolean> {
  const { rows } = await database.query(
    'SELECT EXISTS (SELECT 1 FROM home_key) OR EXISTS (SELECT 1 FROM message) OR EXISTS (SELECT 1 FROM oauth_key) OR EXISTS (SELECT 1 FROM index_key) AS found',
  );
  if (rows.length === 0) throw new DatabaseStartError('The database gave no answer.');
  return rows[0]!.found;
}
