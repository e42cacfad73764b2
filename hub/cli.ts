/** The command line: thin doors on the hub's own functions. */

import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { begin } from './begin.ts';
import { type Config, ConfigError, describeOptions, readConfig } from './config.ts';
import { runHub } from './lifecycle.ts';
import { ownFetch } from './own-fetch.ts';
import { existingTokenKey, KeyError, MasterFiles, type RotationState, signToken } from './secrets/index.ts';
import { type Destination, sendFile } from './send.ts';

const tokenSeconds = 12 * 60 * 60;
const commands = [
  'start',
  'token',
  'send',
  'status',
  'rotate-keys',
  'backup',
  'restore',
  'erase',
  'maintain',
  'audit',
  'help',
];

/** Runs one command; returns the exit code: 0 done, 1 failed or refused, 2 wrong usage. */
export async function main(words: string[]): Promise<number> {
  const [command = 'help', ...args] = words;
  try {
    if (command === 'start') return await start(args);
    if (command === 'token') return await token(args);
    if (command === 'send') return await send(args);
    if (command === 'status') return await status(args);
    if (command === 'rotate-keys') return await rotateKeys(args);
    if (command === 'backup') return await backup(args);
    if (command === 'restore') return await restore(args);
    if (command === 'audit') return await audit(args);
    if (command === 'erase') return await erase(args);
    if (command === 'maintain') return await maintain(args);
    if (['help', '--help', '-h'].includes(command)) return help();
    throw new ConfigError(`The command ${command} is unknown: use ${commands.join(', ')}.`);
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof KeyError)) throw error;
    console.error(`causeway: ${error.message}`);
    return error instanceof ConfigError ? 2 : 1;
  }
}

async function start(args: string[]): Promise<number> {
  const { config, rest } = readConfig(args, process.env);
  if (rest.length > 0) throw new ConfigError(`start takes options only; “${rest[0]}” is none.`);
  return runHub(config, async (config, progress) => {
    const begun = begin(config, progress);
    const { startHub } = await import('./main.ts');
    return startHub(config, progress, undefined, begun);
  });
}

async function token(args: string[]): Promise<number> {
  const { value: role, rest } = takeOption(args, '--role');
  const { config } = readConfig(rest, process.env);
  console.log(await localToken(config, role ?? 'administrator'));
  return 0;
}

async function send(args: string[]): Promise<number> {
  const { config, rest: files } = readConfig(args, process.env);
  if (files.length === 0) throw new ConfigError('send needs at least one file of HL7 v2, C-CDA or FHIR JSON.');
  let accessToken: Promise<string> | undefined;
  const to: Destination = {
    url: urlOf(config),
    fetch: ownFetch(config.tlsCertificate),
    mllp: { host: config.host, port: config.mllpPort },
    token: () => {
      accessToken ??= localToken(config, 'system');
      return accessToken;
    },
  };
  let refused = 0;
  for (const file of files) {
    for await (const { what, accepted, text, became } of sendFile(file, to)) {
      const lines = [`${accepted ? 'accepted' : 'refused '}  ${what}`, text, ...(became ? [became] : [])];
      console.log(lines.join('\n    '));
      if (!accepted) refused++;
    }
  }
  return refused > 0 ? 1 : 0;
}

async function status(args: string[]): Promise<number> {
  const json = args.includes('--json');
  const { config } = readConfig(
    args.filter((word) => word !== '--json'),
    process.env,
  );
  const body = await asked(config, 'GET', '/api/status');
  console.log(json ? body : describeStatus(JSON.parse(body)));
  return 0;
}

/** New keys for a hub that works; returns when all that is stored is wrapped under the new master key. */
async function rotateKeys(args: string[]): Promise<number> {
  const { config } = readConfig(
    args.filter((word) => word !== '--prepare' && word !== '--index'),
    process.env,
  );
  if (args.includes('--index')) {
    await asked(config, 'POST', '/api/keys/index');
    console.log('Stop every hub over this database, then start one: it makes the search index anew under another key.');
    return 0;
  }
  if (args.includes('--prepare')) {
    existingTokenKey(config.dataDir);
    console.log(`Made ${new MasterFiles(config.dataDir).prepare()}: copy it to the same place of each other hub.`);
    return 0;
  }
  await asked(config, 'POST', '/api/keys/rotation');
  for (;;) {
    const { master } = JSON.parse(await asked(config, 'GET', '/api/keys')) as { master: RotationState };
    console.log(`${master.state === 'none' ? 'done' : master.state}: ${master.wrapped} data keys wrapped anew`);
    if (master.state === 'none') return 0;
    await delay(2_000);
  }
}

/** A back-up, which is made only by whoever says where the key is kept that opens it. */
async function backup(args: string[]): Promise<number> {
  const { value: keyKeptAt, rest } = takeOption(args, '--key-kept-at');
  const { config, rest: files } = readConfig(rest, process.env);
  if (files.length !== 1) throw new ConfigError('backup needs one file, or - for the standard output.');
  if (!keyKeptAt?.trim()) {
    throw new ConfigError(
      `A back-up is worth nothing without ${config.dataDir}/keys, which is not in it: keep that folder elsewhere, and say where by --key-kept-at "…".`,
    );
  }
  const { backupCommand } = await import('./backup/index.ts');
  return backupCommand(config, files[0]!, keyKeptAt.trim(), (line) => console.error(line));
}

