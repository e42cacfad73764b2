/**
 * A hub's life at the terminal: ports checked first, progress shown, then what to open; an interrupt stops everything
 * in order, a second one at once.
 */

import { createServer } from 'node:net';
import { type Config, ConfigError, describeConfig } from './config.ts';
import { DatabaseStartError, makeDataDirectory } from './database/index.ts';
import { KeyError } from './secrets/index.ts';
import { terminalProgress } from './terminal.ts';

/** Where the starting hub tells what it is doing. */
export interface Progress {
  /** A step has begun, or something the operator should know: one sentence. */
  say(text: string): void;
  /** How far a long step has come; shown in place. */
  count(text: string, done: number, total: number): void;
  /** The hub cannot go on (its database has died): it is stopped with exit code 1 and this sentence. */
  fail(reason: string): void;
}

/** A hub that answers. */
export interface RunningHub {
  /** Where its screens and API are: `http://127.0.0.1:8080`. */
  url: string;
  /** The MLLP ports that are open: plain, with TLS. */
  mllp: { host: string; port: number | undefined; tlsPort: number | undefined };
  /** The SMTP port for Direct mail, where there is one. */
  directPort?: number | undefined;
  /** Demo accounts, shown at the start; empty without them. */
  accounts: { username: string; password: string; role: string }[];
  /** Stops taking in, finishes what is begun, closes the database. */
  stop(): Promise<void>;
}

export type StartHub = (config: Config, progress: Progress) => Promise<RunningHub>;

/** A terminal's Ctrl-C reaches the hub directly, through npm and through the launcher: these are one interrupt. */
const sameInterruptMs = 1000;

/** Runs a hub until it is interrupted or fails; returns the exit code. */
export async function runHub(config: Config, startHub: StartHub): Promise<number> {
  const begun = performance.now();
  const progress = terminalProgress();
  let hub: RunningHub | undefined;
  let failure: string | undefined;
  let end: (() => void) | undefined;
  const ended = new Promise<void>((done) => {
    end = done;
  });
  progress.fail = (reason) => {
    failure ??= reason;
    end?.();
  };
  onInterrupt(() => {
    if (!hub) {
      progress.say('Stopped before it was ready; the next start goes on.');
      process.exit(130);
    }
    progress.say('Stopping.');
    end?.();
  });
  try {
    for (const line of describeConfig(config)) progress.say(line);
    await checkPort(config.host, config.port, 'HTTP', '--port');
    if (config.mllpPlain) await checkPort(config.host, config.mllpPort, 'MLLP', '--mllp-port');
    if (config.mllpTlsPort) await checkPort(config.host, config.mllpTlsPort, 'MLLP with TLS', '--mllp-tls-port');
    makeDataDirectory(config.dataDir);
    hub = await startHub(config, progress);
    progress.say(`Ready after ${((performance.now() - begun) / 1000).toFixed(1)} s.`);
    progress.say(welcome(hub, config));
  } catch (error) {
    console.error(`causeway: ${startFailure(error)}`);
    return 1;
  }
  await ended;
  await hub.stop();
  if (failure) console.error(`causeway: ${failure}`);
  else progress.say('Stopped.');
  return failure ? 1 : 0;
}

/** Throws ConfigError when something else listens on the port. Port 0 means any free one. */
export async function checkPort(host: string, port: number, what: string, option: string): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  try {
    await new Promise<void>((done, failed) => {
      probe.once('error', failed);
      probe.listen({ host, port, exclusive: true }, done);
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      `${what} cannot listen on ${host}:${port} because ${listenProblem(code)}: choose another with ${option} N.`,
    );
  }
  await new Promise((done) => probe.close(done));
}

function listenProblem(code: string | undefined): string {
  if (code === 'EADDRINUSE') return 'the port is taken by another program';
  if (code === 'EACCES') return 'the current user may not use this port';
  if (code === 'EADDRNOTAVAIL') return 'this machine has no such address (see --host)';
  return `the system refuses it (${code})`;
}

function onInterrupt(stop: () => void): void {
  let first: number | undefined;
  const interrupted = () => {
    if (first === undefined) {
      first = performance.now();
      stop();
    } else if (performance.now() - first > sameInterruptMs) {
      process.exit(130);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupted);
}

function startFailure(error: unknown): string {
  const expected = [ConfigError, DatabaseStartError, KeyError].some((kind) => error instanceof kind);
  if (expected) return (error as Error).message;
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE') return `The port ${address}:${port} is taken by another program.`;
  return `The hub did not start, by a fault of its own.\n${error instanceof Error ? error.stack : String(error)}`;
}

function welcome(hub: RunningHub, config: Config): string {
  const { host, port, tlsPort } = hub.mllp;
  const accounts = hub.accounts.map(({ username, password, role }) => `      ${username} / ${password}  (${role})`);
  const directory = config.dataDir === `${process.cwd()}/data` ? '' : ` --data-dir ${shellWord(config.dataDir)}`;
  const http = new URL(hub.url).port === '8080' ? '' : ` --port ${new URL(hub.url).port}`;
  const mllp = port === undefined || port === 2575 ? '' : ` --mllp-port ${port}`;
  return [
    '',
    `  Open      ${hub.url}`,
    ...(accounts.length > 0 ? ['  Sign in   as one of the demo accounts:', ...accounts] : []),
    '',
    '  Send      a first message (HL7 v2, C-CDA and FHIR files can be sent so):',
    `      npx causeway send${http}${mllp}${directory} docs/first-message.hl7`,
    ...(port === undefined
      ? []
      : [
          `            or from any HL7 v2 sender to ${host}:${port} (MLLP), such as netcat:`,
          `      (printf '\\013'; cat docs/first-message.hl7; printf '\\034\\r') | nc -q 1 ${reachable(host)} ${port}`,
        ]),
    ...(tlsPort === undefined ? [] : [`            or with TLS to ${host}:${tlsPort} (MLLP)`]),
    '',
    '  Ask       the FHIR API:',
    `      curl -H "Authorization: Bearer $(npx causeway token${http}${directory})" '${hub.url}/fhir/Patient?family=Rivers'`,
    '',
    '  Stop      with Ctrl-C; the data stays.',
    '',
  ].join('\n');
}

/** The address to use on this machine for a server that listens on every address. */
function reachable(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
