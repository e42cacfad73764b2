/**
 * Reads the hub's configuration from the command line and the environment. An option wins over the environment; what is
 * not in the table (`settings/`) is refused.
 */
import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { isMailAddress } from './mail/index.ts';
import { type Config, type Setting, settings } from './settings/index.ts';

export type { Config } from './settings/index.ts';

/** What stands on the command line or in the environment is wrong; the message says what, and what would be right. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

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
  const tls = [config.tlsCertificate, config.tlsKey];
  if (tls.includes(undefined) && [...tls, config.tlsClientCa].some((file) => file !== undefined)) {
    throw new ConfigError('HTTPS needs --tls-certificate and --tls-key.');
  }
  if (config.tlsCertificate !== undefined && config.publicUrl?.startsWith('http:')) {
    throw new ConfigError('--public-url is an https address where the hub speaks HTTPS.');
  }
  if (config.mllpTlsPort !== undefined && !(config.mllpTlsCertificate && config.mllpTlsKey)) {
    throw new ConfigError('--mllp-tls-port needs --mllp-tls-certificate and --mllp-tls-key.');
  }
  const lone = config.mllpTlsCertificate ?? config.mllpTlsKey ?? config.mllpTlsClientCa;
  if (config.mllpTlsPort === undefined && lone !== undefined) {
    throw new ConfigError('A certificate, key or authority for MLLP over TLS needs --mllp-tls-port.');
  }
  if (config.oidcIssuer !== undefined && !(config.oidcClientId && config.publicUrl)) {
    throw new ConfigError('--oidc-issuer needs --oidc-client-id and --public-url.');
  }
  if (config.oidcIssuer !== undefined && !/^(https:|http:\/\/(localhost|127\.0\.0\.1)[:/])/.test(config.oidcIssuer)) {
    throw new ConfigError('--oidc-issuer is reached by https, or on this machine.');
  }
  checkMail(config);
  if (!config.mllpPlain && config.mllpTlsPort === undefined) {
    throw new ConfigError('--no-mllp-plain leaves no MLLP port: it needs --mllp-tls-port.');
  }
}

function checkMail(config: Config): void {
  const { smtpHost, smtpTls, smtpUser, smtpPasswordFile, mailFrom } = config;
  const direct = [config.directAddress, config.directCertificate, config.directKey];
  if (direct.some((one) => one !== undefined) && (direct.includes(undefined) || smtpHost === undefined)) {
    throw new ConfigError('--direct-address, --direct-certificate and --direct-key go together, with --smtp-host.');
  }
  if (config.directPort !== undefined && config.directAddress === undefined) {
    throw new ConfigError('--direct-port needs --direct-address, --direct-certificate and --direct-key.');
  }
  if (config.directAddress !== undefined && !isMailAddress(config.directAddress)) {
    throw new ConfigError(`--direct-address is an address such as hub@direct.example.org.`);
  }
  if ((smtpHost === undefined) !== (mailFrom === undefined)) {
    throw new ConfigError('--smtp-host and --mail-from go together.');
  }
  if (mailFrom !== undefined && !isMailAddress(mailFrom)) {
    throw new ConfigError(`--mail-from is an address such as hub@example.org; it was “${mailFrom}”.`);
  }
  if ((smtpUser === undefined) !== (smtpPasswordFile === undefined)) {
    throw new ConfigError('--smtp-user and --smtp-password-file go together.');
  }
  if (smtpTls === 'none' && smtpUser !== undefined) {
    throw new ConfigError('--smtp-tls none would send the password of --smtp-user for all to read.');
  }
  if (smtpTls === 'none' && smtpHost !== undefined && !/^(localhost|127\.0\.0\.1|::1)$/.test(smtpHost)) {
    throw new ConfigError('--smtp-tls none is for a server on this machine (localhost).');
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
    const preset =
      fallback === undefined || ['flag', 'bytes', 'addresses', 'paths', 'networks'].includes(kind)
        ? ''
        : ` (${fallback})`;
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
    case 'address':
      return address(where, text);
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
    case 'paths':
      return text.split(',').map((one) => resolve(one.trim()));
    case 'sources':
      return text
        .split(',')
        .map((one) => (/^https?:/.test(one.trim()) ? address(where, one.trim()) : resolve(one.trim())));
    case 'addresses':
      return text.split(',').map((one) => address(where, one.trim()));
    case 'networks':
      return text.split(',').map((one) => network(where, one.trim()));
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

function network(where: string, text: string): string {
  if (ipaddr.isValid(text) || ipaddr.isValidCIDR(text)) return text;
  throw new ConfigError(`${where} is a list of addresses or networks such as 10.0.0.7,10.1.0.0/16; it was “${text}”.`);
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
