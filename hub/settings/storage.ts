/** What is kept where, and how the database is used. */
import type { Setting } from './settings.ts';

export const storage: readonly Setting[] = [
  {
    key: 'dataDir',
    option: 'data-dir',
    variable: 'CAUSEWAY_DATA_DIR',
    kind: 'path',
    fallback: './data',
    says: 'folder for the database, the keys and files',
  },
  {
    key: 'databaseUrl',
    option: 'database-url',
    variable: 'DATABASE_URL',
    kind: 'database',
    fallback: undefined,
    secret: true,
    says: 'an existing PostgreSQL (15 or newer) instead of the embedded one',
  },
  {
    key: 'databaseConnections',
    option: 'database-connections',
    variable: 'CAUSEWAY_DATABASE_CONNECTIONS',
    kind: 'integer',
    fallback: 12,
    least: 2,
    most: 50,
    says: 'connections to the database',
  },
  {
    key: 'statementTimeoutMs',
    option: 'statement-timeout-ms',
    variable: 'CAUSEWAY_STATEMENT_TIMEOUT_MS',
    kind: 'integer',
    fallback: 60_000,
    least: 100,
    most: 3_600_000,
    says: 'longest time of one database statement',
  },
  {
    key: 'allowExpunge',
    option: 'allow-expunge',
    variable: 'CAUSEWAY_ALLOW_EXPUNGE',
    kind: 'flag',
    fallback: false,
    says: 'let administrators remove versions and resources for good ($expunge, $retention)',
  },
];