async function restore(args: string[]): Promise<number> {
  const { config, rest: files } = readConfig(
    args.filter((word) => word !== '--drill'),
    process.env,
  );
  if (files.length !== 1) throw new ConfigError('restore needs one file, or - for the standard input.');
  const { drillCommand, restoreCommand } = await import('./backup/index.ts');
  const run = args.includes('--drill') ? drillCommand : restoreCommand;
  return run(config, files[0]!, (line) => console.error(line));
}

/** Verifies the log of accesses, exports it, or lets a running hub take up something about it. */
async function audit([what = '', ...args]: string[]): Promise<number> {
  if (what === 'verify') {
    const flags = ['--incremental', '--deep'];
    const { values: keys, rest: afterKeys } = takeOptions(
      args.filter((word) => !flags.includes(word)),
      '--key',
    );
    const { values: checkpoints, rest: afterCheckpoints } = takeOptions(afterKeys, '--checkpoint');
    const { value: policy, rest: afterPolicy } = takeOption(afterCheckpoints, '--policy');
    const { value: file, rest } = takeOption(afterPolicy, '--export');
    const { config } = readConfig(rest, process.env);
    const { auditVerify } = await import('./audit-command.ts');
    const [incremental, deep] = flags.map((flag) => args.includes(flag));
    return auditVerify(
      config,
      {
        keys,
        checkpoints,
        incremental: incremental!,
        deep: deep!,
        ...(file ? { file } : {}),
        ...(policy ? { policy } : {}),
      },
      console.log,
    );
  }
  const { config, rest: files } = readConfig(args, process.env);
  if (what === 'export' && files.length === 1) {
    const { auditExport } = await import('./audit-command.ts');
    return auditExport(config, files[0]!, console.log);
  }
  const asking: { [what: string]: [method: string, path: string] } = {
    status: ['GET', '/api/audit/status'],
    'accept-restore': ['POST', '/api/audit/accept-restore'],
    'rotate-key': ['POST', '/api/audit/keys'],
    witness: ['GET', '/api/audit/witness'],
  };
  const ask = asking[what];
  if (!ask) throw new ConfigError(`audit takes verify, export FILE, ${Object.keys(asking).join(', ')}.`);
  console.log(await asked(config, ...ask));
  return 0;
}

/** Asks for an erasure, or shows what would go; another person confirms it. */
async function erase(args: string[]): Promise<number> {
  const { value: confirm, rest: afterConfirm } = takeOption(args, '--confirm');
  const { value: legalBasis, rest: afterBasis } = takeOption(afterConfirm, '--legal-basis');
  const { value: reason, rest } = takeOption(afterBasis, '--reason');
  const { config, rest: patients } = readConfig(
    rest.filter((word) => word !== '--source'),
    process.env,
  );
  if (confirm !== undefined) {
    console.log(await asked(config, 'POST', `/api/erasures/${encodeURIComponent(confirm)}/confirm`));
    return 0;
  }
  if (patients.length !== 1)
    throw new ConfigError('erase needs the id of a Patient, or --confirm and that of an erasure.');
  const about = { patient: patients[0], extent: args.includes('--source') ? 'source' : 'person' };
  if (legalBasis === undefined || reason === undefined) {
    console.log(await asked(config, 'POST', '/api/erasures/preview', about));
    console.error('Nothing was asked for: that needs --legal-basis and --reason.');
    return 0;
  }
  console.log(await asked(config, 'POST', '/api/erasures', { ...about, legalBasis, reason }));
  console.error('A privacy officer confirms it now.');
  return 0;
}

/** Clears what was erased out of the files of the database; returns when that is done. */
async function maintain(args: string[]): Promise<number> {
  if (!args.includes('--after-erasure')) throw new ConfigError('maintain needs --after-erasure.');
  const { config } = readConfig(
    args.filter((word) => word !== '--after-erasure'),
    process.env,
  );
  await asked(config, 'POST', '/api/erasures/maintenance');
  for (let told = ''; ; await delay(500)) {
    const { maintenance } = JSON.parse(await asked(config, 'GET', '/api/erasures'));
    const { state, table, done, of, reason, left = [] } = maintenance;
    const line = [state, table, of === undefined ? undefined : `${done} of ${of} tables`, reason]
      .filter(Boolean)
      .join(': ');
    if (line !== told) console.log(line);
    told = line;
    for (const one of state === 'done' ? left : []) console.log(`To be done on the server: ${one}`);
    if (state === 'done' || state === 'failed') return state === 'done' ? 0 : 1;
  }
}

