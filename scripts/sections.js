// The sections of `npm test` and `npm run check`: each runs to its end, is timed, and is told at the end whether it held.
// Plain JavaScript, so that any Node from 20 on can run it; what needs the pinned Node is started with it.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pinnedNode } from '../hub/bin/pinned-node.js';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const node = pinnedNode() ?? process.execPath;
const results = [];

/** A path below node_modules. */
export const installed = (...path) => join(root, 'node_modules', ...path);

/** The command line that runs a script on the pinned Node. */
export const onNode = (script, ...args) => [node, join(root, script), ...args];

/** Runs a command as one section; its output goes to the terminal. Resolves to whether it ended with 0. */
export async function section(name, command, options = {}) {
  console.log(`\n=== ${name}`);
  const begun = Date.now();
  const code = await run(command, options);
  finished(name, code === 0, begun);
  return code === 0;
}

/** Runs a function as one section; it throws an Error with the reason when the section fails. */
export async function step(name, work) {
  console.log(`\n=== ${name}`);
  const begun = Date.now();
  try {
    await work();
    finished(name, true, begun);
    return true;
  } catch (error) {
    console.log(error.message);
    finished(name, false, begun);
    return false;
  }
}

/** Starts a command in the project's root and resolves to its exit code (127 when it cannot be started). */
export function run([command, ...args], options = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    child.on('error', (error) => {
      console.log(`${command}: ${error.message}`);
      done(127);
    });
    child.on('exit', (code) => done(code ?? 1));
  });
}

/** Prints every section with its time; returns whether all held. */
export function summary() {
  console.log('\n=== summary');
  for (const { name, held, seconds } of results) {
    console.log(`${held ? 'ok    ' : 'FAILED'}  ${name.padEnd(20)} ${seconds.padStart(6)} s`);
  }
  return results.every(({ held }) => held);
}

function finished(name, held, begun) {
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  results.push({ name, held, seconds });
  console.log(`--- ${name}: ${held ? 'ok' : 'FAILED'} (${seconds} s)`);
}
