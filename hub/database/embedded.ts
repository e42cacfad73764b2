/**
 * The embedded database: a real PostgreSQL server as a child process of the hub, on a Unix socket only, as an account
 * of its own when the hub is root, and gone when the hub is gone. The hub gets a role without special powers; the
 * superuser is used once, to make that role and its database.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Account, databaseAccount } from './account.ts';
import { followingParent, identity, serverEnvironment } from './child.ts';
import { asStartError, checkCluster, databaseHome, makeCluster, makePrivate, superuserRole } from './cluster.ts';
import { DatabaseStartError, damagedSentence, sentenceFor } from './errors.ts';
import { isRunning, stopOrphans, takeInstanceLock } from './instance-lock.ts';
import { postgresMajor, runnablePostgres } from './postgres-binaries.ts';
import { pgHbaConf, pgIdentConf, postgresqlConf } from './settings.ts';

/** How to reach a database, in the driver's terms. */
export interface ConnectionSettings {
  host: string;
  port: number;
  user: string;
  database: string;
}

export interface EmbeddedOptions {
  /** The hub's data directory; the server keeps its files in `postgres/` below it. Made when missing. */
  dataDir: string;
  /** Told in one sentence each what takes time or what the operator should know. */
  notice?: (text: string) => void;
  /** Called once when the server ends without having been asked to. */
  died?: (reason: string) => void;
  /** False gives up crash safety for speed: for throw-away test servers. */
  durable?: boolean;
}

export interface EmbeddedDatabase {
  /** The hub's own role and database: no superuser, does not bypass row security. */
  connection: ConnectionSettings;
  /** The bootstrap superuser, for making test databases and back-ups. */
  superuser: ConnectionSettings;
  pid: number;
  /** Fast shutdown (open transactions are rolled back), immediate when that takes longer than 5 s. */
  stop(): Promise<void>;
}

const longestSocketPath = 107;
export const port = 5432;
export const hubRole = 'causeway';

/**
 * Starts the server on the data directory, making the database on the first start (about 2 s; 0.3 s from then on).
 * Throws DatabaseStartError, one sentence, when it cannot.
 */
export async function startEmbeddedDatabase(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const notice = options.notice ?? (() => {});
  const account = databaseAccount();
  const home = databaseHome(resolve(options.dataDir), account, notice);
  const release = await takeInstanceLock(home);
  let server: Server | undefined;
  try {
    const pgdata = join(home, String(postgresMajor));
    await stopOrphans(pgdata);
    const programs = runnablePostgres(home, account);
    if (existsSync(pgdata)) checkCluster(pgdata, account);
    else await makeCluster(programs, home, pgdata, account, notice);
    const socketDirectory = makeSocketDirectory(home, account);
    const configFile = writeSettings(home, socketDirectory, options.durable ?? true);
    server = launch(programs, pgdata, configFile, join(home, 'server.log'), account);
    const superuser = { host: socketDirectory, port, user: superuserRole, database: 'postgres' };
    await untilReady(server, superuser, pgdata, notice);
    await makeHubRole(superuser);
    const connection = { host: socketDirectory, port, user: hubRole, database: hubRole };
    return supervise(server, { connection, superuser }, release, options.died, dirname(socketDirectory) !== home);
  } catch (error) {
    server?.process.kill('SIGQUIT');
    await server?.ended;
    release();
    throw asStartError(error, home);
  }
}

interface Server {
  process: ChildProcess;
  ended: Promise<void>;
  log: () => string;
}

/** Beside the data where the path is short enough for a socket address (unix(7)), else a private folder in /tmp. */
function makeSocketDirectory(home: string, account: Account | undefined): string {
  const beside = join(home, 'run');
  if (Buffer.byteLength(join(beside, `.s.PGSQL.${port}`)) <= longestSocketPath) {
    makePrivate(beside, account);
    return beside;
  }
  const elsewhere = mkdtempSync('/tmp/causeway-');
  makePrivate(elsewhere, account);
  return elsewhere;
}

function writeSettings(home: string, socketDirectory: string, durable: boolean): string {
  const directory = join(home, 'settings');
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const hbaFile = join(directory, 'pg_hba.conf');
  const identFile = join(directory, 'pg_ident.conf');
  const configFile = join(directory, 'postgresql.conf');
  writeReadable(hbaFile, pgHbaConf);
  writeReadable(identFile, pgIdentConf());
  writeReadable(configFile, postgresqlConf({ socketDirectory, hbaFile, identFile, durable }));
  return configFile;
}

function writeReadable(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o644);
}

