/** A whole hub as a child process on a data directory of its own, with the simulated region loaded. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const launcher = join(import.meta.dirname, '..', 'hub', 'bin', 'causeway.js');

export interface RunningHub {
  url: string;
  /** Its data directory. */
  folder: string;
  /** All that it has said. */
  output(): string;
  stop(): Promise<void>;
}

/** A hub that is reached by HTTPS, with more than the usual options. */
export interface SecureHub {
  port: number;
  /** PEM file of the authority of its certificate, which it trusts too. */
  authority: string;
  options: string[];
}

/**
 * Starts a hub and waits until it serves FHIR and has loaded its region.
 * @throws with the hub's own output when it ends early or is not ready within `patience_ms`
 */
export async function startHub(people: number, secure?: SecureHub, patience_ms = 150_000): Promise<RunningHub> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-e2e-'));
  // The database's own account has to get through, or its files lie elsewhere and stay when the directory goes.
  await chmod(folder, 0o711);
  const [port, mllpPort] = [secure?.port ?? (await freePort()), await freePort()];
  const usual = ['--data-dir', folder, '--port', `${port}`, '--mllp-port', `${mllpPort}`, '--people', `${people}`];
  const env = { ...process.env, ...(secure ? { NODE_EXTRA_CA_CERTS: secure.authority } : {}) };
  const words = [launcher, 'start', ...usual, ...(secure?.options ?? [])];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const url = secure ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
  const stop = async () => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + patience_ms;
  while (!(/^Ready/m.test(output) && (await answers(`${url}/fhir/metadata`)))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`The hub did not become ready. It said:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return { url, folder, output: () => output, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  const impatience = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await exit;
  clearTimeout(impatience);
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
