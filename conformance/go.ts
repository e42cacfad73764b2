/** Go, by which second implementations are written; installed by apt where it is missing and can be. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/**
 * Runs a Go program over a JSON question, while this process goes on (it may be the one that is asked).
 * @param environment further variables
 * @throws Error where it does not end well, or there is no Go
 */
export async function runGo(program: string, question: unknown, environment: NodeJS.ProcessEnv = {}): Promise<unknown> {
  ensureGo();
  const child = spawn('go', ['run', program], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, GO111MODULE: 'off', GOFLAGS: '', ...environment },
  });
  const ended = once(child, 'close');
  child.stdin.end(JSON.stringify(question));
  const [answer, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = await ended;
  if (status !== 0) throw new Error(`The Go program did not run: ${said}`);
  return JSON.parse(answer);
}

/** @throws Error with what to do where there is no Go and none can be installed */
function ensureGo(): void {
  if (runs('go', 'version')) return;
  const packages = ['golang-go', 'golang-golang-x-mod-dev'];
  if (process.getuid?.() !== 0 || !runs('apt-get', '--version')) {
    throw new Error(`The second implementation is Go's: apt-get install ${packages.join(' ')}, then run this again.`);
  }
  console.log(`Installing Go (apt-get install ${packages.join(' ')}).`);
  const quietly = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'],
  };
  spawnSync('apt-get', ['update', '-qq'], quietly);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], quietly);
  if (!runs('go', 'version')) throw new Error('Go could not be installed with apt: install it by hand.');
}

function runs(command: string, argument: string): boolean {
  return spawnSync(command, [argument], { stdio: 'ignore' }).status === 0;
}
