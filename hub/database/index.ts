/** The database: an embedded PostgreSQL server or one's own, the pool of connections to it, and the migrations. */

export { runningDatabase } from './attached.ts';
export { makeDataDirectory } from './cluster.ts';
export {
  type ConnectionSettings,
  type EmbeddedDatabase,
  type EmbeddedOptions,
  startEmbeddedDatabase,
} from './embedded.ts';
export { DatabaseStartError } from './errors.ts';
export { type Holder, isAlive, thisProcess } from './instance-lock.ts';
export { LeaderLocks, Leadership, type LedWork } from './leadership.ts';
export { type Lead, locks } from './locks.ts';
export { migrate, migrationsDirectory, readMigrations } from './migrate.ts';
export {
  type Database,
  type DatabaseConfig,
  type NamedStatement,
  openDatabase,
  type Queryable,
  type Result,
  type Row,
  type Transaction,
  type TransactionOptions,
} from './pool.ts';
export { Rounds } from './rounds.ts';
