/** What a connector is told, by its kind, and how that is read from what somebody wrote. */
import { isAbsolute } from 'node:path';
import { isResourceType } from '@causeway/fhir';
import { Reader, without, wrong } from './settings-reader.ts';

export const connectorKinds = ['fhir', 'sftp', 'folder', 'sql'] as const;
export type ConnectorKind = (typeof connectorKinds)[number];

interface Common {
  everyMinutes: number;
  /** Requests, messages or rows a second, at most. */
  perSecond?: number;
}

/** A FHIR R4 server. */
export interface FhirSettings extends Common {
  /** Its base. */
  url: string;
  types: string[];
  /** How the hub shows who it is: SMART Backend Services with the hub's own key, a token from a file, or not at all. */
  sign: 'backend' | 'token' | 'none';
  /** With `backend`: the hub's id there, and what it asks for; without, `system/<type>.rs` of each type. */
  clientId?: string;
  scope?: string;
  /** With `token`: absolute path of a file with the token, read anew at each run. Without it the sealed one counts. */
  tokenFile?: string;
  /** Of which group a bulk export is asked for; without, of all. */
  group?: string;
  /** Whether a bulk export is asked for at first. */
  bulk: boolean;
  /** How far each increment reaches back behind the one before. */
  overlapMinutes: number;
  /** How deletions are noticed: by the history of the types, by comparing ids, or not. */
  deletions: 'history' | 'compare' | 'none';
  compareHours: number;
  /** More than so many deletions found by one comparison are not believed. */
  mostGone: number;
}

/** How files of rows are written. */
export interface TableFormat {
  delimiter: string;
  /** A label of the WHATWG Encoding standard: `utf-8`, `windows-1252`, … */
  encoding: string;
  /** The names of the columns, where the first line does not hold them. */
  columns?: string[];
}

export interface FilesSettings extends Common {
  path: string;
  /** Which files: `*.csv`. Without it all. */
  pattern?: string;
  /** What they hold; messages are HL7 v2, C-CDA or FHIR, by what they begin with. */
  content: 'messages' | 'table';
  table?: TableFormat;
  /** Taken files are moved to `done` (bad ones to `failed`) below the folder, or left and remembered. */
  after: 'move' | 'remember';
  /** For so long a file must not have changed. */
  stableSeconds: number;
}

export interface SftpSettings extends FilesSettings {
  host: string;
  port: number;
  username: string;
  /** Of the server's host key, as `ssh-keygen -lf` shows it: `SHA256:…`. */
  fingerprint: string;
  passwordFile?: string;
  privateKeyFile?: string;
}

export const sqlEngines = ['postgresql', 'mysql', 'sqlserver'] as const;

export interface SqlSettings extends Common {
  engine: (typeof sqlEngines)[number];
  host: string;
  port: number;
  database: string;
  username: string;
  passwordFile?: string;
  /** Whether the connection is encrypted and the server's certificate verified; with `ca`, by that authority. */
  tls: boolean;
  ca?: string;
  /** One SELECT; the hub adds the condition on the watermark, the order and the limit. */
  query: string;
  /** A column of the query that only grows: a sequence number, a time of change. */
  watermark: string;
  /** A column that tells rows of the same watermark apart. */
  key: string;
  /** Where to begin; without it at the beginning. */
  from?: string;
  /** Of a watermark that is a time: rows that were committed so late are still found. */
  overlapSeconds: number;
  pageRows: number;
  timeoutSeconds: number;
}

export type ConnectorSettings = FhirSettings | FilesSettings | SftpSettings | SqlSettings;

/** Passwords and keys that are sealed; where a file is named instead there are none. */
export interface ConnectorSecrets {
  password?: string;
  privateKey?: string;
  passphrase?: string;
  token?: string;
}

/** @throws RecordError 400 that names what is wrong */
export function readSettings(kind: ConnectorKind, body: { [name: string]: unknown }): ConnectorSettings {
  const read = new Reader(body);
  const settings = byKind[kind](read);
  read.done();
  return settings;
}

/** @throws RecordError 400 */
export function readSecrets(body: { [name: string]: unknown }): ConnectorSecrets {
  const read = new Reader(body, 'secrets');
  const secrets = without({
    password: read.optional('password', 1_000),
    privateKey: read.optional('privateKey', 20_000),
    passphrase: read.optional('passphrase', 1_000),
    token: read.optional('token', 10_000),
  });
  read.done();
  return secrets;
}