/** In a session of its own, so that a terminal's Ctrl-C reaches the hub alone; told by the kernel when the hub dies. */
function launch(
  programs: string,
  pgdata: string,
  configFile: string,
  logFile: string,
  account: Account | undefined,
): Server {
  if (existsSync(logFile) && statSync(logFile).size > 10_000_000) truncateSync(logFile);
  const logged = existsSync(logFile) ? statSync(logFile).size : 0;
  const descriptor = openSync(logFile, 'a', 0o600);
  const postgres = [join(programs, 'bin', 'postgres'), '-D', pgdata, '-c', `config_file=${configFile}`];
  const [command, ...words] = followingParent('INT', postgres);
  const child = spawn(command!, words, {
    ...identity(account),
    cwd: pgdata,
    env: serverEnvironment(),
    stdio: ['ignore', descriptor, descriptor],
    detached: true,
  });
  closeSync(descriptor);
  const exiting = () => stopAtOnce(child);
  process.once('exit', exiting);
  const ended = new Promise<void>((done) => child.once('exit', () => done()).once('error', () => done()));
  ended.then(() => process.off('exit', exiting));
  return { process: child, ended, log: () => readFileSync(logFile).subarray(logged).toString('utf8') };
}

async function untilReady(
  server: Server,
  superuser: ConnectionSettings,
  pgdata: string,
  notice: (text: string) => void,
): Promise<void> {
  let ended = false;
  server.ended.then(() => {
    ended = true;
  });
  for (let waited = 0; ; waited += 25) {
    if (ended) throw new DatabaseStartError(sentenceFor(server.log(), pgdata));
    const refusal = await connectionFailure(superuser);
    if (refusal === undefined) return;
    if (isFinal(refusal)) throw new DatabaseStartError(damagedSentence(pgdata, refusal.message));
    if (waited === 3000) notice('The database is recovering from an unclean stop; this can take a while.');
    await delay(25);
  }
}

/** Why the server does not take a connection; undefined when it does. */
async function connectionFailure(connection: ConnectionSettings): Promise<Error | undefined> {
  const client = new pg.Client(connection);
  client.on('error', () => {});
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    return error as Error;
  } finally {
    await client.end().catch(() => {});
  }
}

/** A server that is starting, recovering or not listening yet may answer later; any other refusal will stay. */
function isFinal(refusal: Error): boolean {
  const { code } = refusal as { code?: string };
  return refusal instanceof pg.DatabaseError && code !== '57P03';
}

async function makeHubRole(superuser: ConnectionSettings): Promise<void> {
  const client = new pg.Client(superuser);
  await client.connect();
  try {
    const { rows } = await client.query<{ role: boolean; base: boolean }>(
      `select exists (select from pg_roles where rolname = $1) as role,
              exists (select from pg_database where datname = $1) as base`,
      [hubRole],
    );
    if (!rows[0]!.role) {
      await client.query(`create role ${hubRole} login nosuperuser nobypassrls nocreatedb nocreaterole noreplication`);
    }
    if (!rows[0]!.base) {
      await client.query(`create database ${hubRole} owner ${hubRole}`);
      await client.query(`revoke all on database ${hubRole} from public`);
    }
  } finally {
    await client.end();
  }
}

function supervise(
  server: Server,
  connections: Pick<EmbeddedDatabase, 'connection' | 'superuser'>,
  release: () => void,
  died: ((reason: string) => void) | undefined,
  removeSocketDirectory: boolean,
): EmbeddedDatabase {
  let stopping: Promise<void> | undefined;
  const tidy = () => {
    if (removeSocketDirectory) rmSync(connections.connection.host, { recursive: true, force: true });
    release();
  };
  process.once('exit', tidy);
  server.ended.then(() => {
    process.off('exit', tidy);
    if (stopping) return;
    release();
    died?.(sentenceFor(server.log(), connections.connection.host).replace('did not start', 'ended'));
  });
  const stop = async () => {
    server.process.kill('SIGINT');
    const slow = setTimeout(() => server.process.kill('SIGQUIT'), 5000);
    await server.ended;
    clearTimeout(slow);
    tidy();
  };
  return {
    ...connections,
    pid: server.process.pid!,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** For a hub that exits without having stopped (an interrupt while it starts): waits, since nothing may be left running. */
function stopAtOnce(server: ChildProcess): void {
  const waiting = new Int32Array(new SharedArrayBuffer(4));
  if (server.pid === undefined || !server.kill('SIGINT')) return;
  for (let waited = 0; waited < 8000 && isRunning(server.pid); waited += 20) {
    if (waited === 5000) server.kill('SIGQUIT');
    Atomics.wait(waiting, 0, 0, 20);
  }
}
