/** What tests ask of the record of accesses. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../database/index.ts';
import { fixedMasterKey, type MasterKey, masterKey } from '../secrets/index.ts';
import { AuditLog } from './audit-log.ts';
import { type Frame, readJournalFile } from './journal-file.ts';
import { journalFolders, settleJournals } from './journal-found.ts';
import { eventsOfPayload } from './journal-rows.ts';
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

/** How many events a hub recorded by now, in its journal or in the table. */
export async function eventCountOf({ test: { database }, config: { dataDir } }: RecordingHub): Promise<number> {
  const master = masterKey(dataDir, true);
  const { folder } = journalFolders(dataDir);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.journal')) : [];
  const written = names.flatMap((name) => readJournalFile(join(folder, name), master) ?? []);
  const { rows } = await database.query<{ n: number; taken: Record<string, number> }>(
    `SELECT (SELECT coalesce(sum(count), 0)::int FROM access_log) AS n,
            (SELECT coalesce(json_object_agg(id, taken), '{}') FROM access_journal) AS taken`,
  );
  const { n, taken } = rows[0]!;
  const waiting = written.flatMap(({ id, frames }) => frames.filter(({ number }) => number > (taken[id] ?? 0)));
  const countOf = ({ kind, payload }: Frame) =>
    kind === 'entries' ? JSON.parse(payload.toString()).length : eventsOfPayload(payload).length;
  return waiting.reduce((sum, frame) => sum + countOf(frame), n);
}