const byKind: { [kind in ConnectorKind]: (read: Reader) => ConnectorSettings } = {
  fhir: fhirOf,
  folder: filesOf,
  sql: sqlOf,
  sftp: (read) => ({
    ...filesOf(read),
    host: read.text('host', 253),
    port: read.integer('port', 1, 65_535, 22),
    username: read.text('username', 200),
    fingerprint: read.matching('fingerprint', /^SHA256:[A-Za-z0-9+/]{43}=?$/, 'as ssh-keygen -lf shows it: SHA256:…'),
    ...without({ passwordFile: read.file('passwordFile'), privateKeyFile: read.file('privateKeyFile') }),
  }),
};

function common(read: Reader): Common {
  const perSecond = read.has('perSecond') ? read.integer('perSecond', 1, 10_000, 100) : undefined;
  return { everyMinutes: read.integer('everyMinutes', 1, 10_080, 15), ...without({ perSecond }) };
}

function fhirOf(read: Reader): FhirSettings {
  const types = read.texts('types');
  const wrongType = types.find((type) => !isResourceType(type));
  if (types.length === 0 || wrongType !== undefined)
    throw wrong('types', 'a list of FHIR R4 resource types, as Patient and Observation');
  const sign = read.oneOf('sign', ['backend', 'token', 'none'] as const, 'backend');
  const clientId = read.optional('clientId', 500);
  if (sign === 'backend' && clientId === undefined)
    throw wrong('clientId', 'the id under which the server knows the hub');
  return {
    ...common(read),
    url: read.address('url').replace(/\/+$/, ''),
    types: [...new Set(types)],
    sign,
    bulk: read.flag('bulk', true),
    overlapMinutes: read.integer('overlapMinutes', 0, 10_080, 10),
    deletions: read.oneOf('deletions', ['history', 'compare', 'none'] as const, 'compare'),
    compareHours: read.integer('compareHours', 1, 8_760, 24),
    mostGone: read.integer('mostGone', 0, 1_000_000, 100),
    ...without({
      clientId,
      scope: read.optional('scope', 5_000),
      tokenFile: read.file('tokenFile'),
      group: read.has('group') ? read.matching('group', /^[A-Za-z0-9.-]{1,64}$/, 'the id of a Group') : undefined,
    }),
  };
}

function filesOf(read: Reader): FilesSettings {
  const content = read.oneOf('content', ['messages', 'table'] as const, 'messages');
  const table = read.object('table');
  if (content === 'table' && table === undefined) throw wrong('table', 'an object: how the rows are written');
  const pattern = read.has('pattern')
    ? read.matching('pattern', /^[^/\0]{1,200}$/, 'the name of a file, with * for any letters')
    : undefined;
  const path = read.text('path', 1_000);
  if (!isAbsolute(path)) throw wrong('path', 'the absolute path of a folder');
  return {
    ...common(read),
    path,
    content,
    after: read.oneOf('after', ['move', 'remember'] as const, 'move'),
    stableSeconds: read.integer('stableSeconds', 0, 86_400, 30),
    ...without({ pattern, table: table && formatOf(new Reader(table, 'table')) }),
  };
}

function formatOf(read: Reader): TableFormat {
  const delimiter = read.has('delimiter') ? read.matching('delimiter', /^[^"\r\n]$/, 'one character') : ',';
  const encoding = read.optional('encoding', 40) ?? 'utf-8';
  try {
    new TextDecoder(encoding);
  } catch {
    throw wrong('table.encoding', 'a label of an encoding, as utf-8 or windows-1252');
  }
  const columns = read.has('columns') ? read.texts('columns') : undefined;
  if (columns && new Set(columns).size < columns.length) throw wrong('table.columns', 'names, each once');
  read.done();
  return { delimiter, encoding, ...without({ columns }) };
}

const ports = { postgresql: 5432, mysql: 3306, sqlserver: 1433 };

function sqlOf(read: Reader): SqlSettings {
  const engine = read.oneOf('engine', sqlEngines, undefined);
  const query = read.text('query', 20_000).trim().replace(/;\s*$/, '');
  if (!/^(select|with)\b/i.test(query) || query.includes(';'))
    throw wrong('query', 'one SELECT, without a semicolon in it');
  return {
    ...common(read),
    engine,
    host: read.text('host', 253),
    port: read.integer('port', 1, 65_535, ports[engine]),
    database: read.text('database', 200),
    username: read.text('username', 200),
    tls: read.flag('tls', true),
    query,
    watermark: read.matching('watermark', /^[^\0\r\n]{1,128}$/, 'the name of a column'),
    key: read.matching('key', /^[^\0\r\n]{1,128}$/, 'the name of a column'),
    overlapSeconds: read.integer('overlapSeconds', 0, 86_400, 0),
    pageRows: read.integer('pageRows', 1, 5_000, 500),
    timeoutSeconds: read.integer('timeoutSeconds', 1, 3_600, 60),
    ...without({ passwordFile: read.file('passwordFile'), ca: read.file('ca'), from: read.optional('from', 200) }),
  };
}
