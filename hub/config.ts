/**
 * The hub's configuration: one table of settings, each with its option on the command line, its variable in the
 * environment, its default and its limits. An option wins over the environment; what is not in the table is refused.
 */

import { resolve } from 'node:path';

/** Everything the hub can be told. Sizes in bytes, times in milliseconds. */
export interface Config {
  /** Absolute path of the folder for database, keys and files. */
  dataDir: string;
  host: string;
  port: number;
  mllpPort: number;
  /** A PostgreSQL of one's own; undefined: the embedded one. */
  databaseUrl: string | undefined;
  /** Load the simulated region at the first start. */
  demo: boolean;
  /** How many people the simulated region has, and the seed it grows from. */
  people: number;
  seed: number;
  messageBytes: number;
  bundleBytes: number;
  databaseConnections: number;
  statementTimeoutMs: number;
  mllpConnections: number;
  /** Minutes of silence after which an MLLP connection is closed; 0: never. */
  mllpIdleMinutes: number;
  /** Whether the MLLP port without TLS is open. */
  mllpPlain: boolean;
  /** The MLLP port with TLS; undefined: none. It needs a certificate and a key. */
  mllpTlsPort: number | undefined;
  /** Absolute paths of PEM files. */
  mllpTlsCertificate: string | undefined;
  mllpTlsKey: string | undefined;
  /** The authorities that sign senders' certificates; undefined: senders are not asked for one. */
  mllpTlsClientCa: string | undefined;
  /** Whether a sender needs a certificate, where there is an authority for them. */
  mllpTlsClientRequired: boolean;
  /** Whether administrators may remove resources and versions for good, and have old versions removed by a policy. */
  allowExpunge: boolean;
  /** Addresses below which files of imports are fetched; no others are. */
  importFrom: string[];
  /** Largest file of an import, decompressed. */
  importBytes: number;
  /** How long exports, imports and their files are kept. */
  bulkHours: number;
  /** The address under which the hub is reached, such as https://hub.example.org; undefined: that on which it listens. */
  publicUrl: string | undefined;
  /** Addresses below which apps' key sets are fetched although they lie in a private network; others are public ones. */
  keysFrom: string[];
  logLevel: string;
}