/** What the running hub answers. @throws KeyError where it does not, or refuses */
async function asked(config: Config, method: string, path: string, body?: object): Promise<string> {
  const authorization = `Bearer ${await localToken(config, 'administrator')}`;
  const sent = body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) };
  const headers = { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  let response: Response;
  try {
    response = await ownFetch(config.tlsCertificate)(urlOf(config) + path, { method, headers, ...sent });
  } catch {
    throw new KeyError(`No hub answers on ${urlOf(config)}: start it, or name its --port.`);
  }
  const answer = await response.text();
  if (!response.ok)
    throw new KeyError(`The hub on ${urlOf(config)} answers ${response.status}: ${answer.slice(0, 300)}`);
  return answer;
}

/** The hub's counts as lines: numbers first, then one line for each source. */
function describeStatus({
  sources = [],
  certificatesEnding = [],
  revocationSilent = [],
  auditLog,
  ...counts
}: { [name: string]: unknown } & {
  sources?: Source[];
  certificatesEnding?: Ending[];
  revocationSilent?: { address: string; since: string; reason: string }[];
  auditLog?: { state: string; problem?: string; size: number };
}): string {
  const words = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const line = (name: string, value: unknown, note = '') => `${String(value).padStart(9)}  ${name}${note}`;
  return [
    ...certificatesEnding.map(({ what, participant, subject, expires }) => {
      const named = [participant, what].filter(Boolean).join(': ');
      return `Certificate ${subject} (${named}) ${expires === undefined ? 'cannot be read' : `ends ${expires}`}`;
    }),
    ...revocationSilent.map(
      ({ address, since, reason }) => `${address} tells of no revoked certificates since ${since}: ${reason}`,
    ),
    ...(auditLog
      ? [line('entries of the audit log', auditLog.size, auditLog.problem ? `: ${auditLog.problem}` : '')]
      : []),
    ...Object.entries(counts).map(([name, value]) => line(words(name), value)),
    ...(sources.length > 0 ? ['', 'Messages by source:'] : []),
    ...sources.map(({ name, received, lastAt }) => line(name, received, lastAt ? `, last ${lastAt}` : '')),
  ].join('\n');
}

interface Ending {
  what: string;
  participant?: string;
  subject: string;
  expires?: string;
}

interface Source {
  name: string;
  received: number;
  lastAt?: string;
}

function help(): number {
  console.log(
    [
      'causeway start                  start the hub: database, HTTP, MLLP, screens',
      'causeway token [--role ROLE]    print a bearer token for scripts on this machine (12 hours)',
      'causeway send FILE…             send HL7 v2, C-CDA or FHIR files, and print each answer',
      'causeway status [--json]        messages by stage: received, processed, failed, not mapped, delivered',
      'causeway rotate-keys [--prepare]  new master and signing keys while the hub works; --prepare: the master key only',
      'causeway rotate-keys --index    another key of the search index, from the next start on',
      'causeway audit verify          [--incremental] [--deep] [--key KEY]… [--policy FILE] [--checkpoint FILE]… [--export FILE]: the log of accesses, entry by entry',
      'causeway audit export FILE      the log for others to verify; also: audit status, witness, rotate-key, accept-restore',
      'causeway backup FILE|- --key-kept-at "…"  back up the database; says where the folder keys is kept, which is not in it',
      'causeway restore FILE|- [--drill]  restore a back-up into an empty database; --drill: into one that is thrown away',
      'causeway erase PATIENT --legal-basis "…" --reason "…" [--source]  ask for an erasure; without a reason: what would go',
      'causeway erase --confirm ID       confirm one that a privacy officer asked for',
      'causeway maintain --after-erasure  clear what was erased out of the files of the database',
      '',
      'Options (or variables of the environment):',
      ...describeOptions(),
    ].join('\n'),
  );
  return 0;
}

function takeOption(args: string[], option: string): { value: string | undefined; rest: string[] } {
  const index = args.findIndex((word) => word === option || word.startsWith(`${option}=`));
  if (index < 0) return { value: undefined, rest: args };
  const joined = args[index]!.includes('=');
  const value = joined ? args[index]!.slice(option.length + 1) : args[index + 1];
  if (!value) throw new ConfigError(`${option} needs a value.`);
  return { value, rest: args.toSpliced(index, joined ? 1 : 2) };
}

/** An option that may be given several times. */
function takeOptions(args: string[], option: string): { values: string[]; rest: string[] } {
  const values: string[] = [];
  let rest = args;
  for (;;) {
    const taken = takeOption(rest, option);
    if (taken.value === undefined) return { values, rest };
    values.push(taken.value);
    rest = taken.rest;
  }
}

function localToken(config: Config, role: string): Promise<string> {
  if (!existsSync(config.dataDir))
    throw new KeyError(`There is no data directory ${config.dataDir}: name the hub’s with --data-dir.`);
  return signToken(existingTokenKey(config.dataDir), { subject: 'local-script', role, expiresInSeconds: tokenSeconds });
}

function urlOf({ host, port, tlsCertificate }: Config): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${tlsCertificate ? 'https' : 'http'}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
