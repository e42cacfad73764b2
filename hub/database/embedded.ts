/**
 * The embedded database: a real PostgreSQL server as a child process of the hub, on a Unix socket only, as an account
 * of its own when the hub is root, and gone when the hub is gone. The hub gets a role without special powers; the
 * superuser is used once, to make that role and its database.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Account, canReach, databaseAccount } from './account.ts';
import { DatabaseStartError, sentenceFor } from './errors.ts';
import { stopOrphans, takeInstanceLock } from './instance-lock.ts';
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
const port = 5432;
const hubRole = 'causeway';
const superuserRole = 'postgres';

/**
 * Starts the server on the data directory, making the database on the first start (about 2 s; 0.3 s from then on).
 * Throws DatabaseStartError, one sentence, when it cannot.
 */
export async function startEmbeddedDatabase(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const notice = options.notice ?? (() => {});
  const account = databaseAccount();
  const home = databaseHome(resolve(options.dataDir), account, notice);
  const release = takeInstanceLock(home);
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

/**
 * The folder for the server's files: `<dataDir>/postgres`. Where the server's account cannot enter the data directory
 * (a private home such as /root), the files lie under /var/lib/causeway and `postgres` is a link to them.
 */
function databaseHome(dataDir: string, account: Account | undefined, notice: (text: string) => void): string {
  const home = join(dataDir, 'postgres');
  try {
    if (!existsSync(dataDir)) mkdirSync(dataDir, { recursive: true, mode: account ? 0o755 : 0o700 });
    if (account && !existsSync(home) && !canReach(account, dataDir)) {
      const elsewhere = join('/var/lib/causeway', randomUUID());
      mkdirSync(elsewhere, { recursive: true, mode: 0o755 });
      symlinkSync(elsewhere, home);
      notice(`The account ${account.name} cannot enter ${dataDir}, so the database lies in ${elsewhere}.`);
    }
    mkdirSync(home, { recursive: true, mode: account ? 0o755 : 0o700 });
  } catch (error) {
    throw directoryError(error as NodeJS.ErrnoException, dataDir);
  }
  const real = realpathSync(home);
  const me = process.getuid?.() ?? 0;
  const owner = statSync(real).uid;
  if (owner !== me) {
    throw new DatabaseStartError(
      `The database directory ${real} belongs to another user (uid ${owner}, the hub runs as uid ${me}): start the hub as that user, or choose another directory with --data-dir.`,
    );
  }
  if (account && !canReach(account, real)) {
    throw new DatabaseStartError(
      `The account ${account.name}, which runs the database, cannot enter ${real}: allow it to pass (chmod o+x) on every directory above.`,
    );
  }
  return real;
}

function directoryError(error: NodeJS.ErrnoException, dataDir: string): Error {
  const reasons: Record<string, string> = {
    EACCES: 'the current user may not write there',
    EPERM: 'the current user may not write there',
    EROFS: 'the file system is read-only',
    ENOSPC: 'there is no space left on the disk',
    ENOTDIR: 'a part of the path is a file',
    EEXIST: 'a file of that name is in the way',
  };
  const reason = reasons[error.code ?? ''] ?? error.message;
  return new DatabaseStartError(
    `The data directory ${dataDir} cannot be used: ${reason}. Choose another with --data-dir.`,
  );
}

function checkCluster(pgdata: string, account: Account | undefined): void {
  const owner = statSync(pgdata).uid;
  const expected = account?.uid ?? process.getuid?.() ?? owner;
  if (owner !== expected) {
    throw new DatabaseStartError(
      `The database directory ${pgdata} belongs to uid ${owner}, and the server would run as uid ${expected}${account ? ` (${account.name})` : ''}: give it to that account (chown -R), or choose another with --data-dir.`,
    );
  }
  let major = '';
  try {
    major = readFileSync(join(pgdata, 'PG_VERSION'), 'utf8').trim();
  } catch {
    throw new DatabaseStartError(
      `The database directory ${pgdata} is damaged (its file PG_VERSION is missing): restore it from a back-up, or choose another with --data-dir.`,
    );
  }
  if (major !== String(postgresMajor)) {
    throw new DatabaseStartError(
      `The database directory ${pgdata} was made by PostgreSQL ${major}, and this hub brings PostgreSQL ${postgresMajor}: start it with the hub that made it, or choose another with --data-dir.`,
    );
  }
}

/** initdb into a folder of another name, renamed when complete, so that an interrupted first start leaves no half cluster. */
async function makeCluster(
  programs: string,
  home: string,
  pgdata: string,
  account: Account | undefined,
  notice: (text: string) => void,
): Promise<void> {
  notice('Making the database (first start only).');
  const other = readdirSync(home).find((name) => /^\d+$/.test(name));
  if (other) {
    throw new DatabaseStartError(
      `The data directory holds a database of PostgreSQL ${other} (${join(home, other)}), and this hub brings PostgreSQL ${postgresMajor}: start it with the hub that made it, or choose another with --data-dir.`,
    );
  }
  const unfinished = `${pgdata}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  makePrivate(unfinished, account);
  const initdb = spawn(
    join(programs, 'bin', 'initdb'),
    [
      '-D',
      unfinished,
      '-U',
      superuserRole,
      '--locale=C',
      '--encoding=UTF8',
      '--data-checksums',
      '--auth-local=peer',
      '--auth-host=reject',
      '--no-instructions',
    ],
    {
      ...identity(account),
      cwd: unfinished,
      env: serverEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  let output = '';
  initdb.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  initdb.stderr.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise<number | null>((done, failed) => initdb.on('error', failed).on('close', done));
  if (code !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new DatabaseStartError(sentenceFor(output, home));
  }
  renameSync(unfinished, pgdata);
}

function makePrivate(directory: string, account: Account | undefined): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  if (account) chownSync(directory, account.uid, account.gid);
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
  const command = followsParent() ? ['setpriv', '--pdeathsig', 'INT', ...postgres] : postgres;
  const child = spawn(command[0]!, command.slice(1), {
    ...identity(account),
    cwd: pgdata,
    env: serverEnvironment(),
    stdio: ['ignore', descriptor, descriptor],
    detached: true,
  });
  closeSync(descriptor);
  const ended = new Promise<void>((done) => child.once('exit', () => done()).once('error', () => done()));
  return { process: child, ended, log: () => readFileSync(logFile).subarray(logged).toString('utf8') };
}

function followsParent(): boolean {
  return process.platform === 'linux' && spawnSync('setpriv', ['--version'], { stdio: 'ignore' }).status === 0;
}

function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {};
}

/** Nothing of the hub's environment but the path: PG* variables would steer the server, and it needs no secrets. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
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
    if (await answers(superuser)) return;
    if (waited === 3000) notice('The database is recovering from an unclean stop; this can take a while.');
    await delay(25);
  }
}

async function answers(connection: ConnectionSettings): Promise<boolean> {
  if (!existsSync(join(connection.host, `.s.PGSQL.${connection.port}`))) return false;
  const client = new pg.Client(connection);
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
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
  server.ended.then(() => {
    if (stopping) return;
    release();
    died?.(sentenceFor(server.log(), connections.connection.host).replace('did not start', 'ended'));
  });
  const stop = async () => {
    server.process.kill('SIGINT');
    const slow = setTimeout(() => server.process.kill('SIGQUIT'), 5000);
    await server.ended;
    clearTimeout(slow);
    if (removeSocketDirectory) rmSync(connections.connection.host, { recursive: true, force: true });
    release();
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

function asStartError(error: unknown, home: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof DatabaseStartError) return error;
  if (code && /^E(ACCES|PERM|ROFS|NOSPC|DQUOT)$/.test(code))
    return directoryError(error as NodeJS.ErrnoException, home);
  return error;
}
