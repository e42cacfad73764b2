/** The embedded server of a hub that works, for a command that is given beside it. */
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { superuserRole } from './cluster.ts';
import { type ConnectionSettings, hubRole, port } from './embedded.ts';

/** How the server that works on a data directory is reached, as the hub's role and as superuser; undefined where none does. */
export async function runningDatabase(
  dataDir: string,
): Promise<{ connection: ConnectionSettings; superuser: ConnectionSettings } | undefined> {
  const host = socketDirectory(dataDir);
  if (host === undefined) return undefined;
  const connection = { host, port, user: hubRole, database: hubRole };
  const client = new pg.Client(connection);
  client.on('error', () => {});
  try {
    await client.connect();
    return { connection, superuser: { ...connection, user: superuserRole } };
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => {});
  }
}

function socketDirectory(dataDir: string): string | undefined {
  try {
    const settings = readFileSync(join(realpathSync(join(dataDir, 'postgres')), 'settings', 'postgresql.conf'), 'utf8');
    return /^unix_socket_directories = '(.*)'$/m.exec(settings)?.[1]?.replaceAll("''", "'");
  } catch {
    return undefined;
  }
}
