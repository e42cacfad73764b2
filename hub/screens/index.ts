/** The built screens: made from `web/` when they are missing or older than their sources. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const web = join(import.meta.dirname, '..', '..', 'web');
/** What the screens are built of. */
const sources = [web, ...['tlog', 'access'].map((name) => join(import.meta.dirname, '..', '..', 'packages', name))];
const dist = join(web, 'dist');

/**
 * The folder of the built screens. Builds them first where that is needed and possible; undefined, with the reason
 * told, where it is not.
 */
export async function screens(say: (text: string) => void): Promise<string | undefined> {
  const index = join(dist, 'index.html');
  if (existsSync(index) && statSync(index).mtimeMs >= Math.max(...sources.map(newest))) return dist;
  say('Building the screens.');
  const failure = await build();
  if (failure === undefined) return dist;
  say(`The screens could not be built (${failure}); the hub runs without them.`);
  return existsSync(index) ? dist : undefined;
}

function newest(folder: string): number {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'dist' || entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return latest;
}

function build(): Promise<string | undefined> {
  return new Promise((resolve) => {
    let vite: string;
    try {
      vite = join(dirname(require.resolve('vite/package.json')), 'bin', 'vite.js');
    } catch {
      resolve('vite is not installed');
      return;
    }
    const child = spawn(process.execPath, [vite, 'build', '--logLevel', 'error'], {
      cwd: web,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code) =>
      resolve(code === 0 ? undefined : output.trim().split('\n')[0] || `vite ended with ${code}`),
    );
  });
}
