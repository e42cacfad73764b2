/**
 * The hub's connections to PostgreSQL, by the `pg` driver.
 *
 * Values: a Buffer parameter travels in binary; bytea comes back as a Buffer. int8 comes back as a number, and one
 * beyond 2^53 raises an error rather than losing digits (select it `::text`). `date` and `numeric` stay text;
 * timestamptz is a Date (milliseconds).
 *
 * Pipelining: statements issued on one connection without awaiting each other leave in one go, so that a transaction of
 * five statements can cost two round trips. Await all of them (Promise.all): after the first error PostgreSQL refuses
 * the others with 25P02, and `transaction` rolls back. Statements of a transaction whose outcome is not looked at are
 * handed to `send`, and leave together with the next that is waited for. Cursors cannot be used on these connections.
 */

import pg from 'pg';
import { submitTogether } from './carried.ts';
import { DatabaseStartError, unreachable } from './errors.ts';
import { Readers } from './readers.ts';
import { gather, scopeStatement } from './submit.ts';

/** Where the database is and how patient the hub is with it. Times in milliseconds. */
export interface DatabaseConfig {
  /** `{ host, port, user, database }` of the embedded server, or a connection URL. */
  connection: string | { host: string; port: number; user: string; database: string };
  /** Shown in pg_stat_activity. */
  applicationName?: string;
  maxConnections?: number;
  statementTimeoutMs?: number;
  lockTimeoutMs?: number;
  idleInTransactionTimeoutMs?: number;
  connectTimeoutMs?: number;
}

/** A statement; with a name it is prepared once per connection. */
export interface NamedStatement {
  name?: string;
  text: string;
  values?: unknown[];
}

export interface Result<R> {
  rows: R[];
  /** Rows returned or changed. */
  rowCount: number | null;
}

/** A row as the statement selects it; its shape is known where the statement stands, not here. */
// biome-ignore lint/suspicious/noExplicitAny: the type of a column is decided by the SQL text.
export type Row = { [column: string]: any };

/**
 * Whose rows a statement may touch, as row security is told (`causeway.homes`): `all`, or homes separated by commas, 0
 * for those that are no patient's; after a stroke the labels that hide a row, as a number. Without a scope the record's tables are empty.
 */
export type RowScope = string;

/** What can run statements: the database itself (any connection) or one transaction. */
export interface Queryable {
  /** The same for the rows of a scope. */
  as(scope: RowScope): Queryable;
  query<R extends object = Row>(statement: string | NamedStatement, values?: unknown[]): Promise<Result<R>>;
}

export interface Transaction extends Queryable {
  /**
   * Runs a statement nobody waits for: it leaves together with the next statement, at the latest with the commit. Where
   * it fails, so does the transaction, with its error.
   */
  send(statement: NamedStatement): void;
  /** The same for a statement that is not known yet: the commit waits for it. Where there is none, the transaction fails. */
  sendLater(statement: Promise<NamedStatement>): void;
  /** The connection itself, for what `query` does not offer (COPY, LISTEN). */
  client: pg.PoolClient;
}

export interface TransactionOptions {
  scope?: RowScope;
  /** How often the whole function is run again after a serialization failure (40001) or deadlock (40P01). Default 3. */
  retries?: number;
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readOnly?: boolean;
}