/** What stands on the command line or in the environment is wrong; the message says what, and what would be right. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

interface Setting {
  key: keyof Config;
  option: string;
  variable: string;
  kind: 'text' | 'path' | 'database' | 'integer' | 'bytes' | 'flag' | 'choice' | 'origin' | 'addresses';
  fallback: string | number | boolean | string[] | undefined;
  least?: number;
  most?: number;
  choices?: string[];
  secret?: true;
  says: string;
}

const mebibyte = 1024 * 1024;

const settings: Setting[] = [
  {
    key: 'dataDir',
    option: 'data-dir',
    variable: 'CAUSEWAY_DATA_DIR',
    kind: 'path',
    fallback: './data',
    says: 'folder for the database, the keys and files',
  },
  {
    key: 'host',
    option: 'host',
    variable: 'CAUSEWAY_HOST',
    kind: 'text',
    fallback: '127.0.0.1',
    says: 'address to listen on',
  },
  {
    key: 'port',
    option: 'port',
    variable: 'CAUSEWAY_PORT',
    kind: 'integer',
    fallback: 8080,
    least: 0,
    most: 65535,
    says: 'HTTP port',
  },
  {
    key: 'mllpPort',
    option: 'mllp-port',
    variable: 'CAUSEWAY_MLLP_PORT',
    kind: 'integer',
    fallback: 2575,
    least: 0,
    most: 65535,
    says: 'MLLP port for HL7 v2',
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
    key: 'demo',
    option: 'demo',
    variable: 'CAUSEWAY_DEMO',
    kind: 'flag',
    fallback: true,
    says: 'load the simulated region at the first start (--no-demo: do not)',
  },
  {
    key: 'people',
    option: 'people',
    variable: 'CAUSEWAY_PEOPLE',
    kind: 'integer',
    fallback: 200,
    least: 1,
    most: 1_000_000,
    says: 'people in the simulated region',
  },
  {
    key: 'seed',
    option: 'seed',
    variable: 'CAUSEWAY_SEED',
    kind: 'integer',
    fallback: 1,
    least: 0,
    most: 4_294_967_295,
    says: 'seed the simulated region grows from',
  },
  {
    key: 'messageBytes',
    option: 'message-bytes',
    variable: 'CAUSEWAY_MESSAGE_BYTES',
    kind: 'bytes',
    fallback: 64 * mebibyte,
    least: 1024,
    most: 1024 * mebibyte,
    says: 'largest message or document (64MB)',
  },
  {
    key: 'bundleBytes',
    option: 'bundle-bytes',
    variable: 'CAUSEWAY_BUNDLE_BYTES',
    kind: 'bytes',
    fallback: 100 * mebibyte,
    least: 1024,
    most: 1024 * mebibyte,
    says: 'largest FHIR bundle (100MB)',
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
    key: 'mllpConnections',
    option: 'mllp-connections',
    variable: 'CAUSEWAY_MLLP_CONNECTIONS',
    kind: 'integer',
    fallback: 256,
    least: 1,
    most: 10_000,
    says: 'MLLP connections at a time',
  },
  {
    key: 'mllpIdleMinutes',
    option: 'mllp-idle-minutes',
    variable: 'CAUSEWAY_MLLP_IDLE_MINUTES',
    kind: 'integer',
    fallback: 0,
    least: 0,
    most: 35_000,
    says: 'minutes of silence after which an MLLP connection is closed, 0 for never',
  },
  {
    key: 'mllpPlain',
    option: 'mllp-plain',
    variable: 'CAUSEWAY_MLLP_PLAIN',
    kind: 'flag',
    fallback: true,
    says: 'the MLLP port without TLS (--no-mllp-plain: closed)',
  },
  {
    key: 'mllpTlsPort',
    option: 'mllp-tls-port',
    variable: 'CAUSEWAY_MLLP_TLS_PORT',
    kind: 'integer',
    fallback: undefined,
    least: 0,
    most: 65535,
    says: 'MLLP port with TLS 1.2 or newer; needs a certificate and a key',
  },
  {
    key: 'mllpTlsCertificate',
    option: 'mllp-tls-certificate',
    variable: 'CAUSEWAY_MLLP_TLS_CERTIFICATE',
    kind: 'path',
    fallback: undefined,
    says: 'PEM file of the certificate with its chain; read again when it changes',
  },
  {
    key: 'mllpTlsKey',
    option: 'mllp-tls-key',
    variable: 'CAUSEWAY_MLLP_TLS_KEY',
    kind: 'path',
    fallback: undefined,
    says: 'PEM file of the key of that certificate',
  },
  {
    key: 'mllpTlsClientCa',
    option: 'mllp-tls-client-ca',
    variable: 'CAUSEWAY_MLLP_TLS_CLIENT_CA',
    kind: 'path',
    fallback: undefined,
    says: 'PEM file of the authorities that sign the certificates of senders',
  },
  {
    key: 'mllpTlsClientRequired',
    option: 'mllp-tls-client-required',
    variable: 'CAUSEWAY_MLLP_TLS_CLIENT_REQUIRED',
    kind: 'flag',
    fallback: true,
    says: 'where there are such authorities, senders need a certificate (--no-mllp-tls-client-required: may have one)',
  },
  {
    key: 'allowExpunge',
    option: 'allow-expunge',
    variable: 'CAUSEWAY_ALLOW_EXPUNGE',
    kind: 'flag',
    fallback: false,
    says: 'let administrators remove versions and resources for good ($expunge, $retention)',
  },
  {
    key: 'importFrom',
    option: 'import-from',
    variable: 'CAUSEWAY_IMPORT_FROM',
    kind: 'addresses',
    fallback: [],
    says: 'addresses below which $import may fetch files, with commas between (none)',
  },
  {
    key: 'importBytes',
    option: 'import-bytes',
    variable: 'CAUSEWAY_IMPORT_BYTES',
    kind: 'bytes',
    fallback: 10 * 1024 * mebibyte,
    least: 1024,
    most: 1024 * 1024 * mebibyte,
    says: 'largest file of an import, decompressed (10GB)',
  },
  {
    key: 'bulkHours',
    option: 'bulk-hours',
    variable: 'CAUSEWAY_BULK_HOURS',
    kind: 'integer',
    fallback: 24,
    least: 1,
    most: 720,
    says: 'hours for which exports and imports are kept',
  },
  {
    key: 'publicUrl',
    option: 'public-url',
    variable: 'CAUSEWAY_PUBLIC_URL',
    kind: 'origin',
    fallback: undefined,
    says: 'the address under which apps reach this hub, such as https://hub.example.org (that on which it listens)',
  },
  {
    key: 'keysFrom',
    option: 'keys-from',
    variable: 'CAUSEWAY_KEYS_FROM',
    kind: 'addresses',
    fallback: [],
    says: 'addresses in private networks below which keys of apps are fetched, with commas between (none)',
  },
  {
    key: 'logLevel',
    option: 'log-level',
    variable: 'CAUSEWAY_LOG_LEVEL',
    kind: 'choice',
    fallback: 'warn',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    says: 'what is logged: debug, info, warn, error or silent',
  },
];

/**
 * Reads options (`--port 8080`, `--port=8080`, `--no-demo`) and environment into a configuration. Also returns the
 * arguments that are no options, and the words after `--`. Throws ConfigError on anything unknown or out of its limits.
 */
