/** What tests ask of the record of accesses. */
import type { Database } from '../database/index.ts';
import { fixedMasterKey, type MasterKey, masterKey } from '../secrets/index.ts';
import { AuditLog } from './audit-log.ts';
import { journalFolders, settleJournals } from './journal-found.ts';
import type { AuditedEvent } from './reader.ts';

/** The master key of audit logs that belong to no hub. */
const testMaster = fixedMasterKey(Buffer.alloc(32, 7));

export function testAudit(database: Database, master: MasterKey = testMaster): AuditLog {
  return new AuditLog(database, master);
}

/** The accesses after a row, in their order. */
export async function accessesIn(
  database: Database,
  master: MasterKey = testMaster,
  since = 0,
): Promise<AccessInTest[]> {
  const audit = testAudit(database, master);
  const events: AuditedEvent[] = [];
  for (let after: string | undefined; ; ) {
    const page = await audit.eventsOf({ limit: 1_000, ...(after ? { after } : {}) });
    events.push(...page.events);
    after = page.next;
    if (!after || events.at(-1)!.row <= since) break;
  }
  return events
    .filter(({ row }) => row > since)
    .reverse()
    .map(({ entry }) => ({ ...entry, who: entry.who!, what: entry.what! }));
}

type AccessInTest = AuditedEvent['entry'] & { who: string; what: string };

/** A hub whose record of accesses is looked at from outside. */
interface RecordingHub {
  test: { database: Database };
  config: { dataDir: string };
}

/** The accesses that a hub recorded after a row. */
export async function accessesOf(hub: RecordingHub, since = 0): Promise<AccessInTest[]> {
  return accessesIn(hub.test.database, await settledRecord(hub), since);
}

/** The last row of what a hub recorded by now. */
export async function lastRowOf(hub: RecordingHub): Promise<number> {
  await settledRecord(hub);
  const { rows } = await hub.test.database.query('SELECT coalesce(max(id), 0) AS id FROM access_log');
  return rows[0]!.id;
}

/** Waits until what a hub wrote into its journal by now is in the table; returns the hub's master key. */
async function settledRecord({ test: { database }, config: { dataDir } }: RecordingHub): Promise<MasterKey> {
  const master = masterKey(dataDir, true);
  const parts = { database, audit: testAudit(database, master), master, ...journalFolders(dataDir), isAlone: false };
  const waiting = await settleJournals(parts, settleMs);
  if (waiting > 0) throw new Error(`${waiting} frames of the journal are not in the table after ${settleMs} ms.`);
  return master;
}

const settleMs = 30_000;

/** How many events a hub recorded by now. */
export async function eventCountOf(hub: RecordingHub): Promise<number> {
  await settledRecord(hub);
  return eventCount(hub.test.database);
}

/** How many events there are in the database. */
export async function eventCount(database: Database): Promise<number> {
  const { rows } = await database.query('SELECT coalesce(sum(count), 0)::int AS n FROM access_log');
  return rows[0]!.n;
}
