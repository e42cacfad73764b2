/**
 * Vitest's global set-up for integration tests: one throw-away server per run, stopped and deleted at its end. With
 * TEST_DATABASE_URL (a superuser, let in without a password) the tests run on that server, to try another version.
 */

import { chmodSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { type ConnectionSettings, startEmbeddedDatabase } from './embedded.ts';

declare module 'vitest' {
  interface ProvidedContext {
    databaseServer: { connection: ConnectionSettings; superuser: ConnectionSettings };
  }
}

const testRole = 'causeway_test';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const address = process.env.TEST_DATABASE_URL;
  if (address) {
    project.provide('databaseServer', await prepareServer(address));
    return async () => {};
  }
  const directory = mkdtempSync(join(placeOfServer(), 'causeway-test-'));
  chmodSync(directory, 0o755);
  const server = await startEmbeddedDatabase({ dataDir: join(directory, 'data'), durable: false });
  project.provide('databaseServer', { connection: server.connection, superuser: server.superuser });
  return async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
}

const roomBytes = 4 * 1024 ** 3;

/**
 * In memory where there is room. Databases come and go by the hundred, a thousand files each, and for each new file ext4
 * without a journal looks through all that were deleted in the minutes before: that took more than the tests.
 */
function placeOfServer(): string {
  const inMemory = '/dev/shm';
  try {
    const { bavail, bsize } = statfsSync(inMemory);
    if (Math.min(bavail * bsize, process.availableMemory()) >= roomBytes) return inMemory;
  } catch {
    // There is none.
  }
  return '/tmp';
}

/** Makes the ordinary role the tests run as. The server must let it in as it does the superuser. */
async function prepareServer(
  address: string,
): Promise<{ connection: ConnectionSettings; superuser: ConnectionSettings }> {
  const client = new pg.Client(address);
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_roles where rolname = $1', [testRole]);
    if (!rowCount) await client.query(`create role ${testRole} login nosuperuser nobypassrls`);
  } finally {
    await client.end();
  }
  const { host, port, user = '', database = '' } = client;
  return { superuser: { host, port, user, database }, connection: { host, port, user: testRole, database } };
}