export interface Database extends Queryable {
  /** Connections without a scope. */
  pool: pg.Pool;
  as(scope: RowScope): Database;
  /**
   * Runs the function in one transaction: committed when it resolves, rolled back when it throws. The function may run
   * more than once (see `retries`), so its effects outside the database must wait for the result.
   */
  transaction<T>(run: (transaction: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;

const int8 = 20;
const date = 1082;
const int8Array = 1016;
const dateArray = 1182;
const textArray = 1009;

/**
 * Opens the pool and checks the role. Throws DatabaseStartError when the server cannot be reached, is older than
 * PostgreSQL 15, or the role is a superuser or bypasses row security.
 */
export async function openDatabase(config: DatabaseConfig): Promise<Database> {
  const most = config.maxConnections ?? 12;
  const reading = Math.max(2, Math.floor(most / 3));
  const pool = poolOf(config, Math.max(2, most - reading));
  const readerPool = poolOf(config, reading, planOnce);
  const readers = new Readers(readerPool, reading, config.connectTimeoutMs ?? connectTimeoutMs);
  const close = async () => {
    await Promise.all([pool.end(), readerPool.end()]);
  };
  try {
    await checkServerAndRole(pool);
  } catch (error) {
    await close().catch(() => {});
    throw error instanceof DatabaseStartError ? error : new DatabaseStartError(unreachable(error as Error));
  }
  const scoped = (scope: RowScope): Database => ({
    pool,
    as: scoped,
    query: (statement, values) => readers.query(scope, asked(statement, values)),
    transaction: (run, options) => runTransaction(pool, run, { scope, ...options }),
    close,
  });
  return {
    ...scoped(''),
    query: (statement, values) => runStatement(pool, statement, values),
    transaction: (run, options) => runTransaction(pool, run, options ?? {}),
  };
}

/**
 * For readers. Their statements are many tables wide, so that planning one costs more than carrying it out; what leads
 * them was chosen before. So they are planned once, and to follow indexes row by row: after a load there are no
 * statistics, and the planner would rather read and sort everything.
 */
const planOnce = [
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_bitmapscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'enable_sort=off',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

function poolOf(config: DatabaseConfig, max: number, options?: string): pg.Pool {
  const pool = new pg.Pool({
    ...(typeof config.connection === 'string' ? { connectionString: config.connection } : config.connection),
    application_name: config.applicationName ?? 'causeway',
    max,
    ...(options === undefined ? {} : { options }),
    statement_timeout: config.statementTimeoutMs ?? 60_000,
    lock_timeout: config.lockTimeoutMs ?? 20_000,
    idle_in_transaction_session_timeout: config.idleInTransactionTimeoutMs ?? 60_000,
    connectionTimeoutMillis: config.connectTimeoutMs ?? connectTimeoutMs,
    idleTimeoutMillis: 60_000,
    pipeline: true,
    types: { getTypeParser: valueParser },
  } as pg.PoolConfig);
  // A connection that is lost is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

async function checkServerAndRole(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ version: number; role: string; super: boolean; bypass: boolean; base: string }>(
    `select current_setting('server_version_num')::int as version, rolname as role, rolsuper as super,
            rolbypassrls as bypass, current_database() as base
       from pg_roles where rolname = current_user`,
  );
  const found = rows[0]!;
  if (found.version < 150_000) {
    throw new DatabaseStartError(
      `The PostgreSQL of DATABASE_URL is version ${Math.floor(found.version / 10_000)}, and the hub needs 15 or newer.`,
    );
  }
  if (found.super || found.bypass) {
    throw new DatabaseStartError(
      `The role ${found.role} of DATABASE_URL ${found.super ? 'is a superuser' : 'has BYPASSRLS'} and would pass by row security: make a role for the hub (CREATE ROLE causeway LOGIN PASSWORD '…'; ALTER DATABASE ${found.base} OWNER TO causeway;) and use that one.`,
    );
  }
}

function asked(statement: string | NamedStatement, values: unknown[] | undefined): NamedStatement {
  const one = typeof statement === 'string' ? { text: statement } : statement;
  return values === undefined ? one : { ...one, values };
}

async function runStatement<R extends object>(
  on: pg.Pool | pg.PoolClient,
  statement: string | NamedStatement,
  values: unknown[] | undefined,
): Promise<Result<R>> {
  return await on.query(statement, values);
}

async function runTransaction<T>(
  pool: pg.Pool,
  run: (transaction: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const retries = options.retries ?? 3;
  for (let attempt = 0; ; attempt++) {
    try {
      return await attemptTransaction(pool, run, options);
    } catch (error) {
      const { code } = error as { code?: string };
      if (attempt >= retries || (code !== '40001' && code !== '40P01')) throw error;
    }
  }
}

async function attemptTransaction<T>(
  pool: pg.Pool,
  run: (transaction: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const client = await pool.connect();
  /** What leaves with the next statement that is waited for. */
  let kept: NamedStatement[] = beginning(options);
  const later: Promise<void>[] = [];
  let failed: unknown;
  let missing: { error: unknown } | undefined;
  let isBegun = false;
  let broken = false;
  const fail = (error: unknown) => {
    if ((error as { code?: string }).code !== afterFailure) failed ??= error;
  };
  const hand = <R extends object>(statements: readonly NamedStatement[]) => {
    isBegun = true;
    kept = [];
    gather(client);
    return submitTogether(client, statements, fail) as Promise<Result<R> & { command: string }>;
  };
  const query = <R extends object>(statement: string | NamedStatement, values?: unknown[]) =>
    hand<R>([...kept, asked(statement, values)]);
  const send = (statement: NamedStatement) => {
    kept.push(statement);
  };
  const sendLater = (statement: Promise<NamedStatement>) => {
    const done = statement.then(send).catch((error) => {
      missing ??= { error };
    });
    later.push(done);
  };
  let scope = options.scope;
  const enter = (next: RowScope) => {
    if (scope === next) return;
    scope = next;
    send(scopeStatement(next, true));
  };
  const as = (wanted: RowScope): Queryable => ({
    as,
    query: (statement, values) => {
      enter(wanted);
      return query(statement, values);
    },
  });
  const transaction: Transaction = {
    as,
    query,
    send,
    sendLater,
    get client() {
      if (kept.length > 0) hand(kept).catch(fail);
      return client;
    },
  };
  try {
    const result = await run(transaction);
    if (later.length > 0) await Promise.all(later);
    if (missing) throw missing.error;
    const { command } = await query({ name: 'commit', text: 'commit' });
    if (failed !== undefined) throw failed;
    if (command !== 'COMMIT') {
      throw new Error('The transaction was rolled back: a statement in it failed and its error was not passed on.');
    }
    return result;
  } catch (error) {
    await Promise.all(later);
    if (isBegun) {
      await client.query('rollback').catch(() => {
        broken = true;
      });
    }
    throw (error as { code?: string }).code === afterFailure ? (failed ?? error) : error;
  } finally {
    client.release(broken);
  }
}

/** What PostgreSQL answers to every statement after the one that failed. */
const afterFailure = '25P02';

/** Begins a transaction. The scope of all is known beforehand, so that it can be prepared. */
function beginning({ isolation, readOnly, scope }: TransactionOptions): NamedStatement[] {
  const begin = `begin${isolation ? ` isolation level ${isolation}` : ''}${readOnly ? ' read only' : ''}`;
  if (scope === undefined) return [{ name: begin, text: begin }];
  if (!/^(all|[\d,-]*)(\/-?\d+)?$/.test(scope)) throw new RangeError('A scope is all, or homes separated by commas.');
  const enter = `set local causeway.homes = '${scope}'`;
  if (scope !== 'all') return [{ text: `${begin}; ${enter}` }];
  return [
    { name: begin, text: begin },
    { name: 'scope_all', text: enter },
  ];
}

function valueParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (format !== 'binary') {
    if (oid === int8) return exactNumber;
    if (oid === int8Array) return numberArray;
    if (oid === date) return (text: string) => text;
    if (oid === dateArray) return pg.types.getTypeParser(textArray as number, 'text');
  }
  return pg.types.getTypeParser(oid, format as 'text');
}

function exactNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new RangeError('An int8 beyond 2^53 was selected: select it ::text, so that it keeps its digits.');
  }
  return value;
}

function numberArray(text: string): (number | null)[] {
  const parts = pg.types.getTypeParser(textArray as number, 'text')(text) as (string | null)[];
  return parts.map((part) => (part === null ? null : exactNumber(part)));
}
