/** A whole hub on a folder and a PostgreSQL of its own, with accounts and direct access to its database. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser } from '../../hub/authorization/testing.ts';
import { type Database, openDatabase, startEmbeddedDatabase } from '../../hub/database/index.ts';
import { startHub } from '../../hub/main.ts';
import { callsOf, type HubCalls, type HubSettings, hubConfig } from '../../hub/testing-calls.ts';
import { Accounts } from '../../hub/trust/index.ts';

export interface AskedHub extends HubCalls {
  database: Database;
  dataDir: string;
  /** A browser in which a user of this role is signed in. */
  signedIn(role: 'clinician' | 'steward'): Promise<Browser>;
  stop(): Promise<void>;
}

const password = 'conformance-password';

export async function startAskedHub(settings: HubSettings = {}): Promise<AskedHub> {
  const dataDir = mkdtempSync(join(tmpdir(), 'causeway-conformance-'));
  // The database's own account has to get through, or its files lie elsewhere and stay when the directory goes.
  chmodSync(dataDir, 0o711);
  const embedded = await startEmbeddedDatabase({ dataDir, notice: () => {}, died: () => {} });
  const hub = await startHub(
    hubConfig(dataDir, embedded.connection, settings),
    { say: () => {}, count: () => {}, fail: () => {} },
    async () => undefined,
  );
  const database = await openDatabase({ connection: embedded.connection, maxConnections: 2 });
  const accounts = new Accounts(database);
  for (const role of ['clinician', 'steward'] as const) {
    await accounts.make({ username: `asked-${role}`, name: `A ${role}`, role, organization: 'Clinic' }, password);
  }
  const calls = callsOf(hub.url, dataDir);
  return {
    ...calls,
    database,
    dataDir,
    signedIn: async (role) => {
      const browser = new Browser(calls);
      await browser.signIn(`asked-${role}`, password);
      return browser;
    },
    stop: async () => {
      await hub.stop();
      await database.close();
      await embedded.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
