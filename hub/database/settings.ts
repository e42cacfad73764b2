/**
 * The embedded server's settings, written at each start into files that belong to the hub (the server's account can
 * read them only). They fit a laptop of two cores; durability is never traded.
 */

import { userInfo } from 'node:os';

/** What the server is told besides its files; `durable: false` is for throw-away test servers only. */
export interface ServerSettings {
  socketDirectory: string;
  hbaFile: string;
  identFile: string;
  durable: boolean;
}

/** postgresql.conf. No TCP; log lines carry no statement, parameter or key value, since those may be about a patient. */
export function postgresqlConf(settings: ServerSettings): string {
  const lines: [string, string | number][] = [
    ['listen_addresses', ''],
    ['unix_socket_directories', settings.socketDirectory],
    ['unix_socket_permissions', '0700'],
    ['hba_file', settings.hbaFile],
    ['ident_file', settings.identFile],
    ['max_connections', 60],
    ['shared_buffers', '320MB'],
    ['effective_cache_size', '1GB'],
    ['work_mem', '16MB'],
    ['maintenance_work_mem', '128MB'],
    ['fsync', settings.durable ? 'on' : 'off'],
    ['synchronous_commit', settings.durable ? 'on' : 'off'],
    ['full_page_writes', settings.durable ? 'on' : 'off'],
    // Pages that are logged whole are few, and mostly ciphertext: packing them cost a fifth of PostgreSQL's time, for 3 % of the log.
    ['wal_compression', 'off'],
    ['max_wal_size', '4GB'],
    ['min_wal_size', '256MB'],
    ['checkpoint_timeout', '15min'],
    ['checkpoint_completion_target', '0.9'],
    ['wal_level', 'replica'],
    ['max_wal_senders', 4],
    ['random_page_cost', '1.1'],
    ['effective_io_concurrency', 32],
    ['jit', 'off'],
    ['max_parallel_workers_per_gather', 0],
    // Each worker takes some 34 MiB while it analyses.
    ['autovacuum_max_workers', 2],
    ['autovacuum_naptime', '20s'],
    ['autovacuum_vacuum_cost_limit', 1000],
    ['timezone', 'UTC'],
    ['log_timezone', 'UTC'],
    ['datestyle', 'iso, ymd'],
    ['log_line_prefix', '%m [%p] '],
    ['log_error_verbosity', 'terse'],
    ['log_min_messages', 'warning'],
    ['log_min_error_statement', 'panic'],
    ['log_parameter_max_length', 0],
    ['log_parameter_max_length_on_error', 0],
    ['log_statement', 'none'],
    ['cluster_name', 'causeway'],
  ];
  const head = '# Written by the hub at each start; a change made here is lost.\n';
  return head + lines.map(([name, value]) => `${name} = ${quoted(value)}\n`).join('');
}

/** pg_hba.conf: only over the socket, and only as whom the operating system says the caller is. */
export const pgHbaConf = 'local all all peer map=hub\n';

/** pg_ident.conf: the user who runs the hub may be any role of the server. */
export function pgIdentConf(): string {
  return `hub "${userInfo().username}" all\n`;
}

function quoted(value: string | number): string {
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