export function readConfig(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): { config: Config; rest: string[] } {
  const values = environmentValues(environment);
  const rest: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const argument = args[index]!;
    if (argument === '--') {
      rest.push(...args.slice(index + 1));
      break;
    }
    if (!argument.startsWith('--')) {
      rest.push(argument);
      continue;
    }
    const equals = argument.indexOf('=');
    const name = argument.slice(2, equals < 0 ? undefined : equals);
    const { setting, negated } = settingFor(name);
    if (setting.kind === 'flag') {
      if (equals >= 0)
        throw new ConfigError(
          `--${setting.option} takes no value: write --${setting.option} or --no-${setting.option}.`,
        );
      values.set(setting.key, !negated);
      continue;
    }
    const text = equals >= 0 ? argument.slice(equals + 1) : args[++index];
    if (text === undefined || (equals < 0 && text.startsWith('--'))) {
      throw new ConfigError(`--${name} needs a value: ${setting.says}.`);
    }
    values.set(setting.key, parseValue(setting, `--${name}`, text));
  }
  for (const setting of settings) {
    if (!values.has(setting.key)) values.set(setting.key, presetOf(setting));
  }
  const config = Object.fromEntries(values) as unknown as Config;
  checkTogether(config);
  return { config, rest };
}

/** What a setting is where nothing is said. */
function presetOf({ kind, fallback }: Setting): unknown {
  return kind === 'path' && fallback !== undefined ? resolve(String(fallback)) : fallback;
}

/** Settings that need each other. */
function checkTogether(config: Config): void {
  if (config.mllpTlsPort !== undefined && !(config.mllpTlsCertificate && config.mllpTlsKey)) {
    throw new ConfigError('--mllp-tls-port needs --mllp-tls-certificate and --mllp-tls-key.');
  }
  const lone = config.mllpTlsCertificate ?? config.mllpTlsKey ?? config.mllpTlsClientCa;
  if (config.mllpTlsPort === undefined && lone !== undefined) {
    throw new ConfigError('A certificate, key or authority for MLLP over TLS needs --mllp-tls-port.');
  }
  if (!config.mllpPlain && config.mllpTlsPort === undefined) {
    throw new ConfigError('--no-mllp-plain leaves no MLLP port: it needs --mllp-tls-port.');
  }
}

/** The configuration as lines to print: secrets hidden, defaults left out. Empty when all is default. */
export function describeConfig(config: Config): string[] {
  const shown = settings.filter((setting) => config[setting.key] !== presetOf(setting));
  return shown.map(
    ({ key, option, secret }) => `${option}: ${secret ? withoutPassword(String(config[key])) : config[key]}`,
  );
}

