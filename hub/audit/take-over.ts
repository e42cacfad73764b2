/** Takes over rows of accesses from before the audit log, oldest first, in steps: it goes on where it was stopped. */
import { type Database, locks } from '../database/index.ts';
import type { AuditLog } from './audit-log.ts';
import type { Entry } from './event.ts';

const rowsAtOnce = 100;

/** @param told how many rows are done */
export async function takeOver(
  database: Database,
  audit: AuditLog,
  told: (rows: number) => void = () => {},
): Promise<void> {
  for (let done = 0; ; ) {
    const rows = await step(database, audit);
    if (rows === 0) return;
    done += rows;
    told(done);
  }
}

/** Returns how many rows it took. */
function step(database: Database, audit: AuditLog): Promise<number> {
  return database.transaction(async (transaction) => {
    await transaction.query('SELECT pg_advisory_xact_lock($1)', [locks.auditTakeOver]);
    const { rows: tables } = await transaction.query(`SELECT to_regclass('access_log_before') IS NOT NULL AS found`);
    if (!tables[0]!.found) return 0;
    const { rows } = await transaction.query<{ id: number; at: Date; entries: Entry[] }>(
      `SELECT id, at, entries FROM access_log_before
       WHERE id > coalesce((SELECT max(id) FROM access_log WHERE id <= (SELECT max(id) FROM access_log_before)), 0)
         AND entries <> '[]' ORDER BY id LIMIT ${rowsAtOnce}`,
    );
    for (const { id, at, entries } of rows) transaction.send(await audit.insertion(entries, { id, at }));
    // With the table goes what stood in it in plain.
    if (rows.length === 0) await transaction.query('DROP TABLE access_log_before');
    return rows.length;
  });
}
