import { spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startEmbeddedDatabase } from './embedded.ts';
import { openDatabase } from './pool.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync('/tmp/causeway-embedded-');
  chmodSync(directory, 0o755);
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Processes that stand in the data directory: what is left of a server. */
function serverProcesses(dataDir: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && standsIn(entry, dataDir))
    .map(Number);
}

function standsIn(pid: string, dataDir: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(dataDir);
  } catch {
    return false;
  }
}

async function untilNone(dataDir: string): Promise<number> {
  const begun = performance.now();
  while (serverProcesses(dataDir).length > 0 && performance.now() - begun < 15_000) await delay(20);
  return serverProcesses(dataDir).length;
}

/** A hub of its own process that has written a row and waits. */
async function hubProcess(dataDir: string) {
  const script = `
    import { startEmbeddedDatabase, openDatabase } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
    const server = await startEmbeddedDatabase({ dataDir: ${JSON.stringify(dataDir)} });
    const database = await openDatabase({ connection: server.connection });
    await database.query('create table if not exists kept (n int)');
    await database.query('insert into kept values (1)');
    console.log('ready');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((done) => child.stdout.once('data', () => done()));
  return child;
}

describe('the embedded server', () => {
  test('keeps its data over a stop, and gives the hub an ordinary role', async () => {
    const first = await startEmbeddedDatabase({ dataDir: directory });
    const database = await openDatabase({ connection: first.connection });
    await database.query('create table kept as select 1 as n');
    await expect(openDatabase({ connection: first.superuser })).rejects.toThrow(/is a superuser/);
    await database.close();
    await first.stop();
    expect(serverProcesses(directory)).toEqual([]);
    const second = await startEmbeddedDatabase({ dataDir: directory });
    const again = await openDatabase({ connection: second.connection });
    const { rows } = await again.query(
      `select n, current_setting('fsync') as fsync, current_setting('data_checksums') as sums,
              current_setting('listen_addresses') as tcp from kept`,
    );
    expect(rows).toEqual([{ n: 1, fsync: 'on', sums: 'on', tcp: '' }]);
    await again.close();
    await second.stop();
  });

  test('a hub killed without warning leaves no server, and loses nothing', async () => {
    const hub = await hubProcess(directory);
    expect(serverProcesses(directory).length).toBeGreaterThan(0);
    hub.kill('SIGKILL');
    const server = await startEmbeddedDatabase({ dataDir: directory });
    const database = await openDatabase({ connection: server.connection });
    expect((await database.query('select n from kept')).rows).toEqual([{ n: 1 }]);
    await database.close();
    await server.stop();
    expect(await untilNone(directory)).toBe(0);
    const other = await hubProcess(directory);
    other.kill('SIGKILL');
    expect(await untilNone(directory)).toBe(0);
  });

  test('a server killed without warning is told, and a stale postmaster.pid is no obstacle', async () => {
    let reason = '';
    const first = await startEmbeddedDatabase({ dataDir: directory, died: (text) => (reason = text) });
    process.kill(first.pid, 'SIGKILL');
    expect(await untilNone(directory)).toBe(0);
    const pidFile = join(directory, 'postgres', '18', 'postmaster.pid');
    writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(process.pid)));
    await delay(100);
    expect(reason).toMatch(/^PostgreSQL ended/);
    const second = await startEmbeddedDatabase({ dataDir: directory });
    await second.stop();
  });

  test('never two on one directory', async () => {
    const first = await startEmbeddedDatabase({ dataDir: directory });
    await expect(startEmbeddedDatabase({ dataDir: directory })).rejects.toThrow(/Another hub \(process \d+\) is using/);
    await first.stop();
  });

  test('a path too long for a socket is no obstacle', async () => {
    const long = join(directory, 'd'.repeat(100));
    mkdirSync(long, { mode: 0o755 });
    const server = await startEmbeddedDatabase({ dataDir: long });
    expect(server.connection.host.length).toBeLessThan(40);
    await server.stop();
    expect(readdirSync('/tmp').some((name) => join('/tmp', name) === server.connection.host)).toBe(false);
  });
});

describe('a data directory that cannot be used is one sentence', () => {
  test('a file in the way', async () => {
    writeFileSync(join(directory, 'file'), '');
    await expect(startEmbeddedDatabase({ dataDir: join(directory, 'file') })).rejects.toThrow(
      /^The data directory .*file cannot be used: .*\.$/,
    );
  });

  test('another major version, a missing part, damage', async () => {
    const server = await startEmbeddedDatabase({ dataDir: directory });
    await server.stop();
    const pgdata = join(directory, 'postgres', '18');
    const version = readFileSync(join(pgdata, 'PG_VERSION'));
    writeFileSync(join(pgdata, 'PG_VERSION'), '16\n');
    await expect(startEmbeddedDatabase({ dataDir: directory })).rejects.toThrow(
      /made by PostgreSQL 16, and this hub brings/,
    );
    rmSync(join(pgdata, 'PG_VERSION'));
    await expect(startEmbeddedDatabase({ dataDir: directory })).rejects.toThrow(/PG_VERSION is missing/);
    writeFileSync(join(pgdata, 'PG_VERSION'), version);
    rmSync(join(pgdata, 'global', 'pg_control'));
    await expect(startEmbeddedDatabase({ dataDir: directory })).rejects.toThrow(
      /^The database directory .* is damaged .*\.$/,
    );
  });
});