/** The options, one a line, as `help` shows them. */
export function describeOptions(): string[] {
  return settings.map(({ option, kind, fallback, says, variable }) => {
    const shown =
      kind === 'flag'
        ? `--no-${option}`
        : `--${option} ${kind === 'integer' ? 'N' : kind === 'database' ? 'URL' : kind.toUpperCase()}`;
    const preset = fallback === undefined || ['flag', 'bytes', 'addresses'].includes(kind) ? '' : ` (${fallback})`;
    return `  ${shown.padEnd(28)} ${says}${preset}; or ${variable}`;
  });
}

function environmentValues(environment: Readonly<Record<string, string | undefined>>): Map<keyof Config, unknown> {
  const values = new Map<keyof Config, unknown>();
  for (const [variable, text] of Object.entries(environment)) {
    const setting = settings.find((one) => one.variable === variable);
    if (!setting && variable.startsWith('CAUSEWAY_')) {
      throw new ConfigError(
        `The environment variable ${variable} is unknown.${suggestion(
          variable,
          settings.map((one) => one.variable),
        )}`,
      );
    }
    if (setting && text) values.set(setting.key, parseValue(setting, variable, text));
  }
  return values;
}

function settingFor(name: string): { setting: Setting; negated: boolean } {
  const negated = name.startsWith('no-');
  const setting = settings.find(
    ({ option, kind }) => option === name || (negated && kind === 'flag' && option === name.slice(3)),
  );
  if (setting) return { setting, negated };
  const known = settings.map(({ option, kind }) => (kind === 'flag' ? `--no-${option}` : `--${option}`));
  throw new ConfigError(`The option --${name} is unknown.${suggestion(`--${name}`, known)} See causeway help.`);
}

function parseValue(setting: Setting, where: string, text: string): unknown {
  switch (setting.kind) {
    case 'text':
      return text;
    case 'path':
      return resolve(text);
    case 'database':
      if (/^postgres(ql)?:\/\/[^\s]+$/.test(text) && URL.canParse(text)) return text;
      throw new ConfigError(
        `${where} is not the address of a PostgreSQL: postgres://USER:PASSWORD@HOST:5432/DATABASE.`,
      );
    case 'origin':
      if (URL.canParse(text) && /^https?:\/\/[^/?#@]+\/?$/.test(text)) return new URL(text).origin;
      throw new ConfigError(
        `${where} is an address without a path, such as https://hub.example.org; it was “${text}”.`,
      );
    case 'addresses':
      return text.split(',').map((one) => address(where, one.trim()));
    case 'choice':
      if (setting.choices!.includes(text)) return text;
      throw new ConfigError(`${where} is ${setting.choices!.join(', ')}; it was “${text}”.`);
    case 'flag':
      if (/^(1|true|yes|on)$/i.test(text)) return true;
      if (/^(0|false|no|off)$/i.test(text)) return false;
      throw new ConfigError(`${where} is true or false; it was “${text}”.`);
    case 'integer':
      return withinLimits(setting, where, text, /^\d+$/.test(text) ? Number(text) : Number.NaN);
    case 'bytes':
      return withinLimits(setting, where, text, bytes(text));
  }
}

function address(where: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash) return text;
  throw new ConfigError(
    `${where} is a list of addresses such as https://files.example.org/exports/; it was “${text}”.`,
  );
}

function bytes(text: string): number {
  const match = /^(\d+)\s*(k|m|g)?i?b?$/i.exec(text);
  if (!match) return Number.NaN;
  return Number(match[1]) * 1024 ** ' kmg'.indexOf(match[2]?.toLowerCase() ?? ' ');
}

function withinLimits({ least = 0, most = 0 }: Setting, where: string, text: string, value: number): number {
  if (value >= least && value <= most) return value;
  throw new ConfigError(`${where} is a whole number from ${least} to ${most}; it was “${text}”.`);
}

function suggestion(wrong: string, known: string[]): string {
  const near = known
    .map((candidate) => ({ candidate, distance: editDistance(wrong, candidate) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return near && near.distance <= Math.max(2, wrong.length / 3) ? ` Did you mean ${near.candidate}?` : '';
}

/** Levenshtein distance, two rows at a time. */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = above[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[to.length]!;
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/([^:@/]*):.*@/, '//$1:…@').replace(/(password=)[^&]*/gi, '$1…');
}
