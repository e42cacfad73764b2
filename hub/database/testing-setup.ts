/** Vitest's global set-up for integration tests: one throw-away server per run, stopped and deleted at its end. */

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type ConnectionSettings, startEmbeddedDatabase } from './embedded.ts';

declare module 'vitest' {
  interface ProvidedContext {
    databaseServer: { connection: ConnectionSettings; superuser: ConnectionSettings };
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync('/tmp/causeway-test-');
  chmodSync(directory, 0o755);
  const server = await startEmbeddedDatabase({ dataDir: join(directory, 'data'), durable: false });
  project.provide('databaseServer', { connection: server.connection, superuser: server.superuser });
  return async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
}
