/** `causeway backup` and `causeway restore`. */
import {
  chmodSync,
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { AuditLog, journalFolders, settleJournals } from '../audit/index.ts';
import { type Config, ConfigError } from '../config.ts';
import { DatabaseStartError, openDatabase, runningDatabase, startEmbeddedDatabase } from '../database/index.ts';
import { type MasterKey, masterKey } from '../secrets/index.ts';
import { type BackupReport, backUp, patientClient, type Reached } from './backup.ts';
import { restore } from './restore.ts';
import { SealedStreamError } from './sealed-stream.ts';
import type { Drill } from './state.ts';

/** Says something to the operator; not on the standard output, on which a back-up may go. */
type Say = (line: string) => void;

/** Backs up a hub's database, whether or not the hub works. @param target a file, or `-` for the standard output */
export async function backupCommand(config: Config, target: string, keyKeptAt: string, say: Say): Promise<number> {
  return told(say, async () => {
    const master = masterKey(config.dataDir, true);
    await withDatabase(config, say, async (database) => {
      await bringInJournals(config, database, master, say);
      const write = (to: Writable) => backUp(database, master, keyKeptAt, to);
      const report = target === '-' ? await write(process.stdout) : await intoFile(target, write);
      say(
        `Backed up ${report.rows} rows of ${report.tables} tables (${sizeText(report.bytes)}). The master key is not in it: ${keyKeptAt}`,
      );
    });
  });
}

/** Restores a back-up into an empty database. @param source a file, or `-` for the standard input */
export async function restoreCommand(config: Config, source: string, say: Say): Promise<number> {
  return told(say, async () => {
    const master = masterKey(config.dataDir, true);
    await withDatabase(config, say, async (database) => {
      const { head, tables, rows } = await restore(database, master, bytesOf(source));
      say(`Restored ${rows} rows of ${tables} tables as they were at ${head.created}. Start the hub now.`);
    });
  });
}

/** Restores a back-up into a database that is thrown away again, and notes in the hub's own that this went well. */
export async function drillCommand(config: Config, source: string, say: Say): Promise<number> {
  return told(say, async () => {
    const master = masterKey(config.dataDir, true);
    const folder = mkdtempSync(join(config.dataDir, 'restore-drill-'));
    if (process.getuid?.() === 0) chmodSync(folder, 0o755);
    const begun = Date.now();
    try {
      const drill = await inThrowAway(folder, async (database) => {
        const { head, tables, rows } = await restore(database, master, bytesOf(source));
        const seconds = Math.round((Date.now() - begun) / 1000);
        return { at: new Date().toISOString(), of: head.created, tables, rows, seconds } satisfies Drill;
      });
      await withDatabase(config, say, (database) => noteDrill(database, drill));
      say(`The back-up of ${drill.of} restores: ${drill.rows} rows of ${drill.tables} tables in ${drill.seconds} s.`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

const journalMs = 5_000;

/** Accesses that hubs wrote into the folder's journals and nowhere else yet are to be in the back-up. */
async function bringInJournals({ dataDir }: Config, reached: Reached, master: MasterKey, say: Say): Promise<void> {
  const opened = await openDatabase({ connection: reached, maxConnections: 3 });
  const database = opened.as('all');
  try {
    const { rows } = await database.query(`SELECT to_regclass('access_journal') IS NOT NULL AS found`);
    if (!rows[0]!.found) return;
    const audit = new AuditLog(database, master);
    const waiting = await settleJournals(
      { database, audit, master, ...journalFolders(dataDir), isAlone: false },
      journalMs,
    );
    if (waiting > 0)
      say(`Accesses in ${journalFolders(dataDir).folder} are not in this back-up: their record cannot be written.`);
  } finally {
    await opened.close();
  }
}

/** The database of a hub: one's own, that of a hub that works, or one that is started for as long as it takes. */
export async function withDatabase<T>(config: Config, say: Say, run: (database: Reached) => Promise<T>): Promise<T> {
  if (config.databaseUrl !== undefined) return run(config.databaseUrl);
  const running = await runningDatabase(config.dataDir);
  if (running) return run(running.connection);
  const started = await startEmbeddedDatabase({ dataDir: config.dataDir, notice: say });
  try {
    return await run(started.connection);
  } finally {
    await started.stop();
  }
}

async function inThrowAway<T>(folder: string, run: (database: Reached) => Promise<T>): Promise<T> {
  const started = await startEmbeddedDatabase({ dataDir: folder, durable: false });
  try {
    return await run(started.connection);
  } finally {
    await started.stop();
  }
}

/** Notes that a back-up was restored to try it. */
export async function noteDrill(database: Reached, drill: Drill): Promise<void> {
  const client = await patientClient(database);
  try {
    await client.query(
      `INSERT INTO hub_state (key, value) VALUES ('restore-drill', $1)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      [JSON.stringify(drill)],
    );
  } finally {
    await client.end();
  }
}

/** Writes a file that is there whole or not at all, on the disk, for its owner alone. */
async function intoFile(path: string, write: (to: Writable) => Promise<BackupReport>): Promise<BackupReport> {
  if (existsSync(path)) throw new ConfigError(`${path} is there already: name another file.`);
  const unfinished = `${path}.unfinished`;
  try {
    const report = await write(createWriteStream(unfinished, { mode: 0o600 }));
    const descriptor = openSync(unfinished, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(unfinished, path);
    return report;
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

function bytesOf(source: string): Readable {
  if (source !== '-' && !existsSync(source)) throw new ConfigError(`There is no file ${source}.`);
  return source === '-' ? process.stdin : createReadStream(source, { highWaterMark: 1024 * 1024 });
}

async function told(say: Say, run: () => Promise<void>): Promise<number> {
  try {
    await run();
    return 0;
  } catch (error) {
    if (!(error instanceof SealedStreamError || error instanceof DatabaseStartError)) throw error;
    say(`causeway: ${error.message}`);
    return 1;
  }
}

function sizeText(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
