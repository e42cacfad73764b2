/** What is known of back-ups: the last one, and the last time that one was tried. Lies in `hub_state`. */
import { type Database, DatabaseStartError, type Queryable } from '../database/index.ts';
import type { BackupReport } from './backup.ts';
import { unfinishedTable } from './tables.ts';

export interface Drill {
  at: string;
  /** When the back-up was made that was restored. */
  of: string;
  tables: number;
  rows: number;
  seconds: number;
}

export interface BackupState {
  last?: BackupReport;
  drill?: Drill;
}

/** The last back-up of this database and the last restore drill. */
export async function backupState(database: Queryable): Promise<BackupState> {
  const { rows } = await database.query(`SELECT key, value FROM hub_state WHERE key IN ('backup', 'restore-drill')`);
  const found = new Map(rows.map(({ key, value }) => [key as string, value]));
  return {
    ...(found.has('backup') ? { last: found.get('backup') } : {}),
    ...(found.has('restore-drill') ? { drill: found.get('restore-drill') } : {}),
  };
}

/** @throws DatabaseStartError where a restore into this database was interrupted */
export async function refuseUnfinished(database: Database): Promise<void> {
  const { rows } = await database.query('SELECT to_regclass($1) IS NOT NULL AS found', [unfinishedTable]);
  if (!rows[0]!.found) return;
  throw new DatabaseStartError(
    'A back-up was being restored into this database and that was interrupted: run causeway restore once more.',
  );
}
